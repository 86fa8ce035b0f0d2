"""A visit to a real OpenSSH server with a real shell behind it."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netmon.probes.ssh.adapter import Login, Session
from netmon.probes.ssh.hosts import HostKeys
from netmon.probes.ssh.platforms import load_platforms
from netmon.probes.ssh.visit import SshStatus, Visit, visit

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.net

_LINES = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    # Beside /usr/bin it is not on everybody's PATH, and it demands to be called by its whole path.
    program = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/local/sbin")
    keygen = shutil.which("ssh-keygen")
    if program is None or keygen is None:
        pytest.skip("sshd is not installed")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host_key", "user_key"):
        command = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(_LINES.format(port=port, folder=folder))
    Path("/run/sshd").mkdir(exist_ok=True)
    arguments = ["-D", "-f", str(folder / "sshd_config"), "-E", str(folder / "log")]
    with subprocess.Popen([program, *arguments]) as process:
        _wait_for(port, process)
        yield port, folder
        process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if process.poll() is not None:
            pytest.skip("sshd does not start here")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def _visit(sshd: tuple[int, Path], key: str, pins: Path) -> Visit:
    port, folder = sshd
    platform = load_platforms()["linux"]
    user = getpass.getuser()
    login = Login(ip_address("127.0.0.1"), port, user, key_file=str(folder / key))
    return visit("xa-a", platform, Session(login, platform, HostKeys(pins, "xa-a"), 20.0), ())


def test_a_linux_router_is_read_with_a_key(sshd: tuple[int, Path], tmp_path: Path) -> None:
    result = _visit(sshd, "user_key", tmp_path)
    assert result.status in {SshStatus.OK, SshStatus.PARTIAL}, result
    assert result.answers.facts["name"] == socket.gethostname()
    assert result.answers.facts["os"] == "Linux"
    assert "lo" in result.answers.tables["interface"]


def test_a_key_that_is_not_authorised_is_refused(sshd: tuple[int, Path], tmp_path: Path) -> None:
    result = _visit(sshd, "host_key", tmp_path)
    assert result.status is SshStatus.AUTHENTICATION, result

"""A visit to a real OpenSSH server with a real shell behind it."""

from __future__ import annotations

import getpass
import shlex
import socket
import subprocess
import time
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.capabilities import Need, find_program, missing
from netmon.probes.ssh.adapter import Login, Session
from netmon.probes.ssh.hosts import HostKeys
from netmon.probes.ssh.platforms import load_platforms
from netmon.probes.ssh.visit import SshStatus, Visit, visit
from tests.support.ssh_frr import unpacked_environment

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


# Root's sshd demands a user and a folder of its own: they are there in its mount namespace only.
_AS_ROOT = """
mount --bind {folder}/passwd /etc/passwd
mount -t tmpfs run /run
mkdir /run/sshd
exec {command}
"""


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    # An ordinary user's sshd may not give a terminal away, and closes the session.
    if lack := missing(Need.ROOT, Need.SSHD, Need.SSH_KEYGEN):
        pytest.skip(lack)
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host_key", "user_key"):
        keygen = [find_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", ""]
        subprocess.run([*keygen, "-f", str(folder / name)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(_LINES.format(port=port, folder=folder))
    with subprocess.Popen(_command(folder), env=unpacked_environment()) as process:
        _wait_for(port, process, folder)
        yield port, folder
        process.terminate()


def _command(folder: Path) -> list[str]:
    # It demands to be called by its whole path.
    words = [find_program("sshd"), "-D", "-f", f"{folder}/sshd_config", "-E", f"{folder}/log"]
    users = Path("/etc/passwd").read_text("utf-8")
    (folder / "passwd").write_text(f"{users}sshd:x:64990:65534::/run/sshd:/bin/false\n")
    script = _AS_ROOT.format(folder=folder, command=shlex.join(words))
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script]


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            assert time.monotonic() < deadline, (folder / "log").read_text()
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

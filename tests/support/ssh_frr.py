"""Real routers for visits: FRR behind sshd, each in network and mount namespaces of its own.

sshd and FRR are the machine's, or else what scripts/setup has unpacked. The users that they demand
exist in the router's mount namespace only: nothing of the machine is changed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lab.capabilities import UNPACKED_ROUTER, Need, find_program
from lab.kernel import enter_command, inside

if TYPE_CHECKING:
    from types import TracebackType

NEEDS = (Need.ROOT, Need.IP, Need.NSENTER, Need.SSHD, Need.SSH_KEYGEN, Need.FRR)
USER, PASSWORD = "giamsat", "SEEDlogin"
_PASSWORD_HASH = (
    "$6$netmonlab$aMW.b.0/T/AdwNfkPfbAM2iD9k/ws5wv4m9dACnkqpfJzXBYHc2wozCby6nqsW6YqVx9hUpmi47bi"
    "VmqytmKw1"
)
_PATIENCE_SECONDS = 30.0

_ETC = {
    "passwd": "root:x:0:0::/:/bin/sh\nsshd:x:990:990::/:/bin/false\nfrr:x:991:991::/:/bin/false\n"
    f"{USER}:x:992:992::/:/bin/sh\n",
    "group": f"root:x:0:\nsshd:x:990:\nfrr:x:991:{USER}\n{USER}:x:992:\nfrrvty:x:993:frr,{USER}\n",
    "shadow": f"root:*:::::::\nsshd:*:::::::\nfrr:*:::::::\n{USER}:{_PASSWORD_HASH}:::::::\n",
    # As Debian's package has it: who may open vtysh's socket need not tell a password again.
    "pam.d/frr": "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
    "frr/vtysh.conf": "",
}
_SSHD = """
ListenAddress 0.0.0.0
HostKey {folder}/host_key
PidFile none
UsePAM no
UseDNS no
PasswordAuthentication yes
ForceCommand env LD_LIBRARY_PATH={libraries} {vtysh}
"""
_START = """
echo {folder.name} >/proc/sys/kernel/hostname
mount --bind {folder}/etc /etc
mount -t tmpfs router /run
mkdir /run/sshd /run/frr
chown -R frr:frr /run/frr
{daemons}/zebra -A 127.0.0.1 &
# A daemon that does not find zebra asks again after ten seconds only.
until [ -S /run/frr/zserv.api ]; do sleep 0.05; done
{daemons}/staticd -A 127.0.0.1 &
{daemons}/ospfd -A 127.0.0.1 &
{sshd} -f {folder}/sshd_config -E {folder}/sshd.log
exec sleep infinity
"""


def unpacked_environment() -> dict[str, str]:
    """Return the environment in which what scripts/setup unpacked finds its libraries."""
    return {**os.environ, "LD_LIBRARY_PATH": _libraries()}


def _libraries() -> str:
    patterns = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib/*-linux-gnu*/frr")
    return ":".join(str(path) for each in patterns for path in UNPACKED_ROUTER.glob(each))


class FrrRouter:
    """A router in a network namespace that stands already; `with` starts and ends it.

    It is named as its folder.
    """

    def __init__(self, namespace: str, folder: Path, address: str, configuration: str) -> None:
        self._namespace = namespace
        self._folder = folder
        self._address = address
        self._process: subprocess.Popen[bytes] | None = None
        for name, text in {**_ETC, "frr/frr.conf": configuration}.items():
            path = folder / "etc" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def __enter__(self) -> Self:
        self.make_host_key()
        self._start()
        for daemon in ("zebra", "staticd", "ospfd"):
            self.wait_until("show daemons", daemon)
        self._vtysh("-b")
        self._wait_for_ssh()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            # Its daemons end with the namespace, which is not ours.
            self._process.kill()
            self._process.wait()

    def make_host_key(self) -> None:
        """Give sshd another host key; each connection reads it anew."""
        key = self._folder / "host_key"
        for old in (key, key.with_suffix(".pub")):
            old.unlink(missing_ok=True)
        keygen = find_program("ssh-keygen")
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)

    def configure(self, *lines: str) -> None:
        """Change the running configuration, as an operator would at its terminal."""
        self.vtysh("configure terminal", *lines)

    def vtysh(self, *commands: str) -> str:
        """Return what vtysh says to commands."""
        return self._vtysh(*(word for command in commands for word in ("-c", command)))

    def wait_until(self, command: str, word: str) -> None:
        """Wait until FRR's answer to a command holds a word."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while word not in (said := self.vtysh(command)):
            assert time.monotonic() < deadline, f"{command}: {said}\n{self.logs()}"
            time.sleep(0.1)

    def logs(self) -> str:
        """Return what its daemons logged."""
        return "\n".join(path.read_text("utf-8", "replace") for path in self._folder.glob("*.log"))

    def _vtysh(self, *arguments: str) -> str:
        assert self._process is not None
        enter = [find_program("nsenter"), "-t", f"{self._process.pid}", "--uts", "--mount", "--net"]
        done = subprocess.run(
            [*enter, find_program("vtysh"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=unpacked_environment(),
        )
        return done.stdout + done.stderr

    def _start(self) -> None:
        places = {
            "folder": self._folder,
            "libraries": _libraries(),
            "vtysh": find_program("vtysh"),
            "sshd": find_program("sshd"),
            "daemons": Path(find_program("ospfd")).parent,
        }
        (self._folder / "sshd_config").write_text(_SSHD.format_map(places), "utf-8")
        unshare = [find_program("unshare"), "--uts", "--mount", "--propagation", "private"]
        with (self._folder / "start.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*enter_command(self._namespace), *unshare, "sh", "-c", _START.format_map(places)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=unpacked_environment(),
                start_new_session=True,
            )

    def _wait_for_ssh(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                with inside(self._namespace):
                    socket.create_connection((self._address, 22), 1).close()
            except OSError:
                assert time.monotonic() < deadline, self.logs()
                time.sleep(0.1)
            else:
                return

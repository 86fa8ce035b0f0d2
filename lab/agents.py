"""Real snmpd for the lab's routers: one process each, started, hung, restarted and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.capabilities import find_program
from lab.kernel import inside

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address
    from pathlib import Path

COMMUNITY = "lab"
_MODULES = (
    "system_mib,ifTable,ifXTable,ip,ipAddressTable,inetCidrRouteTable,"
    "usmConf,vacm_conf,snmp_mib,snmpEngine"
)
"""What netmon reads and no more: snmpd starts ten times faster than with all its modules."""
_STOP_SECONDS = 5.0
_ASK_AGAIN_SECONDS = 0.1
# GET sysUpTime.0, version 2c: 0x2e octets behind a community of three letters.
_GET_UPTIME = (
    b"\x30\x26\x02\x01\x01\x04\x03" + COMMUNITY.encode() + b"\xa0\x1c\x02\x04\x4c\x41\x42\x00"
    b"\x02\x01\x00\x02\x01\x00\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x03\x00\x05\x00"
)


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """What an agent says of its router."""

    name: str
    description: str = "Linux lab router"
    object_id: str = "1.3.6.1.4.1.8072.3.2.10"
    location: str = "Phòng máy chủ"


class Agent:
    """The snmpd of one router. It keeps its snmpEngineBoots across restarts."""

    def __init__(self, namespace: str, directory: Path, identity: AgentIdentity) -> None:
        self._namespace = namespace
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True)
        (directory / "snmpd.conf").write_text(
            f"rocommunity {COMMUNITY} default\n"
            f"sysName {identity.name}\n"
            f"sysDescr {identity.description}\n"
            f"sysObjectID {identity.object_id}\n"
            f"sysLocation {identity.location}\n"
            "agentAddress udp:161\n"
            # Without it a re-created interface keeps its old row beside the new one for 300 s.
            "interface_replace_old yes\n",
            encoding="utf-8",
        )

    def start(self) -> None:
        """Start snmpd in its router's namespace."""
        if self._process is not None:
            return
        log = self._directory / "log"
        # Not by -C and -c: snmpd would not read back its count of boots either.
        state = self._directory / "state"
        paths = {
            "SNMPCONFPATH": f"{self._directory}:{state}",
            "SNMP_PERSISTENT_DIR": str(state),
        }
        with inside(self._namespace):
            self._process = subprocess.Popen(
                [
                    find_program("snmpd"), "-f", "-LF", "w", log, "-I", _MODULES,
                    "-p", self._directory / "pid",
                ],
                env={**os.environ, "MIBS": "", **paths},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip

    def request_stop(self) -> None:
        """Ask snmpd to end; `stop` waits for it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()

    def stop(self, patience_seconds: float = _STOP_SECONDS) -> None:
        """End snmpd: its port is closed, which the kernel tells whoever asks."""
        if self._process is None:
            return
        self.request_stop()
        try:
            self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def hang(self) -> None:
        """Stop snmpd in its tracks: its port stays open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a hung snmpd go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            message = f"the agent in {self._namespace} does not run"
            raise RuntimeError(message)
        self._process.send_signal(number)


def wait_for_agents(
    namespace: str, addresses: Mapping[IPv4Address, str], patience_seconds: float = 30.0
) -> None:
    """Ask agents from a namespace until each has answered once.

    Raises:
        TimeoutError: Some did not; the message names them.
    """
    with inside(namespace):
        asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent = {str(address): name for address, name in addresses.items()}
    deadline = time.monotonic() + patience_seconds
    with asker:
        while silent and time.monotonic() < deadline:
            for address in silent:
                asker.sendto(_GET_UPTIME, (address, 161))
            _take_answers(asker, silent)
    if silent:
        message = (
            f"no SNMP answer within {patience_seconds:.0f} s from {', '.join(silent.values())}"
        )
        raise TimeoutError(message)


def _take_answers(asker: socket.socket, silent: dict[str, str]) -> None:
    until = time.monotonic() + _ASK_AGAIN_SECONDS
    while silent and (rest := until - time.monotonic()) > 0:
        asker.settimeout(rest)
        try:
            _, (address, _) = asker.recvfrom(2048)
        except TimeoutError:
            return
        silent.pop(address, None)

"""What this machine lacks for the lab, in words: the reasons of skipped tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

UNPACKED_ROUTER = Path(__file__).resolve().parents[1] / ".cache" / "tools" / "router"
"""Where scripts/setup unpacks sshd and FRR with their libraries on a machine that has none."""

# Debian keeps daemons and `ip` where an ordinary user's PATH does not look.
_PLACES = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/frr")
_UNPACKED = (f"{UNPACKED_ROUTER}/usr/{place}" for place in ("sbin", "bin", "lib/frr"))
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), *_PLACES, *_UNPACKED))


class Need(StrEnum):
    """Something that a test, a benchmark or the lab cannot do without."""

    ROOT = "root"
    IP = "ip"
    NFT = "nft"
    NSENTER = "nsenter"
    PING = "ping"
    SNMPD = "snmpd"
    SNMPGET = "snmpget"
    TUN = "tun"
    PROMETHEUS = "prometheus"
    PROMTOOL = "promtool"
    ALERTMANAGER = "prometheus-alertmanager"
    AMTOOL = "amtool"
    FAKETIME = "libfaketime"
    MKFS = "mkfs.ext4"
    SSHD = "sshd"
    SSH_KEYGEN = "ssh-keygen"
    FRR = "vtysh"
    GIT = "git"


LAB: tuple[Need, ...] = (Need.ROOT, Need.IP, Need.NFT, Need.NSENTER, Need.SNMPD)
"""What the province in namespaces needs."""


@dataclass(frozen=True, slots=True)
class _Check:
    is_met: Callable[[], bool]
    remedy: str


def find_program(name: str) -> str:
    """Return the path of a program.

    Raises:
        FileNotFoundError: It is not installed.
    """
    found = shutil.which(name, path=_PATH)
    if found is None:
        message = f"{name} is not installed"
        raise FileNotFoundError(message)
    return found


def find_faketime() -> Path:
    """Return the library that, preloaded, gives one process another wall clock.

    Raises:
        FileNotFoundError: It is not installed.
    """
    found = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if found is None:
        message = "libfaketime is not installed"
        raise FileNotFoundError(message)
    return found


def missing(*needs: Need) -> str:
    """Return a sentence that says what is missing and where to get it; empty: nothing is."""
    lacks = [f"{need} ({_CHECKS[need].remedy})" for need in needs if not _CHECKS[need].is_met()]
    return "missing: " + ", ".join(lacks) if lacks else ""


def _has_faketime() -> bool:
    try:
        find_faketime()
    except FileNotFoundError:
        return False
    return True


def _program(name: str, package: str) -> _Check:
    return _Check(lambda: shutil.which(name, path=_PATH) is not None, f"apt-get install {package}")


_CHECKS: Mapping[Need, _Check] = MappingProxyType(
    {
        Need.ROOT: _Check(lambda: os.geteuid() == 0, "run as root"),
        Need.TUN: _Check(
            lambda: os.access(Path("/dev/net/tun"), os.R_OK | os.W_OK),
            "mknod /dev/net/tun c 10 200",
        ),
        Need.IP: _program("ip", "iproute2"),
        Need.NFT: _program("nft", "nftables"),
        Need.NSENTER: _program("nsenter", "util-linux"),
        Need.PING: _program("ping", "iputils-ping"),
        Need.SNMPD: _program("snmpd", "snmpd"),
        Need.SNMPGET: _program("snmpget", "snmp"),
        Need.PROMETHEUS: _program("prometheus", "prometheus"),
        Need.PROMTOOL: _program("promtool", "prometheus"),
        Need.ALERTMANAGER: _program("prometheus-alertmanager", "prometheus-alertmanager"),
        Need.AMTOOL: _program("amtool", "prometheus-alertmanager"),
        Need.FAKETIME: _Check(_has_faketime, "apt-get install faketime"),
        Need.MKFS: _program("mkfs.ext4", "e2fsprogs"),
        Need.SSHD: _program("sshd", "openssh-server"),
        Need.SSH_KEYGEN: _program("ssh-keygen", "openssh-client"),
        Need.FRR: _program("vtysh", "frr"),
        Need.GIT: _program("git", "git"),
    }
)

"""Network namespaces of this machine: made, entered, and swept away when their owner is dead."""

from __future__ import annotations

import ctypes
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lab.capabilities import find_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CLONE_NEWNET = 0x40000000
_NAMESPACES = Path("/run/netns")
_PREFIX = "netmon-lab-"
_OWNED = re.compile(rf"{_PREFIX}(\d+)s(\d+)-")
_STAT_START_TIME = 19
"""Field of /proc/PID/stat behind the command's closing parenthesis: start time in ticks."""
_serial_numbers = itertools.count()


def new_prefix() -> str:
    """Return a prefix for names that no other lab, living or dead, uses.

    It tells the owner's process id and start time, so that whoever comes later can see whether
    the owner still lives, even when its id has been given to another process.
    """
    return f"{_PREFIX}{os.getpid()}s{_start_time(os.getpid())}-{next(_serial_numbers)}-"


def sweep_dead() -> None:
    """Remove what labs have left behind whose process is gone."""
    for path in [*_entries(_NAMESPACES), *_entries(Path(tempfile.gettempdir()))]:
        owner = _OWNED.match(path.name)
        if owner is None or _start_time(int(owner[1])) == owner[2]:
            continue
        if path.parent == _NAMESPACES:
            remove_namespaces([path.name])
        else:
            shutil.rmtree(path, ignore_errors=True)


def remove_namespaces(names: Iterable[str]) -> None:
    """End the processes in namespaces that are ours, and delete these."""
    names = list(names)
    for name in names:
        for process in _processes_in(name):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    run_ip([f"netns del {name}" for name in names], forgive=True)


def run_ip(commands: Iterable[str], namespace: str | None = None, *, forgive: bool = False) -> None:
    """Run commands of ip(8) in one go, in a namespace.

    Raises:
        RuntimeError: One failed; the message holds what `ip` said.
    """
    where = ["-n", namespace] if namespace is not None else []
    force = ["-force"] if forgive else []
    done = subprocess.run(
        [find_program("ip"), *where, *force, "-batch", "-"],
        input="\n".join(commands) + "\n",
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0 and not forgive:
        message = f"ip in {namespace or 'the root namespace'}: {done.stderr.strip()}"
        raise RuntimeError(message)


def run_nft(rules: str, namespace: str) -> None:
    """Load rules of nft(8) in a namespace.

    Raises:
        RuntimeError: nft refuses them; the message holds what it said.
    """
    done = subprocess.run(
        [*enter_command(namespace), find_program("nft"), "-f", "-"],
        input=rules,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        message = f"nft in {namespace}: {done.stderr.strip()}"
        raise RuntimeError(message)


def enter_command(namespace: str) -> list[str]:
    """Return the beginning of a command line that runs the rest of it in a namespace."""
    return [find_program("nsenter"), f"--net={_NAMESPACES / namespace}"]


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Let this thread be in a namespace: sockets and children made here are born there."""
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
    there = os.open(_NAMESPACES / namespace, os.O_RDONLY)
    try:
        _set_namespace(libc, there)
        yield
    finally:
        _set_namespace(libc, here)
        os.close(there)
        os.close(here)


def _set_namespace(libc: ctypes.CDLL, descriptor: int) -> None:
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"setns: {os.strerror(code)}")


def _entries(directory: Path) -> list[Path]:
    return list(directory.glob(f"{_PREFIX}*")) if directory.is_dir() else []


def _start_time(process: int) -> str:
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[_STAT_START_TIME]


def _processes_in(namespace: str) -> list[int]:
    done = subprocess.run(
        [find_program("ip"), "netns", "pids", namespace],
        text=True,
        capture_output=True,
        check=False,
    )
    return [int(word) for word in done.stdout.split()]

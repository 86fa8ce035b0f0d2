"""Other programs that ask routers, where they are installed: CPU time of one router's poll.

gufo-snmp (Rust) is asked in a process of its own, as netmon is; net-snmp's snmpbulkget is a process
for each poll; snmp_exporter is asked over HTTP for one router after the other, as Prometheus does,
and what counts is the CPU time of its process alone.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib
import importlib.util
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

VARIABLES = 20
_TABLE = "1.3.6.1.2.1.2.2.1.10"
_NAMES = [f"{_TABLE}.{index}" for index in range(1, VARIABLES + 1)]
_POLLS = 300
_PROCESSES = 40
_READY_SECONDS = 10.0
_OK = 200
_EXPORTERS = ("snmp_exporter", "prometheus-snmp-exporter")
_EXPORTER_CONFIG = f"""\
bench:
  get: [{", ".join(_NAMES)}]
  metrics:
    - name: ifInOctets
      oid: {_TABLE}
      type: counter
      help: Octets received.
      indexes: [{{labelname: ifIndex, type: gauge}}]
  version: 2
  auth: {{community: public}}
"""
Measure = Callable[[Sequence[Callable[[], Awaitable[None]]], int], Awaitable[dict[str, float]]]


def has_gufo() -> bool:
    """Tell whether gufo-snmp is installed."""
    return _has("gufo") and _has("gufo.snmp")


async def gufo(port: int, who: Mapping[str, str], measure: Measure) -> dict[str, float]:
    """Ask by gufo-snmp, several sessions at a time: by a `community`, or by a user's words."""
    # Perhaps it is not installed, and then no type checker may look for it.
    module = importlib.import_module("gufo.snmp.aio")
    asker = who if "community" in who else {"user": _gufo_user(who)}
    sessions = [module.SnmpSession("127.0.0.1", port=port, **asker) for _ in range(10)]

    if "user" in asker:
        for session in sessions:
            await session.refresh()  # discovers the agent's engine

    def asking(session: Any) -> Callable[[], Awaitable[None]]:  # noqa: ANN401  # as above
        async def get() -> None:
            _check(len(await session.get_many(_NAMES)))

        return get

    return await measure([asking(session) for session in sessions], 2000)


def _gufo_user(who: Mapping[str, str]) -> object:
    keys = importlib.import_module("gufo.snmp.user")
    return keys.User(
        who["user"],
        auth_key=keys.Sha256Key(who["auth"].encode(), key_type=keys.KeyType.Password),
        priv_key=keys.Aes128Key(who["priv"].encode(), key_type=keys.KeyType.Password),
    )


def snmpbulkget(port: int) -> float | None:
    """Return the CPU microseconds of a poll by net-snmp's program; None: it is not installed."""
    program = shutil.which("snmpbulkget")
    if program is None:
        return None
    command = [program, "-v2c", "-c", "public", "-On", f"-Cn{VARIABLES}", "-Cr0"]
    command += [f"127.0.0.1:{port}", *_NAMES]
    environment = {**os.environ, "MIBS": "", "SNMPCONFPATH": "/nonexistent"}
    before = _children_seconds()
    for _ in range(_PROCESSES):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
        _check(done.stdout.count(b"\n"))
    return (_children_seconds() - before) / _PROCESSES * 1e6


def snmp_exporter(port: int) -> float | None:
    """Return snmp_exporter's CPU microseconds for a scrape; None: it is not installed.

    The environment variable SNMP_EXPORTER may name its program.
    """
    names = (os.environ.get("SNMP_EXPORTER", ""), *_EXPORTERS)
    program = next((found for name in names if name and (found := shutil.which(name))), None)
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder, _running(program, Path(folder)) as (pid, there):
        for _ in range(_POLLS // 10):
            _scrape(there, port)
        before = _process_seconds(pid)
        for _ in range(_POLLS):
            _scrape(there, port)
        return (_process_seconds(pid) - before) / _POLLS * 1e6


@contextlib.contextmanager
def _running(program: str, folder: Path) -> Iterator[tuple[int, http.client.HTTPConnection]]:
    config = folder / "snmp.yml"
    config.write_text(_EXPORTER_CONFIG, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [program, f"--config.file={config}", f"--web.listen-address={address}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        there = http.client.HTTPConnection(address, timeout=10)
        try:
            _await_ready(there)
            yield process.pid, there
        finally:
            there.close()
            process.terminate()


def _await_ready(there: http.client.HTTPConnection) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            there.connect()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _scrape(there: http.client.HTTPConnection, port: int) -> None:
    there.request("GET", f"/snmp?module=bench&target=127.0.0.1:{port}")
    answer = there.getresponse()
    body = answer.read()
    if answer.status != _OK:
        sys.exit(f"snmp_exporter: {body.decode()}")
    _check(body.count(b"\nifInOctets{"))


def _process_seconds(pid: int) -> float:
    """Return the CPU time of another process (proc(5), utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _check(variables: int) -> None:
    """Stop the benchmark if an answer was not whole: a failure must not count as fast."""
    if variables != VARIABLES:
        message = f"{variables} variables where {VARIABLES} were asked"
        raise RuntimeError(message)

r"""Recordings of real routers, served by snmpsim over UDP: is every row of them read?

    NETMON_CORPUS=/path/to/corpus SNMPSIM=/path/to/snmpsim-command-responder \
        python benchmarks/snmp_served.py [--json]

snmpsim (1.2.2, with pysmi) is installed apart: netmon does not need it. Every recording is walked
from 1.0 to the end of its MIB view by netmon's engine, and what came is compared with what the
corpus says that a patient walk has read. snmpsim answers with endOfMibView at a row that it cannot
encode, and not at all where an answer grows over 64 KiB; where rows are missing, the remaining ones
are asked for behind the gap.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from netmon.clock import SystemClock
from netmon.config.settings import SnmpCredential, SnmpModule
from netmon.probes.snmp.engine import SnmpEngine
from netmon.probes.snmp.values import SnmpError, SnmpSecrets, VarBind

# Run as a script, it must find its neighbour all the same.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.snmp_corpus import corpus_folder  # after the line above

if TYPE_CHECKING:
    from collections.abc import Iterator

Json: TypeAlias = dict[str, Any]
MODULE = SnmpModule("served", interval_seconds=120, timeout_seconds=4, retries=2)
ROOTS = ((1, 0), (1, 2), (1, 3))
LIMIT_ROWS = 200_000
READY_SECONDS = 240.0
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Served:
    """One recording: the rows that the corpus has of it, and those that netmon read."""

    name: str
    recorded: int
    read: int
    troubles: str


def main() -> int:
    """Serve and read; 1 where a row is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    place, program = os.environ.get("NETMON_CORPUS"), os.environ.get("SNMPSIM")
    if not place or not program:
        print("set NETMON_CORPUS and SNMPSIM: see the head of this file", file=sys.stderr)
        return 2
    with corpus_folder(Path(place)) as corpus, served(corpus, program) as port:
        results = asyncio.run(read_all(corpus, port))
    short = [result for result in results if result.read < result.recorded]
    figures = {
        "recordings": len(results),
        "recordings_short": len(short),
        "rows_recorded": sum(result.recorded for result in results),
        "rows_read": sum(result.read for result in results),
    }
    for result in [] if options.json else short:
        print(f"{result.name}: {result.read} of {result.recorded} rows: {result.troubles}")
    print(json.dumps(figures) if options.json else figures)
    return int(bool(short))


@contextlib.contextmanager
def served(corpus: Path, program: str) -> Iterator[int]:
    """Run snmpsim over the corpus; community: the recording's path without its ending."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="netmon-snmpsim-") as cache:
        Path(cache).chmod(0o777)
        for folder in (corpus, *corpus.parents[:-2]):
            folder.chmod(0o755)
        command = [program, f"--data-dir={corpus}", f"--agent-udpv4-endpoint=127.0.0.1:{port}"]
        command += [f"--cache-dir={cache}", "--log-level=error"]
        if os.geteuid() == 0:
            command += [f"--process-user={NOBODY}", "--process-group=nogroup"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                yield port
            finally:
                process.terminate()


async def read_all(corpus: Path, port: int) -> list[Served]:
    """Walk one recording after the other."""
    engine = SnmpEngine(SystemClock())
    await engine.start()
    try:
        rows = json.loads((corpus / "index.json").read_text(encoding="utf-8"))
        await await_ready(engine, port, rows[0]["id"])
        return [await read(engine, port, row) for row in rows if row["full_walk"]]
    finally:
        await engine.close()


async def await_ready(engine: SnmpEngine, port: int, name: str) -> None:
    """Wait until snmpsim has indexed its recordings."""
    deadline = time.monotonic() + READY_SECONDS
    session = engine.session(
        IPv4Address("127.0.0.1"), port, SnmpCredential("2c"), SnmpSecrets(name), MODULE
    )
    while True:
        try:
            await session.get([(1, 3, 6, 1, 2, 1, 1, 1, 0)])
        except SnmpError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(1)
        else:
            return


async def read(engine: SnmpEngine, port: int, row: Json) -> Served:
    """Walk all that one recording holds."""
    secrets = SnmpSecrets(row["id"])
    session = engine.session(IPv4Address("127.0.0.1"), port, SnmpCredential("2c"), secrets, MODULE)
    got: dict[object, VarBind] = {}
    troubles: dict[str, None] = {}
    for root in ROOTS:
        try:
            walk = await session.walk(root, limit_rows=LIMIT_ROWS)
        except SnmpError as error:
            troubles[str(error)] = None
            continue
        got.update((variable.oid, variable) for variable in walk.rows)
        if walk.trouble:
            troubles[walk.trouble] = None
    return Served(row["id"], row["full_walk"]["read"], len(got), "; ".join(troubles))


if __name__ == "__main__":
    raise SystemExit(main())

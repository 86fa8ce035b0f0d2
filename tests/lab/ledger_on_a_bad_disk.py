"""Runs inside a private mount namespace: a ledger on a disk that fills up or turns read-only.

Prints one JSON object that says what was seen; tests/lab/test_ledger_disk.py judges it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from netmon.errors import LedgerError
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import LedgerReader
from netmon.ledger.writer import LedgerWriter
from netmon.model import Evidence, Health, LinkKey, State, Transition
from tests.ledger_traces import CALENDAR, SECOND, START

KEY = LinkKey("so-noi-vu", "main")
COUNT = 400
BALLAST_BYTES = 320 << 10


class Said(logging.Handler):
    """Counts what the ledger says of its troubles."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.levels.append(record.levelname)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def change(number: int) -> Transition:
    at_us = START + number * SECOND
    before, after = (State.UP, State.DEGRADED) if number % 2 else (State.DEGRADED, State.UP)
    evidence = Evidence("x" * (500 if number < COUNT // 2 else 1500))
    return Transition(KEY, at_us, at_us, before, after, Health.UP, evidence)


def fill(path: Path) -> None:
    """Write until the disk takes no byte more."""
    size = 1 << 16
    with path.open("ab", buffering=0) as file:
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2


async def full_disk(folder: Path) -> dict[str, object]:
    run("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder))
    ledger = Ledger.open(folder / "l.sqlite", calendar=CALENDAR, ballast_bytes=BALLAST_BYTES)
    ledger.restore(START)
    writer = _writer(ledger)
    seen: dict[str, object] = {"ballast_at_first": ledger.ballast_ready}
    for number in range(COUNT // 2):
        await writer.record([change(number)])
    await writer.call(lambda each: each.beat(START + COUNT // 2 * SECOND, 0))
    # A log without room of its own: nothing can be deleted now but with the reserve.
    truncate = "PRAGMA wal_checkpoint(TRUNCATE)"
    await writer.call(lambda each: each._open_connection().execute(truncate).fetchone())
    fill(folder / "filler")
    days_us = 86_400 * SECOND
    removed = await writer.call(lambda each: each.retain(START + 50 * SECOND + days_us, 1))
    seen["removed_on_full_disk"] = removed
    seen["warning"] = writer.status()[1]
    fill(folder / "filler2")
    for number in range(COUNT // 2, COUNT):
        writer.submit([change(number)])
    await _until_refused(writer)
    seen["refused"] = writer.status()
    with closing(LedgerReader.open(folder / "l.sqlite")) as reader:
        seen["readable_meanwhile"] = len(reader.spans(KEY, START + 150 * SECOND, START + 10**15))
    (folder / "filler").unlink()
    (folder / "filler2").unlink()
    await writer.call(lambda each: each.beat(START + (COUNT + 100) * SECOND, 0))
    seen["after"] = writer.status()
    return seen | await _end(writer, ledger)


async def readonly_disk(folder: Path) -> dict[str, object]:
    image, disk = folder / "image", folder / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(8 << 20)
    run("mkfs.ext4", "-q", str(image))
    run("mount", "-o", "loop", str(image), str(disk))
    ledger = Ledger.open(disk / "l.sqlite", calendar=CALENDAR, ballast_bytes=BALLAST_BYTES)
    ledger.restore(START)
    writer = _writer(ledger)
    for number in range(COUNT // 2):
        await writer.record([change(number)])
    # What the kernel does to ext4 with errors=remount-ro when the disk beneath fails.
    run("mount", "-o", "remount,abort", str(disk))
    for number in range(COUNT // 2, COUNT):
        writer.submit([change(number)])
    await _until_refused(writer)
    seen: dict[str, object] = {"refused": writer.status()}
    try:
        Ledger.open(disk / "other.sqlite", calendar=CALENDAR)
    except LedgerError as error:
        seen["opening"] = str(error)
    run("umount", "-l", str(disk))
    await asyncio.sleep(0.3)
    seen["gone"] = writer.status()[1]
    run("sh", "-c", f"e2fsck -y {image} || test $? -lt 4")
    run("mount", "-o", "loop", str(image), str(disk))
    await _until_written(writer)
    seen["after"] = writer.status()
    return seen | await _end(writer, ledger)


def _writer(ledger: Ledger) -> LedgerWriter:
    loop = asyncio.get_running_loop()
    return LedgerWriter(ledger, loop, first_pause_seconds=0.02, longest_pause_seconds=0.1)


async def _until_refused(writer: LedgerWriter) -> None:
    async with asyncio.timeout(20):
        while writer.status()[0]:  # noqa: ASYNC110  # the writer's thread announces nothing
            await asyncio.sleep(0.02)


async def _until_written(writer: LedgerWriter) -> None:
    async with asyncio.timeout(20):
        while writer.status()[2]:  # noqa: ASYNC110  # the writer's thread announces nothing
            await asyncio.sleep(0.02)


async def _end(writer: LedgerWriter, ledger: Ledger) -> dict[str, object]:
    problems = await writer.call(lambda each: [str(problem) for problem in each.verify()])
    head = ledger.head()[0]
    await writer.close()
    with closing(LedgerReader.open(ledger.path)) as reader:
        begin_us = START + 150 * SECOND
        spans = reader.spans(KEY, begin_us, START + (COUNT - 1) * SECOND)
        seconds = [(span.start_us - START) // SECOND for span in spans]
    return {"problems": problems, "head": head, "seconds": seconds}


def main() -> None:
    """Run the scenario that the command line names."""
    said = Said()
    logging.getLogger("netmon").addHandler(said)
    scenario = {"full": full_disk, "readonly": readonly_disk}[sys.argv[1]]
    seen = asyncio.run(scenario(Path(sys.argv[2])))
    sys.stdout.write(json.dumps(seen | {"said": said.levels}))


if __name__ == "__main__":
    main()

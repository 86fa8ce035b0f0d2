"""`netmon demo`: a toy province at work, with real packets and without privileges."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.options import Commands, add_daemon
from netmon.clock import SystemClock, Timeline
from netmon.daemon import Daemon
from netmon.demo.faults import Fault, FaultPlayer, Script, script_of
from netmon.demo.files import write_demo_files
from netmon.demo.province import Mode, ToyProvince, open_province
from netmon.logs import configure
from netmon.messages import LANGUAGES
from netmon.probes.icmp import OpenedSocket
from netmon.surroundings import Options, Surroundings
from netmon.web import find_exporters

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_LISTEN_ADDRESS = "127.0.0.1:9877"


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("demo", help="show netmon at work in a toy province")
    add_daemon(parser)
    parser.set_defaults(command=_demo, log_level="warn", listen_address=_LISTEN_ADDRESS)
    parser.add_argument("--fault", type=Fault, choices=tuple(Fault), help="default: all in turn")
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="end after this time")
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    parser.add_argument(
        "--network", type=Mode, choices=tuple(Mode), help="default: the best that is allowed here"
    )
    parser.add_argument(
        "--directory", type=Path, help="keep the demo's files here (default: a temporary one)"
    )


def _demo(options: argparse.Namespace) -> int:
    configure(options.log_level, options.log_format)
    with _directory(options.directory) as directory, open_province(options.network) as province:
        settings = write_demo_files(directory, options.listen_address, options.lang)
        _introduce(province, settings, options)
        return asyncio.run(_play(province, settings, options))


@contextlib.contextmanager
def _directory(named: Path | None) -> Iterator[Path]:
    if named is not None:
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="netmon-demo-") as temporary:
        yield Path(temporary)


def _introduce(province: ToyProvince, settings: Path, options: argparse.Namespace) -> None:
    address = options.listen_address
    print(province.notice("en"))
    print(f"page      http://{address}/   English: http://{address}/?lang=en")
    print(f"metrics   http://{address}/metrics")
    print(f"inventory {settings.with_name('agencies.yaml')}")
    print(f"          edit it, then: curl -X POST http://{address}/-/reload")
    print("Ctrl-C ends it. What really happens, as it happens:", flush=True)


async def _play(province: ToyProvince, settings: Path, options: argparse.Namespace) -> int:
    daemon = Daemon(
        Options(settings, options.listen_address),
        Surroundings(
            find_exporters(),
            icmp_sockets=_ToySockets(province),
            udp_sockets=province.open_udp_socket,
            notice={language: province.notice(language) for language in LANGUAGES},
            adapt=province.set_inventory,
        ),
    )
    player = FaultPlayer(
        province, Timeline(SystemClock()), lambda text: print(text, flush=True), language="en"
    )
    script = script_of(options.fault)
    faults = asyncio.create_task(_faults(player, script, daemon))
    ending = asyncio.create_task(_end_after(options.duration, daemon))
    try:
        return await daemon.run()
    finally:
        faults.cancel()
        ending.cancel()
        await asyncio.gather(faults, ending, return_exceptions=True)


async def _faults(player: FaultPlayer, script: Script, daemon: Daemon) -> None:
    await daemon.started.wait()
    await player.run(script, daemon.reload)


async def _end_after(seconds: float | None, daemon: Daemon) -> None:
    if seconds is not None:
        await asyncio.sleep(seconds)
        daemon.stop()


@dataclass(frozen=True, slots=True)
class _ToySockets:
    """Opens the echo engine's sockets in the toy province."""

    province: ToyProvince

    def open(self, family: int) -> OpenedSocket:
        """Open an ICMP socket of a family, 4 or 6."""
        return OpenedSocket(*self.province.open_echo_socket(family))

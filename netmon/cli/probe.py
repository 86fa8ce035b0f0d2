"""`netmon probe`: one agency or address, now, with everything that can be learnt of it."""

from __future__ import annotations

import asyncio
import difflib
import ipaddress
import statistics
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from netmon.cli.options import Commands, add_config, config_file
from netmon.cli.status import duration
from netmon.clock import SystemClock, Timeline
from netmon.config import LoadedAll, load_all
from netmon.errors import CapabilityError, NetmonError
from netmon.model import (
    Agency,
    InterfaceReading,
    IPAddress,
    Link,
    LinkKey,
    Outcome,
    Role,
    Router,
    RouterReading,
    SnmpStatus,
)
from netmon.probes.icmp import PingResult, Tracer, ping
from netmon.probes.snmp import facts
from netmon.probes.snmp.engine import SnmpEngine
from netmon.probes.snmp.poller import RouterMemory, RouterPoller
from netmon.probes.snmp.profile_files import load_profiles
from netmon.probes.snmp.rounds import open_session
from netmon.probes.snmp.values import SnmpError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from netmon.probes.snmp.profiles import Explanation

_INTERVAL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class _Pinged:
    link: Link
    address: IPAddress
    results: tuple[PingResult, ...]
    path_end: str


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("probe", help="ping and SNMP-poll one agency or address now")
    add_config(parser)
    parser.add_argument("target", metavar="AGENCY|ADDRESS")
    parser.add_argument("--count", type=int, default=5, help="echoes to each address (default 5)")
    parser.add_argument("--snmp", metavar="CREDENTIAL", help="ask an address with this credential")
    parser.add_argument(
        "--profile-debug", action="store_true", help="show which SNMP profile matched, and why"
    )
    parser.set_defaults(command=_probe)


def _probe(options: argparse.Namespace) -> int:
    loaded = load_all(config_file(options))
    agency = _find(loaded, options.target, options.snmp)
    pinged, reading, explanation = asyncio.run(_probe_agency(loaded, agency, options))
    console = Console()
    console.print(f"[bold]{agency.name}[/] ({agency.id})", highlight=False)
    console.print(_echo_table(pinged))
    if reading is not None:
        console.print(_router_table(reading, explanation))
    answered = all(_replies(each.results) for each in pinged)
    polled = reading is None or reading.status in {SnmpStatus.OK, SnmpStatus.PARTIAL}
    return 0 if answered and polled else 1


def _find(loaded: LoadedAll, name: str, credential: str | None) -> Agency:
    """Return the agency of that id, the one that has that address, or a stranger's stand-in."""
    agencies = loaded.inventory.agencies
    if name in agencies:
        return agencies[name]
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        close = difflib.get_close_matches(name, agencies, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        message = f"{name}: neither an agency's id nor an address{hint}"
        raise CapabilityError(message) from None
    for agency in agencies.values():
        if any(address in link.addresses for link in agency.links):
            return agency
    return _stranger(loaded, address, credential)


def _stranger(loaded: LoadedAll, address: IPAddress, credential: str | None) -> Agency:
    settings = loaded.settings
    if credential is None and len(settings.snmp_credentials) == 1:
        credential = next(iter(settings.snmp_credentials))
    if credential is not None and credential not in settings.snmp_credentials:
        known = ", ".join(settings.snmp_credentials) or "none"
        message = f"--snmp {credential}: no such credential in the settings (there: {known})"
        raise CapabilityError(message)
    link = Link(LinkKey(str(address), "primary"), Role.PRIMARY, (address,), "")
    return Agency(
        id=str(address),
        name="not in the inventory",
        kind="",
        router=Router(address, snmp=credential),
        snmp_module=next(iter(settings.snmp_modules), None),
        links=(link,),
    )


async def _probe_agency(
    loaded: LoadedAll, agency: Agency, options: argparse.Namespace
) -> tuple[list[_Pinged], RouterReading | None, Explanation | None]:
    targets = [(link, address) for link in agency.links for address in link.addresses]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        echoes = progress.add_task("echoes", total=options.count * len(targets))
        pings = [
            _ping(link, address, options.count, lambda: progress.advance(echoes))
            for link, address in targets
        ]
        pinged = list(await asyncio.gather(*pings))
        progress.add_task("SNMP", total=None)
        reading, explanation = await _poll(loaded, agency, explain=options.profile_debug)
    return pinged, reading, explanation


async def _ping(link: Link, address: IPAddress, count: int, advance: Callable[[], None]) -> _Pinged:
    results = []
    async for result in ping(address, count, _INTERVAL_SECONDS):
        results.append(result)  # progress is shown as they come
        advance()
    path_end = "" if _replies(results) else await _trace(address)
    return _Pinged(link, address, tuple(results), path_end)


async def _trace(address: IPAddress) -> str:
    tracer = Tracer()
    try:
        path = await tracer.trace(address)
    except NetmonError as error:
        return f"not traced: {error}"
    finally:
        tracer.close()
    return "" if path is None else path.end


async def _poll(
    loaded: LoadedAll, agency: Agency, *, explain: bool
) -> tuple[RouterReading | None, Explanation | None]:
    clock = SystemClock()
    timeline, profiles, engine = Timeline(clock), load_profiles(), SnmpEngine(clock)
    await engine.start()
    try:
        session = open_session(engine, agency, loaded.settings)
        if session is None:
            return None, None
        poller = RouterPoller(profiles, timeline)
        reading = await poller.poll(session, agency, RouterMemory())
        explanation = None
        if explain:
            system = await facts.read_system(session)
            explanation = await facts.explain(session, system, profiles)
    except SnmpError as error:
        return RouterReading(agency.id, timeline.now_us(), error.status, str(error)), None
    else:
        return reading, explanation
    finally:
        await engine.close()


def _replies(results: Sequence[PingResult]) -> list[float]:
    return [result.rtt_seconds for result in results if result.rtt_seconds is not None]


def _echo_table(pinged: Sequence[_Pinged]) -> Table:
    table = Table(title="ICMP echo", title_justify="left", header_style="bold", pad_edge=False)
    for name in ("link", "address", "sent", "lost", "min", "median", "max"):
        table.add_column(name, justify="left" if name in {"link", "address"} else "right")
    table.add_column("what was said", overflow="fold")
    for each in pinged:
        rtts = _replies(each.results)
        sent = sum(result.outcome is not Outcome.FAULT for result in each.results)
        said = dict.fromkeys(str(result.report) for result in each.results if result.report)
        figures = (min(rtts), statistics.median(rtts), max(rtts)) if rtts else ()
        table.add_row(
            each.link.key.link,
            str(each.address),
            str(sent),
            f"{(sent - len(rtts)) / sent:.0%}" if sent else "",
            *(f"{rtt * 1000:.2f} ms" for rtt in figures),
            *([""] * (3 - len(figures))),
            "; ".join(filter(None, [*said, each.path_end])),
        )
    return table


def _router_table(reading: RouterReading, explanation: Explanation | None) -> Table:
    table = Table(title="SNMP", title_justify="left", show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("status", f"{reading.status} {reading.detail}".strip())
    router = reading.facts
    for name in ("name", "vendor", "model", "serial", "os", "version", "location"):
        if getattr(router, name):
            table.add_row(name, getattr(router, name))
    if reading.uptime_seconds is not None:
        table.add_row("uptime", duration(timedelta(seconds=reading.uptime_seconds)))
    for interface in reading.interfaces:
        uplink = f" (uplink: {reading.uplink_reason})"
        table.add_row(
            f"interface {interface.index}",
            _interface(interface) + (uplink if interface.index == reading.uplink_index else ""),
        )
    if explanation is not None:
        table.add_row("profile", f"{explanation.profile.name}: {explanation.reason}")
        for other in explanation.others:
            table.add_row("also matched", other)
    return table


def _interface(interface: InterfaceReading) -> str:
    states = {True: "up", False: "down", None: "unknown"}
    speed = interface.speed_bits_per_second
    parts = [
        f"{interface.name} {interface.alias}".strip(),
        states[interface.oper_up],
        f"{speed / 1e6:g} Mbit/s" if speed else "",
    ]
    return ", ".join(filter(None, parts))

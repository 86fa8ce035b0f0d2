"""`netmon probe`: one agency or address, now, with everything that can be learnt of it."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import ipaddress
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from netmon.cli.options import Commands, add_config, config_file
from netmon.cli.probe_report import Asked, Pinged, Report, as_json, console, show
from netmon.clock import SystemClock
from netmon.config import LoadedAll, load_all
from netmon.errors import CapabilityError, NetmonError
from netmon.model import Agency, IPAddress, Link, LinkKey, Role, Router, SnmpStatus
from netmon.probes.icmp import Tracer, ping
from netmon.probes.snmp.engine import SnmpEngine
from netmon.probes.snmp.inspection import inspect_router
from netmon.probes.snmp.profile_files import load_profiles
from netmon.probes.snmp.rounds import open_session
from netmon.probes.snmp.values import SnmpError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from netmon.config.settings import Settings
    from netmon.probes.snmp.profiles import Profiles

_INTERVAL_SECONDS = 0.2
_ECHOES_AT_MOST = 1000
_REMEDIES = {
    SnmpStatus.TIMEOUT: "compare credential {credential} with the router's, look for an access "
    "list there, and for UDP that is stopped on the way",
    SnmpStatus.REFUSED: "switch the router's SNMP agent on, or correct snmp_port",
    SnmpStatus.AUTHENTICATION: "correct user, protocols or passwords of credential {credential}",
    SnmpStatus.NO_SECRET: "put the secret of credential {credential} where the settings look",
    SnmpStatus.MALFORMED: "try another SNMP version, or newer software on the router",
}


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "probe", help="ping and SNMP-poll one agency or address now; exit 1 if it does not answer"
    )
    add_config(parser)
    parser.add_argument("target", metavar="AGENCY|ADDRESS")
    parser.add_argument(
        "--count", type=_count, default=5, help="echoes to each address (default 5)"
    )
    parser.add_argument("--snmp", metavar="CREDENTIAL", help="ask with this one of the settings")
    parser.add_argument(
        "--snmp-port", type=int, metavar="PORT", help="where the agent of an address listens (161)"
    )
    parser.add_argument(
        "--profile-debug", action="store_true", help="show which SNMP profile matched, and why"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.set_defaults(command=_probe)


def _count(written: str) -> int:
    if written.isdecimal() and 0 < int(written) <= _ECHOES_AT_MOST:
        return int(written)
    raise argparse.ArgumentTypeError(f"write a number from 1 to {_ECHOES_AT_MOST}")


def _probe(options: argparse.Namespace) -> int:
    loaded = load_all(config_file(options))
    profiles = load_profiles(loaded.settings.profiles)
    agency = _find(loaded, options)
    report = asyncio.run(_probe_agency(agency, loaded.settings, profiles, options.count))
    if options.format == "json":
        print(json.dumps(as_json(report), ensure_ascii=False, indent=2))
    else:
        show(report, console(), explain=options.profile_debug)
    return report.exit_code


# --- Whom to probe -------------------------------------------------------------------------------


def _find(loaded: LoadedAll, options: argparse.Namespace) -> Agency:
    """Return the agency of that id, the one that has that address, or a stranger's stand-in."""
    agency = _known(loaded, options.target) or _stranger(loaded, options.target)
    known = loaded.settings.snmp_credentials
    if options.snmp is not None and options.snmp not in known:
        there = ", ".join(known) or "none"
        message = f"--snmp {options.snmp}: no such credential in the settings (there: {there})"
        raise CapabilityError(message)
    if agency.router is None:
        return agency
    router = replace(
        agency.router,
        snmp=options.snmp or agency.router.snmp,
        snmp_port=options.snmp_port or agency.router.snmp_port,
    )
    module = agency.snmp_module or next(iter(loaded.settings.snmp_modules))
    return replace(agency, router=router, snmp_module=module)


def _known(loaded: LoadedAll, name: str) -> Agency | None:
    agencies = loaded.inventory.agencies
    if name in agencies:
        return agencies[name]
    address = _address(name)
    for agency in agencies.values():
        at_router = agency.router is not None and agency.router.address == address
        if at_router or any(address in link.addresses for link in agency.links):
            return agency
    return None


def _stranger(loaded: LoadedAll, name: str) -> Agency:
    address = _address(name)
    if address is None:
        close = difflib.get_close_matches(name, loaded.inventory.agencies, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        message = f"{name}: neither an agency's id nor an address{hint}"
        raise CapabilityError(message)
    credentials = loaded.settings.snmp_credentials
    link = Link(LinkKey(str(address), "primary"), Role.PRIMARY, (address,), "")
    return Agency(
        id=str(address),
        name="not in the inventory",
        kind="",
        router=Router(address, snmp=next(iter(credentials)) if len(credentials) == 1 else None),
        links=(link,),
    )


def _address(name: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


# --- Probing -------------------------------------------------------------------------------------


async def _probe_agency(
    agency: Agency, settings: Settings, profiles: Profiles, count: int
) -> Report:
    """Ping all addresses and ask the router at the same time."""
    targets = [(link, address) for link in agency.links for address in link.addresses]
    with _progress() as progress:
        echoes = progress.add_task("echoes", total=count * len(targets))
        snmp = progress.add_task("SNMP", total=None)
        pings = [
            _ping(link, address, count, lambda: progress.advance(echoes))
            for link, address in targets
        ]
        asking = _ask(
            agency,
            settings,
            profiles,
            lambda part: progress.update(snmp, description=f"SNMP: {part}"),
        )
        pinged, asked = await asyncio.gather(asyncio.gather(*pings), asking)
    return Report(agency, tuple(pinged), asked)


def _progress() -> Progress:
    # What waits for the tables in a pipe wants to read no bars.
    terminal = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn())
    return Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal)


async def _ping(link: Link, address: IPAddress, count: int, advance: Callable[[], None]) -> Pinged:
    results = []
    try:
        async for result in ping(address, count, _INTERVAL_SECONDS):
            results.append(result)  # progress is shown as they come
            advance()
    except NetmonError as error:
        return Pinged(link.key.link, address, tuple(results), trouble=str(error))
    pinged = Pinged(link.key.link, address, tuple(results))
    return pinged if pinged.rtts_seconds else replace(pinged, path_end=await _trace(address))


async def _trace(address: IPAddress) -> str:
    tracer = Tracer()
    try:
        path = await tracer.trace(address)
    except NetmonError as error:
        return f"not traced: {error}"
    finally:
        tracer.close()
    return "" if path is None else path.end


async def _ask(
    agency: Agency, settings: Settings, profiles: Profiles, tell: Callable[[str], None]
) -> Asked:
    """Ask the agency's router all there is to ask; what goes wrong is told, not raised."""
    if agency.router is None:
        return Asked(SnmpStatus.NOT_CONFIGURED, "the agency has no router: give it one")
    if agency.router.snmp is None:
        there = ", ".join(settings.snmp_credentials) or "none; write one under credentials"
        message = f"no credential: name one with --snmp, or in agencies.yaml (there: {there})"
        return Asked(SnmpStatus.NOT_CONFIGURED, message)
    try:
        async with _engine() as engine:
            session = open_session(engine, agency, settings)
            found = await inspect_router(session, agency, profiles, tell=tell)
    except SnmpError as error:
        remedy = _REMEDIES.get(error.status, "").format(credential=agency.router.snmp)
        return Asked(error.status, str(error), remedy)
    status = SnmpStatus.PARTIAL if found.troubles else SnmpStatus.OK
    return Asked(status, "; ".join(found.troubles), found=found)


@asynccontextmanager
async def _engine() -> AsyncIterator[SnmpEngine]:
    engine = SnmpEngine(SystemClock())
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()

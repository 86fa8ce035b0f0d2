"""What `netmon probe` found out, as tables for people and as JSON for programs."""

from __future__ import annotations

import os
import statistics
import sys
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from netmon.cli import FINDINGS, TROUBLE
from netmon.cli.status import duration
from netmon.model import Agency, InterfaceReading, IPAddress, Outcome, SnmpStatus
from netmon.probes.icmp import PingResult
from netmon.probes.snmp.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netmon.model import RouterGauges

_PIPED_COLUMNS = 100
_ANSWERED = frozenset({SnmpStatus.OK, SnmpStatus.PARTIAL, SnmpStatus.NOT_CONFIGURED})
_FACTS = ("name", "vendor", "model", "serial", "os", "version", "location")
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True)
class Pinged:
    """What became of the echoes to one address of a link."""

    link: str
    address: IPAddress
    results: tuple[PingResult, ...]
    path_end: str = ""
    """Where the path ends, if nothing came back."""
    trouble: str = ""
    """Why no echo could be sent."""

    @property
    def rtts_seconds(self) -> list[float]:
        """Of those that were answered."""
        return [each.rtt_seconds for each in self.results if each.rtt_seconds is not None]

    @property
    def jitter_seconds(self) -> float | None:
        """The mean change from reply to reply; None: fewer than two were measured."""
        changes = [abs(after - before) for before, after in pairwise(self.rtts_seconds)]
        return statistics.mean(changes) if changes else None

    @property
    def sent(self) -> int:
        """How many left this machine."""
        return sum(result.outcome is not Outcome.FAULT for result in self.results)

    @property
    def said(self) -> tuple[str, ...]:
        """What anybody said about them, each thing once."""
        reports = (result.report.text for result in self.results if result.report)
        return tuple(filter(None, (*dict.fromkeys(reports), self.path_end, self.trouble)))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the router said over SNMP, or in words why it did not and what to do."""

    status: SnmpStatus
    detail: str = ""
    remedy: str = ""
    found: Inspection | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found out about one agency."""

    agency: Agency
    pinged: tuple[Pinged, ...]
    asked: Asked

    @property
    def exit_code(self) -> int:
        """0: everything answered; 1: something did not; 2: we could not ask."""
        if self.asked.status is SnmpStatus.FAULT or any(each.trouble for each in self.pinged):
            return TROUBLE
        echoes_answered = all(each.rtts_seconds for each in self.pinged)
        return 0 if echoes_answered and self.asked.status in _ANSWERED else FINDINGS


def console() -> Console:
    """Return where tables go: as wide as the terminal, and wide enough to read in a file."""
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(width=_PIPED_COLUMNS if piped else None, highlight=False)


def show(report: Report, out: Console, *, explain: bool) -> None:
    """Print the tables. `explain`: also how the router was recognised."""
    agency = report.agency
    out.print(Text.assemble((agency.name, "bold"), f" ({agency.id})"))
    out.print(_echo_table(report.pinged))
    asked, found = report.asked, report.asked.found
    out.print(_router_table(asked))
    if found is None:
        return
    if explain:
        out.print(_profile_table(found))
    if found.interfaces:
        out.print(_interface_table(found))
    if found.neighbours:
        out.print(_neighbour_table(found))


# --- Tables --------------------------------------------------------------------------------------


def _table(title: str, *columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        show_header=bool(columns),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for name in columns:
        if name in right:
            table.add_column(name, justify="right", no_wrap=True)
        else:
            # Cut short, GigabitEthernet 0/0 and 0/1 look the same in a narrow terminal.
            table.add_column(name, overflow="fold")
    return table


def _echo_table(pinged: Iterable[Pinged]) -> Table:
    figures = ("sent", "lost", "min", "median", "max", "jitter")
    table = _table("ICMP echo", "link", "address", *figures, "what was said", right=figures)
    for each in pinged:
        rtts, jitter = each.rtts_seconds, each.jitter_seconds
        shown = [min(rtts), statistics.median(rtts), max(rtts)] if rtts else []
        shown += [] if jitter is None else [jitter]
        lost = each.sent - len(rtts)
        table.add_row(
            each.link,
            Text(str(each.address), no_wrap=True),
            str(each.sent),
            Text(f"{lost / each.sent:.0%}" if each.sent else "", "bold red" if lost else "green"),
            *(f"{rtt * 1000:.2f} ms" for rtt in shown),
            *[""] * (4 - len(shown)),
            Text("; ".join(each.said)),
        )
    return table


def _router_table(asked: Asked) -> Table:
    table = _pairs("SNMP")
    good = asked.status is SnmpStatus.OK
    table.add_row("status", Text(asked.status, "green" if good else "bold yellow"))
    for trouble in filter(None, (asked.detail, asked.remedy)):
        table.add_row("", Text(trouble))
    found = asked.found
    if found is None:
        return table
    for name in _FACTS:
        value = getattr(found.identity.facts, name)
        if value:
            table.add_row(name, Text(value))
    if found.uptime_seconds is not None:
        table.add_row("uptime", duration(timedelta(seconds=found.uptime_seconds)))
    gauges = _gauges(found.gauges)
    if gauges:
        table.add_row("load", gauges)
    index = found.uplink.index
    named = [f"{row.name}: " for row in found.interfaces if row.index == index]
    table.add_row("uplink", Text("".join(named) + found.uplink.reason))
    return table


def _gauges(gauges: RouterGauges) -> str:
    parts = []
    if gauges.cpu_ratio is not None:
        parts.append(f"processor {gauges.cpu_ratio:.0%}")
    if gauges.memory_ratio is not None:
        parts.append(f"memory {gauges.memory_ratio:.0%}")
    if gauges.temperature_celsius is not None:
        parts.append(f"{gauges.temperature_celsius:g} °C")
    if gauges.sessions is not None:
        parts.append(f"{gauges.sessions} sessions")
    return ", ".join(parts)


def _profile_table(found: Inspection) -> Table:
    table = _pairs("Profile")
    facts, explanation = found.identity.facts, found.identity.explanation
    table.add_row("sysObjectID", facts.object_id or "the router does not say")
    table.add_row("sysDescr", Text(facts.description or "the router does not say"))
    table.add_row("profile", explanation.profile.name)
    table.add_row("because", Text(explanation.reason))
    for other in explanation.others:
        table.add_row("also fits", Text(other))
    return table


def _pairs(title: str) -> Table:
    table = _table(title)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _interface_table(found: Inspection) -> Table:
    has_alias = any(row.alias for row in found.interfaces)
    figures = ("speed", "received", "sent", "err/disc")
    columns = ("#", "interface", *(["alias"] if has_alias else []), "state", *figures, "since")
    table = _table(
        f"Interfaces ({len(found.interfaces)})", *columns, right=("#", *figures, "since")
    )
    for row in found.interfaces:
        is_uplink = row.index == found.uplink.index
        table.add_row(
            f"→ {row.index}" if is_uplink else str(row.index),
            Text(row.name, "bold" if is_uplink else ""),
            *([Text(row.alias)] if has_alias else []),
            _state(row),
            f"{_short(row.speed_bits_per_second)}bit/s" if row.speed_bits_per_second else "",
            *(f"{_short(octets)}B" if octets is not None else "" for octets in _octets(row)),
            _bad(row),
            _ago(row, found.uptime_seconds),
        )
    return table


def _octets(row: InterfaceReading) -> tuple[int | None, int | None]:
    return row.receive_bytes, row.transmit_bytes


def _state(row: InterfaceReading) -> Text:
    if row.oper_up:
        return Text("up", "green")
    if row.admin_up is False:
        return Text("off", "dim")
    return Text("unknown", "yellow") if row.oper_up is None else Text("down", "bold red")


def _ago(row: InterfaceReading, uptime_seconds: float | None) -> str:
    """Return for how long the interface has been in its state; empty: since before it counts."""
    if not row.last_change_seconds or uptime_seconds is None:
        return ""
    return duration(timedelta(seconds=uptime_seconds - row.last_change_seconds))


def _bad(row: InterfaceReading) -> str:
    """Return the packets that were in error and those thrown away, of both directions."""
    pairs = (
        (row.receive_errors, row.transmit_errors),
        (row.receive_discards, row.transmit_discards),
    )
    told = [[count for count in pair if count is not None] for pair in pairs]
    return "/".join(_short(sum(counts)).strip() if counts else "?" for counts in told)


def _short(number: float) -> str:
    """Return a number with three digits and a prefix, and the blank before its unit."""
    for size, prefix in _UNITS:
        if number >= size:
            return f"{number / size:.3g} {prefix}"
    return f"{number:g} "


def _neighbour_table(found: Inspection) -> Table:
    table = _table("Neighbours", "interface", "neighbour", "its port", "what it is", "told by")
    for one in found.neighbours:
        said = one.description.partition("\n")[0]
        what = ", ".join(filter(None, (one.address, said)))
        table.add_row(*map(Text, (one.local_port, one.name, one.port, what, one.protocol)))
    return table


# --- JSON ----------------------------------------------------------------------------------------


def as_json(report: Report) -> dict[str, Any]:
    """Return the report in JSON's own types. What is not known is null, never 0."""
    return {
        "agency": report.agency.id,
        "name": report.agency.name,
        "echoes": [_echoes(each) for each in report.pinged],
        "snmp": {
            "status": str(report.asked.status),
            "detail": report.asked.detail,
            "remedy": report.asked.remedy,
            "router": None if report.asked.found is None else _router(report.asked.found),
        },
    }


def _echoes(pinged: Pinged) -> dict[str, Any]:
    rtts, sent = pinged.rtts_seconds, pinged.sent
    return {
        "link": pinged.link,
        "address": str(pinged.address),
        "sent": sent,
        "replies": len(rtts),
        "loss_ratio": 1 - len(rtts) / sent if sent else None,
        "rtt_seconds": {
            "min": min(rtts, default=None),
            "median": statistics.median(rtts) if rtts else None,
            "max": max(rtts, default=None),
            "jitter": pinged.jitter_seconds,
        },
        "said": list(pinged.said),
    }


def _router(found: Inspection) -> dict[str, Any]:
    explanation = found.identity.explanation
    return {
        "facts": asdict(found.identity.facts),
        "profile": {
            "name": explanation.profile.name,
            "because": explanation.reason,
            "others": list(explanation.others),
        },
        "uptime_seconds": found.uptime_seconds,
        "uplink": asdict(found.uplink),
        "gauges": asdict(found.gauges),
        "interfaces": [asdict(row) for row in found.interfaces],
        "neighbours": [asdict(one) for one in found.neighbours],
        "troubles": list(found.troubles),
    }

"""A day in the life of a small province that never changes, as a real Prometheus would hold it.

The real account counts the seconds, the real exporter writes the figures, a real Prometheus
evaluates the recording rules: only the clock is stood still.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import numpy as np

from grafana.source.records import GROUPS
from netmon.judge.calendar import Calendar
from netmon.ledger.account import Account
from netmon.model import (
    STATE_CODES,
    Cause,
    Event,
    Health,
    LinkKey,
    Outage,
    OutageEnd,
    OutageNote,
    OutageStart,
    State,
    Transition,
)
from netmon.state import RoundFigures, Snapshot
from netmon.web import Request
from netmon_exporters.prometheus import PrometheusExporter
from tests.support.snapshots import (
    COMMUNE,
    DEPARTMENT,
    DISTRICT,
    SECOND_COMMUNE,
    figures,
    outage,
    reading,
    snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.prometheus import Prometheus

END = 1_791_980_400
"""2026-10-14 15:00 in Vietnam, a Wednesday."""
HOURS = 26
_SECOND = 1_000_000
_MINUTE = 60
_BEGIN = END - HOURS * 3600

_MAIN, _BACKUP = LinkKey(DEPARTMENT, "chinh"), LinkKey(DEPARTMENT, "du-phong")
_DISTRICT = LinkKey(DISTRICT, "chinh")
_COMMUNES = LinkKey(COMMUNE, "chinh"), LinkKey(SECOND_COMMUNE, "chinh")
_KEYS = (_MAIN, _BACKUP, _DISTRICT, *_COMMUNES)
_LIFE: tuple[tuple[int, LinkKey, State, Cause | None], ...] = (
    (19 * 60, _DISTRICT, State.DOWN, None),
    (19 * 60 - 12, _DISTRICT, State.UP, Cause.POWER),
    (8 * 60, _MAIN, State.UNOBSERVED, None),
    (8 * 60 - 45, _MAIN, State.UP, None),
    (240, _MAIN, State.DOWN, None),
    (205, _MAIN, State.UP, Cause.CIRCUIT),
    (90, _COMMUNES[1], State.MAINTENANCE, None),
    (50, _BACKUP, State.DEGRADED, None),
    (25, _DISTRICT, State.DOWN, None),
    (25, _COMMUNES[0], State.UNREACHABLE, None),
)
"""How many minutes before the end which link came into which state, and why it had been down."""


def exposition() -> str:
    """Return everything the daemon would have told in that day, as OpenMetrics with times."""
    exporter, account = PrometheusExporter(), Account(Calendar(ZoneInfo("Asia/Ho_Chi_Minh")))
    account.set_links({key: row for row, key in enumerate(_KEYS)}, len(_KEYS), {})
    told = list(_events())
    account.apply(event for at, event in told if at == _BEGIN)
    families: dict[str, list[str]] = {}
    before = _BEGIN
    for at in _times():
        account.apply(event for when, event in told if before < when <= at)
        before = at
        _add(families, exporter, _snapshot(account, told, at), at)
    alert = f'alertname="LinkDown",alertstate="firing",severity="critical",agency="{DISTRICT}"'
    families["ALERTS"] = [f'ALERTS{{{alert},link="chinh"}} 1 {END}']
    families["up"] = [f'up{{job="netmon"}} 1 {END}']
    return "".join(f"{line}\n" for lines in families.values() for line in lines)


def records(prometheus: Prometheus) -> str:
    """Return what the recording rules make of it, as OpenMetrics with times."""
    return "".join(_records(prometheus))


def _times() -> Iterator[int]:
    """Six hours before the end, closely enough that an instant query sees them everywhere."""
    dense = END - 6 * 3600
    yield from range(_BEGIN, dense, 600)
    yield from range(dense, END + 1, 240)


def _events() -> Iterator[tuple[int, Event]]:
    state: dict[LinkKey, State] = {}
    began: dict[LinkKey, int] = {}
    for key in _KEYS:
        state[key] = State.UP
        at_us = _BEGIN * _SECOND
        yield _BEGIN, Transition(key, at_us, at_us, State.UNOBSERVED, State.UP, Health.UP)
    for minutes, key, after, cause in _LIFE:
        at = END - minutes * _MINUTE
        at_us = at * _SECOND
        health = Health.DOWN if after is State.DOWN else Health.UP
        yield at, Transition(key, at_us, at_us, state[key], after, health)
        if after is State.DOWN:
            began[key] = at_us
            yield at, OutageStart(key, at_us, at_us)
        elif state[key] is State.DOWN:
            yield at, OutageEnd(key, began[key], at_us, at_us)
            yield at, OutageNote(key, began[key], at_us, cause)
        state[key] = after


def _snapshot(account: Account, told: list[tuple[int, Event]], at: int) -> Snapshot:
    at_us = at * _SECOND
    changes = {
        event.key: event for when, event in told if isinstance(event, Transition) and when <= at
    }
    states = {key: change.after for key, change in changes.items()}
    base = snapshot(
        states,
        readings=[
            reading(at_us=at_us, uptime_seconds=at - _BEGIN + 864_000.0),
            reading(DISTRICT, at_us=at_us, uptime_seconds=1800.0),
        ],
        open_outages=_open(told, at),
        daemon=figures(
            started_us=_BEGIN * _SECOND,
            reload_success_us=_BEGIN * _SECOND,
            rounds=(RoundFigures("echo:default", at - _BEGIN, at_us - 2 * _SECOND, 0.4, 0.003),),
        ),
        at_us=at_us,
    )
    since_us = np.array([changes[key].at_us for key in _KEYS])
    columns = account.columns(
        np.arange(len(_KEYS)),
        np.array([STATE_CODES[states[key]] for key in _KEYS], dtype=np.int8),
        since_us,
        np.full(len(_KEYS), at_us),
        at_us,
    )
    judgement = replace(base.judgement, since_us=since_us, settled_us=np.full(len(_KEYS), at_us))
    return replace(base, account=columns, judgement=judgement)


def _open(told: list[tuple[int, Event]], at: int) -> list[Outage]:
    found: dict[LinkKey, Outage] = {}
    for when, event in told:
        if when > at:
            break
        if isinstance(event, OutageStart):
            found[event.key] = replace(outage(event.key.agency), start_us=event.start_us)
        elif isinstance(event, OutageEnd):
            del found[event.key]
    return list(found.values())


def _add(
    families: dict[str, list[str]], exporter: PrometheusExporter, taken: Snapshot, at: int
) -> None:
    """Enter one answer; OpenMetrics wants the samples of a family together."""
    request = Request("/metrics", {}, {"accept": "application/openmetrics-text"})
    text = b"".join(exporter.metrics(taken, request).parts).decode()
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            # Of the process that runs the test; and names are the same in every answer.
            lines = [] if name.startswith(("process", "python")) else families.setdefault(name, [])
            if not lines:
                lines.append(f"# TYPE {name} {kind}")
        elif not line.startswith("#"):
            lines.append(f"{line.partition(' # ')[0]} {at}")


def _records(prometheus: Prometheus) -> Iterator[str]:
    inlined: dict[str, tuple[str, str]] = {}
    for group in GROUPS:
        for record in group.records:
            expression = _inline(record.expression, inlined)
            inlined[record.name] = (expression, group.interval)
    for group in GROUPS:
        begin = END - 1800 if group.interval == "30s" else _BEGIN + 3600
        for record in group.records:
            query = {
                "query": inlined[record.name][0],
                "start": begin, "end": END, "step": group.interval,
            }  # fmt: skip
            answer = json.loads(prometheus.fetch(f"/api/v1/query_range?{urlencode(query)}"))
            for series in answer["data"]["result"]:
                yield from _samples(record.name, series)


def _inline(expression: str, inlined: dict[str, tuple[str, str]]) -> str:
    """Put the expressions of other records where their names stand, at their own interval."""
    for name, (inner, interval) in inlined.items():
        named = re.compile(rf"{re.escape(name)}(?:\[(\w+)\])?(?![\w:])")

        def put(found: re.Match[str], inner: str = inner, interval: str = interval) -> str:
            return f"({inner})[{found[1]}:{interval}]" if found[1] else f"({inner})"

        expression = named.sub(put, expression)
    return expression


def _samples(name: str, series: dict[str, Any]) -> Iterator[str]:
    labels = ",".join(
        f"{label}={json.dumps(value, ensure_ascii=False)}"
        for label, value in sorted(series["metric"].items())
        if label != "__name__"
    )
    for at, value in series["values"]:
        yield f"{name}{{{labels}}} {value} {at}\n"

"""The availability defects of the peers as a table: our figure, and their formula beside it.

Each formula is the peer's own, in our words, applied to the same trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from netmon.judge.availability import History, Period, Piece, Reading, read
from netmon.judge.calendar import Calendar
from netmon.judge.tally import Tally, tally
from netmon.model import Health, LinkKey, Outage, State

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = 3600 * 1_000_000
DAY = Period(0, 24 * HOUR)
KEY = LinkKey("xa-tan-hoi-dong", "main")
CALENDAR = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))
U, D, M, X, R = State.UP, State.DOWN, State.MAINTENANCE, State.UNOBSERVED, State.UNREACHABLE
_HEALTH = {U: Health.UP, D: Health.DOWN, R: Health.DOWN, X: Health.UNKNOWN}


@dataclass(frozen=True)
class Trace:
    """Hours of a day: its states, what was under planned work, outages."""

    line: tuple[tuple[int, int, State], ...]
    outages: tuple[tuple[int, int | None], ...] = ()
    under: Health = Health.UP

    def tally(self, reading: Reading = Reading.AGREED) -> Tally:
        pieces = [
            Piece(start * HOUR, end * HOUR, state, _HEALTH.get(state, self.under))
            for start, end, state in self.line
        ]
        outages = [
            Outage(KEY, start * HOUR, None if end is None else end * HOUR)
            for start, end in self.outages
        ]
        return tally(read(History(pieces, outages), DAY, reading), CALENDAR)

    def hours(self, *states: State) -> int:
        return sum(end - start for start, end, state in self.line if state in states)


def librenms(trace: Trace) -> float:
    """Outages are chosen by `up_again >= start`: NULL, an open one, is never chosen."""
    closed = sum(end - start for start, end in trace.outages if end is not None)
    return (24 - closed) / 24


def librenms_maintenance(trace: Trace) -> float:
    """Neither an end nor a start is written during maintenance: 0–2 h was down, ended in it."""
    still_open = trace.outages[0][0]
    return (24 - (24 - still_open)) / 24


def librenms_opening(trace: Trace) -> float:
    """What goes down during maintenance is not written, and never made up for."""
    under = [(start, end) for start, end, state in trace.line if state is M]
    told = [
        (start, end)
        for start, end in trace.outages
        if not any(begin <= start < stop for begin, stop in under)
    ]
    return (24 - sum((24 if end is None else end) - start for start, end in told)) / 24


def nav(trace: Trace) -> float:
    """All planned work of the period is subtracted from all downtime, wherever each lies."""
    downtime = sum((24 if end is None else end) - start for start, end in trace.outages)
    return (24 - max(0, downtime - trace.hours(M))) / 24


def icinga_db(trace: Trace) -> float:
    """Hard state and downtimes only: planned work is fine, unreachable is a problem."""
    return (24 - trace.hours(D, R)) / 24


def icinga_db_silent_poller(trace: Trace) -> float:
    """A poller that is silent leaves the last state in force."""
    return (24 - trace.hours(D)) / 24


def avg_over_time(trace: Trace) -> float:
    """`avg_over_time(probe_success)` averages the samples there are; nobody sees the gap."""
    return trace.hours(U) / trace.hours(U, D)


CASES = [
    pytest.param(
        Trace(((0, 3, D), (3, 4, U), (4, 24, D)), ((0, 3), (4, None))),
        (1 / 24, 1.0),
        librenms,
        21 / 24,
        id="LibreNMS drops the outage that still runs",
    ),
    pytest.param(
        Trace(((0, 2, D), (2, 6, M), (6, 24, U)), ((0, 4),)),
        (18 / 20, 1.0),
        librenms_maintenance,
        0.0,
        id="LibreNMS never ends an outage that ends during planned work",
    ),
    pytest.param(
        Trace(((0, 6, U), (6, 8, M), (8, 24, D)), ((7, None),)),
        (6 / 22, 1.0),
        librenms_opening,
        1.0,
        id="LibreNMS never opens an outage that begins during planned work",
    ),
    pytest.param(
        Trace(((0, 10, D), (10, 14, U), (14, 24, M)), ((0, 10),)),
        (4 / 14, 1.0),
        nav,
        1.0,
        id="NAV sets planned work of another hour against an outage",
    ),
    pytest.param(
        Trace(((0, 12, U), (12, 24, R)), ()),
        (1.0, 1.0),
        icinga_db,
        0.5,
        id="Icinga DB charges a commune with its dead parent",
    ),
    pytest.param(
        Trace(((0, 6, D), (6, 18, M), (18, 24, U)), ((0, 6),)),
        (6 / 12, 1.0),
        icinga_db,
        18 / 24,
        id="Icinga DB counts planned work as time that went well",
    ),
    pytest.param(
        Trace(((0, 6, U), (6, 24, X)), ()),
        (1.0, 6 / 24),
        icinga_db_silent_poller,
        1.0,
        id="Icinga DB takes a silent poller for good news: we say how little was seen",
    ),
    pytest.param(
        Trace(((0, 6, U), (6, 24, X)), ()),
        (1.0, 6 / 24),
        avg_over_time,
        1.0,
        id="an average over samples hides the gap: we say how little was seen",
    ),
]


@pytest.mark.parametrize(("trace", "ours", "peer", "theirs"), CASES)
def test_our_figure_is_right_where_theirs_is_not(
    trace: Trace, ours: tuple[float, float], peer: Callable[[Trace], float], theirs: float
) -> None:
    figures = trace.tally()
    assert (figures.availability(), figures.coverage()) == pytest.approx(ours)
    assert peer(trace) == pytest.approx(theirs)
    assert figures.total() == DAY.length_us


def test_measured_and_agreed_stand_side_by_side() -> None:
    trace = Trace(((0, 2, D), (2, 6, M), (6, 24, U)), ((0, 4),))
    assert trace.tally(Reading.MEASURED).availability() == pytest.approx(20 / 24)
    assert trace.tally(Reading.AGREED).availability() == pytest.approx(18 / 20)

"""Metrics of links and echoes, from the snapshot's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netmon.clock import MICROSECONDS
from netmon.model import (
    CAUSES,
    ECHO_ERRORS,
    STATE_CODES,
    STATES,
    Hours,
    State,
)
from netmon.state import RTT_BUCKETS_SECONDS, Snapshot
from netmon_exporters.columns import Column, ColumnFamily, column
from netmon_exporters.exposition import Family, Labels, Sample, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAN = float("nan")
_LINK = ("agency", "link")
_ECHO = ("agency", "family", "link")
_IPV6 = 6


def echo_rows(snapshot: Snapshot) -> list[Labels]:
    """Return the labels of every target, in the order of the echo columns."""
    echo, keys = snapshot.echo, snapshot.keys
    return [
        {"agency": keys[row].agency, "link": keys[row].link, "family": f"ipv{family}"}
        for row, family in zip(echo.row.tolist(), echo.family.tolist(), strict=True)
    ]


# --- Values --------------------------------------------------------------------------------------


def _timestamp(instants_us: NDArray[np.int64]) -> Column:
    return column(np.where(instants_us > 0, instants_us / MICROSECONDS, _NAN))


def _link_up(snapshot: Snapshot) -> Column:
    judged = snapshot.judgement
    # Nothing can be said of a link behind a dead parent, nor by a netmon that was blind. Planned
    # work hides nothing: maintenance keeps pages shut, not figures.
    silent = [STATE_CODES[s] for s in (State.UNKNOWN, State.UNREACHABLE, State.UNOBSERVED)]
    unjudged = np.isin(judged.state, silent) | (judged.health == STATE_CODES[State.UNKNOWN])
    up = (judged.health != STATE_CODES[State.DOWN]).astype(np.float64)
    return column(np.where(unjudged, _NAN, up))


def _one_hot_state(snapshot: Snapshot) -> Column:
    hot: NDArray[np.bool_] = snapshot.judgement.state[:, None] == np.arange(len(STATES))
    return hot.astype(np.float64)


def _state_seconds(snapshot: Snapshot) -> Column:
    return snapshot.account.seconds.reshape(-1, len(STATES) * len(Hours))


def _outage_start(snapshot: Snapshot) -> Column:
    started = {outage.key: outage.start_us / MICROSECONDS for outage in snapshot.open_outages}
    return column([started.get(key, _NAN) for key in snapshot.keys])


def _outage_cause(snapshot: Snapshot) -> Column:
    column_of = {cause: number for number, cause in enumerate(CAUSES)}
    hot = np.full((len(snapshot.keys), len(CAUSES)), _NAN)
    open_causes = {outage.key: column_of[outage.cause] for outage in snapshot.open_outages}
    if open_causes:
        for row, key in enumerate(snapshot.keys):
            if key in open_causes:
                hot[row] = 0
                hot[row, open_causes[key]] = 1
    return hot


def _outage_seconds(snapshot: Snapshot) -> Column:
    account = snapshot.account
    # Once and for all from the first outage on, so that Prometheus sees a 0 before it sees more.
    begun = {outage.key for outage in snapshot.open_outages}
    had_one = account.outages.any(axis=1) | np.array([key in begun for key in snapshot.keys], bool)
    return np.where(had_one[:, None], account.outage_seconds, _NAN)


def _echo_errors(snapshot: Snapshot) -> Column:
    errors = snapshot.echo.errors.astype(np.float64)
    return np.where(errors > 0, errors, _NAN)


def _rtt(snapshot: Snapshot) -> Column:
    echo = snapshot.echo
    cumulative = np.cumsum(echo.rtt_buckets, axis=1)
    parts = (cumulative, cumulative[:, -1:], echo.rtt_sum_seconds[:, None])
    return np.concatenate(parts, axis=1).astype(np.float64)


def _family_up(snapshot: Snapshot) -> Column:
    echo, judged = snapshot.echo, snapshot.judgement
    addresses = np.bincount(echo.row, minlength=len(snapshot.keys))
    # Of a link that is down or not judged, and of one with one address, netmon_link_up says it all.
    answers = np.isin(judged.health, (STATE_CODES[State.UP], STATE_CODES[State.DEGRADED]))
    told = (addresses > 1) & answers & (judged.state != STATE_CODES[State.UNOBSERVED])
    since_us = judged.silent_family_us[echo.row, (echo.family == _IPV6).astype(np.intp)]
    return column(np.where(told[echo.row], (since_us == 0).astype(np.float64), _NAN))


# --- The families --------------------------------------------------------------------------------

LINK_FAMILIES: tuple[ColumnFamily, ...] = (
    ColumnFamily(
        Family(
            "netmon_link_up",
            "gauge",
            "Whether a link answers, degraded or not.",
            _LINK,
            "while not judged: unknown, unobserved, or unreachable behind a dead parent; "
            "maintenance does not hide it",
        ),
        _LINK,
        _link_up,
    ),
    ColumnFamily(
        Family(
            "netmon_link_state",
            "gauge",
            "State of a link: 1 for the one it is in.",
            (*_LINK, "state"),
        ),
        _LINK,
        _one_hot_state,
        tuple(Sample("", (("state", state.value),)) for state in STATES),
    ),
    ColumnFamily(
        Family(
            "netmon_link_last_change_timestamp_seconds",
            "gauge",
            "When the present state of a link began.",
            _LINK,
            "not judged yet",
        ),
        _LINK,
        lambda snapshot: _timestamp(snapshot.judgement.since_us),
    ),
    ColumnFamily(
        Family(
            "netmon_link_outage_start_timestamp_seconds",
            "gauge",
            "When the open outage of a link began.",
            _LINK,
            "no outage is open",
        ),
        _LINK,
        _outage_start,
    ),
    ColumnFamily(
        Family(
            "netmon_link_outage_cause",
            "gauge",
            "Probable cause of the open outage of a link: 1 for the one that holds.",
            (*_LINK, "cause"),
            "no outage is open",
        ),
        _LINK,
        _outage_cause,
        tuple(Sample("", (("cause", cause.value),)) for cause in CAUSES),
    ),
    ColumnFamily(
        Family(
            "netmon_link_loss_ratio",
            "gauge",
            "Share of the latest echoes of a link that were lost.",
            _LINK,
            "nothing was sent",
        ),
        _LINK,
        lambda snapshot: column(snapshot.judgement.loss_ratio),
    ),
    ColumnFamily(
        Family("netmon_link_flapping", "gauge", "Whether a link comes and goes.", _LINK),
        _LINK,
        lambda snapshot: column(snapshot.judgement.flapping),
    ),
    ColumnFamily(
        Family(
            "netmon_link_state_seconds_total",
            "counter",
            "Time that a link spent in each state, in and out of working hours.",
            (*_LINK, "state", "hours"),
        ),
        _LINK,
        _state_seconds,
        tuple(
            Sample("", (("hours", hours.value), ("state", state.value)))
            for state in STATES
            for hours in Hours
        ),
    ),
    ColumnFamily(
        Family(
            "netmon_link_outages_total",
            "counter",
            "Outages of a link that are over, by cause.",
            (*_LINK, "cause"),
        ),
        _LINK,
        lambda snapshot: snapshot.account.outages.astype(np.float64),
        tuple(Sample("", (("cause", cause.value),)) for cause in CAUSES),
    ),
    ColumnFamily(
        Family(
            "netmon_link_outage_seconds_total",
            "counter",
            "How long the outages of a link lasted that are over, by cause.",
            (*_LINK, "cause"),
            "the link had no outage yet",
        ),
        _LINK,
        _outage_seconds,
        tuple(Sample("", (("cause", cause.value),)) for cause in CAUSES),
    ),
)

ECHO_FAMILIES: tuple[ColumnFamily, ...] = (
    ColumnFamily(
        Family(
            "netmon_echo_requests_total",
            "counter",
            "Echo requests that were sent and settled: replied, reported on or lost.",
            _ECHO,
        ),
        _ECHO,
        lambda snapshot: column(snapshot.echo.requests),
    ),
    ColumnFamily(
        Family("netmon_echo_replies_total", "counter", "Echo replies received in time.", _ECHO),
        _ECHO,
        lambda snapshot: column(snapshot.echo.replies),
    ),
    ColumnFamily(
        Family(
            "netmon_echo_errors_total",
            "counter",
            "Echo requests that failed with a reason, told by a router or our own kernel.",
            (*_ECHO, "reason"),
            "this reason never occurred",
        ),
        _ECHO,
        _echo_errors,
        tuple(Sample("", (("reason", error.value),)) for error in ECHO_ERRORS),
    ),
    ColumnFamily(
        Family(
            "netmon_echo_rtt_seconds",
            "histogram",
            "Round-trip time of echoes, from our kernel's receive time.",
            (*_ECHO, "le"),
        ),
        _ECHO,
        _rtt,
        (
            *(
                Sample("_bucket", (("le", number(bound)),))
                for bound in (*RTT_BUCKETS_SECONDS, float("inf"))
            ),
            Sample("_count"),
            Sample("_sum"),
        ),
    ),
    ColumnFamily(
        Family(
            "netmon_echo_last_rtt_seconds",
            "gauge",
            "Round-trip time of the last echo.",
            _ECHO,
            "the last echo got no reply",
        ),
        _ECHO,
        lambda snapshot: column(snapshot.echo.last_rtt_seconds),
    ),
    ColumnFamily(
        Family(
            "netmon_echo_jitter_seconds",
            "gauge",
            "Change of the round-trip time from reply to reply, smoothed as in RFC 3550.",
            _ECHO,
            "fewer than two replies were measured",
        ),
        _ECHO,
        lambda snapshot: column(snapshot.echo.jitter_seconds),
    ),
    ColumnFamily(
        Family(
            "netmon_echo_last_reply_timestamp_seconds",
            "gauge",
            "When the last echo reply arrived.",
            _ECHO,
            "no reply ever arrived",
        ),
        _ECHO,
        lambda snapshot: _timestamp(snapshot.echo.last_reply_us),
    ),
    ColumnFamily(
        Family(
            "netmon_echo_family_up",
            "gauge",
            "Whether IPv4 and IPv6 of a link each answer, where it has both.",
            _ECHO,
            "of a link with one address, that is down, or that is not judged",
        ),
        _ECHO,
        _family_up,
    ),
)

"""What the clocks of a router say: how long it runs, and whether it restarted.

Three clocks, none to be trusted alone: sysUpTime (RFC 3418) counts hundredths of a second since
the *agent* started and wraps at 2^32, after 497 days; snmpEngineTime (RFC 3411) counts seconds
since the engine started and does not wrap for 68 years, but some agents put other things there;
hrSystemUptime (RFC 2790) counts since the *host* started, where the agent is a program of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from netmon.model import Restart, RestartKind

TICKS = 100
"""TimeTicks per second."""
WRAP_TICKS = 2**32
WRAP_SECONDS = WRAP_TICKS / TICKS

_APART_TICKS = 100
_TOLERANCE_SECONDS = 10.0
"""Answers are late, retried, and read second by second."""
_TOLERANCE_RATIO = 0.01
"""Clocks of small routers drift, but not more than this."""
_ENGINE_TOLERANCE_SECONDS = 600.0
"""The engine starts a little after the agent, and 500 days of drift lie between their clocks."""


@dataclass(frozen=True, slots=True)
class RouterClocks:
    """The clocks of one reading. None: the agent did not say."""

    agent_ticks: int | None = None
    """sysUpTime"""
    engine_boots: int | None = None
    engine_seconds: int | None = None
    host_ticks: int | None = None
    """hrSystemUptime"""


class _Movement(Enum):
    RAN_ON = auto()
    WRAPPED = auto()
    RESTARTED = auto()
    JUMPED = auto()
    """It neither ran on nor began again in the time that passed."""
    UNKNOWN = auto()


def agent_wraps(clocks: RouterClocks) -> int:
    """Return how often sysUpTime has wrapped, as far as snmpEngineTime tells; 0 where it does not.

    snmpEngineTime counts only where it agrees with sysUpTime but for whole wraps: it is no uptime
    on other agents.
    """
    if clocks.agent_ticks is None or clocks.engine_seconds is None:
        return 0
    ahead_seconds = clocks.engine_seconds - clocks.agent_ticks / TICKS
    wraps = round(ahead_seconds / WRAP_SECONDS)
    agrees = abs(ahead_seconds - wraps * WRAP_SECONDS) <= _ENGINE_TOLERANCE_SECONDS
    return wraps if wraps > 0 and agrees else 0


def uptime_seconds(clocks: RouterClocks, wraps: int = 0) -> float | None:
    """Return for how long the router is up; None where no clock says so.

    Args:
        clocks: The reading.
        wraps: How often sysUpTime was seen to wrap, or is known to have wrapped.
    """
    agent = None if clocks.agent_ticks is None else clocks.agent_ticks / TICKS
    host = None if clocks.host_ticks is None else clocks.host_ticks / TICKS
    if agent is not None:
        agent += max(wraps, agent_wraps(clocks)) * WRAP_SECONDS
    if host is None:
        return agent
    # A host cannot be up for a shorter time than its agent: such a clock has wrapped or is none.
    return host if agent is None else max(agent, host)


def is_of_host(clocks: RouterClocks, wraps: int = 0) -> bool:
    """Tell whether the uptime is that of the host, which runs on when its agent restarts.

    A host is up before its agent; clocks that agree are one clock under two names.
    """
    agent, host = clocks.agent_ticks, clocks.host_ticks
    is_shown = host is not None and uptime_seconds(clocks, wraps) == host / TICKS
    return is_shown and (agent is None or host is None or host - agent >= _APART_TICKS)


def compare(before: RouterClocks, after: RouterClocks, elapsed_seconds: float) -> Restart:
    """Tell from two readings whether the router, or only its agent, restarted in between.

    Args:
        before: The clocks of the earlier reading.
        after: The clocks of the later one.
        elapsed_seconds: The time between them on a clock of ours.
    """
    agent = _move(before.agent_ticks, after.agent_ticks, elapsed_seconds)
    host = _move(before.host_ticks, after.host_ticks, elapsed_seconds)
    engine = _move_engine(before, after, elapsed_seconds)
    if agent is _Movement.WRAPPED and engine is _Movement.RESTARTED:
        agent = _Movement.RESTARTED
    match agent:
        case _Movement.RAN_ON:
            return Restart(RestartKind.NONE, reason="sysUpTime ran on")
        case _Movement.WRAPPED:
            return Restart(RestartKind.WRAP, reason="sysUpTime wrapped at 497 days")
        case _Movement.RESTARTED:
            return _restarted(after, host, engine)
        case _Movement.JUMPED | _Movement.UNKNOWN:
            return _without_agent_clock(after, host, agent)


def _move(before: int | None, after: int | None, elapsed_seconds: float) -> _Movement:
    if before is None or after is None:
        return _Movement.UNKNOWN
    elapsed = elapsed_seconds * TICKS
    tolerance = _TOLERANCE_SECONDS * TICKS + elapsed * _TOLERANCE_RATIO
    off = (after - before - elapsed + WRAP_TICKS / 2) % WRAP_TICKS - WRAP_TICKS / 2
    if abs(off) <= tolerance:
        return _Movement.WRAPPED if after < before - tolerance else _Movement.RAN_ON
    return _Movement.RESTARTED if after <= elapsed + tolerance else _Movement.JUMPED


def _move_engine(before: RouterClocks, after: RouterClocks, elapsed_seconds: float) -> _Movement:
    if before.engine_seconds is None or after.engine_seconds is None:
        return _Movement.UNKNOWN
    if after.engine_boots != before.engine_boots:
        return _Movement.RESTARTED
    off = after.engine_seconds - before.engine_seconds - elapsed_seconds
    tolerance = _TOLERANCE_SECONDS + elapsed_seconds * _TOLERANCE_RATIO
    return _Movement.RAN_ON if abs(off) <= tolerance else _Movement.JUMPED


def _restarted(after: RouterClocks, host: _Movement, engine: _Movement) -> Restart:
    """Tell a router's restart from its agent's, now that sysUpTime began again."""
    agent_ago = None if after.agent_ticks is None else after.agent_ticks / TICKS
    if host in (_Movement.RAN_ON, _Movement.WRAPPED):
        reason = "sysUpTime began again while hrSystemUptime ran on"
        return Restart(RestartKind.AGENT, agent_ago, reason)
    if host is _Movement.RESTARTED and after.host_ticks is not None:
        return Restart(RestartKind.ROUTER, after.host_ticks / TICKS, "hrSystemUptime began again")
    if engine is _Movement.RAN_ON:
        reason = "sysUpTime began again while snmpEngineTime ran on"
        return Restart(RestartKind.AGENT, agent_ago, reason)
    return Restart(RestartKind.ROUTER, agent_ago, "sysUpTime began again")


def _without_agent_clock(after: RouterClocks, host: _Movement, agent: _Movement) -> Restart:
    """Judge by the host's clock alone: sysUpTime is missing or makes no sense."""
    if host in (_Movement.RAN_ON, _Movement.WRAPPED):
        return Restart(RestartKind.NONE, reason="hrSystemUptime ran on")
    if host is _Movement.RESTARTED and after.host_ticks is not None:
        return Restart(RestartKind.ROUTER, after.host_ticks / TICKS, "hrSystemUptime began again")
    if agent is _Movement.JUMPED:
        return Restart(RestartKind.UNKNOWN, reason="sysUpTime jumped")
    return Restart(RestartKind.UNKNOWN, reason="no clock to compare")

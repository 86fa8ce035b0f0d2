"""What a judge needs to know of a link that was judged before netmon was restarted."""

from __future__ import annotations

from dataclasses import dataclass

from netmon.judge.learnt import Learnt
from netmon.model import Health, State


@dataclass(frozen=True, slots=True)
class Restored:
    """A link as the ledger's last entry leaves it; the time netmon was dead is entered already.

    The judge goes on from `state`: its next `Transition.before` is this. Until the first echo of
    the link is settled the link is unobserved, whatever `state` says.
    """

    state: State
    health: Health
    since_us: int
    """0: it was never judged; it starts as a new link does."""
    open_outage_us: int | None = None
    """Start of the outage that was not over: the judge continues it, and opens no other."""
    learnt: Learnt | None = None
    """How the link loses echoes, as far as that was known before."""

"""Blind time: when netmon itself cannot see, nothing it does not hear says anything.

Canaries are near and must answer if we are well. When every one of them has been silent twice in
a row, and most links that were up have gone silent with them, it is we who are cut off: since the
last sign of life of a canary. Links that go on answering refute it: then the canaries are broken.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netmon.model import Outcome

CANARIES = "canaries"
"""Who says so: the canaries …"""
DAEMON = "daemon"
"""… or the daemon, of its own loop and clock."""

_SILENT_IN_A_ROW = 2
_FORGOTTEN_US = 15_000_000
"""A canary that nobody probed for so long says nothing."""


@dataclass(frozen=True, slots=True)
class Blind:
    """netmon sees nothing since `since_us`, for a reason in words."""

    reason: str
    since_us: int


@dataclass(slots=True)
class _Canary:
    well_us: int
    seen_us: int = 0
    missed: int = 0
    missed_us: int = 0
    """The first echo that it did not answer, of those in a row."""


@dataclass(slots=True)
class Sight:
    """What the canaries and the daemon say of our own sight."""

    started_us: int = 0
    now_us: int = 0
    verdicts: dict[str, Blind] = field(default_factory=dict)
    ended_us: int = 0
    """When we last could see again; silence of echoes sent before is no evidence."""
    _canaries: dict[str, _Canary] = field(default_factory=dict)

    @property
    def verdict(self) -> Blind | None:
        """The verdict in force, the earliest if there are two; None: we see."""
        return min(self.verdicts.values(), key=lambda verdict: verdict.since_us, default=None)

    @property
    def well_us(self) -> int | None:
        """When a canary last answered; None: no canary has been probed of late."""
        probed = self._probed()
        return max(canary.well_us for canary in probed) if probed else None

    @property
    def is_doubtful(self) -> bool:
        """Whether every canary that is probed has gone silent."""
        probed = self._probed()
        return bool(probed) and all(canary.missed >= _SILENT_IN_A_ROW for canary in probed)

    @property
    def doubt_us(self) -> int:
        """Since when every canary that is probed has been silent."""
        return max((canary.missed_us for canary in self._probed()), default=0)

    def see(self, canary_id: str, outcome: Outcome, at_us: int) -> None:
        """Enter one settled echo of a canary; a fault is silence too: it is our trouble."""
        canary = self._canaries.setdefault(canary_id, _Canary(well_us=self.started_us))
        canary.seen_us = max(canary.seen_us, at_us)
        if outcome is Outcome.REPLIED:
            canary.well_us = max(canary.well_us, at_us)
            canary.missed = 0
            if CANARIES in self.verdicts:
                self.end(CANARIES, at_us)
        elif at_us > canary.well_us:
            canary.missed_us = canary.missed_us if canary.missed else at_us
            canary.missed += 1

    def begin(self, who: str, reason: str, since_us: int) -> None:
        """Enter a verdict; one that is in force already stays as it is."""
        self.verdicts.setdefault(who, Blind(reason, since_us))

    def end(self, who: str, at_us: int) -> None:
        """Take back a verdict; sight returns when none is left."""
        if self.verdicts.pop(who, None) is not None:
            self.ended_us = max(self.ended_us, at_us)

    def keep(self, canary_ids: set[str]) -> None:
        """Forget canaries that are no longer configured."""
        for gone in set(self._canaries) - canary_ids:
            del self._canaries[gone]

    def _probed(self) -> list[_Canary]:
        return [
            canary
            for canary in self._canaries.values()
            if canary.seen_us > self.now_us - _FORGOTTEN_US
        ]

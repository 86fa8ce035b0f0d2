"""How much of what others send is taken, however much they send. Pure."""

from __future__ import annotations

from netmon.clock import MICROSECONDS


class TokenBucket:
    """Lets so many things through a second, and some more at once after a rest."""

    def __init__(self, per_second: float, at_once: int) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._tokens = float(at_once)
        self._filled_us: int | None = None

    def take(self, now_us: int) -> bool:
        """Tell whether one more may pass at this instant of a monotonic clock."""
        if self._filled_us is not None:
            grown = (now_us - self._filled_us) / MICROSECONDS * self._per_second
            self._tokens = min(self._at_once, self._tokens + grown)
        self._filled_us = now_us
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

"""Signals that come before the event loop runs: none may end the daemon by accident.

A supervisor that sends SIGHUP to a daemon which has not installed its handler yet ends it, and
takes that for a success. Imports take a good part of a second, so this module imports next to
nothing and is called before all others.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class EarlySignals:
    """Catches SIGHUP, SIGTERM and SIGINT until the event loop takes over."""

    def __init__(self) -> None:
        self.asked_to_stop = False

    def install(self) -> None:
        """Catch from now on. Must be called on the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        # The configuration is read after this: a wish to read it again is granted already.
        signal.signal(signal.SIGHUP, self._ignore)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.asked_to_stop = True

    def _ignore(self, _number: int, _frame: FrameType | None) -> None:
        return

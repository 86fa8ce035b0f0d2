"""The border between netmon and a router's terminal: what may be written, and for how long.

Every byte to and from a session passes here, whatever a library believes it should send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from netmon.errors import ProbeFault

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

MAX_BYTES = 16_000_000
"""More than the longest configuration seen; a router that talks without end is stopped here."""
_KEYS = frozenset({"", " ", "q", "\x03"})
"""An empty line, and keys that turn or leave a pager."""


class SessionTrouble(ProbeFault):
    """A session could not be used; the message is a finding for people."""


class Dropped(SessionTrouble):
    """The router closed the session."""


class DeadlineOver(SessionTrouble):
    """The time for one router is over."""


class Flooded(SessionTrouble):
    """The router says more than any router has to say."""


class NotAllowed(SessionTrouble):
    """Something was about to be written that is not on the allow-list."""


class Channel(Protocol):
    """A terminal: netmiko's channel."""

    def write_channel(self, out_data: str) -> None:
        """Send text."""
        ...

    def read_buffer(self) -> str:
        """Return what has come, or nothing."""
        ...


class GuardedChannel:
    """A channel that writes allowed lines only, and ends with its time or its connection."""

    def __init__(
        self,
        channel: Channel,
        allowed: Collection[str],
        remaining_seconds: Callable[[], float],
        is_closed: Callable[[], bool],
    ) -> None:
        self._channel = channel
        self._allowed = frozenset(allowed) | _KEYS
        self._remaining_seconds = remaining_seconds
        self._is_closed = is_closed
        self._bytes = 0

    def write_channel(self, out_data: str) -> None:
        """Send text that is allowed.

        Raises:
            NotAllowed: a line is not on the list.
        """
        for line in out_data.split("\n"):
            if line.rstrip("\r") not in self._allowed:
                # The line itself is not shown: it may be a secret typed at the wrong moment.
                raise NotAllowed("a line that is not on the platform's allow-list was not sent")
        self._channel.write_channel(out_data)

    def read_buffer(self) -> str:
        """Return what has come, or nothing.

        Raises:
            Dropped: nothing will come any more.
            DeadlineOver: the time is over.
            Flooded: too much came.
        """
        if self._remaining_seconds() <= 0:
            raise DeadlineOver("the time for one router is over")
        # Asked before reading: what comes between the two is not lost.
        closed = self._is_closed()
        text = self._channel.read_buffer()
        if closed and not text:
            raise Dropped("the router closed the session")
        self._bytes += len(text)
        if self._bytes > MAX_BYTES:
            raise Flooded(f"more than {MAX_BYTES} characters came: not a router's answer")
        return text

    def read_channel(self) -> str:
        """Return everything that has come."""
        parts = []
        while text := self.read_buffer():
            parts.append(text)
        return "".join(parts)

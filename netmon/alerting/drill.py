"""Drills: a marked page is raised, and how long the whole path took is measured.

The page goes the way of a true one: this netmon's metrics, Prometheus, Alertmanager. Alertmanager
reports back to the address `drill_webhook` of the settings.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from netmon.clock import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from netmon.clock import Clock

LONGEST_SECONDS = 3600.0


@dataclass(slots=True)
class _Drill:
    raised: float
    ends: float
    delivered: float | None = None


@dataclass(frozen=True, slots=True)
class DrillFigures:
    """The last drill of an agency. `delivered_seconds` None: not delivered yet."""

    agency: str
    active: bool
    age_seconds: float
    delivered_seconds: float | None


class Drills:
    """The last drill of each agency. Lives on the event loop only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._drills: dict[str, _Drill] = {}

    def asked(
        self, method: str, query: Mapping[str, str], body: bytes, agencies: Container[str]
    ) -> tuple[bool, str]:
        """Answer HTTP: GET tells how the drills went, POST begins one or reports a delivery.

        POST with `?agency=` is a person's; without it, it is Alertmanager's webhook.
        """
        if method != "POST":
            return True, json.dumps([asdict(each) for each in self.figures()])
        agency = query.get("agency")
        if agency is None:
            return self._reported(body)
        if agency not in agencies:
            return False, f"there is no agency {agency!r} in the inventory"
        seconds = _seconds(query.get("seconds", "120"))
        if seconds is None:
            return False, f"seconds: write a number from 1 to {LONGEST_SECONDS:.0f}"
        self.begin(agency, seconds)
        return True, f"drill for {agency}: {seconds:.0f} s"

    def begin(self, agency: str, seconds: float) -> None:
        """Raise a page for an agency; it is over by itself after `seconds`."""
        now = self._now()
        self._drills[agency] = _Drill(now, now + seconds)

    def deliver(self, notification: bytes) -> tuple[str, ...]:
        """Enter what Alertmanager's webhook said; return the agencies whose page has arrived.

        Raises:
            ValueError: it is no notification of Alertmanager.
        """
        return tuple(agency for agency in _firing(notification) if self._arrived(agency))

    def figures(self) -> tuple[DrillFigures, ...]:
        """Return the last drill of every agency that had one."""
        now = self._now()
        return tuple(
            DrillFigures(
                agency,
                now < drill.ends,
                now - drill.raised,
                None if drill.delivered is None else drill.delivered - drill.raised,
            )
            for agency, drill in sorted(self._drills.items())
        )

    def _now(self) -> float:
        return self._clock.monotonic_us() / MICROSECONDS

    def _reported(self, body: bytes) -> tuple[bool, str]:
        try:
            return True, f"delivered: {', '.join(self.deliver(body)) or 'nothing new'}"
        except ValueError as error:
            return False, str(error)

    def _arrived(self, agency: str) -> bool:
        drill = self._drills.get(agency)
        if drill is None or drill.delivered is not None:
            return False
        drill.delivered = self._now()
        return True


def _seconds(text: str) -> float | None:
    if not (text.isascii() and text.isdigit() and len(text) < len("3600.0")):
        return None
    return float(text) if 1 <= int(text) <= LONGEST_SECONDS else None


def _firing(notification: bytes) -> list[str]:
    try:
        alerts: list[Mapping[str, Any]] = json.loads(notification)["alerts"]
        return [
            str(alert["labels"]["agency"])
            for alert in alerts
            if alert["status"] == "firing" and alert["labels"]["alertname"] == "NetmonDrill"
        ]
    except (KeyError, TypeError, ValueError) as error:
        message = f"not what Alertmanager sends to a webhook: {error!r}"
        raise ValueError(message) from error

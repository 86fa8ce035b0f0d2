"""Columns of current figures, and the immutable Snapshot that everything outside reads.

A *slot* is a link's place in the working columns of the engine, the judge and the account: it
stays the same as long as the link exists, through every reload, and is given to another link only
after its own has gone. A *row* is a link's place in one Snapshot: rows follow the inventory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from netmon.judge.columns import JudgementColumns
from netmon.model import (
    Event,
    Inventory,
    LinkKey,
    Outage,
    OutageEnd,
    OutageNote,
    OutageStart,
    RouterReading,
)

RTT_BUCKETS_SECONDS: tuple[float, ...] = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
)  # fmt: skip
"""Upper bounds of the RTT histogram; a last bucket without bound follows."""


class Slots:
    """Gives every link a slot and keeps it. Freed slots are reused, lowest first."""

    def __init__(self) -> None:
        self._slot_of: dict[LinkKey, int] = {}
        self._free: list[int] = []

    def __getitem__(self, key: LinkKey) -> int:
        return self._slot_of[key]

    def __contains__(self, key: object) -> bool:
        return key in self._slot_of

    def __iter__(self) -> Iterator[LinkKey]:
        return iter(self._slot_of)

    def __len__(self) -> int:
        return len(self._slot_of)

    @property
    def capacity(self) -> int:
        """How many slots working columns must have."""
        return len(self._slot_of) + len(self._free)

    def replace(self, keys: Iterable[LinkKey]) -> tuple[dict[LinkKey, int], dict[LinkKey, int]]:
        """Make `keys` the links that have slots; return those removed and those added."""
        wanted = dict.fromkeys(keys)
        removed = {key: slot for key, slot in self._slot_of.items() if key not in wanted}
        for key, slot in removed.items():
            del self._slot_of[key]
            self._free.append(slot)
        self._free.sort(reverse=True)
        added: dict[LinkKey, int] = {}
        for key in wanted:
            if key not in self._slot_of:
                slot = self._free.pop() if self._free else len(self._slot_of)
                self._slot_of[key] = added[key] = slot
        return removed, added


@dataclass(frozen=True, slots=True)
class EchoColumns:
    """Echo figures, one element per target: a link's address of one family."""

    row: NDArray[np.int32]
    """The link's row in the snapshot."""
    family: NDArray[np.int8]
    """4 or 6."""
    requests: NDArray[np.int64]
    """Echo requests sent and settled: replied, silent past their time-out, or reported on."""
    replies: NDArray[np.int64]
    errors: NDArray[np.int64]
    """[target, ECHO_ERRORS]"""
    rtt_buckets: NDArray[np.int64]
    """[target, RTT_BUCKETS_SECONDS + 1], not cumulative."""
    rtt_sum_seconds: NDArray[np.float64]
    last_rtt_seconds: NDArray[np.float64]
    """NaN: the last echo got no reply, or none was sent yet."""
    jitter_seconds: NDArray[np.float64]
    """The RTT's change from reply to reply, smoothed; NaN: fewer than two were measured."""
    last_reply_us: NDArray[np.int64]
    """0: never."""


@dataclass(frozen=True, slots=True)
class AccountColumns:
    """The account so far, one element per link; never goes back."""

    seconds: NDArray[np.float64]
    """[link, STATES, Hours]"""
    outages: NDArray[np.int64]
    """[link, CAUSES]: outages that are over, by cause."""
    outage_seconds: NDArray[np.float64]
    """[link, CAUSES]: how long they lasted."""


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """How the rounds of one kind went."""

    name: str
    runs: int
    last_end_us: int
    duration_seconds: float
    lateness_seconds: float


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """Packets that were counted and never taken for a reply, and what the engine runs on."""

    privileged: bool = False
    strangers: int = 0
    """Replies that were not ours: other cookie, unknown target, wrong source."""
    duplicates: int = 0
    late: int = 0
    malformed: int = 0
    overflows: int = 0
    """Packets that the kernel dropped because our receive buffer was full."""
    clock_steps: int = 0
    lateness_p99_seconds: float = float("nan")


@dataclass(slots=True)
class SnmpFigures:
    """What the SNMP engine has asked and heard since the start.

    The engine counts in one of its own; a Snapshot holds a copy, which nobody changes.
    """

    requests: int = 0
    retransmissions: int = 0
    answers: int = 0
    timeouts: int = 0
    refused: int = 0
    send_faults: int = 0
    strangers: int = 0
    """Datagrams that answer nothing we asked, or come from another address or port."""
    forged: int = 0
    """Well-formed, of the right id and address, and yet not the answer."""
    malformed: int = 0
    late: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class TrapFigures:
    """Traps and informs since the start."""

    by_kind: Mapping[str, int]
    strangers: int = 0
    """Those among them that came from an address that is no router's."""
    dropped: int = 0
    """Left unread: too many at a time."""
    malformed: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    """Those that were not believed, by `TrapRefusal`."""


@dataclass(frozen=True, slots=True)
class VisitFigures:
    """What is known of visits to routers over SSH."""

    changes: Mapping[str, int] = field(default_factory=dict)
    """Changes found since netmon started, by kind."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """Routers by how the last visit to them ended."""
    changed_keys: tuple[str, ...] = ()
    """Agencies whose router shows another host key than the pinned one."""
    unread: int = 0
    """Answers of the last round that could not be read."""


@dataclass(frozen=True, slots=True)
class DaemonFigures:
    """What netmon says of itself."""

    version: str
    started_us: int
    wall_offset_us: int = 0
    rounds: tuple[RoundFigures, ...] = ()
    engine: EngineFigures = field(default=EngineFigures())
    snmp: SnmpFigures = field(default_factory=SnmpFigures)
    traps: TrapFigures | None = None
    """None: traps are not received."""
    reload_successful: bool = True
    reload_success_us: int = 0
    reload_message: str = ""
    ledger_writable: bool = True
    ledger_message: str = ""
    ledger_pending: int = 0
    canaries: Mapping[str, bool] = field(default_factory=dict)
    """Canary id → answers; a canary not yet measured is absent."""
    exporter_failures: Mapping[str, int] = field(default_factory=dict)
    """How often each exporter broke (`netmon.web.WebServer.failures`)."""
    visits: VisitFigures = field(default=VisitFigures())
    language: str = "vi"
    """In which language people are spoken to who did not choose one."""
    drills: Mapping[str, float | None] = field(default_factory=dict)
    """By agency: how long the page of its last drill took; None: not delivered yet."""
    active_drills: tuple[str, ...] = ()
    notice: Mapping[str, str] = field(default_factory=dict)
    """Language → one sentence for the top of the page, for example what the demo cannot do."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything current at one instant. Immutable: scrapes read it from any thread.

    `generation` changes with the inventory: what is rendered from names alone may be cached by it.
    """

    at_us: int
    generation: int
    inventory: Inventory
    keys: tuple[LinkKey, ...]
    """The link of every row."""
    echo: EchoColumns
    judgement: JudgementColumns
    account: AccountColumns
    readings: Mapping[str, RouterReading]
    """By agency; an agency not yet polled is absent."""
    open_outages: tuple[Outage, ...]
    recent_outages: tuple[Outage, ...]
    """The last ones that ended, latest first."""
    daemon: DaemonFigures


class OutageBook:
    """The outages that are open, and the last ones that ended."""

    def __init__(
        self, open_outages: Iterable[Outage] = (), recent: Iterable[Outage] = (), keep: int = 50
    ) -> None:
        self._open = {outage.key: outage for outage in open_outages}
        self._recent = deque(recent, maxlen=keep)
        """Latest first."""

    def apply(self, events: Iterable[Event]) -> None:
        """Enter what the judge decided; events that are not about outages pass by."""
        for event in events:
            match event:
                case OutageStart():
                    self._open[event.key] = Outage(
                        event.key, event.start_us, None, evidence=event.evidence
                    )
                case OutageEnd():
                    outage = self._open.pop(event.key, None)
                    if outage is not None:
                        self._recent.appendleft(replace(outage, end_us=event.end_us))
                case OutageNote():
                    self._note(event)

    def forget(self, keys: Iterable[LinkKey]) -> None:
        """Drop the outages of links that are gone from the inventory."""
        gone = frozenset(keys)
        for key in gone:
            self._open.pop(key, None)
        kept = [outage for outage in self._recent if outage.key not in gone]
        self._recent = deque(kept, maxlen=self._recent.maxlen)

    @property
    def open(self) -> tuple[Outage, ...]:
        """Outages that are not over, latest first."""
        return tuple(sorted(self._open.values(), key=lambda outage: -outage.start_us))

    @property
    def recent(self) -> tuple[Outage, ...]:
        """The last outages that ended, latest first."""
        return tuple(self._recent)

    def _note(self, note: OutageNote) -> None:
        outage = self._open.get(note.key)
        if outage is not None and outage.start_us == note.start_us:
            self._open[note.key] = _noted(outage, note)
            return
        for index, ended in enumerate(self._recent):
            if (ended.key, ended.start_us) == (note.key, note.start_us):
                self._recent[index] = _noted(ended, note)


def _noted(outage: Outage, note: OutageNote) -> Outage:
    return replace(
        outage,
        cause=note.cause or outage.cause,
        path_end=note.path_end or outage.path_end,
        note=note.text or outage.note,
    )

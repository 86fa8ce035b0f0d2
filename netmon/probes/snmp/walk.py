"""What a walk makes of the rows that an agent tells: pure, without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netmon.model import SnmpStatus
from netmon.probes.snmp.values import Missing, Oid, VarBind, Walk, oid_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_OCTETS_LIMIT: Final = 16 * 1024 * 1024
"""Of octet strings: no MIB table of a router holds as much."""
_NO_ROW: Final = (Missing.END_OF_MIB_VIEW, Missing.NO_SUCH_OBJECT, Missing.NO_SUCH_INSTANCE)


class Walker:
    """Collects the rows of one subtree until it ends, loops, or is too large.

    An agent that tells a row out of order is followed further, since what it skips back to may be
    new; one that tells a row twice is going round in circles.
    """

    def __init__(self, root: Oid, limit_rows: int) -> None:
        self._root = root
        self._limit_rows = limit_rows
        self._rows: list[VarBind] = []
        self._seen: set[Oid] | None = None
        self._disordered = 0
        self._octets = 0
        self._complete = False
        self._trouble = ""
        self._status = SnmpStatus.OK
        self.last = root
        """The OID to go on from."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to ask."""
        return self._complete or self._status is not SnmpStatus.OK

    @property
    def is_complete(self) -> bool:
        """Whether the subtree was read to its end."""
        return self._complete

    @property
    def has_rows(self) -> bool:
        """Whether anything was read."""
        return bool(self._rows)

    def take(self, varbinds: Sequence[VarBind]) -> None:
        """Add the rows of one answer."""
        if not varbinds:
            self.stop(SnmpStatus.MALFORMED, "the agent answered without any variable")
        for row in varbinds:
            self._take_row(row)
            if self.is_over:
                return

    def finish(self) -> None:
        """Note that the agent has no more."""
        self._complete = True

    def stop(self, status: SnmpStatus, trouble: str) -> None:
        """End the walk before its time."""
        self._status, self._trouble = status, trouble

    def result(self) -> Walk:
        """Return what was read."""
        trouble = self._trouble
        if not trouble and self._disordered:
            trouble = f"{self._disordered} rows came out of order"
        return Walk(self._rows, self._complete, trouble, self._status)

    def _take_row(self, row: VarBind) -> None:
        oid = row.oid
        if oid[: len(self._root)] != self._root or row.value in _NO_ROW:
            self.finish()
            return
        if oid <= self.last:
            self._note_disorder()
        if self._seen is not None:
            if oid in self._seen:
                self.stop(SnmpStatus.PARTIAL, f"the agent goes round in circles at {oid_text(oid)}")
                return
            self._seen.add(oid)
        self.last = oid
        self._rows.append(row)
        self._octets += len(row.value) if isinstance(row.value, bytes) else 0
        if len(self._rows) >= self._limit_rows or self._octets > _OCTETS_LIMIT:
            self.stop(
                SnmpStatus.PARTIAL,
                f"stopped after {len(self._rows)} rows and {self._octets} octets of text:"
                " the table is too large, or never ends",
            )

    def _note_disorder(self) -> None:
        # While rows increase, none can come twice; from now on that has to be looked up.
        self._disordered += 1
        if self._seen is None:
            self._seen = {self._root, *(row.oid for row in self._rows)}

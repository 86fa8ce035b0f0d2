"""What to make of an agent's answers to a GET, and what to ask again: pure, without I/O."""

from __future__ import annotations

from collections import deque

from netmon.probes.snmp.message import ErrorStatus, Pdu
from netmon.probes.snmp.values import Missing, Oid, Tag, VarBind


class Sorting:
    """Collects the variables of one GET over as many questions as it takes.

    `parts` holds what is still to be asked. Every part that is answered gets shorter or settled,
    so that a GET of n variables takes fewer than 2 n questions.
    """

    def __init__(self, oids: tuple[Oid, ...]) -> None:
        self._oids = oids
        self._found: dict[Oid, VarBind] = {}
        self.parts: deque[tuple[Oid, ...]] = deque()

    def queue(self, oids: tuple[Oid, ...], size: int) -> None:
        """Note that these are to be asked, at most `size` at a time."""
        self.parts.extend(oids[start : start + size] for start in range(0, len(oids), size))

    def sort(self, part: tuple[Oid, ...], pdu: Pdu) -> bool:
        """Take the answer to a part; False: it is about something else altogether."""
        if pdu.error_status == ErrorStatus.NO_ERROR:
            answered = {row.oid: row for row in pdu.varbinds if row.oid in part}
            self._found.update(answered)
            return bool(answered)
        culprit = pdu.error_index - 1
        is_one_to_blame = pdu.error_status != ErrorStatus.TOO_BIG and 0 <= culprit < len(part)
        if len(part) == 1:
            self._settle(part[0], pdu.error_status)
        elif is_one_to_blame:
            self._settle(part[culprit], pdu.error_status)
            self.parts.append(part[:culprit] + part[culprit + 1 :])
        else:
            self.queue(part, (len(part) + 1) // 2)
        return True

    def received(self) -> tuple[VarBind, ...]:
        """Return the variables that have been answered so far."""
        return tuple(self._found.values())

    def result(self) -> list[VarBind]:
        """Return a variable for each OID; NULL for what the agent left out."""
        return [self._found.get(oid) or VarBind(oid, Tag.NULL, Missing.NULL) for oid in self._oids]

    def _settle(self, oid: Oid, error_status: int) -> None:
        if error_status == ErrorStatus.NO_SUCH_NAME:
            self._found[oid] = VarBind(oid, Tag.NO_SUCH_OBJECT, Missing.NO_SUCH_OBJECT)
        else:
            self._found[oid] = VarBind(oid, Tag.NULL, Missing.NULL)

"""One router, asked by one credential: GET and walks that make the best of odd agents."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netmon.clock import MICROSECONDS, Clock
from netmon.config.settings import SnmpModule
from netmon.model import SnmpStatus
from netmon.probes.snmp.exchange import Exchange, Patience, Question, Route
from netmon.probes.snmp.message import ErrorStatus, Pdu, PduType, error_status_text
from netmon.probes.snmp.security import ReportError
from netmon.probes.snmp.sorting import Sorting
from netmon.probes.snmp.usm import UserSecurity, report_failure
from netmon.probes.snmp.values import (
    WALK_LIMIT_ROWS,
    Oid,
    SnmpError,
    VarBind,
    Walk,
)
from netmon.probes.snmp.walk import Walker

if TYPE_CHECKING:
    from collections.abc import Sequence

_VARIABLES_LIMIT: Final = 50
"""In one GET; its answer then fits into most agents' 1,472 octets."""
_REPORTS_LIMIT: Final = 4
"""Discovery, clock, and the same again if the agent restarts at that moment."""
_REPETITIONS_DIVISOR: Final = 4
_DISCOVERY: Final = Question(PduType.GET, b"\x30\x00")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a router is asked: what its module and its SNMP version allow."""

    module: SnmpModule
    has_bulk: bool

    @property
    def patience(self) -> Patience:
        """The tries that a question is worth."""
        return Patience(self.module.timeout_seconds, self.module.retries + 1)


class SnmpSession:
    """See `values.Session`. One request is in flight at a time; a call has a budget of time.

    The budget is the module's interval: what takes longer than that is due again already.
    """

    __slots__ = (
        "_clock",
        "_exchange",
        "_lock",
        "_manner",
        "_repetitions",
        "_route",
        "_variables_limit",
    )

    def __init__(self, exchange: Exchange, route: Route, manner: Manner, clock: Clock) -> None:
        self._exchange = exchange
        self._route = route
        self._manner = manner
        self._clock = clock
        self._lock = asyncio.Lock()
        self._variables_limit = _VARIABLES_LIMIT
        self._repetitions = max(1, manner.module.max_repetitions)

    @property
    def engine_boots(self) -> int | None:
        """See `values.Session`."""
        security = self._route.security
        if isinstance(security, UserSecurity) and security.is_discovered:
            return security.boots
        return None

    async def get(self, oids: Sequence[Oid]) -> list[VarBind]:
        """See `values.Session`."""
        async with self._lock:
            if len(oids) <= self._variables_limit:
                pdu = await self._ask(self._get_question(oids), self._manner.patience)
                varbinds = pdu.varbinds
                if not pdu.error_status and [name for name, _, _ in varbinds] == list(oids):
                    return varbinds
                return await self._get_in_parts(oids, pdu)
            return await self._get_in_parts(oids, None)

    async def walk(self, root: Oid, *, limit_rows: int = WALK_LIMIT_ROWS) -> Walk:
        """See `values.Session`."""
        walker = Walker(root, limit_rows)
        async with self._lock:
            deadline_us = self._deadline_us()
            while not walker.is_over:
                try:
                    self._check_budget(deadline_us)
                    await self._walk_on(walker)
                except SnmpError as error:
                    if not walker.has_rows:
                        raise
                    walker.stop(error.status, str(error))
        if walker.is_complete:
            self._ask_for_more()
        return walker.result()

    # --- GET -------------------------------------------------------------------------------------

    def _get_question(self, oids: Sequence[Oid]) -> Question:
        return Question(PduType.GET, self._exchange.names(oids))

    async def _get_in_parts(self, oids: Sequence[Oid], pdu: Pdu | None) -> list[VarBind]:
        """Return a variable for each OID, asking again without the ones that spoil the answer.

        `pdu` is the answer to all of them, if they were asked at once.
        """
        deadline_us = self._deadline_us()
        sorting = Sorting(tuple(oids))
        if pdu is None:
            sorting.queue(tuple(oids), self._variables_limit)
        else:
            self._sort(sorting, tuple(oids), pdu)
        while sorting.parts:
            part = sorting.parts.popleft()
            try:
                self._check_budget(deadline_us)
                pdu = await self._ask(self._get_question(part), self._manner.patience)
                self._sort(sorting, part, pdu)
            except SnmpError as error:
                raise SnmpError(error.status, str(error), sorting.received()) from None
        return sorting.result()

    def _sort(self, sorting: Sorting, part: tuple[Oid, ...], pdu: Pdu) -> None:
        if pdu.error_status == ErrorStatus.AUTHORIZATION_ERROR:
            raise self._error(
                SnmpStatus.AUTHENTICATION,
                "authorizationError: the user may not read this at the credential's security level",
            )
        if pdu.error_status == ErrorStatus.TOO_BIG:
            self._variables_limit = min(self._variables_limit, max(1, len(part) // 2))
        if not sorting.sort(part, pdu):
            raise self._error(SnmpStatus.MALFORMED, "the agent answered what was not asked")

    # --- Walks -----------------------------------------------------------------------------------

    async def _walk_on(self, walker: Walker) -> None:
        """Ask for the next rows; a few if many proved too many for the agent."""
        patience = self._manner.patience
        repetitions = self._repetitions if self._manner.has_bulk else 0
        names = self._exchange.names((walker.last,))
        if repetitions > 1:
            question = Question(PduType.GET_BULK, names, 0, repetitions)
            # One try is enough: what follows is smaller, and just as good a question.
            patience = Patience(patience.timeout_seconds, 1)
        else:
            question = Question(PduType.GET_NEXT, names)
        try:
            pdu = await self._ask(question, patience)
        except SnmpError as error:
            if error.status is not SnmpStatus.TIMEOUT or repetitions <= 1:
                raise
            self._ask_for_less(repetitions)
            return
        self._take(walker, pdu, repetitions)

    def _take(self, walker: Walker, pdu: Pdu, repetitions: int) -> None:
        if pdu.error_status == ErrorStatus.NO_ERROR:
            walker.take(pdu.varbinds)
        elif pdu.error_status == ErrorStatus.NO_SUCH_NAME:
            walker.finish()
        elif repetitions > 1:
            self._ask_for_less(repetitions)
        else:
            raise self._error(
                SnmpStatus.MALFORMED,
                f"the agent ends the walk with {error_status_text(pdu.error_status)}",
            )

    def _ask_for_less(self, repetitions: int) -> None:
        self._repetitions = max(1, repetitions // _REPETITIONS_DIVISOR)

    def _ask_for_more(self) -> None:
        self._repetitions = min(self._repetitions * 2, max(1, self._manner.module.max_repetitions))

    # --- Both ------------------------------------------------------------------------------------

    async def _ask(self, question: Question, patience: Patience) -> Pdu:
        security = self._route.security
        if not isinstance(security, UserSecurity):
            return await self._exchange.ask(question, self._route, patience)
        for _ in range(_REPORTS_LIMIT):
            asked = question if security.is_discovered else _DISCOVERY
            try:
                return await self._exchange.ask(asked, self._route, patience)
            except ReportError as report:
                kind = report.kind
                self._heed(security, report)
        raise self._named(report_failure(kind))

    def _heed(self, security: UserSecurity, report: ReportError) -> None:
        try:
            security.heed(report)
        except SnmpError as error:
            raise self._named(error) from None

    def _deadline_us(self) -> int:
        budget_seconds = self._manner.module.interval_seconds
        return self._clock.monotonic_us() + int(budget_seconds * MICROSECONDS)

    def _check_budget(self, deadline_us: int) -> None:
        if self._clock.monotonic_us() > deadline_us:
            seconds = self._manner.module.interval_seconds
            raise self._error(
                SnmpStatus.TIMEOUT, f"the router is slow: not done within {seconds:g} s"
            )

    def _error(self, status: SnmpStatus, words: str) -> SnmpError:
        return SnmpError(status, f"{self._route}: {words}")

    def _named(self, error: SnmpError) -> SnmpError:
        return self._error(error.status, str(error))

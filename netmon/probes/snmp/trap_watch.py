"""Routers that call for attention: a trap of one that is known has it looked at on the spot."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netmon.clock import MICROSECONDS, Clock
from netmon.config.secrets import read_secret
from netmon.errors import CapabilityError, SecretError
from netmon.model import IPAddress
from netmon.probes.snmp.allowance import TokenBucket
from netmon.probes.snmp.credentials import read_secrets
from netmon.probes.snmp.engine import user_of
from netmon.probes.snmp.trap import RefusedTrap, Trap, TrapKind, TrapRefusal
from netmon.probes.snmp.usm import User
from netmon.probes.snmp.values import SnmpError
from netmon.state import TrapFigures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from netmon.config.settings import SecretReference, SnmpCredential, SnmpTraps
    from netmon.model import Inventory
    from netmon.probes.snmp.traps import TrapReceiver

_log = logging.getLogger(__name__)

_LOOK_AT_MOST_EVERY_SECONDS = 10
"""A router that sends traps without end is looked at no more often than this."""
_NOTED_AT_ONCE = 20
_NOTED_PER_SECOND = 1 / 600
"""More of one agency's traps are not noted: rows of the journal stay, and the next ones are
compared with them. Whoever guesses at a router's community makes it send thousands a day."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How traps are received. Holds secrets, which do not show in its repr."""

    listen: tuple[IPAddress, int]
    communities: tuple[str, ...] = field(repr=False)
    users: tuple[User, ...] = field(repr=False)


class TrapWatch:
    """Receives traps if the settings want it. Lives on the event loop.

    `look` is called with the id of an agency whose router sent a trap that says something of its
    links: at once, and once more at the end of a rest if others came meanwhile. `note` is called
    with those of these traps that are worth a row in the journal.
    pysnmp is loaded when there is something to receive, and not before.
    """

    def __init__(
        self, clock: Clock, look: Callable[[str], None], note: Callable[[str, Trap], None]
    ) -> None:
        self._clock = clock
        self._look = look
        self._note = note
        self._way: _Way | None = None
        self._receiver: TrapReceiver | None = None
        self._agencies: dict[IPAddress, str] = {}
        self._rested_us: dict[str, int] = {}
        """When each agency that was looked at may be looked at again."""
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._allowances: dict[str, TokenBucket] = {}
        """How many traps of each agency may be noted."""
        self._by_kind: Counter[str] = Counter()
        self._strangers = 0
        self._dropped = 0
        self._malformed = 0
        self._refused: Counter[str] = Counter()
        self._told: set[tuple[IPAddress, TrapRefusal]] = set()
        """Refusals that were told once."""

    @property
    def port(self) -> int | None:
        """Where traps are received; None: nowhere."""
        return None if self._receiver is None else self._receiver.port

    async def listen(self, settings: SnmpTraps | None) -> None:
        """Receive as the settings say from now on.

        Raises:
            CapabilityError: the address cannot be had; what was received before goes on.
        """
        wanted = None if settings is None else _way(settings)
        if wanted == self._way:
            return
        before = self._way
        await self._stop()
        try:
            await self._start(wanted)
        except CapabilityError:
            await self._start(before)
            raise

    def set_inventory(self, inventory: Inventory) -> None:
        """Know the routers of an inventory by all their addresses."""
        self._agencies = {}
        for agency in inventory.agencies.values():
            own = [agency.router.address] if agency.router else []
            linked = [address for link in agency.links for address in link.addresses]
            self._agencies.update(dict.fromkeys((*own, *linked), agency.id))
        for gone in self._rested_us.keys() - inventory.agencies.keys():
            del self._rested_us[gone], self._allowances[gone]
            if timer := self._waiting.pop(gone, None):
                timer.cancel()

    def figures(self) -> TrapFigures | None:
        """Return what was counted since the start; None: traps are not received."""
        if self._receiver is None:
            return None
        now = self._receiver.figures()
        by_kind = {str(kind): self._by_kind[kind] for kind in TrapKind}
        refused = self._refused + Counter({str(why): n for why, n in now.refused.items()})
        return TrapFigures(
            by_kind,
            self._strangers,
            self._dropped + now.dropped,
            self._malformed + now.malformed,
            {str(reason): refused[reason] for reason in TrapRefusal},
        )

    async def close(self) -> None:
        """Receive no more."""
        await self._stop()
        for timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()

    async def _start(self, way: _Way | None) -> None:
        if way is None:
            return
        from netmon.probes.snmp.traps import (  # noqa: PLC0415  # pysnmp: see the class
            Senders,
            TrapReceiver,
        )

        senders = Senders(way.communities, way.users)
        receiver = TrapReceiver(self._clock, way.listen, senders, self._on_trap, self._on_refused)
        await receiver.start()
        self._receiver, self._way = receiver, way
        self._told.clear()
        _log.info(
            "traps are received on %s port %d; SNMPv3 engine id %s",
            way.listen[0], receiver.port, receiver.engine_id.hex(),
        )  # fmt: skip

    async def _stop(self) -> None:
        receiver, self._receiver, self._way = self._receiver, None, None
        if receiver is not None:
            counted = receiver.figures()
            self._dropped += counted.dropped
            self._malformed += counted.malformed
            self._refused.update({str(why): n for why, n in counted.refused.items()})
            await receiver.close()

    def _on_trap(self, trap: Trap) -> None:
        self._by_kind[trap.kind] += 1
        source = _plain(trap.source)
        agency = self._agencies.get(source)
        if agency is None:
            self._strangers += 1
            _log.debug("trap %s from %s, which is no router here", trap.kind, source)
            return
        level = logging.DEBUG if trap.kind is TrapKind.OTHER else logging.INFO
        _log.log(level, "%s: trap %s from %s: %s", agency, trap.kind, source, trap.text)
        if trap.kind is not TrapKind.OTHER:
            self._attend(agency, trap)

    def _on_refused(self, refused: RefusedTrap) -> None:
        source = _plain(refused.source)
        agency = self._agencies.get(source)
        is_new = (source, refused.reason) not in self._told
        level = logging.WARNING if agency is not None and is_new else logging.DEBUG
        if agency is not None:  # of strangers there may be any number
            self._told.add((source, refused.reason))
        _log.log(level, "%s: trap from %s refused: %s", agency or "?", source, refused.words)

    def _attend(self, agency: str, trap: Trap) -> None:
        rest_us = self._rested_us.get(agency, trap.at_monotonic_us) - trap.at_monotonic_us
        if rest_us <= 0:
            self._look_at(agency, trap)
        elif agency not in self._waiting and trap.kind is not TrapKind.AUTHENTICATION_FAILURE:
            # Our own poll may be what failed to authenticate: asking again would go on for ever.
            loop = asyncio.get_running_loop()
            seconds = rest_us / MICROSECONDS
            self._waiting[agency] = loop.call_later(seconds, self._look_at, agency, trap)

    def _look_at(self, agency: str, trap: Trap) -> None:
        self._waiting.pop(agency, None)
        now_us = self._clock.monotonic_us()
        self._rested_us[agency] = now_us + _LOOK_AT_MOST_EVERY_SECONDS * MICROSECONDS
        allowance = self._allowances.get(agency) or TokenBucket(_NOTED_PER_SECOND, _NOTED_AT_ONCE)
        self._allowances[agency] = allowance
        if allowance.take(now_us):
            self._note(agency, trap)
        self._look(agency)


def _way(settings: SnmpTraps) -> _Way | None:
    """Return how to receive; None: no secret of the senders can be read, which is told."""
    communities = tuple(_readable(settings.communities))
    users = tuple(_usable(settings.credentials))
    if not communities and not users:
        _log.warning("no traps are received: none of the senders' secrets can be read")
        return None
    host, _, port = settings.listen_address.rpartition(":")
    host = {"": "0.0.0.0", "localhost": "127.0.0.1"}.get(host, host.strip("[]"))  # noqa: S104  # as the operator wrote it
    return _Way((ipaddress.ip_address(host), int(port)), communities, users)


def _readable(references: Iterable[SecretReference]) -> Iterable[str]:
    for reference in references:
        try:
            yield read_secret(reference).reveal()
        except SecretError as error:
            _log.warning("snmp_traps: %s; traps with that community are ignored", error)


def _usable(credentials: Iterable[SnmpCredential]) -> Iterable[User]:
    for credential in credentials:
        try:
            yield user_of(credential, read_secrets(credential))
        except (SecretError, SnmpError) as error:
            user = credential.user
            _log.warning("snmp_traps: %s; traps of the user %r are ignored", error, user)


def _plain(source: IPAddress) -> IPAddress:
    """Return an IPv4 address as such, where a socket for IPv6 received it."""
    return (source.ipv4_mapped or source) if isinstance(source, ipaddress.IPv6Address) else source

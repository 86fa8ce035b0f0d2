"""Rounds of SNMP polls: each router once an interval, each at its own moment in it."""

from __future__ import annotations

import asyncio
import logging
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netmon.clock import MICROSECONDS, Timeline
from netmon.config.settings import Settings, SnmpCredential, SnmpModule
from netmon.errors import SecretError
from netmon.model import Agency, Inventory, Router, RouterReading, SnmpStatus
from netmon.probes.snmp.credentials import read_secrets
from netmon.probes.snmp.engine import SnmpEngine, SnmpSession
from netmon.probes.snmp.poller import RouterMemory, RouterPoller
from netmon.probes.snmp.values import SnmpError, SnmpSecrets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netmon.probes.snmp.profiles import Profiles

_log = logging.getLogger(__name__)

_SPREAD = 0.8
"""A round asks its routers within this share of the interval: the rest is for late answers."""
AT_ONCE_SECONDS = 0.05
"""Routers whose moments lie this close together are asked together: their answers then wake the
event loop a few times instead of once each, which halves the CPU time of a country's polls."""
_FIRST_ROUND_ROUTERS_PER_SECOND = 50
"""The first round hurries, so that a province is known soon, but not faster than this."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How a router is asked; as long as this stays, its session and memory stay."""

    router: Router
    module: SnmpModule
    credential: SnmpCredential
    secrets: SnmpSecrets | str
    """Text: why they cannot be read."""


@dataclass(slots=True)
class _Polled:
    """A router that is polled, and what is kept of it from poll to poll."""

    agency: Agency
    way: _Way
    session: SnmpSession | None = None
    refusal: tuple[SnmpStatus, str] | None = None
    """Why there is no session."""
    memory: RouterMemory = field(default_factory=RouterMemory)
    busy: bool = False


class SnmpRounds:
    """Polls every router that has a credential. Lives on the event loop."""

    def __init__(
        self,
        engine: SnmpEngine,
        poller: RouterPoller,
        timeline: Timeline,
        on_reading: Callable[[RouterReading], None],
    ) -> None:
        self._engine = engine
        self._poller = poller
        self._timeline = timeline
        self._on_reading = on_reading
        self._polled: dict[str, _Polled] = {}
        self._known: set[str] = set()
        """Modules whose first, hurried round is over."""

    def set_inventory(self, inventory: Inventory, settings: Settings) -> dict[str, SnmpModule]:
        """Poll these routers from now on; return the modules that need rounds, by name.

        A router whose address, credential and module stay keeps its session and memory. Secrets
        are read here, so a reload also takes up a changed secret.
        """
        before, self._polled = self._polled, {}
        secrets: dict[str, SnmpSecrets | str] = {}
        modules: dict[str, SnmpModule] = {}
        for agency in inventory.agencies.values():
            if agency.router is None or agency.router.snmp is None or agency.snmp_module is None:
                continue
            name = agency.router.snmp
            credential = settings.snmp_credentials[name]
            if name not in secrets:
                secrets[name] = _read_secrets(name, credential)
            module = modules[agency.snmp_module] = settings.snmp_modules[agency.snmp_module]
            way = _Way(agency.router, module, credential, secrets[name])
            self._polled[agency.id] = self._continued(before.get(agency.id), agency, way)
        return modules

    def set_profiles(self, profiles: Profiles) -> None:
        """Recognise routers by these; where they differ from before, all are identified anew."""
        if profiles == self._poller.profiles:
            return
        self._poller.profiles = profiles
        for polled in self._polled.values():
            polled.memory.identified_at_us = None

    async def run(self, module_name: str) -> None:
        """Poll every router of a module once, spread over the module's interval."""
        turn = [p for p in self._polled.values() if p.way.module.name == module_name]
        if not turn:
            return
        spread_us = _SPREAD * turn[0].way.module.interval_seconds * MICROSECONDS
        if module_name not in self._known:
            hurried_us = len(turn) / _FIRST_ROUND_ROUTERS_PER_SECOND * MICROSECONDS
            spread_us = min(spread_us, hurried_us)
        begun_us = self._timeline.monotonic_us()
        async with asyncio.TaskGroup() as group:
            for due_us, polled in _in_turn(turn, begun_us, spread_us):
                wait_us = due_us - self._timeline.monotonic_us()
                if wait_us > AT_ONCE_SECONDS * MICROSECONDS:
                    await asyncio.sleep(wait_us / MICROSECONDS)
                if self._polled.get(polled.agency.id) is polled and not polled.busy:
                    group.create_task(self._poll(polled))
        self._known.add(module_name)

    async def poll_now(self, agency_id: str) -> None:
        """Poll one router out of turn, for example when its link is back."""
        polled = self._polled.get(agency_id)
        if polled is not None and not polled.busy:
            await self._poll(polled)

    async def _poll(self, polled: _Polled) -> None:
        if polled.session is None:
            self._on_reading(self._refused(polled))
            return
        polled.busy = True
        try:
            reading = await self._poller.poll(polled.session, polled.agency, polled.memory)
        except Exception:  # noqa: BLE001  # a bug met at one router must not stop the others
            _log.exception("%s: the SNMP poller is broken", polled.agency.id)
            polled.refusal = (SnmpStatus.FAULT, "netmon's SNMP poller has a bug; see its log")
            reading = self._refused(polled)
        finally:
            polled.busy = False
        if self._polled.get(polled.agency.id) is polled:
            self._on_reading(reading)

    def _continued(self, before: _Polled | None, agency: Agency, way: _Way) -> _Polled:
        """Return what is kept of a router, with its session where it is asked the same way."""
        if before is not None and before.way == way:
            if before.agency.links != agency.links:
                # Which interfaces carry the links is to be found out again.
                before.memory.identified_at_us = None
            before.agency = agency
            return before
        polled = _Polled(agency, way)
        if isinstance(way.secrets, str):
            polled.refusal = (SnmpStatus.NO_SECRET, way.secrets)
            return polled
        router = way.router
        try:
            polled.session = self._engine.session(
                router.address, router.snmp_port, way.credential, way.secrets, way.module
            )
        except SnmpError as error:
            polled.refusal = (error.status, str(error))
        return polled

    def _refused(self, polled: _Polled) -> RouterReading:
        status, detail = polled.refusal or (SnmpStatus.FAULT, "")
        return RouterReading(polled.agency.id, self._timeline.now_us(), status, detail)


def open_session(engine: SnmpEngine, agency: Agency, settings: Settings) -> SnmpSession:
    """Return a session with an agency's router.

    Raises:
        SnmpError: it has no credential, or the credential or a secret of it cannot be used.
    """
    router = agency.router
    if router is None or router.snmp is None or agency.snmp_module is None:
        raise SnmpError(SnmpStatus.NOT_CONFIGURED, f"{agency.id}: its router has no credential")
    credential = settings.snmp_credentials[router.snmp]
    secrets = _read_secrets(router.snmp, credential)
    if isinstance(secrets, str):
        raise SnmpError(SnmpStatus.NO_SECRET, secrets)
    module = settings.snmp_modules[agency.snmp_module]
    return engine.session(router.address, router.snmp_port, credential, secrets, module)


def _in_turn(turn: Sequence[_Polled], begun_us: int, spread_us: float) -> list[tuple[int, _Polled]]:
    """Return the routers in the order of their moments, which restarts and reloads do not move."""
    moments = [(begun_us + int(_phase(p.agency.id) * spread_us), p) for p in turn]
    return sorted(moments, key=lambda moment: moment[0])


def _read_secrets(name: str, credential: SnmpCredential) -> SnmpSecrets | str:
    """Return a credential's secrets, or in words why they cannot be read."""
    try:
        return read_secrets(credential)
    except SecretError as error:
        _log.warning("credential %s: %s; routers that need it are not polled", name, error)
        return f"credential {name}: {error}"


def _phase(text: str) -> float:
    """Return where in its interval a router's turn comes, 0 ≤ phase < 1."""
    return zlib.crc32(text.encode()) / 2**32

"""What goes wrong in the toy province, when, and what really happened.

A script in a loop of a few minutes, so that something is always worth looking at. The journal keeps
the truth, with its times, for whoever wants to compare it with what netmon says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.clock import MICROSECONDS, Timeline, utc
from netmon.demo.vendors import vendor_of
from netmon.model import Agency, Inventory, IPAddress, LinkKey, MaintenanceWindow

if TYPE_CHECKING:
    from netmon.demo.province import ToyProvince


class Fault(StrEnum):
    """What can go wrong; the values are those of `netmon demo --fault`."""

    CUT = "cut"
    """The circuit is cut: the uplink loses carrier, the router runs on."""
    PATH = "path"
    """Something between router and centre: the uplink never moves."""
    POWER = "power"
    """The router loses power and starts anew."""
    AGENT = "agent"
    """The SNMP agent hangs; echoes are answered."""
    LOSS = "loss"
    """A share of all packets is lost."""
    DISTRICT = "district"
    """The circuits of an agency that others stand behind are cut."""
    MAINTENANCE = "maintenance"
    """Announced work: a maintenance window, and a cut within it."""


@dataclass(frozen=True, slots=True)
class Truth:
    """One fault as it really was. `end_us` None: it is not over."""

    fault: Fault
    agency: str
    links: tuple[LinkKey, ...]
    """The links that the fault itself hit."""
    behind: tuple[LinkKey, ...]
    """The links that fell silent because they stand behind it."""
    start_us: int
    end_us: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One fault of a script."""

    after_seconds: float
    """From the start of a cycle."""
    fault: Fault
    seconds: float


@dataclass(frozen=True, slots=True)
class Script:
    """Faults that are played over and over, each time at other agencies."""

    steps: tuple[Step, ...]
    cycle_seconds: float


FULL_SCRIPT = Script(
    (
        Step(8, Fault.CUT, 22),
        Step(40, Fault.POWER, 25),
        Step(64, Fault.AGENT, 45),
        Step(75, Fault.LOSS, 60),
        Step(100, Fault.MAINTENANCE, 40),
        Step(150, Fault.DISTRICT, 35),
        Step(200, Fault.PATH, 20),
    ),
    cycle_seconds=230,
)


def script_of(fault: Fault | None) -> Script:
    """Return the script for `--fault`: everything in turn, or one fault again and again."""
    if fault is None:
        return FULL_SCRIPT
    seconds = next(step.seconds for step in FULL_SCRIPT.steps if step.fault is fault)
    return Script((Step(8, fault, seconds),), cycle_seconds=20 + seconds)


class Journal:
    """The truth about all faults so far, in the order of their beginnings."""

    def __init__(self) -> None:
        self._truths: list[Truth] = []

    def __iter__(self) -> Iterator[Truth]:
        return iter(tuple(self._truths))

    def begin(self, truth: Truth) -> int:
        """Enter a fault that has begun; return its number."""
        self._truths.append(truth)
        return len(self._truths) - 1

    def end(self, number: int, end_us: int) -> Truth:
        """Enter the end of a fault."""
        self._truths[number] = replace(self._truths[number], end_us=end_us)
        return self._truths[number]


Announce = Callable[[str], None]
Reload = Callable[[], Awaitable[object]]

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "cut": "đứt kênh truyền",
        "path": "đứt ở giữa đường, cổng của bộ định tuyến không đổi trạng thái",
        "power": "mất điện",
        "agent": "tác nhân SNMP bị treo, ping vẫn trả lời",
        "loss": "mất {percent} gói tin",
        "district": "đứt kênh truyền, {behind} đường truyền phía sau không với tới được",
        "maintenance": "bảo trì đã thông báo, có ngắt kênh",
        "over": "đã hết",
    },
    "en": {
        "cut": "circuit cut",
        "path": "cut half-way, the router's uplink never moves",
        "power": "power lost",
        "agent": "SNMP agent hangs, echoes are answered",
        "loss": "{percent} of the packets get lost",
        "district": "circuits cut, links behind it, unreachable: {behind}",
        "maintenance": "announced maintenance, with a cut",
        "over": "is over",
    },
}
_WINDOWS_KEPT_US = 3600 * MICROSECONDS
_WORK_MARGIN_SECONDS = 5.0


class FaultPlayer:
    """Plays faults in a toy province and keeps the journal of them."""

    def __init__(
        self,
        province: ToyProvince,
        timeline: Timeline,
        announce: Announce,
        *,
        language: str = "vi",
        loss_ratio: float = 0.05,
    ) -> None:
        self.journal = Journal()
        self._province = province
        self._timeline = timeline
        self._announce = announce
        self._texts = _TEXTS.get(language, _TEXTS["en"])
        self._loss_ratio = loss_ratio
        self._busy: set[str] = set()

    async def run(self, script: Script, reload: Reload) -> None:
        """Play a script over and over until cancelled.

        `reload` makes the daemon read its files again and call `ToyProvince.set_inventory`: that
        is how announced maintenance comes into force.

        Raises:
            WorldError: The toy world is gone.
        """
        cycle = 0
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(asyncio.sleep(script.cycle_seconds))
                    for step in script.steps:
                        group.create_task(self._play_step(step, cycle, reload))
            except ExceptionGroup as trouble:
                raise trouble.exceptions[0] from trouble
            cycle += 1

    async def play(self, fault: Fault, agency_id: str, seconds: float) -> Truth:
        """Play one fault, healing it even when cancelled; return the truth about it."""
        agency = self._inventory.agencies[agency_id]
        links = _own_links(fault, agency)
        district = fault is Fault.DISTRICT
        behind = tuple(_keys_behind(agency_id, self._inventory)) if district else ()
        addresses = _hit_addresses(fault, (*links, *behind), agency, self._inventory)
        token = f"{fault}:{agency_id}"
        self._busy.add(agency_id)
        # Not in a thread, although it takes a millisecond: a task that is cancelled in between
        # must not leave its fault behind.
        begun_us = self._begin(fault, token, agency, addresses)
        truth = Truth(fault, agency_id, links, behind, self._timeline.at_monotonic_us(begun_us))
        number = self.journal.begin(truth)
        self._tell(truth.start_us, agency, self._describe(truth))
        try:
            await asyncio.sleep(seconds)
        finally:
            ended_us = self._timeline.at_monotonic_us(self._end(fault, token, agency))
            truth = self.journal.end(number, ended_us)
            self._tell(ended_us, agency, f"{self._describe(truth)}: {self._texts['over']}")
            self._busy.discard(agency_id)
        return truth

    async def _play_step(self, step: Step, cycle: int, reload: Reload) -> None:
        await asyncio.sleep(step.after_seconds)
        agencies = [each for each in victims(step.fault, self._inventory) if each not in self._busy]
        if not agencies:
            return
        # A prime stride walks through the province instead of along one district.
        agency = agencies[(cycle * 7 + len(step.fault) * 3) % len(agencies)]
        if step.fault is Fault.MAINTENANCE:
            async with self._announced_work(agency, step.seconds, reload):
                await self.play(step.fault, agency, step.seconds - 2 * _WORK_MARGIN_SECONDS)
        else:
            await self.play(step.fault, agency, step.seconds)

    @asynccontextmanager
    async def _announced_work(
        self, agency: str, seconds: float, reload: Reload
    ) -> AsyncIterator[None]:
        now_us = self._timeline.now_us()
        window = MaintenanceWindow(
            id=f"demo-{now_us // MICROSECONDS}",
            start_us=now_us,
            end_us=now_us + round(seconds * MICROSECONDS),
            reason=self._texts["maintenance"],
            agencies=frozenset({agency}),
        )
        windows = self._province.windows
        windows[:] = [each for each in windows if each.end_us > now_us - _WINDOWS_KEPT_US]
        windows.append(window)
        await reload()
        await asyncio.sleep(_WORK_MARGIN_SECONDS)
        yield

    def _begin(
        self, fault: Fault, token: str, agency: Agency, addresses: frozenset[IPAddress]
    ) -> int:
        match fault:
            case Fault.AGENT:
                return self._province.hang_agent(agency.id, hangs=True)
            case Fault.LOSS:
                return self._province.lose(token, addresses, self._loss_ratio)
            case Fault.CUT | Fault.DISTRICT | Fault.MAINTENANCE:
                self._set_carriers(fault, agency, is_up=False)
        return self._province.silence(token, addresses)

    def _end(self, fault: Fault, token: str, agency: Agency) -> int:
        match fault:
            case Fault.AGENT:
                return self._province.hang_agent(agency.id, hangs=False)
            case Fault.LOSS:
                return self._province.lose(token, (), 0)
            case Fault.POWER:
                self._province.restart_router(agency.id)
            case Fault.CUT | Fault.DISTRICT | Fault.MAINTENANCE:
                self._set_carriers(fault, agency, is_up=True)
        return self._province.restore(token)

    def _set_carriers(self, fault: Fault, agency: Agency, *, is_up: bool) -> None:
        for key in _own_links(fault, agency):
            self._province.set_carrier(agency.id, key.link, is_up=is_up)

    def _describe(self, truth: Truth) -> str:
        text = self._texts[truth.fault]
        return text.format(percent=f"{self._loss_ratio:.0%}", behind=len(truth.behind))

    def _tell(self, at_us: int, agency: Agency, text: str) -> None:
        zone = ZoneInfo(self._inventory.province.timezone)
        at = utc(at_us).astimezone(zone).isoformat(timespec="milliseconds")[11:21]
        self._announce(f"{at}  {agency.name} ({agency.id}): {text}")

    @property
    def _inventory(self) -> Inventory:
        inventory = self._province.inventory
        if inventory is None:
            message = "the toy province has no inventory yet: call set_inventory first"
            raise RuntimeError(message)
        return inventory


def victims(fault: Fault, inventory: Inventory) -> list[str]:
    """Return the agencies at which a fault can be played and looks as it should."""
    linked = [agency for agency in inventory.agencies.values() if agency.links]
    if fault is Fault.DISTRICT:
        return [agency.id for agency in linked if inventory.children[agency.id]]
    leaves = [agency for agency in linked if not inventory.children[agency.id]]
    if fault is Fault.CUT:
        leaves = [agency for agency in leaves if _tells_last_change(agency)]
    return [agency.id for agency in leaves]


def _tells_last_change(agency: Agency) -> bool:
    platform = agency.router.platform if agency.router is not None else None
    return vendor_of(agency.id, platform or "").last_change_works


def _own_links(fault: Fault, agency: Agency) -> tuple[LinkKey, ...]:
    """Return the links of an agency that a fault hits."""
    everything = tuple(link.key for link in agency.links)
    match fault:
        case Fault.AGENT:
            return ()
        case Fault.POWER | Fault.DISTRICT:
            return everything
        case _:
            return everything[:1]


def _keys_behind(agency_id: str, inventory: Inventory) -> Iterator[LinkKey]:
    for child in inventory.children[agency_id]:
        yield from (link.key for link in inventory.agencies[child].links)
        yield from _keys_behind(child, inventory)


def _hit_addresses(
    fault: Fault, keys: tuple[LinkKey, ...], agency: Agency, inventory: Inventory
) -> frozenset[IPAddress]:
    """Return what falls silent: links, and routers whose every link does."""
    hit = {address for key in keys for address in inventory.links[key].addresses}
    if fault is Fault.LOSS:
        return frozenset(hit)
    for agency_id in {agency.id, *(key.agency for key in keys)}:
        owner = inventory.agencies[agency_id]
        if owner.router is not None and all(link.key in keys for link in owner.links):
            hit.add(owner.router.address)
    return frozenset(hit)

"""A toy router seen from its agent: what runs on, what starts anew, and the objects it shows.

The objects are those of SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863), IP-MIB (RFC 4293, and the older
ipAddrTable), IP-FORWARD-MIB (RFC 4292, and the older ipRouteTable), SNMP-FRAMEWORK-MIB (RFC 3411)
and ENTITY-MIB (RFC 6933).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

from netmon.demo.codec import Oid, Syntax, encode_value
from netmon.demo.vendors import Vendor, vendor_of
from netmon.model import IPAddress

if TYPE_CHECKING:
    from netmon.demo.plan import RouterPlan

Encoded: TypeAlias = Callable[[], bytes]
Binding: TypeAlias = tuple[Oid, Encoded]

_SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
_IF_NUMBER: Oid = (1, 3, 6, 1, 2, 1, 2, 1, 0)
_IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
_IFX_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
_IP_ADDR_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 4, 20, 1)
_IP_ROUTE_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 4, 21, 1)
_IP_CIDR_ROUTE_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 4, 24, 4, 1)
_INET_CIDR_ROUTE_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 4, 24, 7, 1)
_IP_ADDRESS_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 4, 34, 1)
_ENT_PHYSICAL_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
_SNMP_ENGINE: Oid = (1, 3, 6, 1, 6, 3, 10, 2, 1)

_ETHERNET_CSMACD, _CHASSIS, _ROUTE_INDIRECT, _ROUTE_REMOTE, _LOCAL_PROTOCOL = 6, 3, 4, 4, 3
_UP, _DOWN = 1, 2
_COUNTER32_MODULUS = 2**32
_TICKS_MODULUS = 2**32
_WAVE_SECONDS = 300.0
_CENTRE_GATEWAY: Oid = (192, 0, 2, 1)


@dataclass(slots=True)
class _Interface:
    index: int
    name: str
    alias: str
    speed_bits_per_second: int
    addresses: tuple[IPAddress, ...]
    link: str | None
    is_up: bool = True
    last_change_ticks: int = 0


class ToyDevice:
    """One router. `now_seconds` is a monotonic clock.

    It has been running for some time when the demo begins: how long differs by agency.
    """

    def __init__(self, plan: RouterPlan, now_seconds: Callable[[], float]) -> None:
        self.plan = plan
        self.vendor: Vendor = vendor_of(plan.agency, plan.platform)
        self.agent_hangs = False
        self._seed = crc32(plan.agency.encode())
        self._now = now_seconds
        self._engine_boots = 1 + self._seed % 40
        self._started_seconds = now_seconds() - 3600.0 * (1 + self._seed % 2000)
        self._serial = f"SN{self._seed:010d}"
        self._interfaces = _interfaces(plan, self.vendor)
        objects = sorted(self._objects())
        self._names = [name for name, _ in objects]
        self._values = [value for _, value in objects]
        self._position = {name: i for i, name in enumerate(self._names)}

    def continue_from(self, former: ToyDevice) -> None:
        """Run on where a device of the same agency was, whose entry in the inventory changed."""
        self.agent_hangs = former.agent_hangs
        self._engine_boots = former._engine_boots
        self._started_seconds = former._started_seconds
        changes = {interface.link: interface for interface in former._interfaces}
        for interface in self._interfaces:
            if (before := changes.get(interface.link)) is not None and interface.link is not None:
                interface.is_up = before.is_up
                interface.last_change_ticks = before.last_change_ticks

    def restart(self) -> None:
        """Come back from a loss of power: uptime begins anew, snmpEngineBoots goes on by one."""
        self._engine_boots += 1
        self._started_seconds = self._now()
        for interface in self._interfaces:
            interface.last_change_ticks = 0

    def set_carrier(self, link: str, *, is_up: bool) -> None:
        """Let the uplink of a link lose or regain carrier; the device runs on."""
        for interface in self._interfaces:
            if interface.link == link:
                interface.is_up = is_up
                interface.last_change_ticks = self.uptime_ticks()

    def uptime_ticks(self) -> int:
        """Return sysUpTime in hundredths of a second."""
        return int((self._now() - self._started_seconds) * 100) % _TICKS_MODULUS

    def get(self, name: Oid) -> bytes | None:
        """Return an object's encoded value; None: there is no such object."""
        position = self._position.get(name)
        return None if position is None else self._values[position]()

    def after(self, name: Oid) -> Iterator[Binding]:
        """Return the objects behind a name, in the order of the MIB."""
        for position in range(bisect_right(self._names, name), len(self._names)):
            yield self._names[position], self._values[position]

    def _objects(self) -> Iterator[Binding]:
        yield from self._system_objects()
        yield (_IF_NUMBER, _constant(Syntax.INTEGER, len(self._interfaces)))
        for interface in self._interfaces:
            yield from self._interface_objects(interface)
            for address in interface.addresses:
                yield from _address_objects(address, interface.index)
        uplink = next((each for each in self._interfaces if each.link is not None), None)
        if uplink is not None:
            yield from _default_route_objects(uplink.index)
        if self.vendor.has_entity_mib:
            yield from self._entity_objects()
        yield from self._engine_objects()
        for name, text in self.vendor.private:
            yield name, _constant(Syntax.OCTETS, text.format(serial=self._serial).encode())

    def _system_objects(self) -> Iterator[Binding]:
        texts = {
            1: self.vendor.description,
            4: "Trung tâm tích hợp dữ liệu",
            5: f"rt-{self.plan.agency}",
            6: self.plan.location,
        }
        for column, text in texts.items():
            yield (*_SYSTEM, column, 0), _constant(Syntax.OCTETS, text.encode())
        yield (*_SYSTEM, 2, 0), _constant(Syntax.OBJECT_ID, self.vendor.object_id)
        yield (*_SYSTEM, 3, 0), _variable(Syntax.TICKS, self.uptime_ticks)
        yield (*_SYSTEM, 7, 0), _constant(Syntax.INTEGER, 6)

    def _engine_objects(self) -> Iterator[Binding]:
        engine_id = b"\x80\x00\x4f\xb8\x05" + self._seed.to_bytes(4, "big")
        yield (*_SNMP_ENGINE, 1, 0), _constant(Syntax.OCTETS, engine_id)
        yield (*_SNMP_ENGINE, 2, 0), _variable(Syntax.INTEGER, lambda: self._engine_boots)
        yield (*_SNMP_ENGINE, 3, 0), _variable(Syntax.INTEGER, lambda: self.uptime_ticks() // 100)
        yield (*_SNMP_ENGINE, 4, 0), _constant(Syntax.INTEGER, 1472)

    def _entity_objects(self) -> Iterator[Binding]:
        texts = {
            2: f"{self.vendor.model} Chassis",
            7: "Chassis",
            10: self.vendor.version,
            11: self._serial,
            13: self.vendor.model,
        }
        for column, text in texts.items():
            yield (*_ENT_PHYSICAL_ENTRY, column, 1), _constant(Syntax.OCTETS, text.encode())
        yield (*_ENT_PHYSICAL_ENTRY, 5, 1), _constant(Syntax.INTEGER, _CHASSIS)

    def _interface_objects(self, interface: _Interface) -> Iterator[Binding]:
        index, speed = interface.index, interface.speed_bits_per_second
        physical = b"\x02\x00" + self._seed.to_bytes(4, "big")[1:] + bytes((index,))
        constants: dict[int, tuple[Syntax, int | bytes]] = {
            1: (Syntax.INTEGER, index),
            2: (Syntax.OCTETS, interface.name.encode()),
            3: (Syntax.INTEGER, _ETHERNET_CSMACD),
            4: (Syntax.INTEGER, 1500),
            5: (Syntax.GAUGE, min(speed, _COUNTER32_MODULUS - 1)),
            6: (Syntax.OCTETS, physical),
            7: (Syntax.INTEGER, _UP),
        }
        for column, (syntax, value) in constants.items():
            yield (*_IF_ENTRY, column, index), _constant(syntax, value)
        yield (
            (*_IF_ENTRY, 8, index),
            _variable(Syntax.INTEGER, lambda: _UP if interface.is_up else _DOWN),
        )
        yield (
            (*_IF_ENTRY, 9, index),
            _variable(
                Syntax.TICKS,
                lambda: interface.last_change_ticks if self.vendor.last_change_works else 0,
            ),
        )
        yield from self._counter_objects(interface)
        yield (*_IFX_ENTRY, 1, index), _constant(Syntax.OCTETS, interface.name.encode())
        yield (*_IFX_ENTRY, 15, index), _constant(Syntax.GAUGE, speed // 1_000_000)
        yield (*_IFX_ENTRY, 18, index), _constant(Syntax.OCTETS, interface.alias.encode())

    def _counter_objects(self, interface: _Interface) -> Iterator[Binding]:
        index = interface.index
        for column, share in ((10, 0.12), (16, 0.04)):
            octets = partial(self._octets, interface, share)
            yield (*_IF_ENTRY, column, index), _variable(Syntax.COUNTER32, octets)
            high = 6 if column == 10 else 10  # noqa: PLR2004  # ifHCInOctets beside ifInOctets
            yield (*_IFX_ENTRY, high, index), _variable(Syntax.COUNTER64, octets)
        for column in (13, 14, 19, 20):
            errors = partial(self._errors, index + column)
            yield (*_IF_ENTRY, column, index), _variable(Syntax.COUNTER32, errors)

    def _octets(self, interface: _Interface, share: float) -> int:
        """Return the integral of a load that swings about its mean: it never goes back."""
        running = self._now() - self._started_seconds
        phase = (self._seed + interface.index) % 628 / 100
        wave = _WAVE_SECONDS / math.tau
        swing = math.cos(phase) - math.cos(running / wave + phase)
        mean = interface.speed_bits_per_second / 8 * share
        return int(mean * (running + 0.8 * wave * swing))

    def _errors(self, salt: int) -> int:
        running = self._now() - self._started_seconds
        return int(running / 7200 * ((self._seed + salt) % 3))


def _interfaces(plan: RouterPlan, vendor: Vendor) -> list[_Interface]:
    interfaces = [
        _Interface(
            index=position + 1,
            name=vendor.interface_name.format(n=vendor.first_port + position),
            alias=uplink.alias,
            speed_bits_per_second=uplink.bandwidth_bits_per_second,
            addresses=uplink.addresses,
            link=uplink.link,
        )
        for position, uplink in enumerate(plan.uplinks)
    ]
    known = {address for uplink in plan.uplinks for address in uplink.addresses}
    lan = _Interface(
        index=len(interfaces) + 1,
        name=vendor.interface_name.format(n=vendor.first_port + len(interfaces)),
        alias="LAN",
        speed_bits_per_second=1_000_000_000,
        addresses=() if plan.address in known else (plan.address,),
        link=None,
        is_up=plan.has_lan,
    )
    return [*interfaces, lan]


def _address_objects(address: IPAddress, index: int) -> Iterator[Binding]:
    packed = tuple(address.packed)
    if isinstance(address, IPv4Address):
        yield (*_IP_ADDR_ENTRY, 1, *packed), _constant(Syntax.ADDRESS, address.packed)
        yield (*_IP_ADDR_ENTRY, 2, *packed), _constant(Syntax.INTEGER, index)
        yield (*_IP_ADDR_ENTRY, 3, *packed), _constant(Syntax.ADDRESS, b"\xff\xff\xff\xfc")
    kind = 1 if isinstance(address, IPv4Address) else 2
    row = (kind, len(packed), *packed)
    yield (*_IP_ADDRESS_ENTRY, 3, *row), _constant(Syntax.INTEGER, index)


def _default_route_objects(index: int) -> Iterator[Binding]:
    anywhere: Oid = (0, 0, 0, 0)
    gateway = bytes(_CENTRE_GATEWAY)
    yield (*_IP_ROUTE_ENTRY, 1, *anywhere), _constant(Syntax.ADDRESS, bytes(4))
    yield (*_IP_ROUTE_ENTRY, 2, *anywhere), _constant(Syntax.INTEGER, index)
    yield (*_IP_ROUTE_ENTRY, 7, *anywhere), _constant(Syntax.ADDRESS, gateway)
    yield (*_IP_ROUTE_ENTRY, 8, *anywhere), _constant(Syntax.INTEGER, _ROUTE_INDIRECT)
    row = (*anywhere, *anywhere, 0, *_CENTRE_GATEWAY)
    yield (*_IP_CIDR_ROUTE_ENTRY, 5, *row), _constant(Syntax.INTEGER, index)
    yield (*_IP_CIDR_ROUTE_ENTRY, 6, *row), _constant(Syntax.INTEGER, _ROUTE_REMOTE)
    yield (*_IP_CIDR_ROUTE_ENTRY, 7, *row), _constant(Syntax.INTEGER, _LOCAL_PROTOCOL)
    row = (1, 4, *anywhere, 0, 2, 0, 0, 1, 4, *_CENTRE_GATEWAY)
    yield (*_INET_CIDR_ROUTE_ENTRY, 7, *row), _constant(Syntax.INTEGER, index)
    yield (*_INET_CIDR_ROUTE_ENTRY, 8, *row), _constant(Syntax.INTEGER, _ROUTE_REMOTE)


def _constant(syntax: Syntax, value: int | bytes | Oid) -> Encoded:
    encoded = encode_value(syntax, value)
    return lambda: encoded


def _variable(syntax: Syntax, value: Callable[[], int]) -> Encoded:
    if syntax is Syntax.COUNTER32:
        return lambda: encode_value(syntax, value() % _COUNTER32_MODULUS)
    return lambda: encode_value(syntax, value())

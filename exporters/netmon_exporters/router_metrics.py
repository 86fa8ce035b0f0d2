"""Metrics of routers and their interfaces, from the last SNMP poll of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from netmon.clock import MICROSECONDS
from netmon.model import InterfaceReading, RouterReading, SnmpStatus
from netmon_exporters.exposition import Family, Labels, Texts, encoded, series

if TYPE_CHECKING:
    from netmon.state import Snapshot

Samples: TypeAlias = Iterable[tuple[dict[str, str], float | None]]
"""Labels beside `agency` (and `interface`), and the value; None: no series."""

_AGENCIES_PER_SLICE = 128
_ROUTER = ("agency",)
_INTERFACE = ("agency", "interface")
_ANSWERED = frozenset({SnmpStatus.OK, SnmpStatus.PARTIAL})
_OUR_SIDE = frozenset({SnmpStatus.NOT_CONFIGURED, SnmpStatus.NO_SECRET, SnmpStatus.FAULT})


@dataclass(frozen=True, slots=True)
class ReadingFamily:
    """A family with series of one reading."""

    family: Family
    samples: Callable[[RouterReading], Samples]


@dataclass(frozen=True, slots=True)
class InterfaceFamily:
    """A family with series of each interface of a reading."""

    family: Family
    samples: Callable[[InterfaceReading], Samples]


class RouterMetrics:
    """Renders readings, each once: a reading never changes, a poll brings a new one."""

    def __init__(self) -> None:
        self._rendered: dict[str, tuple[RouterReading, list[str]]] = {}

    def render(self, snapshot: Snapshot) -> Iterator[tuple[Family, list[bytes]]]:
        """Return each family with its lines in slices, agencies as in the inventory."""
        readings, known = snapshot.readings, snapshot.inventory.agencies
        present = [readings[agency] for agency in known if agency in readings]
        before, self._rendered = self._rendered, {}
        for reading in present:
            kept = before.get(reading.agency)
            fresh = kept is not None and kept[0] is reading
            texts = kept[1] if kept is not None and fresh else _texts(reading)
            self._rendered[reading.agency] = (reading, texts)
        columns = [texts for _, texts in self._rendered.values()]
        for index, family in enumerate(router_families()):
            yield family, list(_slices(columns, index))


def router_families() -> list[Family]:
    """Return the families in the order in which they are rendered."""
    return [
        *(each.family for each in ROUTER_FAMILIES),
        *(each.family for each in INTERFACE_FAMILIES),
    ]


def interface_names(interfaces: Sequence[InterfaceReading]) -> list[str]:
    """Return a label for every interface, each only once.

    An interface that was made anew stands beside its dead former self for minutes (seen with
    net-snmp): the name belongs to the highest index, the other is told by its index as well.
    """
    newest = {each.name: each.index for each in sorted(interfaces, key=lambda each: each.index)}
    return [
        each.name if each.name and newest[each.name] == each.index else f"{each.name}#{each.index}"
        for each in interfaces
    ]


def _slices(columns: Sequence[Sequence[str]], index: int) -> Iterator[bytes]:
    for start in range(0, len(columns), _AGENCIES_PER_SLICE):
        some = columns[start : start + _AGENCIES_PER_SLICE]
        yield encoded("".join([texts[index] for texts in some]))


def _texts(reading: RouterReading) -> list[str]:
    texts = [_router_lines(each, reading) for each in ROUTER_FAMILIES]
    named = list(zip(interface_names(reading.interfaces), reading.interfaces, strict=True))
    texts.extend(_interface_lines(each, reading.agency, named) for each in INTERFACE_FAMILIES)
    return texts


def _router_lines(each: ReadingFamily, reading: RouterReading) -> str:
    labels = {"agency": reading.agency}
    return _lines(each.family.name, labels, each.samples(reading))


def _interface_lines(
    each: InterfaceFamily, agency: str, named: Iterable[tuple[str, InterfaceReading]]
) -> str:
    return "".join(
        _lines(each.family.name, {"agency": agency, "interface": name}, each.samples(interface))
        for name, interface in named
    )


def _lines(name: str, labels: Labels, samples: Samples) -> str:
    texts = Texts()
    return "".join(
        f"{series(name, {**labels, **more})}{texts[float(value)]}\n"
        for more, value in samples
        if value is not None
    )


# --- Values --------------------------------------------------------------------------------------


def _one(value: float | None) -> Samples:
    return (({}, value),)


def _snmp_up(reading: RouterReading) -> Samples:
    return _one(None if reading.status in _OUR_SIDE else reading.status in _ANSWERED)


def _status(reading: RouterReading) -> Samples:
    return (({"status": status.value}, reading.status is status) for status in SnmpStatus)


def _router_info(reading: RouterReading) -> Samples:
    facts = reading.facts
    labels = {name: getattr(facts, name) for name in _FACTS}
    return ((labels, 1 if any(labels.values()) else None),)


def _of_uplink(
    figure: Callable[[InterfaceReading], float | None],
) -> Callable[[RouterReading], Samples]:
    def samples(reading: RouterReading) -> Samples:
        names = interface_names(reading.interfaces)
        for name, interface in zip(names, reading.interfaces, strict=True):
            if interface.index == reading.uplink_index:
                yield {"interface": name}, figure(interface)

    return samples


def _interface_info(interface: InterfaceReading) -> Samples:
    labels = {
        "index": str(interface.index),
        "alias": interface.alias,
        "description": interface.description,
    }
    return ((labels, 1),)


def _bytes_per_second(interface: InterfaceReading) -> Samples:
    speed = interface.speed_bits_per_second
    return _one(None if speed is None else speed / 8)


# --- The families --------------------------------------------------------------------------------


def _router(
    name: str,
    kind: str,
    about: str,
    samples: Callable[[RouterReading], Samples],
    labels: tuple[str, ...] = (),
    absent: str = "the router did not say",
) -> ReadingFamily:
    return ReadingFamily(Family(name, kind, about, (*_ROUTER, *labels), absent), samples)


def _uplink(
    name: str, kind: str, about: str, figure: Callable[[InterfaceReading], float | None]
) -> ReadingFamily:
    """A figure of the uplink alone: alerts need not read those of all interfaces."""
    return _router(
        name, kind, about, _of_uplink(figure), ("interface",), "not found out, or not told"
    )


def _interface(
    name: str,
    kind: str,
    about: str,
    samples: Callable[[InterfaceReading], Samples],
    labels: tuple[str, ...] = (),
) -> InterfaceFamily:
    family = Family(name, kind, about, (*_INTERFACE, *labels), "the router did not say")
    return InterfaceFamily(family, samples)


_FACTS = ("name", "vendor", "model", "serial", "os", "version", "location")

ROUTER_FAMILIES: tuple[ReadingFamily, ...] = (
    _router(
        "netmon_snmp_up",
        "gauge",
        "Whether the last SNMP poll of a router brought figures.",
        _snmp_up,
        absent="not polled, or the trouble is on our side: not configured, no secret, fault",
    ),
    _router(
        "netmon_snmp_status",
        "gauge",
        "How the last SNMP poll of a router ended: 1 for the one that holds.",
        _status,
        ("status",),
        "not polled yet",
    ),
    _router(
        "netmon_snmp_last_poll_timestamp_seconds",
        "gauge",
        "When a router was last polled over SNMP.",
        lambda reading: _one(reading.at_us / MICROSECONDS),
        absent="not polled yet",
    ),
    _router(
        "netmon_snmp_poll_duration_seconds",
        "gauge",
        "How long the last SNMP poll of a router took.",
        lambda reading: _one(reading.duration_seconds),
        absent="no answer",
    ),
    _router(
        "netmon_router_uptime_seconds",
        "gauge",
        "Time since a router started.",
        lambda reading: _one(reading.uptime_seconds),
    ),
    _router(
        "netmon_router_engine_boots",
        "gauge",
        "How often the SNMP engine of a router started.",
        lambda reading: _one(reading.engine_boots),
    ),
    _router("netmon_router_info", "info", "What a router says it is.", _router_info, _FACTS),
    _router(
        "netmon_router_uplink_info",
        "info",
        "Which interface of a router is its uplink.",
        _of_uplink(lambda _: 1),
        ("interface",),
        "not found out",
    ),
    _uplink(
        "netmon_uplink_speed_bytes_per_second",
        "gauge",
        "Speed of the interface that is a router's uplink.",
        lambda interface: (
            None if interface.speed_bits_per_second is None else interface.speed_bits_per_second / 8
        ),
    ),
    _uplink(
        "netmon_uplink_receive_bytes_total",
        "counter",
        "Bytes that a router's uplink received.",
        lambda interface: interface.receive_bytes,
    ),
    _uplink(
        "netmon_uplink_transmit_bytes_total",
        "counter",
        "Bytes that a router's uplink sent.",
        lambda interface: interface.transmit_bytes,
    ),
)

INTERFACE_FAMILIES: tuple[InterfaceFamily, ...] = (
    _interface(
        "netmon_interface_info",
        "info",
        "Names of an interface.",
        _interface_info,
        ("index", "alias", "description"),
    ),
    _interface(
        "netmon_interface_up",
        "gauge",
        "Whether an interface is operational.",
        lambda interface: _one(interface.oper_up),
    ),
    _interface(
        "netmon_interface_admin_up",
        "gauge",
        "Whether an interface is meant to be operational.",
        lambda interface: _one(interface.admin_up),
    ),
    _interface(
        "netmon_interface_speed_bytes_per_second",
        "gauge",
        "Speed of an interface.",
        _bytes_per_second,
    ),
    _interface(
        "netmon_interface_receive_bytes_total",
        "counter",
        "Bytes that an interface received.",
        lambda interface: _one(interface.receive_bytes),
    ),
    _interface(
        "netmon_interface_transmit_bytes_total",
        "counter",
        "Bytes that an interface sent.",
        lambda interface: _one(interface.transmit_bytes),
    ),
    _interface(
        "netmon_interface_receive_errors_total",
        "counter",
        "Packets that an interface received damaged.",
        lambda interface: _one(interface.receive_errors),
    ),
    _interface(
        "netmon_interface_transmit_errors_total",
        "counter",
        "Packets that an interface could not send.",
        lambda interface: _one(interface.transmit_errors),
    ),
    _interface(
        "netmon_interface_receive_discards_total",
        "counter",
        "Good packets that an interface received and threw away.",
        lambda interface: _one(interface.receive_discards),
    ),
    _interface(
        "netmon_interface_transmit_discards_total",
        "counter",
        "Good packets that an interface should have sent and threw away.",
        lambda interface: _one(interface.transmit_discards),
    ),
)

"""Product families of every make are told apart by what their makers document of them.

`tests/data/router_families.yaml` holds them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from netmon.probes.snmp import mib
from netmon.probes.snmp.facts import read_facts, read_system
from netmon.probes.snmp.profile_files import load_profiles
from netmon.probes.snmp.values import Value, oid_from_text
from tests.component.snmp_recordings import RecordedSession, say

if TYPE_CHECKING:
    from netmon.model import RouterFacts

PROFILES = load_profiles()
DATA = Path(__file__).parents[1] / "data" / "router_families.yaml"
ENTERPRISES = "1.3.6.1.4.1."
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
NET_SNMP = "8072.3.2.10"


@dataclass(frozen=True)
class Device:
    """What a device says of itself; OIDs of `values` begin below enterprises or are whole."""

    description: str
    number: str
    values: dict[str, Value] = field(default_factory=dict)

    def session(self) -> RecordedSession:
        session = say(
            (mib.SYS_DESCR, self.description.encode()),
            (mib.SYS_OBJECT_ID, oid_from_text(ENTERPRISES + self.number)),
        )
        session.say({_whole(oid): value for oid, value in self.values.items()})
        return session


def chassis(model: bytes = b"", serial: bytes = b"", row: int = 1) -> dict[str, Value]:
    return {f"{ENTITY}.5.{row}": 3, f"{ENTITY}.13.{row}": model, f"{ENTITY}.11.{row}": serial}


async def facts_of(device: Device) -> RouterFacts:
    session = device.session()
    return (await read_facts(session, await read_system(session), PROFILES)).facts


def _whole(oid: str) -> tuple[int, ...]:
    return oid_from_text(oid if oid.startswith(("1.3.", "1.0.", "1.2.")) else ENTERPRISES + oid)


def _families() -> list[tuple[Device, tuple[str, ...]]]:
    """Read the devices of `tests/data/router_families.yaml`."""
    return [
        (
            Device(row["description"], row["number"], _octets(row.get("values", {}))),
            tuple(row["known"]),
        )
        for row in yaml.safe_load(DATA.read_text(encoding="utf-8"))
    ]


def _octets(values: dict[str, str | int]) -> dict[str, Value]:
    return {
        oid: value.encode() if isinstance(value, str) else value for oid, value in values.items()
    }


FAMILIES = _families()


@pytest.mark.parametrize(
    ("device", "known"), FAMILIES, ids=[device.description[:40] for device, _ in FAMILIES]
)
async def test_a_product_family_is_understood(device: Device, known: tuple[str, ...]) -> None:
    facts = await facts_of(device)

    assert (facts.vendor, facts.os, facts.model, facts.serial, facts.version) == known


@pytest.mark.parametrize(
    ("said", "serial"),
    [
        (b"", "FDO2"),
        (b"   ", "FDO2"),
        (bytes(12), "FDO2"),
        (b"\xff" * 11, "FDO2"),
        (b"N/A", "FDO2"),
        (b"To be filled by O.E.M.", "FDO2"),
        (b"0000000000", "FDO2"),
        (b"FDO1\0\0\0\0", "FDO1"),
        (b"  FDO1  ", "FDO1"),
        (b"FDO1\nrev 2", "FDO1"),
        (b"<private>", "<private>"),
    ],
    ids=repr,
)
async def test_a_serial_that_says_nothing_leaves_the_word_to_the_next_chassis(
    said: bytes, serial: str
) -> None:
    stack: dict[str, Value] = {
        f"{ENTITY}.5.1": 11,
        f"{ENTITY}.11.1": b"",
        f"{ENTITY}.5.3": 9,
        f"{ENTITY}.11.3": b"X",
        **chassis(b"C9300-48P", said, 1000),
        **chassis(b"C9300-48P", b"FDO2", 2000),
    }
    facts = await facts_of(
        Device("Cisco IOS Software [Amsterdam], Version 17.3.4", "9.1.2494", stack)
    )

    assert (facts.model, facts.serial) == ("C9300-48P", serial)


@pytest.mark.parametrize("kind", [0, 1, 2, 99, b"3", b"chassis"], ids=repr)
async def test_a_class_that_no_standard_knows_does_not_hide_the_chassis(kind: Value) -> None:
    rows: dict[str, Value] = {
        f"{ENTITY}.4.1": 0,
        f"{ENTITY}.5.1": kind,
        f"{ENTITY}.11.1": b"SN1",
        f"{ENTITY}.13.1": b"BOX-1",
        f"{ENTITY}.4.2": 1,
        f"{ENTITY}.5.2": 6,
        f"{ENTITY}.11.2": b"PSU",
    }
    facts = await facts_of(Device("A box", "99999.1", rows))

    assert (facts.model, facts.serial) == ("BOX-1", "SN1")


UNKNOWN = [
    pytest.param(
        Device("Moxa EDS-G512E-8PoE-T Switch, firmware v6.5", "8691.7.108"),
        ("Moxa", "", "EDS-G512E-8PoE-T", "", "v6.5"),
        id="the model is the word with a digit",
    ),
    pytest.param(
        Device("Router model RS123w-4G S/N: RNPF1 SWL: BASE", "2007.1.1.236"),
        ("Teldat", "", "RS123w-4G", "RNPF1", ""),
        id="words say which is which",
    ),
    pytest.param(
        Device(
            "Ethernet Switch",
            "17713.24",
            {
                "1.0.8802.1.1.2.1.5.4795.1.2.7.0": b"TX1012-P",
                "1.0.8802.1.1.2.1.5.4795.1.2.5.0": b"M9XW1",
                "1.0.8802.1.1.2.1.5.4795.1.2.4.0": b"5.0.1-r4",
            },
        ),
        ("Cambium", "", "TX1012-P", "M9XW1", "5.0.1-r4"),
        id="the inventory of LLDP-MED",
    ),
    pytest.param(
        Device("Linux dell-42 4.14.78 #12 SMP armv7l", "3375.2.1"),
        ("F5", "Linux", "armv7l", "", "4.14.78"),
        id="a name of a host is no maker's",
    ),
    pytest.param(
        Device("SonicWALL TZ 570 (SonicOS 7.0.1-R1456)", "99999"),
        ("SonicWall", "", "", "", "7.0.1-R1456"),
        id="the maker's name stands in sysDescr",
    ),
    pytest.param(
        Device("A box", "99999.1", {**chassis(b"BX-1"), f"{ENTITY}.12.1": b"Acme Networks"}),
        ("Acme Networks", "", "BX-1", "", ""),
        id="the maker of the chassis",
    ),
    pytest.param(
        Device("Linux server 2.4.32 #152 SMP i686 i686 i386 GNU/Linux", "35047.2.10"),
        ("Linux", "Linux", "i386", "", "2.4.32"),
        id="a Linux of long ago",
    ),
    pytest.param(Device("", "99999"), ("", "", "", "", ""), id="nothing at all"),
]


@pytest.mark.parametrize(("device", "known"), UNKNOWN)
async def test_what_no_profile_was_written_for_is_named_as_far_as_standards_go(
    device: Device, known: tuple[str, ...]
) -> None:
    facts = await facts_of(device)

    assert (facts.vendor, facts.os, facts.model, facts.serial, facts.version) == known


@pytest.mark.parametrize("letters", ["A", "9", "A1-", "Version "])
@pytest.mark.parametrize("number", ["2011.2", "1916.2", "99999"])
async def test_a_text_without_end_is_looked_at_to_a_bound(letters: str, number: str) -> None:
    """Some patterns take the square of a text's length: a hostile one would hold the loop."""
    said = letters * (60_000 // len(letters))
    facts = await facts_of(Device(said, number, chassis(said.encode(), said.encode())))

    texts = (facts.description, facts.model, facts.serial, facts.version)
    assert max(map(len, texts)) <= 512

"""Facts, figures and neighbours, read where the profile says they stand."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from netmon.model import Agency, Router, RouterGauges, SnmpStatus
from netmon.probes.snmp import mib
from netmon.probes.snmp.facts import Identity, read_facts, read_system
from netmon.probes.snmp.gauges import find_gauges, read_gauges
from netmon.probes.snmp.inspection import inspect_router
from netmon.probes.snmp.neighbours import Neighbour
from netmon.probes.snmp.profile_files import load_profiles, parse_profile
from netmon.probes.snmp.values import Oid, SnmpError, Tag, Value, VarBind, oid_from_text
from tests.component.snmp_recordings import RecordedSession, say

if TYPE_CHECKING:
    from netmon.probes.snmp.profiles import Profiles

NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"


def router(
    description: str, object_id: str, values: dict[str, Value] | None = None
) -> RecordedSession:
    session = say(
        (mib.SYS_DESCR, description.encode()), (mib.SYS_OBJECT_ID, oid_from_text(object_id))
    )
    session.say({oid_from_text(oid): value for oid, value in (values or {}).items()})
    return session


async def identify(session: RecordedSession, profiles: Profiles | None = None) -> Identity:
    return await read_facts(session, await read_system(session), profiles or load_profiles())


ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
ISR_TEXT = (
    "Cisco IOS Software, ISR Software (X86_64_LINUX_IOSD-UNIVERSALK9-M), Version 16.6.4, "
    "RELEASE SOFTWARE (fc3)"
)


@pytest.mark.parametrize(
    ("session", "facts"),
    [
        pytest.param(
            router(
                ISR_TEXT,
                "1.3.6.1.4.1.9.1.2068",
                {f"{ENTITY}.5.1": 3, f"{ENTITY}.13.1": b"ISR4331/K9", f"{ENTITY}.11.1": b"FDO1"},
            ),
            ("Cisco", "IOS XE", "ISR4331/K9", "FDO1", "X86_64_LINUX_IOSD-UNIVERSALK9-M 16.6.4"),
            id="Cisco IOS XE",
        ),
        pytest.param(
            router(
                "Cisco IOS Software, C890 Software (C890-UNIVERSALK9-M), Version 15.2(4)M6, X",
                "1.3.6.1.4.1.9.1.1040",
                {f"{ENTITY}.5.1": 3, f"{ENTITY}.13.1": b"C891-K9 ", f"{ENTITY}.11.1": b"FGL2"},
            ),
            ("Cisco", "IOS", "C891-K9", "FGL2", "15.2(4)M6"),
            id="Cisco IOS, blanks behind the model",
        ),
        pytest.param(
            router(
                "Cisco Adaptive Security Appliance Version 9.8(2)",
                "1.3.6.1.4.1.9.1.2114",
                {f"{ENTITY}.5.1": 3, f"{ENTITY}.13.1": b"ASA5506", f"{ENTITY}.11.1": b"JAD3"},
            ),
            ("Cisco", "ASA", "ASA5506", "JAD3", "9.8(2)"),
            id="Cisco ASA",
        ),
        pytest.param(
            router(
                "RouterOS RB750Gr3",
                "1.3.6.1.4.1.14988.1",
                {
                    "1.3.6.1.4.1.14988.1.1.7.3.0": b"HEX1",
                    "1.3.6.1.4.1.14988.1.1.4.4.0": b"7.16.1",
                },
            ),
            ("MikroTik", "RouterOS", "RB750Gr3", "HEX1", "7.16.1"),
            id="MikroTik",
        ),
        pytest.param(
            router(
                "branch",
                "1.3.6.1.4.1.12356.101.1.644",
                {
                    f"{ENTITY}.5.1": 3,
                    f"{ENTITY}.13.1": b"FGT_60F",
                    "1.3.6.1.4.1.12356.100.1.1.1.0": b"FGT60FTK1",
                    "1.3.6.1.4.1.12356.101.4.1.1.0": b"v7.2.8,build1639,240313 (GA.M)",
                },
            ),
            ("Fortinet", "FortiOS", "FortiGate 60F", "FGT60FTK1", "v7.2.8,build1639,240313 (GA.M)"),
            id="FortiGate",
        ),
        pytest.param(
            router(
                "Huawei AR161 Huawei Versatile Routing Platform Software VRP (R) software,"
                "Version 5.160 (AR161 V200R009C00SPC500) Copyright",
                "1.3.6.1.4.1.2011.2.224.62",
                {"1.3.6.1.4.1.2011.5.25.188.1.1.0": b"2102350"},
            ),
            ("Huawei", "VRP", "AR161", "2102350", "5.160 (V200R009C00SPC500)"),
            id="Huawei VRP",
        ),
        pytest.param(
            router(
                "Linux gw 5.4.259 mips",
                NET_SNMP,
                {
                    "1.3.6.1.4.1.48690.1.1.0": b"1122334455",
                    "1.3.6.1.4.1.48690.1.3.0": b"RUT241010000",
                    "1.3.6.1.4.1.48690.1.6.0": b"RUT2M_R_00.07.06.5",
                },
            ),
            ("Teltonika", "RutOS", "RUT241", "1122334455", "RUT2M_R_00.07.06.5"),
            id="Teltonika, recognised by an object of its own",
        ),
        pytest.param(
            router(
                "TiMOS-B-9.0.R9 both/hops Nokia 7705 SAR Copyright",
                "1.3.6.1.4.1.6527.6.1.1.2.1",
                {
                    "1.3.6.1.4.1.6527.3.1.2.2.1.3.1.4.1": 23,
                    "1.3.6.1.4.1.6527.3.1.2.2.1.6.1.2.23": b"7705 SAR-8 v2",
                    "1.3.6.1.4.1.6527.3.1.2.2.1.8.1.5.1.50331649": b"NS16",
                },
            ),
            ("Nokia", "TiMOS", "7705 SAR-8 v2", "NS16", "9.0.R9"),
            id="Nokia: a chassis type is named by a table",
        ),
        pytest.param(
            router("DrayTek Corporation, Router Model: Vigor2927 Series, Version: 4.4.5.3, Build "
                   "Date/Time:Jan 1 2024", "1.3.6.1.4.1.7367"),
            ("DrayTek", "DrayOS", "Vigor2927 Series", "", "4.4.5.3"),
            id="DrayTek",
        ),
        pytest.param(
            router("HP Comware Platform Software, Software Version 7.1.045, Release 2416\r\n"
                   "HP FF 5700-40XG-2QSFP+ Switch\r\nCopyright", "1.3.6.1.4.1.25506.11.1.1"),
            ("HPE", "Comware", "FF 5700-40XG-2QSFP+ Switch", "", "7.1.045 Release 2416"),
            id="HPE Comware",
        ),
        pytest.param(
            router("Fibre Channel Switch", "1.3.6.1.4.1.1588.2.1.1.1",
                   {f"{ENTITY}.4.7": 0, f"{ENTITY}.2.7": b"DS_X6", f"{ENTITY}.11.7": b"N/A",
                    "1.3.6.1.4.1.1588.2.1.1.1.1.6.0": b"v9.1.1"}),
            ("Brocade", "Fabric OS", "DS_X6", "", "v9.1.1"),
            id="Brocade Fabric OS",
        ),
        pytest.param(
            router("Security appliance", "1.3.6.1.4.1.8741.1.1",
                   {f"{ENTITY}.4.7": 0, f"{ENTITY}.13.7": b"X6-4", f"{ENTITY}.11.7": b"N/A"}),
            ("SonicWall", "", "X6-4", "", ""),
            id="an unknown make: vendor by its number, and N/A is no serial",
        ),
        pytest.param(
            router("Box", "1.3.6.1.4.1.99999.1", {f"{ENTITY}.11.1": b"00000000"}),
            ("", "", "", "", ""),
            id="nothing known: nothing said, and zeros are no serial",
        ),
    ],
)  # fmt: skip
async def test_facts(session: RecordedSession, facts: tuple[str, ...]) -> None:
    read = (await identify(session)).facts

    assert (read.vendor, read.os, read.model, read.serial, read.version) == facts


async def test_of_a_stack_the_first_chassis_speaks() -> None:
    session = router(
        ISR_TEXT,
        "1.3.6.1.4.1.9.1.1208",
        {
            f"{ENTITY}.5.1": 11, f"{ENTITY}.5.1001": 3, f"{ENTITY}.5.2001": 3,
            f"{ENTITY}.13.1001": b"WS-C2960X-48", f"{ENTITY}.13.2001": b"WS-C2960X-24",
            f"{ENTITY}.11.1001": b"FCW1", f"{ENTITY}.11.2001": b"FCW2",
        },
    )  # fmt: skip

    facts = (await identify(session)).facts

    assert (facts.model, facts.serial) == ("WS-C2960X-48", "FCW1")


async def test_a_table_that_hangs_costs_its_facts_and_no_others() -> None:
    session = router(ISR_TEXT, "1.3.6.1.4.1.9.1.2068")
    session.trouble[mib.ENT_PHYSICAL_ENTRY] = SnmpError(
        SnmpStatus.TIMEOUT, "silence at entPhysical"
    )

    identity = await identify(session)

    assert identity.facts.version == "X86_64_LINUX_IOSD-UNIVERSALK9-M 16.6.4"
    assert identity.trouble == "silence at entPhysical"


PROFILE = """
vendor: Acme
match: {object_id: 1.3.6.1.4.1.9999}
cpu:
  - {oid: 1.3.6.1.4.1.9999.9.0}
  - {column: 1.3.6.1.4.1.9999.1, scale: 0.01, take: max}
memory:
  - {storage: ram}
  - {free: 1.3.6.1.4.1.9999.3.0, total: 1.3.6.1.4.1.9999.4.0}
temperature: {column: 1.3.6.1.4.1.9999.5, scale: 0.1}
sessions: {column: 1.3.6.1.4.1.9999.6}
"""


async def gauges(values: dict[str, Value]) -> RouterGauges:
    session = router("Acme", "1.3.6.1.4.1.9999", values)
    recipes = await find_gauges(session, parse_profile(PROFILE, "acme.yaml"))
    answers = await session.get(recipes.variables)
    return read_gauges(recipes, [answer.value for answer in answers])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, RouterGauges(), id="no figure at all"),
        pytest.param(
            {"1.3.6.1.4.1.9999.1.1": 0, "1.3.6.1.4.1.9999.1.2": 40, "1.3.6.1.4.1.9999.1.3": 10},
            RouterGauges(cpu_ratio=0.4),
            id="the busiest of several, parts without a processor aside",
        ),
        pytest.param(
            {"1.3.6.1.4.1.9999.3.0": 25, "1.3.6.1.4.1.9999.4.0": 100},
            RouterGauges(memory_ratio=0.75),
            id="memory by what is free",
        ),
        pytest.param(
            {
                "1.3.6.1.2.1.25.2.3.1.2.1": (1, 3, 6, 1, 2, 1, 25, 2, 1, 4),
                "1.3.6.1.2.1.25.2.3.1.2.7": mib.HR_STORAGE_RAM,
                "1.3.6.1.2.1.25.2.3.1.5.7": 200,
                "1.3.6.1.2.1.25.2.3.1.6.7": 50,
            },
            RouterGauges(memory_ratio=0.25),
            id="memory by HOST-RESOURCES-MIB",
        ),
        pytest.param(
            {"1.3.6.1.4.1.9999.3.0": 0, "1.3.6.1.4.1.9999.4.0": 0},
            RouterGauges(),
            id="of no memory there is no share",
        ),
        pytest.param(
            {"1.3.6.1.4.1.9999.5.1": 2_147_483_647, "1.3.6.1.4.1.9999.1.1": 250},
            RouterGauges(),
            id="what cannot be true is not told",
        ),
        pytest.param(
            {"1.3.6.1.4.1.9999.5.1": 415, "1.3.6.1.4.1.9999.6.1": 10, "1.3.6.1.4.1.9999.6.2": 5},
            RouterGauges(temperature_celsius=41.5, sessions=15),
            id="tenths of a degree; sessions of all parts together",
        ),
    ],
)
async def test_figures(values: dict[str, Value], expected: RouterGauges) -> None:
    found = await gauges(values)

    assert found.cpu_ratio == expected.cpu_ratio
    assert found.memory_ratio == expected.memory_ratio
    assert found.temperature_celsius == pytest.approx(expected.temperature_celsius)
    assert found.sessions == expected.sessions


def lldp(column: int, value: Value) -> tuple[Oid, Value]:
    return (*mib.LLDP_REM_ENTRY, column, 0, 7, 1), value


async def test_neighbours_are_told_once_with_our_port_by_name() -> None:
    session = router("Box", "1.3.6.1.4.1.9.1.1", {f"{'1.3.6.1.2.1.2.2.1'}.2.3": b"Gi0/3"})
    session.say(
        dict(
            [
                lldp(4, 4), lldp(5, bytes.fromhex("001122334455")), lldp(7, b"ge-0/0/1"),
                lldp(9, b"core"), lldp(10, b"Junos"),
                ((*mib.LLDP_LOC_PORT_ID, 7), b"Gi0/3"),
                ((*mib.CDP_CACHE_ENTRY, 4, 3, 1), bytes([10, 0, 0, 9])),
                ((*mib.CDP_CACHE_ENTRY, 6, 3, 1), b"core.example.vn"),
                ((*mib.CDP_CACHE_ENTRY, 6, 3, 2), b"phone"),
                ((*mib.CDP_CACHE_ENTRY, 7, 3, 2), b"Port 1"),
            ]
        )
    )  # fmt: skip

    inspection = await inspect_router(session, agency(), load_profiles())

    assert inspection.neighbours == (
        Neighbour("LLDP", "Gi0/3", "core", "ge-0/0/1", "Junos"),
        Neighbour("CDP", "Gi0/3", "phone", "Port 1"),
    )


async def test_a_neighbour_without_a_name_is_called_by_its_chassis() -> None:
    session = router("Box", "1.3.6.1.4.1.9.1.1")
    session.say(dict([lldp(4, 4), lldp(5, bytes.fromhex("001122334455")), lldp(7, b"1")]))

    inspection = await inspect_router(session, agency(), load_profiles())

    assert inspection.neighbours == (Neighbour("LLDP", "7", "00:11:22:33:44:55", "1"),)


async def test_an_inspection_shows_every_interface_and_what_could_not_be_read() -> None:
    session = router("RouterOS x", "1.3.6.1.4.1.14988.1")
    session.say({(*mib.IF_DESCR, 1): b"ether1", (*mib.IF_DESCR, 2): b"ether2"})
    session.say({(*mib.IF_LAST_CHANGE, 2): 4000, mib.SYS_UP_TIME: 10_000})
    session.trouble[mib.LLDP_REM_ENTRY] = SnmpError(SnmpStatus.TIMEOUT, "silence at LLDP")

    inspection = await inspect_router(session, agency(), load_profiles())

    assert [row.name for row in inspection.interfaces] == ["ether1", "ether2"]
    assert inspection.interfaces[1].last_change_seconds == 40
    assert inspection.uptime_seconds == 100
    assert inspection.troubles == ("silence at LLDP",)
    assert inspection.identity.explanation.profile.name == "mikrotik"


async def test_rows_of_ifxtable_without_an_interface_are_left_out() -> None:
    session = router("Box", "1.3.6.1.4.1.9.1.1")
    session.say({(*mib.IF_DESCR, 1): b"eth0", (*mib.IF_NAME, 1): b"e0", (*mib.IF_NAME, 9): b"old"})

    inspection = await inspect_router(session, agency(), load_profiles())

    assert [row.name for row in inspection.interfaces] == ["e0"]


async def test_octets_come_in_every_syntax_that_agents_use() -> None:
    wide = (*mib.IF_HC_IN_OCTETS, 1)
    session = router("Box", "1.3.6.1.4.1.9.1.1")
    session.say({(*mib.IF_DESCR, 1): b"eth0", (*mib.IF_IN_OCTETS, 1): 5})
    session.variables[wide] = VarBind(wide, Tag.OCTET_STRING, (2**40).to_bytes(8))
    session.say({})

    inspection = await inspect_router(session, agency(), load_profiles())

    assert inspection.interfaces[0].receive_bytes == 2**40


def agency() -> Agency:
    return Agency("xa", "Xã", "commune", router=Router(ip_address("10.1.0.2")))

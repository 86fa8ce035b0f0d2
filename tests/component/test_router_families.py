"""Product families of every make are told apart by what their makers document of them.

The texts and values are made up after the forms of sysDescr and of the vendors' MIBs; none is of a
real router.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from netmon.probes.snmp import mib
from netmon.probes.snmp.facts import read_facts, read_system
from netmon.probes.snmp.profile_files import load_profiles
from netmon.probes.snmp.values import oid_from_text
from tests.component.snmp_recordings import RecordedSession, say

if TYPE_CHECKING:
    from netmon.model import RouterFacts
    from netmon.probes.snmp.values import Value

PROFILES = load_profiles()
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


CISCO = [
    (
        Device(
            "Cisco Systems WS-C6509\nCisco Catalyst Operating System Software, Version 8.4(8)\n"
            "Copyright (c) 1995-2005 by Cisco Systems",
            "9.5.44",
        ),
        ("Cisco", "CatOS", "WS-C6509", "", "8.4(8)"),
    ),
    (
        Device("IOS (tm) C2600 Software (C2600-IS-M), Version 12.0(7)T,  RELEASE (fc2)", "9.1.209"),
        ("Cisco", "IOS", "C2600", "", "12.0(7)T"),
    ),
    (
        Device(
            "Cisco IOS Software, IOS-XE Software, Catalyst 4500 L3 Switch Software "
            "(cat4500e-UNIVERSALK9-M), Version 03.04.02.SG RELEASE SOFTWARE (fc1)",
            "9.1.1286",
            chassis(b"WS-C4507R+E", b"FOX1529XXXX"),
        ),
        ("Cisco", "IOS XE", "WS-C4507R+E", "FOX1529XXXX", "03.04.02.SG"),
    ),
    (
        Device(
            "Cisco IOS Software [Cupertino], c8000be Software (X86_64_LINUX_IOSD-UNIVERSALK9-M), "
            "Version 17.9.4a, RELEASE SOFTWARE (fc3)",
            "9.1.3004",
            chassis(b"C8300-1N1S-6T", b"FDO2700"),
        ),
        ("Cisco", "IOS XE", "C8300-1N1S-6T", "FDO2700", "X86_64_LINUX_IOSD-UNIVERSALK9-M 17.9.4a"),
    ),
    (
        Device(
            "Cisco                     IE3300-8T2S          FVH1        261 V 17 6  3", "9.1.2666"
        ),
        ("Cisco", "IOS XE", "IE3300-8T2S", "", "17.6.3"),
    ),
    (
        Device(
            "Cisco IOS XR Software (Cisco ASR9K Series),  Version 4.3.2[Default]\nCopyright (c)",
            "9.1.1017",
            chassis(b"ASR-9006-AC", b"FOX1", 8384513),
        ),
        ("Cisco", "IOS XR", "ASR-9006-AC", "FOX1", "4.3.2"),
    ),
    (
        Device(
            "Cisco NX-OS(tm) n7000, Software (n7000-s1-dk9), Version 6.1(2), RELEASE SOFTWARE",
            "9.12.3.1.3.612",
            chassis(b"N7K-C7010", b"JAF1", 149),
        ),
        ("Cisco", "NX-OS", "N7K-C7010", "JAF1", "6.1(2)"),
    ),
    (
        Device("Cisco PIX Firewall Version 6.3(5)", "9.1.451"),
        ("Cisco", "PIX OS", "", "", "6.3(5)"),
    ),
    (
        Device("Cisco Firewall Services Module Version 4.1(14)", "9.1.522"),
        ("Cisco", "FWSM", "", "", "4.1(14)"),
    ),
    (
        Device(
            "Cisco Controller",
            "9.1.1069",
            {
                "14179.1.1.1.3.0": b"AIR-CT5508-K9",
                "14179.1.1.1.4.0": b"FCW1",
                "14179.1.1.1.14.0": b"8.5.182.0",
            },
        ),
        ("Cisco", "AireOS", "AIR-CT5508-K9", "FCW1", "8.5.182.0"),
    ),
    (
        Device(
            "Cisco Integrated Management Controller(CIMC), Firmware Version 4.1(2f) Copyright (c)",
            "9.1.1682",
            {
                "9.9.719.1.9.35.1.32.1": b"UCSC-C220-M5SX",
                "9.9.719.1.9.35.1.47.1": b"WZP2",
            },
        ),
        ("Cisco", "CIMC", "UCSC-C220-M5SX", "WZP2", "4.1(2f)"),
    ),
    (
        Device(
            "SG300-28 28-Port Gigabit Managed Switch",
            "9.6.1.83.28.1",
            {
                "9.6.1.101.53.14.1.2.1": b"1.4.11.5",
                "9.6.1.101.53.14.1.3.1": b"1.3.5.06",
                "9.6.1.101.53.14.1.4.1": b"V02",
                "9.6.1.101.53.14.1.5.1": b"DNI1",
            },
        ),
        ("Cisco", "Small Business", "SG300-28 V02", "DNI1", "1.4.11.5 (boot 1.3.5.06)"),
    ),
    (
        Device(
            "48-Port Gigabit Smart Switch",
            "9.6.1.90.48.1",
            {"9.6.1.101.53.14.1.5.1": b"DNI2", "9.6.1.101.53.14.1.7.1": b"SLM2048"},
        ),
        ("Cisco", "Small Business", "SLM2048", "DNI2", ""),
    ),
    (
        Device("Linux 2.6.36 Cisco Small Business RV320", "9.6.1.23.1.1"),
        ("Cisco", "Small Business", "RV320", "", ""),
    ),
]
JUNIPER = [
    (
        Device(
            "Juniper Networks, Inc. srx340 internet router, kernel JUNOS 21.4R3-S5.4, Build date",
            "2636.1.1.1.2.136",
            {"2636.3.1.2.0": b"Juniper SRX340 Internet Router", "2636.3.1.3.0": b"CY3218"},
        ),
        ("Juniper", "Junos", "Juniper SRX340 Internet Router", "CY3218", "21.4R3-S5.4"),
    ),
    (
        Device(
            "Juniper Networks, Inc. ex4300-48t Ethernet Switch, kernel JUNOS 18.4R2.7, Build date",
            "2636.1.1.1.4.63",
            {
                "2636.3.1.2.0": b"Juniper Virtual Chassis Ethernet Switch",
                "2636.3.1.3.0": b"",
                "2636.3.40.1.4.1.1.1.2.0": b"PE3714",
                "2636.3.40.1.4.1.1.1.2.1": b"PE3715",
            },
        ),
        ("Juniper", "Junos", "Juniper Virtual Chassis Ethernet Switch", "PE3714", "18.4R2.7"),
    ),
    (
        Device(
            "Juniper Networks, Inc. ptx10001-36mr internet router, kernel Linux 5.2.60, Build date",
            "2636.1.1.1.2.540",
            {
                "2636.3.1.2.0": b"Juniper PTX10001-36MR",
                "1.3.6.1.2.1.25.6.3.1.2.2": b"Junos OS Evolved [22.4R2.11-EVO]",
            },
        ),
        ("Juniper", "Junos", "Juniper PTX10001-36MR", "", "22.4R2.11-EVO"),
    ),
    (
        Device(
            "NetScreen-5GT version 5.4.0r12.0 (SN: 0064102004000123, Firewall+VPN)", "3224.1.14"
        ),
        ("Juniper", "ScreenOS", "NetScreen-5GT", "0064102004000123", "5.4.0r12.0"),
    ),
]
HUAWEI_H3C = [
    (
        Device(
            "Huawei Versatile Routing Platform Software\r\nVRP (R) software, Version 8.180 "
            "(NE40E V800R010C10SPC500)\r\nCopyright (C) 2012-2018\r\nHUAWEI NE40E-X8A",
            "2011.2.62.2.9",
            {"2011.5.25.188.1.1.0": b"2102351"},
        ),
        ("Huawei", "VRP", "NE40E", "2102351", "8.180 (V800R010C10SPC500)"),
    ),
    (
        Device(
            "USG6320\r\nHuawei Versatile Routing Platform Software\r\nVRP (R) Software, "
            "Version 5.160 (USG6300 V500R001C30SPC100)",
            "2011.2.321.10",
        ),
        ("Huawei", "VRP", "USG6320", "", "5.160 (V500R001C30SPC100)"),
    ),
    (
        Device(
            "Huawei Versatile Routing Platform Software\r\nVRP Software, Version 3.40, "
            "Release 1302P15\r\nQuidway AR46-40",
            "2011.1.2.7",
        ),
        ("Huawei", "VRP", "", "", "3.40 (Release 1302P15)"),
    ),
    (
        Device(
            "H3C Comware Platform Software, Software Version 7.1.064, Release 0605P20\r\n"
            "H3C MSR2600-10-X1\r\nCopyright (c) 2004-2019 New H3C Technologies",
            "25506.1.1836",
            {**chassis(b"MSR2600-10-X1", b"219801"), "25506.2.6.1.2.1.1.2.1": b"219801"},
        ),
        ("H3C", "Comware", "MSR2600-10-X1", "219801", "7.1.064 Release 0605P20"),
    ),
    (
        Device(
            "H3C Switch S5500-28C-EI Software Version 5.20, Release 2202P12\r\nCopyright(c)",
            "25506.1.287",
        ),
        ("H3C", "Comware", "Switch S5500-28C-EI", "", "5.20 Release 2202P12"),
    ),
    (
        Device(
            "HP Comware Platform Software, Software Version 5.20.99 Release 2221P02\r\n"
            "HP A5120-48G EI Switch with 2 Interface Slots\r\nCopyright (c) 2010-2012",
            "25506.11.1.36",
        ),
        (
            "HPE", "Comware", "A5120-48G EI Switch with 2 Interface Slots", "",
            "5.20.99 Release 2221P02",
        ),
    ),
]  # fmt: skip
ARUBA_HP = [
    (
        Device("HP J9773A 2530-24G-PoEP Switch, revision YA.15.16.0004, ROM YA.15.15", "11.2.3.7.11.155"),
        ("HPE", "ProCurve", "J9773A 2530-24G-PoEP", "", "YA.15.16.0004"),
    ),
    (
        Device("ProCurve J4900B Switch 2626, revision H.10.83, ROM H.08.02", "11.2.3.7.11.45"),
        ("HPE", "ProCurve", "2626", "", "H.10.83"),
    ),
    (
        Device(
            "Aruba JL253A 2930F-24G-4SFP+ Switch, revision WC.16.02.0008, ROM WC.16.01.0003",
            "11.2.3.7.11.181.1",
            {"11.2.36.1.1.2.9.0": b"CN70HKW0ZZ"},
        ),
        ("HPE", "ProCurve", "JL253A 2930F-24G-4SFP+", "CN70HKW0ZZ", "WC.16.02.0008"),
    ),
    (
        Device("HP ETHERNET MULTI-ENVIRONMENT,ROM none,JETDIRECT,JD153,EEPROM JSI23", "11.2.3.9.1"),
        ("HPE", "", "JD153", "", ""),
    ),
    (
        Device("ArubaOS (MODEL: 515), Version 8.10.0.6-8.10.0.6 SSR", "14823.1.2.105"),
        ("Aruba", "ArubaOS Instant", "515", "", "8.10.0.6-8.10.0.6"),
    ),
    (
        Device(
            "Aruba R8N85A  FL.10.13.1000", "47196.4.1.1.1.150",
            {**chassis(b"R8N85A", b"SG12"), f"{ENTITY}.2.1": b"6000 48G Class4 PoE 4SFP 370W Switch"},
        ),
        ("Aruba", "ArubaOS-CX", "6000 48G Class4 PoE 4SFP 370W Switch", "SG12", "FL.10.13.1000"),
    ),
]  # fmt: skip
WIRELESS_AND_SMALL = [
    (
        Device("RouterOS CCR2004-16G-2S+", "14988.1", {"14988.1.1.4.4.0": b"7.15.3"}),
        ("MikroTik", "RouterOS", "CCR2004-16G-2S+", "", "7.15.3"),
    ),
    (
        Device(
            "Linux LTU-Rocket 3.18.24 #0 mips", "10002.1",
            {"41112.1.10.1.3.2.0": b"LTU Rocket", "41112.1.10.1.3.4.0": b"AFLTU.v2.3.2"},
        ),
        ("Ubiquiti", "airOS LTU", "LTU Rocket", "", "AFLTU.v2.3.2"),
    ),
    (
        Device("EdgeSwitch 24-Port 250W, 1.7.4.5075842, Linux 3.6.5-f4a26ed5", "4413",
               {"4413.1.1.1.1.1.4.0": b"F09FC2"}),
        ("Ubiquiti", "EdgeSwitch", "EdgeSwitch 24-Port 250W", "F09FC2", "1.7.4.5075842"),
    ),
    (
        Device("Linux UDM-Pro 4.19.152-ui-alpine #4.19.152 SMP aarch64", NET_SNMP),
        ("Ubiquiti", "UniFi", "UDM-Pro", "", "4.19.152-ui-alpine"),
    ),
    (
        Device("EdgeOS v2.0.9-hotfix.6.5574651.221230.1015", "41112.1.5"),
        ("Ubiquiti", "EdgeOS", "", "", "2.0.9"),
    ),
    (
        Device("DrayTek Corporation, AP Model: VigorAP 903, Version: 1.3.8, Build Date/Time:x", "7367"),
        ("DrayTek", "DrayOS", "VigorAP 903", "", "1.3.8"),
    ),
    (
        Device("VigorSwitch P2280x", "7367.1.2", {**chassis(b"", b""), f"{ENTITY}.10.1": b"2.6.4"}),
        ("DrayTek", "DrayOS", "VigorSwitch P2280x", "", "2.6.4"),
    ),
    (
        Device(
            "JetStream 48-Port Gigabit L3 Managed PoE+ Switch", "11863.5.210",
            {
                "11863.6.1.1.5.0": b"TL-SG6654XHP 1.0",
                "11863.6.1.1.6.0": b"1.0.4 Build 20221117 Rel.55302",
                "11863.6.1.1.8.0": b"2219001",
            },
        ),
        ("TP-Link", "JetStream", "TL-SG6654XHP 1.0", "2219001", "1.0.4 Build 20221117 Rel.55302"),
    ),
    (
        Device("Omada Gigabit Multi-WAN VPN Router ER7206 v2.0", "11863.1.1"),
        ("TP-Link", "Omada", "ER7206", "", ""),
    ),
    (
        Device(
            "USG FLEX 200", "890.1.15",
            {"890.1.15.3.1.6.0": b"V5.37(ABUI.1)", "890.1.15.3.1.12.0": b"S212L1"},
        ),
        ("Zyxel", "ZyWALL", "USG FLEX 200", "S212L1", "V5.37(ABUI.1)"),
    ),
    (
        Device("NWA1123-AC PRO", "890.1.15", {"890.1.15.3.1.6.0": b"V6.25(ABHD.10)"}),
        ("Zyxel", "Zyxel NWA", "NWA1123-AC PRO", "", "V6.25(ABHD.10)"),
    ),
    (
        Device("DGS-3120-24TC Gigabit Ethernet Switch", "171.10.117.1.1",
               {"171.12.1.1.12.0": b"R3B61", "1.3.6.1.2.1.16.19.2.0": b"4.10.B019",
                "1.3.6.1.2.1.16.19.3.0": b"B1"}),
        ("D-Link", "D-Link", "DGS-3120-24TC Rev. B1", "R3B61", "4.10.B019"),
    ),
    (
        Device("DES-1210-28/C1            4.20.B020", "171.10.75.15.2"),
        ("D-Link", "D-Link", "DES-1210-28/C1", "", "4.20.B020"),
    ),
    (
        Device(
            "Linux RUTX50 5.10.188 armv7l", NET_SNMP,
            {"48690.1.1.0": b"1122334455", "48690.1.3.0": b"RUTX50000000",
             "48690.1.5.0": b"0010", "48690.1.6.0": b"RUTX_R_00.07.06.10"},
        ),
        ("Teltonika", "RutOS", "RUTX50", "1122334455", "RUTX_R_00.07.06.10"),
    ),
    (
        Device(
            "Linux Teltonika 5.4 mips", NET_SNMP,
            {"48690.1.1.0": b"0000000000", "48690.1.5.0": b"0010", "48690.1.6.0": b"RUT2_R_00.07.06"},
        ),
        ("Teltonika", "RutOS", "", "", "RUT2_R_00.07.06"),
    ),
]  # fmt: skip
FIREWALLS_AND_OTHERS = [
    (
        Device(
            "", "12356.101.1.90061",
            {**chassis(b"FGT_VM64_KVM"), "12356.100.1.1.1.0": b"FGVM01",
             "12356.101.4.1.1.0": b"v7.4.3,build2573,240201 (GA.F)"},
        ),
        ("Fortinet", "FortiOS", "FortiGate VM64_KVM", "FGVM01", "v7.4.3,build2573,240201 (GA.F)"),
    ),
    (
        Device("FAP", "12356.120.231",
               {"12356.120.1.1.0": b"FP231F-v7.0-build0096", "12356.120.1.2.0": b"FP231FTF1"}),
        ("Fortinet", "FortiAP", "", "FP231FTF1", "FP231F-v7.0-build0096"),
    ),
    (
        Device("", "12356.113.100.101",
               {"12356.113.1.1.0": b"FACVM", "12356.113.1.2.0": b"FAC-VM0A", "12356.113.1.3.0": b"v6.5.3"}),
        ("Fortinet", "FortiAuthenticator", "FACVM", "FAC-VM0A", "v6.5.3"),
    ),
    (
        Device("Palo Alto Networks PA-220 series firewall", "25461.2.3.38",
               {"25461.2.1.2.1.1.0": b"10.1.9", "25461.2.1.2.1.3.0": b"0128"}),
        ("Palo Alto Networks", "PAN-OS", "PA-220", "0128", "10.1.9"),
    ),
    (
        Device("Panorama", "25461.2.3.7", {"25461.2.1.2.1.1.0": b"10.2.3"}),
        ("Palo Alto Networks", "PAN-OS", "Panorama", "", "10.2.3"),
    ),
    (
        Device("pfSense gw.xa.vn 2.7.2-RELEASE FreeBSD 14.0-CURRENT amd64", "12325.1.1.2.1.1"),
        ("FreeBSD", "pfSense", "", "", "2.7.2-RELEASE"),
    ),
    (
        Device("FreeBSD OPNsense.localdomain 13.2-RELEASE-p7 FreeBSD 13.2-RELEASE-p7 amd64", "8072.3.2.8"),
        ("FreeBSD", "OPNsense", "", "", "13.2-RELEASE-p7"),
    ),
    (
        Device("Dell EMC Networking OS10 Enterprise.\nSystem Description: OS10 Enterprise.\n"
               "OS Version: 10.5.2.3.\nSystem Type: S4148F-ON", "674.11000.5000.100.2.1.9"),
        ("Dell", "OS10", "S4148F-ON", "", "10.5.2.3."),
    ),
    (
        Device("TiMOS-B-20.10.R5 both/x86_64 Nokia 7250 IXR-s Copyright (c) 2000-2021 Nokia.", "6527.1.20.4"),
        ("Nokia", "TiMOS", "7250 IXR-s", "", "20.10.R5"),
    ),
    (
        Device("Ruijie Full Gigabit Security & VPN Gateway(EG2100-P) by Ruijie Networks", "4881.1.2.1.1.77",
               {"4881.1.1.10.2.1.1.2.0": b"EG_RGOS 11.1(6)B9P18", "4881.1.1.10.2.1.1.24.0": b"H1KD1"}),
        ("Ruijie", "RGOS", "EG2100-P", "H1KD1", "EG_RGOS 11.1(6)B9P18"),
    ),
    (
        Device("ZXR10 ROS Version V4.08.24R2 ZXR10_T64G Software, Version ZXR10 G-Series&8900", "3902.3.100.27"),
        ("ZTE", "ZXR10", "T64G", "", "V4.08.24R2"),
    ),
    (
        Device("Brocade Communications Systems, Inc. Stacking System ICX6610-48-HPOE, IronWare "
               "Version 08.0.30tT7f3 Compiled on", "1991.1.3.56.2.1.1.1",
               {"1991.1.1.1.1.2.0": b"2ax5o2jk68e", "1991.1.1.2.1.11.0": b"08.0.30tT7f3"}),
        ("Brocade", "IronWare", "ICX6610-48-HPOE", "2ax5o2jk68e", "08.0.30tT7f3"),
    ),
    (
        Device("Ruckus Wireless, Inc. ICX7150-48-POE, IronWare Version 08.0.80bT211 Compiled", "1991.1.3.60"),
        ("Ruckus", "IronWare", "ICX7150-48-POE", "", "08.0.80bT211"),
    ),
    (
        Device("Linux core 5.15.0-91-generic #101-Ubuntu SMP x86_64", NET_SNMP),
        ("Linux", "Linux", "x86_64", "", "5.15.0-91-generic"),
    ),
]  # fmt: skip
FAMILIES = [*CISCO, *JUNIPER, *HUAWEI_H3C, *ARUBA_HP, *WIRELESS_AND_SMALL, *FIREWALLS_AND_OTHERS]


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
    stack = {
        **{f"{ENTITY}.5.1": 11, f"{ENTITY}.11.1": b"", f"{ENTITY}.5.3": 9, f"{ENTITY}.11.3": b"X"},
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
    pytest.param(Device("", "99999"), ("", "", "", "", ""), id="nothing at all"),
]


@pytest.mark.parametrize(("device", "known"), UNKNOWN)
async def test_what_no_profile_was_written_for_is_named_as_far_as_standards_go(
    device: Device, known: tuple[str, ...]
) -> None:
    facts = await facts_of(device)

    assert (facts.vendor, facts.os, facts.model, facts.serial, facts.version) == known

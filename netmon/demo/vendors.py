"""The makes of router that stand in agencies and communes, as their agents describe themselves."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from netmon.demo.codec import Oid


@dataclass(frozen=True, slots=True)
class Vendor:
    """How routers of one make present themselves over SNMP."""

    platform: str
    """netmiko's device type."""
    object_id: Oid
    description: str
    model: str
    version: str
    interface_name: str
    """With `{n}` for the number of the port."""
    first_port: int
    has_entity_mib: bool = True
    last_change_works: bool = True
    """Some agents leave ifLastChange at zero for ever."""
    private: tuple[tuple[Oid, str], ...] = ()
    """Texts of the maker's own MIB, with `{serial}` for the device's serial number."""


VENDORS: tuple[Vendor, ...] = (
    Vendor(
        platform="cisco_xe",
        object_id=(1, 3, 6, 1, 4, 1, 9, 1, 2068),
        description=(
            "Cisco IOS Software [Amsterdam], ISR Software (X86_64_LINUX_IOSD-UNIVERSALK9-M), "
            "Version 17.3.4a, RELEASE SOFTWARE (fc3)\r\n"
            "Technical Support: http://www.cisco.com/techsupport\r\n"
            "Copyright (c) 1986-2021 by Cisco Systems, Inc.\r\n"
            "Compiled Tue 20-Jul-21 04:59 by mcpre"
        ),
        model="ISR4331/K9",
        version="17.3.4a",
        interface_name="GigabitEthernet0/0/{n}",
        first_port=0,
    ),
    Vendor(
        platform="huawei",
        object_id=(1, 3, 6, 1, 4, 1, 2011, 2, 224, 67),
        description=(
            "Huawei AR2220 Huawei Versatile Routing Platform Software \r\n"
            "VRP (R) software, Version 5.170 (AR2220 V200R010C10SPC700) \r\n"
            "Copyright (C) 2011-2020 Huawei Technologies Co., Ltd"
        ),
        model="AR2220",
        version="V200R010C10SPC700",
        interface_name="GigabitEthernet0/0/{n}",
        first_port=0,
    ),
    Vendor(
        platform="mikrotik_routeros",
        object_id=(1, 3, 6, 1, 4, 1, 14988, 1),
        description="RouterOS RB4011iGS+",
        model="RB4011iGS+",
        version="7.14.3",
        interface_name="ether{n}",
        first_port=1,
        has_entity_mib=False,
        last_change_works=False,
        private=(
            ((1, 3, 6, 1, 4, 1, 14988, 1, 1, 4, 4, 0), "7.14.3"),  # mtxrLicVersion
            ((1, 3, 6, 1, 4, 1, 14988, 1, 1, 7, 3, 0), "{serial}"),  # mtxrSerialNumber
        ),
    ),
    Vendor(
        platform="hp_comware",
        object_id=(1, 3, 6, 1, 4, 1, 25506, 1, 1173),
        description=(
            "H3C Comware Platform Software, Software Version 7.1.064, Release 0809P28\r\n"
            "H3C MSR36-20\r\n"
            "Copyright (c) 2004-2021 New H3C Technologies Co., Ltd. All rights reserved."
        ),
        model="MSR36-20",
        version="7.1.064 Release 0809P28",
        interface_name="GigabitEthernet0/{n}",
        first_port=0,
    ),
    Vendor(
        platform="fortinet",
        object_id=(1, 3, 6, 1, 4, 1, 12356, 101, 1, 643),
        description="",
        model="FGT_60F",
        version="FortiGate-60F v7.2.8,build1639,240313 (GA.M)",
        interface_name="wan{n}",
        first_port=1,
        private=(
            ((1, 3, 6, 1, 4, 1, 12356, 100, 1, 1, 1, 0), "FGT60F{serial}"),  # fnSysSerial
            ((1, 3, 6, 1, 4, 1, 12356, 101, 4, 1, 1, 0), "v7.2.8,build1639,240313 (GA.M)"),
        ),
    ),
    Vendor(
        platform="juniper_junos",
        object_id=(1, 3, 6, 1, 4, 1, 2636, 1, 1, 1, 2, 133),
        description=(
            "Juniper Networks, Inc. srx300 internet router, kernel JUNOS 21.4R3-S5.4, "
            "Build date: 2023-08-30 05:20:24 UTC Copyright (c) 1996-2023 Juniper Networks, Inc."
        ),
        model="SRX300",
        version="21.4R3-S5.4",
        interface_name="ge-0/0/{n}",
        first_port=0,
    ),
    Vendor(
        platform="draytek",
        object_id=(1, 3, 6, 1, 4, 1, 7367),
        description=(
            "DrayTek Corporation, Router Model: Vigor2927 Series, Version: 4.4.2.1_STD, "
            "Build Date/Time:May  9 2023 10:38:31"
        ),
        model="Vigor2927",
        version="4.4.2.1_STD",
        interface_name="WAN{n}",
        first_port=1,
        has_entity_mib=False,
    ),
    Vendor(
        platform="ruijie_os",
        object_id=(1, 3, 6, 1, 4, 1, 4881, 1, 2, 1, 1, 100),
        description="Ruijie Gigabit Security & VPN Gateway(RSR20-X-28) by Ruijie Networks",
        model="RSR20-X-28",
        version="RGOS 11.4(1)B12P32",
        interface_name="GigabitEthernet 0/{n}",
        first_port=0,
    ),
    Vendor(
        platform="ubiquiti_edgerouter",
        object_id=(1, 3, 6, 1, 4, 1, 41112, 1, 5),
        description="EdgeOS v2.0.9-hotfix.7.5622731.230615.0857",
        model="ER-4",
        version="2.0.9-hotfix.7",
        interface_name="eth{n}",
        first_port=0,
        has_entity_mib=False,
    ),
    Vendor(
        platform="linux",
        object_id=(1, 3, 6, 1, 4, 1, 8072, 3, 2, 10),
        description="Linux rt 6.1.0-21-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.90-1 x86_64",
        model="",
        version="6.1.0-21-amd64",
        interface_name="enp{n}s0",
        first_port=1,
        has_entity_mib=False,
    ),
)


def vendor_of(agency: str, platform: str) -> Vendor:
    """Return the make of an agency's router: what the inventory says, else one by its id."""
    for vendor in VENDORS:
        if vendor.platform == platform:
            return vendor
    return VENDORS[crc32(agency.encode()) % len(VENDORS)]

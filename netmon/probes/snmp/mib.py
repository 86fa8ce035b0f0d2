"""The objects of standard MIBs that netmon asks for, by the names of their RFCs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netmon.probes.snmp.values import Oid

# SNMPv2-MIB (RFC 3418)
SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)
SYS_UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SYS_NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5, 0)
SYS_LOCATION: Oid = (1, 3, 6, 1, 2, 1, 1, 6, 0)

# SNMP-FRAMEWORK-MIB (RFC 3411)
SNMP_ENGINE_BOOTS: Oid = (1, 3, 6, 1, 6, 3, 10, 2, 1, 2, 0)
SNMP_ENGINE_TIME: Oid = (1, 3, 6, 1, 6, 3, 10, 2, 1, 3, 0)

# HOST-RESOURCES-MIB (RFC 2790)
HR_SYSTEM_UPTIME: Oid = (1, 3, 6, 1, 2, 1, 25, 1, 1, 0)
HR_STORAGE_TYPE: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 2)
HR_STORAGE_SIZE: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 5)
HR_STORAGE_USED: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 6)
HR_STORAGE_RAM: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 1, 2)

# IF-MIB (RFC 2863)
IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IF_DESCR: Oid = (*IF_ENTRY, 2)
IF_TYPE: Oid = (*IF_ENTRY, 3)
IF_SPEED: Oid = (*IF_ENTRY, 5)
IF_ADMIN_STATUS: Oid = (*IF_ENTRY, 7)
IF_OPER_STATUS: Oid = (*IF_ENTRY, 8)
IF_LAST_CHANGE: Oid = (*IF_ENTRY, 9)
IF_IN_OCTETS: Oid = (*IF_ENTRY, 10)
IF_IN_DISCARDS: Oid = (*IF_ENTRY, 13)
IF_IN_ERRORS: Oid = (*IF_ENTRY, 14)
IF_OUT_OCTETS: Oid = (*IF_ENTRY, 16)
IF_OUT_DISCARDS: Oid = (*IF_ENTRY, 19)
IF_OUT_ERRORS: Oid = (*IF_ENTRY, 20)
IF_X_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
IF_NAME: Oid = (*IF_X_ENTRY, 1)
IF_HC_IN_OCTETS: Oid = (*IF_X_ENTRY, 6)
IF_HC_OUT_OCTETS: Oid = (*IF_X_ENTRY, 10)
IF_HIGH_SPEED: Oid = (*IF_X_ENTRY, 15)
IF_ALIAS: Oid = (*IF_X_ENTRY, 18)
IF_TYPE_LOOPBACK = 24
"""softwareLoopback (IANAifType-MIB)."""

# IP-MIB (RFC 4293; ipAddrTable is deprecated there and what most routers have)
IP_AD_ENT_IF_INDEX: Oid = (1, 3, 6, 1, 2, 1, 4, 20, 1, 2)
IP_AD_ENT_NET_MASK: Oid = (1, 3, 6, 1, 2, 1, 4, 20, 1, 3)
IP_ADDRESS_IF_INDEX: Oid = (1, 3, 6, 1, 2, 1, 4, 34, 1, 3)

# RFC 1213: ipRouteTable, indexed by the destination alone
IP_ROUTE_IF_INDEX: Oid = (1, 3, 6, 1, 2, 1, 4, 21, 1, 2)
IP_ROUTE_NEXT_HOP: Oid = (1, 3, 6, 1, 2, 1, 4, 21, 1, 7)
# IP-FORWARD-MIB (RFC 2096: ipCidrRouteTable; RFC 4292: inetCidrRouteTable)
IP_CIDR_ROUTE_IF_INDEX: Oid = (1, 3, 6, 1, 2, 1, 4, 24, 4, 1, 5)
IP_CIDR_ROUTE_METRIC1: Oid = (1, 3, 6, 1, 2, 1, 4, 24, 4, 1, 11)
INET_CIDR_ROUTE_IF_INDEX: Oid = (1, 3, 6, 1, 2, 1, 4, 24, 7, 1, 7)
INET_CIDR_ROUTE_METRIC1: Oid = (1, 3, 6, 1, 2, 1, 4, 24, 7, 1, 12)

# ENTITY-MIB (RFC 6933)
ENT_PHYSICAL_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
ENT_PHYSICAL_CLASS: Oid = (*ENT_PHYSICAL_ENTRY, 5)
ENT_CLASS_CHASSIS = 3
ENT_CLASS_STACK = 11

# LLDP-MIB (IEEE 802.1AB)
LLDP_REM_ENTRY: Oid = (1, 0, 8802, 1, 1, 2, 1, 4, 1, 1)
LLDP_LOC_PORT_ID: Oid = (1, 0, 8802, 1, 1, 2, 1, 3, 7, 1, 3)
LLDP_LOC_PORT_DESC: Oid = (1, 0, 8802, 1, 1, 2, 1, 3, 7, 1, 4)
# CISCO-CDP-MIB
CDP_CACHE_ENTRY: Oid = (1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1)

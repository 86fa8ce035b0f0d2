"""What config/agencies.yaml may say: every key declared once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.config.fields import Field, Table
from netmon.config.forms import ListOf, MapOf, PlacedForm
from netmon.config.texts import (
    address,
    address6,
    choice,
    config_name,
    identifier,
    link_key,
    switch,
    text,
)
from netmon.config.times import daily, day, moment, weekday, zone
from netmon.config.units import bandwidth, decimal, duration, integer, ratio

if TYPE_CHECKING:
    from netmon.model import IPAddress

_latitude = decimal(-90, 90, "10.3600", "; latitude and longitude may be swapped")
_longitude = decimal(-180, 180, "106.3600")
_port = integer(1, 65_535, "a port")
_people = integer(0, 1_000_000, "a number of people")


class ProvinceKeys:
    """The province itself."""

    ID = Field("id", identifier, "Id of the province in labels and files.", required=True)
    NAME = Field("name", text("the name"), "Name in Vietnamese.", required=True)
    NAME_EN = Field("name_en", text("the name in English"), "Name in English.", required=True)
    TIMEZONE = Field(
        "timezone", zone, "Zone of local times in this file.", default="Asia/Ho_Chi_Minh"
    )


class CanaryKeys:
    """Something near that must answer if netmon itself is well."""

    ID = Field("id", identifier, "Id of the canary in labels.", required=True)
    NAME = Field("name", text("the name"), "What it is, for people.", required=True)
    ADDRESS: Field[IPAddress] = Field("address", address, "Address that is pinged.", required=True)


CANARY = Table("canary", CanaryKeys)


class CentreKeys:
    """The data integration centre, where netmon runs and every link ends."""

    NAME = Field("name", text("the name"), "Name of the centre.", required=True)
    LATITUDE = Field("latitude", _latitude, "Degrees north.")
    LONGITUDE = Field("longitude", _longitude, "Degrees east.")
    CANARIES = Field(
        "canaries",
        ListOf(CANARY, "a list of {id, name, address}"),
        "Things nearby that must answer if netmon itself is well: own gateway, core switch. "
        "While none of them answers, every link is unobserved instead of down.",
    )


class TargetKeys:
    """What was agreed for a link."""

    AVAILABILITY = Field(
        "availability", ratio, "Agreed share of time in which it is usable.", required=True
    )
    SOURCE = Field(
        "source", text("where it is written", 400), "Where that is written.", required=True
    )


TARGET = Table("target", TargetKeys)


class LimitKeys:
    """From where on a link that answers is degraded."""

    LOSS = Field("loss", ratio, "Share of echoes lost.", required=True)
    RTT = Field("rtt", duration("1ms", "1m", "150ms"), "Round-trip time.", required=True)


LIMITS = Table("limits", LimitKeys)


PLATFORMS: tuple[str, ...] = (
    "cisco_ios", "cisco_xe", "fortinet", "frr", "hp_comware", "huawei_vrp", "juniper_junos",
    "linux", "mikrotik_routeros",
)  # fmt: skip
"""Whose terminals netmon can read: the files of netmon/probes/ssh/platforms."""


class LinkDefaultKeys:
    """Keys of a link that an agency, or the defaults of its kind, may give for all its links."""

    PROVIDER = Field("provider", identifier, "Carrier of the circuit: a key of `providers`.")
    BANDWIDTH = Field("bandwidth", bandwidth, "Agreed bandwidth.")
    TARGET = Field("target", TARGET, "Agreed availability and where that is written.")
    LIMITS = Field("limits", LIMITS, "From where on a link that answers is called degraded.")
    ECHO_MODULE = Field("echo_module", config_name, "How to ping: a name in `modules: echo:`.")


class RouterDefaultKeys:
    """Keys of a router that the defaults of a kind may give."""

    SNMP = Field("snmp", config_name, "SNMP credential: a name in `credentials: snmp:`.")
    SSH = Field("ssh", config_name, "SSH credential: a name in `credentials: ssh:`.")
    PLATFORM = Field(
        "platform",
        choice(*PLATFORMS),
        "How its terminal is spoken to, where SNMP does not tell it.",
    )


class DefaultKeys(LinkDefaultKeys, RouterDefaultKeys):
    """What holds for the agencies of a kind that do not say otherwise."""

    SNMP_MODULE = Field("snmp_module", config_name, "How to poll: a name in `modules: snmp:`.")


DEFAULTS = Table("defaults", DefaultKeys)


class KindKeys:
    """A kind of agency."""

    NAME = Field("name", text("the name"), "Name in Vietnamese.", required=True)
    NAME_EN = Field("name_en", text("the name in English"), "Name in English.", required=True)
    AREA = Field(
        "area",
        switch,
        "Agencies of this kind form an area: the district of themselves and all below.",
        default="false",
    )
    DEFAULTS = Field("defaults", DEFAULTS, "What holds for agencies that do not say otherwise.")


KIND = Table("kind", KindKeys)


class ProviderKeys:
    """A carrier."""

    NAME = Field("name", text("the name"), "Name of the carrier.", required=True)
    CONTACT = Field("contact", text("whom to call"), "Whom to call: desk and number.")


PROVIDER = Table("provider", ProviderKeys)


class UplinkKeys:
    """Which interface is the uplink. Exactly one key."""

    NAME = Field("name", text("an ifName"), "Its ifName, such as ether1.")
    ALIAS = Field("alias", text("an ifAlias"), "Its ifAlias, the description set on the router.")
    INDEX = Field("index", integer(1, 2**31 - 1, "an ifIndex"), "Its ifIndex; may change.")


UPLINK = Table("uplink", UplinkKeys, one_only=True)


class RouterKeys(RouterDefaultKeys):
    """An agency's device."""

    ADDRESS: Field[IPAddress] = Field("address", address, "Management address.", required=True)
    SNMP_PORT = Field("snmp_port", _port, "UDP port of its SNMP agent.", default="161")
    SSH_PORT = Field("ssh_port", _port, "TCP port of its SSH server.", default="22")
    UPLINK = Field("uplink", UPLINK, "Its uplink, where netmon finds the wrong one.")


ROUTER = Table(
    "router",
    RouterKeys,
    shorthand=RouterKeys.ADDRESS,
    elsewhere={"port": "write snmp_port or ssh_port"},
)


class LinkKeys(LinkDefaultKeys):
    """One circuit from the router to the centre."""

    ID = Field("id", identifier, "Id within the agency; without it, the role.")
    ROLE = Field("role", choice("primary", "backup"), "What it is for.", default="primary")
    ADDRESS: Field[IPAddress] = Field(
        "address", address, "Address that is pinged; without it, the router's."
    )
    ADDRESS6 = Field("address6", address6, "IPv6 address, pinged as well.")
    CIRCUIT = Field("circuit", text("the circuit's number"), "The carrier's number of the circuit.")


LINK = Table(
    "link",
    LinkKeys,
    elsewhere={"module": "write echo_module", "snmp": "write it under router"},
)


class AgencyKeys(LinkDefaultKeys):
    """An organisation on the network."""

    ID = Field("id", identifier, "Stable id: stays when the agency is renamed.", required=True)
    NAME = Field("name", text("the name"), "Name in Vietnamese.", required=True)
    KIND = Field("kind", identifier, "Kind of agency: a key of `kinds`.", required=True)
    PARENT = Field(
        "parent", identifier, "Agency whose site the traffic passes; none: the centre itself."
    )
    NAME_EN = Field("name_en", text("the name in English"), "Name in English.")
    FORMER_NAMES = Field(
        "former_names", ListOf(text(), "a list of names"), "Names before renaming or merging."
    )
    LATITUDE = Field("latitude", _latitude, "Degrees north.")
    LONGITUDE = Field("longitude", _longitude, "Degrees east.")
    LAN = Field("lan", switch, "Has a LAN; leave out if not known.")
    STAFF = Field("staff", _people, "Officials who work there.")
    MAILBOXES = Field("mailboxes", _people, "Mailboxes issued to them.")
    DOCUMENT_SYSTEM = Field(
        "document_system", switch, "Uses the document management system; leave out if not known."
    )
    CONTACT = Field("contact", text("whom to call"), "Whom to call there: desk and number.")
    ROUTER = Field("router", ROUTER, "Its device: an address, or a mapping.")
    SNMP_MODULE = DefaultKeys.SNMP_MODULE
    LINKS = Field(
        "links",
        ListOf(LINK, "a list of {id, role, address, …}"),
        "Its circuits; without them, one link `primary` at the router's address.",
    )


AGENCY = Table(
    "agency",
    AgencyKeys,
    elsewhere={
        "address": "write it as router, such as router: 10.86.20.5",
        "snmp": "write it under router, or in the defaults of the kind",
        "ssh": "write it under router, or in the defaults of the kind",
        "circuit": "write it in an entry of links",
        "district": "it follows from parent and the kinds with area: true",
    },
)

_ids = ListOf(PlacedForm(identifier), "a list of ids")


class PlannedKeys:
    """What is planned, and for whom. Selectors narrow each other; an absent one selects all."""

    REASON = Field("reason", text("the reason", 400), "What is done, for people.", required=True)
    AGENCIES = Field("agencies", _ids, "Only links of these agencies.")
    SUBTREE = Field("subtree", switch, "With all agencies below those named.", default="false")
    PROVIDERS = Field("providers", _ids, "Only circuits of these carriers.")
    LINKS = Field(
        "links",
        ListOf(PlacedForm(link_key), "a list of AGENCY/LINK"),
        "Only these links, written AGENCY/LINK.",
    )


class MaintenanceKeys(PlannedKeys):
    """Planned work, once."""

    ID = Field("id", identifier, "Id of the window.", required=True)
    FROM = Field("from", moment, "Begin: local time, or with an offset.", required=True)
    TO = Field("to", moment, "End: local time, or with an offset.", required=True)


class RecurringKeys(PlannedKeys):
    """Planned work of every week."""

    ID = Field("id", identifier, "Id of the work; each window is named ID@DATE.", required=True)
    WEEKDAYS = Field(
        "weekdays",
        ListOf(weekday, "a list of weekdays such as [sunday]", may_be_empty=False),
        "Days on which it begins.",
        required=True,
    )
    HOURS = Field("hours", daily, "Begin and end, local time.", required=True)
    SINCE = Field("since", day, "First day on which it may begin.")
    UNTIL = Field("until", day, "Last day on which it may begin.")


_SELECTORS = {"agency": "write agencies: [ID, …]", "provider": "write providers: [ID, …]"}

MAINTENANCE = Table("maintenance", MaintenanceKeys, elsewhere=_SELECTORS)
RECURRING = Table(
    "recurring maintenance",
    RecurringKeys,
    elsewhere={
        **_SELECTORS,
        "from": 'write the times as hours: "22:00-02:00", the first day as since',
        "to": 'write the times as hours: "22:00-02:00", the last day as until',
    },
)


class SharedKeys:
    """What an included file may hold too."""

    KINDS = Field(
        "kinds",
        MapOf(identifier, KIND, "a mapping of kinds, {department: {name, name_en}, …}"),
        "Kinds of agencies, with the defaults of each: levels are data, not code.",
    )
    PROVIDERS = Field(
        "providers",
        MapOf(identifier, PROVIDER, "a mapping of carriers, {vnpt: {name: VNPT}, …}"),
        "Carriers of circuits.",
    )
    MAINTENANCE = Field(
        "maintenance",
        ListOf(MAINTENANCE, "a list of {id, from, to, reason, …}"),
        "Planned work, one-off windows.",
    )
    RECURRING = Field(
        "recurring_maintenance",
        ListOf(RECURRING, "a list of {id, weekdays, hours, reason, …}"),
        "Planned work of every week.",
    )
    INCLUDE = Field(
        "include",
        ListOf(PlacedForm(text("a path", 1000)), "a list of paths such as districts/*.yaml"),
        "Further files of agencies, relative to this one; '*' in the file's name is allowed.",
    )
    AGENCIES = Field(
        "agencies",
        ListOf(AGENCY, "a list of agencies, each {id, name, kind, parent, router, …}"),
        "The agencies. Kept last in the file, so that one is added by a line at its end.",
    )


class InventoryKeys(SharedKeys):
    """The whole file."""

    PROVINCE = Field(
        "province",
        Table("province", ProvinceKeys),
        "The province.",
        required=True,
    )
    CENTRE = Field(
        "centre",
        Table("centre", CentreKeys),
        "The data integration centre, where netmon runs and every link ends.",
        required=True,
    )


INVENTORY = Table("inventory", InventoryKeys)
INCLUDED = Table(
    "included file",
    SharedKeys,
    elsewhere={
        "province": "it stands in the file that includes this one",
        "centre": "it stands in the file that includes this one",
    },
)

"""What config/netmon.yaml and config/calendar.yaml may say: every key declared once."""

from __future__ import annotations

from netmon.config.alerting_fields import AlertingKeys
from netmon.config.fields import Field, Table
from netmon.config.forms import ListOf, MapOf, PlacedForm
from netmon.config.secret_form import SecretForm
from netmon.config.texts import (
    address4,
    address6,
    choice,
    config_name,
    listen_address,
    switch,
    text,
)
from netmon.config.times import day, nightly, span, weekday, year, zone
from netmon.config.units import days, duration, integer, rate, size

_path = text("a path", 1000)


class EchoModuleKeys:
    """How a link is pinged."""

    INTERVAL = Field(
        "interval", duration("100ms", "1h", "1s"), "Time between echoes.", default="1s"
    )
    TIMEOUT = Field(
        "timeout", duration("10ms", "1m", "1s"), "After this an echo is lost.", default="1s"
    )
    SIZE = Field(
        "size", integer(16, 65_000, "bytes"), "ICMP payload in bytes, as ping -s.", default="56"
    )
    DSCP = Field("dscp", integer(0, 63, "a DSCP"), "Differentiated services.", default="0")
    DONT_FRAGMENT = Field(
        "dont_fragment", switch, "Set DF, to find too small an MTU.", default="false"
    )
    SOURCE_IPV4 = Field("source_ipv4", address4, "Source address of IPv4 echoes.")
    SOURCE_IPV6 = Field("source_ipv6", address6, "Source address of IPv6 echoes.")


class SnmpModuleKeys:
    """How a router is polled."""

    INTERVAL = Field("interval", duration("1s", "1d", "60s"), "Time between polls.", default="60s")
    TIMEOUT = Field("timeout", duration("100ms", "1m", "2s"), "Time for one answer.", default="2s")
    RETRIES = Field("retries", integer(0, 10, "retries"), "Tries after the first.", default="1")
    MAX_REPETITIONS = Field(
        "max_repetitions", integer(1, 100, "rows"), "Rows asked for at once.", default="25"
    )


class ModulesKeys:
    """Named probe settings. A module `default` is always there."""

    ECHO = Field(
        "echo",
        MapOf(config_name, Table("echo module", EchoModuleKeys), "{NAME: {interval, …}}"),
        "How links are pinged.",
    )
    SNMP = Field(
        "snmp",
        MapOf(config_name, Table("SNMP module", SnmpModuleKeys), "{NAME: {interval, …}}"),
        "How routers are polled.",
    )


class SnmpCredentialKeys:
    """How to ask routers over SNMP."""

    VERSION = Field("version", choice("1", "2c", "3"), "SNMP version.", required=True)
    COMMUNITY = Field(
        "community", SecretForm("NETMON_SNMP_COMMUNITY"), "Community of versions 1 and 2c."
    )
    USER = Field("user", text("a user name", 32), "User of version 3.")
    AUTH_PROTOCOL = Field(
        "auth_protocol",
        choice("MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"),
        "Authentication of version 3 (RFC 3414, RFC 7860).",
    )
    AUTH_PASSWORD = Field("auth_password", SecretForm("NETMON_SNMP_AUTH"), "Its password.")
    PRIV_PROTOCOL = Field(
        "priv_protocol",
        choice("DES", "AES", "AES-192", "AES-256", "AES-192-C", "AES-256-C"),
        "Privacy of version 3 (RFC 3414, RFC 3826); -C: with keys made as Cisco makes them.",
    )
    PRIV_PASSWORD = Field("priv_password", SecretForm("NETMON_SNMP_PRIV"), "Its password.")
    CONTEXT = Field("context", text("a context name", 32), "Context of version 3.")


class SshCredentialKeys:
    """How to log in to routers over SSH."""

    USER = Field("user", text("a user name", 64), "User name.", required=True)
    PASSWORD = Field("password", SecretForm("NETMON_SSH_PASSWORD"), "Password.")
    KEY_FILE = Field("key_file", _path, "Private key, relative to this file.")
    ENABLE_PASSWORD = Field(
        "enable_password", SecretForm("NETMON_SSH_ENABLE"), "Password of the privileged mode."
    )


class CredentialsKeys:
    """Credentials by name. Secrets are named by where they lie, never written here."""

    SNMP = Field(
        "snmp",
        MapOf(config_name, Table("SNMP credential", SnmpCredentialKeys), "{NAME: {version, …}}"),
        "SNMP credentials.",
    )
    SSH = Field(
        "ssh",
        MapOf(config_name, Table("SSH credential", SshCredentialKeys), "{NAME: {user, …}}"),
        "SSH credentials.",
    )


class JudgeKeys:
    """What the operator decides about judging."""

    FALSE_ALARMS = Field(
        "false_alarms",
        rate("per link-year", 0.0001, 1000),
        "False outages of one link that are accepted.",
        default="1 per link-year",
    )
    BURST = Field(
        "burst",
        rate("per second", 0.1, 100),
        "Confirming echoes for a link that has just lost one.",
        default="5 per second",
    )
    FAULTS_UNTIL_UNOBSERVED = Field(
        "faults_until_unobserved",
        integer(1, 1000, "send faults"),
        "So many of our own send faults in a row make a link unobserved.",
        default="3",
    )
    LOSS_WINDOW = Field(
        "loss_window",
        integer(10, 100_000, "echoes"),
        "Echoes over which loss is judged for `degraded`.",
        default="60",
    )
    NEW_LINKS = Field(
        "new_links",
        choice("careful", "swift"),
        "How a link is judged of which nobody knows yet how it loses echoes: careful keeps the "
        "declared false alarms from the first echo on, and takes half a minute at first; swift "
        "decides in 3 seconds, also where the line is only bursty.",
        default="careful",
    )


class StorageKeys:
    """Where the ledger lies."""

    PATH = Field("path", _path, "SQLite file, relative to this file.", required=True)
    RETENTION = Field("retention", days(36_500), "How long details are kept.", default="1100d")


class VisitsKeys:
    """The nightly round over SSH: facts and configurations of routers that have a credential."""

    PATH = Field(
        "path",
        _path,
        "Directory of configurations and pinned host keys, relative to this file "
        "(default: routers, beside the ledger).",
    )
    AT = Field("at", nightly, "Local time at which the round begins, or never.", default="01:00")
    SPLAY = Field(
        "splay", duration("0s", "12h", "2h"), "Time over which the visits are spread.", default="2h"
    )
    THREADS = Field("threads", integer(1, 64, "threads"), "Routers visited at a time.", default="8")
    DEADLINE = Field(
        "deadline", duration("5s", "1h", "120s"), "Time for one router, in all.", default="120s"
    )


class WebKeys:
    """The page and the metrics."""

    LISTEN_ADDRESS = Field(
        "listen_address", listen_address, "Where to listen.", default="127.0.0.1:9877"
    )
    LANGUAGE = Field("language", choice("vi", "en"), "Language of the page.", default="vi")


class SnmpTrapsKeys:
    """Where traps and informs of routers are received."""

    LISTEN_ADDRESS = Field(
        "listen_address", listen_address, "Where routers send them.", default="0.0.0.0:162"
    )
    COMMUNITIES = Field(
        "communities",
        ListOf(
            PlacedForm(SecretForm("NETMON_TRAP_COMMUNITY")),
            "a list of communities, [{env: NETMON_TRAP_COMMUNITY}, …]",
            may_be_empty=False,
        ),
        "Communities that are listened to; traps with others are ignored.",
    )
    CREDENTIALS = Field(
        "credentials",
        ListOf(PlacedForm(config_name), "a list of names, [main, …]", may_be_empty=False),
        "SNMP credentials of version 3 whose users may send, by name.",
    )


class SettingsKeys:
    """The whole file."""

    INVENTORY = Field("inventory", _path, "The inventory, relative to this file.", required=True)
    INVENTORY_MAX_SIZE = Field(
        "inventory_max_size", size(10_000, 100_000_000), "Largest file read.", default="8 MB"
    )
    CALENDAR = Field("calendar", PlacedForm(_path), "The working calendar, relative to this file.")
    STORAGE = Field("storage", Table("storage", StorageKeys), "The ledger.", required=True)
    VISITS = Field("visits", Table("visits", VisitsKeys), "The nightly round over SSH.")
    WEB = Field("web", Table("web", WebKeys), "The page and the metrics.")
    JUDGE = Field("judge", Table("judge", JudgeKeys), "How evidence becomes a decision.")
    MODULES = Field("modules", Table("modules", ModulesKeys), "Named probe settings.")
    CREDENTIALS = Field(
        "credentials", Table("credentials", CredentialsKeys), "Credentials by name."
    )
    SNMP_TRAPS = Field(
        "snmp_traps",
        Table("snmp_traps", SnmpTrapsKeys),
        "Traps: a router that sends one is looked at on the spot. Left out: nothing listens.",
    )
    PROFILES = Field(
        "profiles",
        PlacedForm(_path),
        "Folder of SNMP profiles (*.yaml) of your own, relative to this file.",
    )
    ALERTING = Field(
        "alerting", Table("alerting", AlertingKeys), "How alerts become pages: who is told what."
    )


SETTINGS = Table(
    "settings",
    SettingsKeys,
    elsewhere={
        "agencies": "agencies stand in the inventory; name its file under inventory",
        "include": "only an inventory is split into files",
    },
)


class SwapKeys:
    """A day off that is worked on another day."""

    OFF = Field("off", day, "Working day that is free.", required=True)
    WORKED = Field("worked", day, "Free day that is worked in its place.", required=True)


class HolidayKeys:
    """A public holiday."""

    NAME = Field("name", text("the name"), "Name of the holiday.", required=True)
    DAYS = Field("days", ListOf(PlacedForm(day), "a list of dates"), "Its days.", required=True)


class YearKeys:
    """One year of the calendar."""

    SOURCE = Field(
        "source", text("where it is written", 1000), "Where it is written.", required=True
    )
    CONFIRMED = Field(
        "confirmed", switch, "false: the notice for this year is not out yet.", default="true"
    )
    HOLIDAYS = Field(
        "holidays",
        ListOf(Table("holiday", HolidayKeys), "a list of {name, days}"),
        "Public holidays, with the days off in place of those that fall on a weekend.",
    )
    SWAPS = Field(
        "swaps",
        ListOf(Table("swap", SwapKeys), "a list of {off, worked}"),
        "Working days exchanged for free days.",
    )


class CalendarKeys:
    """The working calendar."""

    TIMEZONE = Field("timezone", zone, "Zone of the hours.", default="Asia/Ho_Chi_Minh")
    HOURS = Field(
        "hours",
        ListOf(PlacedForm(span), 'a list of spans such as "07:30-11:30"'),
        "Working hours of a working day, in order.",
        required=True,
    )
    WEEKDAYS = Field(
        "weekdays", ListOf(weekday, "a list of weekdays"), "Working weekdays.", required=True
    )
    YEARS = Field(
        "years",
        MapOf(year, Table("year", YearKeys), "{2025: {source, holidays, swaps}, …}"),
        "Holidays and swaps, a year each.",
    )


CALENDAR = Table("calendar", CalendarKeys)

"""The daemon's settings as values: what config/netmon.yaml says, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from netmon.judge.calendar import Calendar
from netmon.judge.policy import Policy


class SecretSource(StrEnum):
    """Where a secret may lie; never in a YAML file."""

    FILE = "file"
    ENVIRONMENT = "env"
    CREDENTIAL = "credential"
    """systemd: a file of that name in $CREDENTIALS_DIRECTORY."""


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Names a secret; its value is read by `netmon.config.secrets` when it is needed."""

    source: SecretSource
    name: str

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"


@dataclass(frozen=True, slots=True)
class SnmpCredential:
    """How to ask routers over SNMP. `version` is "1", "2c" or "3"."""

    version: str
    community: SecretReference | None = None
    user: str = ""
    auth_protocol: str = ""
    """MD5, SHA, SHA-224, SHA-256, SHA-384 or SHA-512; empty: noAuth."""
    auth_password: SecretReference | None = None
    priv_protocol: str = ""
    """DES, AES, AES-192, AES-256, or with Cisco's keys AES-192-C, AES-256-C; empty: noPriv."""
    priv_password: SecretReference | None = None
    context: str = ""


@dataclass(frozen=True, slots=True)
class SshCredential:
    """How to log in to routers over SSH."""

    user: str
    password: SecretReference | None = None
    key_file: Path | None = None
    enable_password: SecretReference | None = None


@dataclass(frozen=True, slots=True)
class EchoModule:
    """How a link is pinged. `size_bytes` is the ICMP payload, as ping's -s."""

    name: str
    interval_seconds: float = 1.0
    timeout_seconds: float = 1.0
    size_bytes: int = 56
    dscp: int = 0
    dont_fragment: bool = False
    source_ipv4: IPv4Address | None = None
    source_ipv6: IPv6Address | None = None


@dataclass(frozen=True, slots=True)
class SnmpModule:
    """How a router is polled."""

    name: str
    interval_seconds: float = 60.0
    timeout_seconds: float = 2.0
    retries: int = 1
    max_repetitions: int = 25


@dataclass(frozen=True, slots=True)
class SnmpTraps:
    """Where traps of routers are received, and from whom."""

    listen_address: str
    communities: tuple[SecretReference, ...] = ()
    credentials: tuple[SnmpCredential, ...] = ()
    """Of version 3: their users may send."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the ledger lies and how long details are kept."""

    path: Path
    retention_days: int = 1100
    """Three years: a contract's term and its dispute."""


@dataclass(frozen=True, slots=True)
class RouterVisits:
    """The nightly round over SSH: facts and configurations of all routers."""

    path: Path
    """Directory of the configurations, the pinned host keys and what was seen last."""
    at_minutes: int | None = 60
    """Local minutes after midnight when it begins; None: never by itself."""
    splay_seconds: float = 7200.0
    """The visits are spread over this time."""
    threads: int = 8
    deadline_seconds: float = 120.0
    """For one router, from the first packet to the last."""


@dataclass(frozen=True, slots=True)
class Web:
    """The page and the metrics."""

    listen_address: str = "127.0.0.1:9877"
    language: str = "vi"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who is told of an alert, and how."""

    name: str
    emails: tuple[str, ...] = ()
    webhooks: tuple[str, ...] = ()
    """Programs that take Alertmanager's JSON."""
    gateways: tuple[str, ...] = ()
    """Names of gateways that `netmon relay` calls."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway for SMS or chat, as its owner wants to be called.

    `{text}` in `url` and `body` is the short text, `{secret}` there and in `authorization` the
    secret.
    """

    name: str
    url: str
    body: str = ""
    """Empty: it is called with GET."""
    content_type: str = "application/json"
    authorization: str = ""
    secret: SecretReference | None = None
    form: str = "gsm"
    """"gsm": letters that every telephone has, without accents; or "unicode"."""
    longest: int = 160


@dataclass(frozen=True, slots=True)
class AlertRoute:
    """Which alerts a receiver gets. An empty selector selects all; several narrow each other."""

    receiver: str
    kinds: tuple[str, ...] = ()
    """Kinds of agencies."""
    areas: tuple[str, ...] = ()
    """Agencies that form an area: alerts of it and of all below."""
    providers: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    hours: str = "always"
    """"business", "other" or "always"."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """How alerts become pages: what the Prometheus rules and Alertmanager are made from."""

    page_after_seconds: float = 30.0
    ticket_after_seconds: float = 300.0
    group_wait_seconds: float = 30.0
    group_interval_seconds: float = 60.0
    repeat_seconds: float = 14_400.0
    runbooks: str = "https://netmon.example/runbooks"
    smarthost: str = "localhost:25"
    mail_from: str = "netmon@localhost"
    drill_webhook: str = "http://127.0.0.1:9877/-/drill"
    relay_address: str = "127.0.0.1:9878"
    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    """The first is told of what no route selects."""
    routes: tuple[AlertRoute, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All of config/netmon.yaml. Paths are absolute or relative to the working directory."""

    inventory: Path
    storage: Storage
    calendar: Calendar
    web: Web = field(default=Web())
    policy: Policy = field(default=Policy())
    echo_modules: Mapping[str, EchoModule] = field(default_factory=dict)
    snmp_modules: Mapping[str, SnmpModule] = field(default_factory=dict)
    snmp_credentials: Mapping[str, SnmpCredential] = field(default_factory=dict)
    ssh_credentials: Mapping[str, SshCredential] = field(default_factory=dict)
    visits: RouterVisits | None = None
    """None: `router_visits`."""
    inventory_max_bytes: int = 8_000_000
    """The largest file of the inventory that is read."""
    alerting: Alerting = field(default=Alerting())
    snmp_traps: SnmpTraps | None = None
    """None: nothing listens."""
    profiles: Path | None = None
    """The folder of the operator's own SNMP profiles."""

    @property
    def router_visits(self) -> RouterVisits:
        """How routers are visited; without a word about it, beside the ledger."""
        return self.visits or RouterVisits(self.storage.path.parent / "routers")

"""What the `alerting` section of config/netmon.yaml may say: every key declared once."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from netmon.config.fields import Field, Table
from netmon.config.forms import ListOf, MapOf, PlacedForm, Refusal, Scalar
from netmon.config.texts import choice, config_name, identifier
from netmon.config.units import duration
from netmon.config.words import quoted

_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")
_SMARTHOST = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}|\[[0-9A-Fa-f:]+\]:\d{1,5}")


def _convert_url(written: str) -> str:
    parts = urlsplit(written)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not written.isprintable():
        raise Refusal(f"{quoted(written)} is no URL: write one such as https://host.example/path")
    if parts.password is not None:
        raise Refusal(
            f"the URL of {parts.hostname} holds a password: secrets are not written here; "
            "let the relay know Alertmanager by its address"
        )
    return written.rstrip("/")


url = Scalar(
    _convert_url,
    "a URL such as https://host.example/path",
    {"type": "string", "pattern": "^https?://"},
)


def _convert_mail(written: str) -> str:
    if _MAIL.fullmatch(written):
        return written
    raise Refusal(f"{quoted(written)} is no mail address: write one such as noc@province.example")


mail = Scalar(
    _convert_mail,
    "a mail address such as noc@province.example",
    {"type": "string", "pattern": f"^{_MAIL.pattern}$"},
)


def _convert_smarthost(written: str) -> str:
    if _SMARTHOST.fullmatch(written):
        return written
    raise Refusal(f"{quoted(written)} is no mail server: write HOST:PORT, such as localhost:25")


smarthost = Scalar(
    _convert_smarthost,
    "a mail server such as localhost:25",
    {"type": "string", "pattern": f"^(?:{_SMARTHOST.pattern})$"},
)


class ReceiverKeys:
    """Who is told, and how."""

    EMAIL = Field("email", ListOf(mail, "a list of mail addresses"), "Mail addresses.")
    WEBHOOK = Field(
        "webhook",
        ListOf(url, "a list of URLs"),
        "Relays to an SMS gateway, to Zalo and the like: they get Alertmanager's JSON.",
    )


class RouteKeys:
    """Which alerts a receiver gets; what is left out selects all."""

    RECEIVER = Field("receiver", PlacedForm(config_name), "A name in `receivers`.", required=True)
    KINDS = Field(
        "kinds", ListOf(PlacedForm(identifier), "a list of kinds"), "Of agencies of these kinds."
    )
    AREAS = Field(
        "areas",
        ListOf(PlacedForm(identifier), "a list of agencies"),
        "Of these agencies, which form an area, and of all below them.",
    )
    PROVIDERS = Field(
        "providers",
        ListOf(PlacedForm(identifier), "a list of carriers"),
        "Of circuits of these carriers.",
    )
    SEVERITIES = Field(
        "severities",
        ListOf(choice("critical", "warning", "info"), "a list of severities"),
        "critical: somebody must act now; warning: on the next working day; info: to know.",
    )
    HOURS = Field(
        "hours",
        choice("always", "business", "other"),
        "When: in the calendar's working hours, outside of them, or always.",
        default="always",
    )


class AlertingKeys:
    """How alerts become pages. `netmon export` makes the files of Alertmanager from it."""

    PAGE_AFTER = Field(
        "page_after",
        duration("1s", "1h", "30s"),
        "An agency is paged after it has been down so long.",
        default="30s",
    )
    TICKET_AFTER = Field(
        "ticket_after",
        duration("1s", "1d", "5m"),
        "What needs no page is told after it has lasted so long.",
        default="5m",
    )
    GROUP_WAIT = Field(
        "group_wait",
        duration("1s", "10m", "30s"),
        "Wait for the alert that explains others: two scrapes at least.",
        default="30s",
    )
    GROUP_INTERVAL = Field(
        "group_interval",
        duration("1s", "1h", "1m"),
        "Time between two messages about the same.",
        default="1m",
    )
    REPEAT = Field(
        "repeat", duration("1s", "7d", "4h"), "When an alert that goes on is told again.",
        default="4h",
    )  # fmt: skip
    RUNBOOKS = Field(
        "runbooks",
        url,
        "Where docs/runbooks is published.",
        default="https://netmon.example/runbooks",
    )
    SMARTHOST = Field("smarthost", smarthost, "Mail server.", default="localhost:25")
    MAIL_FROM = Field("mail_from", mail, "Sender of mail.", default="netmon@localhost")
    DRILL_WEBHOOK = Field(
        "drill_webhook",
        url,
        "Where Alertmanager reports to netmon that a drill was delivered.",
        default="http://127.0.0.1:9877/-/drill",
    )
    RECEIVERS = Field(
        "receivers",
        MapOf(config_name, Table("receiver", ReceiverKeys), "{NAME: {email, webhook}}"),
        "Who can be told. The first is told of what no route selects.",
    )
    ROUTES = Field(
        "routes",
        ListOf(Table("alert route", RouteKeys), "a list of {receiver, kinds, areas, …}"),
        "Who is told what; every route that selects an alert delivers it.",
    )

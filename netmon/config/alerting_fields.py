"""What the `alerting` section of config/netmon.yaml may say: every key declared once."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from netmon.config.fields import Field, Table
from netmon.config.forms import ListOf, MapOf, PlacedForm, Refusal, Scalar
from netmon.config.secret_form import SecretForm
from netmon.config.texts import choice, config_name, identifier, listen_address, text
from netmon.config.units import duration, integer
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
        "Programs that take Alertmanager's JSON.",
    )
    GATEWAY = Field(
        "gateway",
        ListOf(PlacedForm(config_name), "a list of gateways"),
        "Names in `gateways`: `netmon relay` sends them a short text.",
    )


class GatewayKeys:
    """How a gateway for SMS or chat is called. `{text}` is the text, `{secret}` the secret."""

    URL = Field("url", url, "Where it is called; may hold {text} and {secret}.", required=True)
    BODY = Field(
        "body",
        text("a text with {text} in it", most=4000),
        "What is posted to it. Left out: it is called with GET.",
    )
    CONTENT_TYPE = Field(
        "content_type",
        choice("application/json", "application/x-www-form-urlencoded", "text/plain"),
        "What the body is: {text} is escaped accordingly.",
        default="application/json",
    )
    AUTHORIZATION = Field(
        "authorization",
        text("a header's value such as Bearer {secret}", most=200),
        "The header Authorization.",
    )
    SECRET = Field("secret", SecretForm("SMS_SECRET"), "What {secret} stands for.")
    FORM = Field(
        "text",
        choice("gsm", "unicode"),
        "gsm: without accents, in letters that every telephone has; unicode: as it is.",
        default="gsm",
    )
    LONGEST = Field(
        "longest",
        integer(70, 2000, "a number of letters"),
        "What is longer is cut: an SMS holds 160 letters of gsm, or 70 of unicode.",
        default="160",
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
    RELAY_ADDRESS = Field(
        "relay_address",
        listen_address,
        "Where `netmon relay` listens, and Alertmanager finds it.",
        default="127.0.0.1:9878",
    )
    GATEWAYS = Field(
        "gateways",
        MapOf(config_name, Table("gateway", GatewayKeys), "{NAME: {url, body, …}}"),
        "Gateways for SMS and chat that `netmon relay` calls.",
    )
    RECEIVERS = Field(
        "receivers",
        MapOf(config_name, Table("receiver", ReceiverKeys), "{NAME: {email, webhook, gateway}}"),
        "Who can be told. The first is told of what no route selects.",
    )
    ROUTES = Field(
        "routes",
        ListOf(Table("alert route", RouteKeys), "a list of {receiver, kinds, areas, …}"),
        "Who is told what; every route that selects an alert delivers it.",
    )

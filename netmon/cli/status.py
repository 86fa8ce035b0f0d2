"""`netmon status`: what the running daemon sees now."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table

from netmon.errors import CapabilityError
from netmon.messages import Catalogue
from netmon.model import State

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from netmon.cli.options import Commands

_DEFAULT_URL = "http://127.0.0.1:9877"
_TIMEOUT_SECONDS = 10
_MILLISECOND, _LEAST_SECONDS = 0.001, 0.000_01
_STYLES = {
    State.UP: "green",
    State.DEGRADED: "yellow",
    State.DOWN: "bold red",
    State.UNREACHABLE: "magenta",
    State.MAINTENANCE: "cyan",
}


class Language(NamedTuple):
    """The catalogue in one language."""

    words: Catalogue
    name: str

    def text(self, key: str, **values: object) -> str:
        """Return a text of the catalogue."""
        return self.words.text(self.name, key, **values)


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "status", help="what the running daemon sees; exit 1 if any is down"
    )
    parser.add_argument(
        "--url", default=_DEFAULT_URL, help=f"of the daemon (default {_DEFAULT_URL})"
    )
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    parser.add_argument("--all", action="store_true", help="every link, not only those in trouble")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.set_defaults(command=_status)


def _status(options: argparse.Namespace) -> int:
    text = _fetch(options.url.rstrip("/") + "/api/v1/status")
    status = json.loads(text)
    if options.format == "json":
        print(text)
    else:
        _print_tables(status, options)
    return int(status["links_by_state"][State.DOWN] > 0)


def _fetch(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        message = f"--url {url}: write it as http://HOST:PORT"
        raise CapabilityError(message)
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310  # checked above
            body: bytes = answer.read()
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        message = f"{url}: {reason}; is the daemon running? Name another with --url"
        raise CapabilityError(message) from error
    return body.decode()


def _print_tables(status: dict[str, Any], options: argparse.Namespace) -> None:
    console, words = Console(), Catalogue.load()
    zone = ZoneInfo(status["province"]["timezone"])
    at = datetime.fromisoformat(status["at"])
    console.print(
        f"[bold]{status['province']['name']}[/] · {at.astimezone(zone):%Y-%m-%d %H:%M:%S %z} · "
        + " · ".join(
            f"{words.text(options.lang, f'state.{state}')}: {count}"
            for state, count in status["links_by_state"].items()
            if count
        ),
        highlight=False,
    )
    for text in (
        status["netmon"]["notice"].get(options.lang),
        status["netmon"]["reload_message"],
        status["netmon"]["ledger_message"],
    ):
        if text:
            console.print(f"! {text}", style="yellow", markup=False)
    lang = Language(words, options.lang)
    table = _table(lang)
    for agency in status["agencies"]:
        for link in agency["links"]:
            if options.all or link["state"] != State.UP:
                table.add_row(*_row(agency, link, at.astimezone(zone), lang))
    console.print(table if table.row_count else lang.text("cli.all_up"))


def _table(lang: Language) -> Table:
    table = Table(header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(lang.text("cli.agency"), overflow="fold")
    table.add_column(lang.text("cli.state"))
    for key in ("cli.since", "cli.duration", "cli.rtt", "cli.loss"):
        table.add_column(lang.text(key), justify="right", no_wrap=True)
    return table


def _row(agency: dict[str, Any], link: dict[str, Any], now: datetime, lang: Language) -> list[str]:
    state = State(link["state"])
    since = None if link["since"] is None else datetime.fromisoformat(link["since"])
    rtts = [echo["rtt_seconds"] for echo in link["echoes"] if echo["rtt_seconds"] is not None]
    style = _STYLES.get(state, "")
    text = lang.text(f"state.{state}")
    details = [f"{agency['id']}/{link['id']}", *_evidence(link, now, lang)]
    return [
        f"{_escaped(agency['name'])}\n[dim]{_escaped(' · '.join(details))}[/]",
        f"[{style}]{text}[/]" if style else text,
        "" if since is None else _when(since.astimezone(now.tzinfo), now),
        "" if since is None else duration(now - since),
        milliseconds(min(rtts)) if rtts else "",
        "" if link["loss_ratio"] is None else f"{link['loss_ratio']:.1%}",
    ]


def _evidence(link: dict[str, Any], now: datetime, lang: Language) -> Iterable[str]:
    """Yield what speaks for an outage, or is wrong with a family, in the reader's language."""
    outage = link["outage"] or {}
    if outage.get("error"):
        error = lang.text(f"echo_error.{outage['error']}")
        offender = outage["offender"]
        yield lang.text("evidence.reported", offender=offender, error=error) if offender else error
    elif outage.get("sent"):
        yield lang.text("evidence.lost", lost=outage["lost"], sent=outage["sent"])
    if outage.get("path_end"):
        yield lang.text("evidence.path_end", hop=outage["path_end"])
    for echo in link["echoes"]:
        if echo["silent_since"] is not None:
            family = f"IPv{ip_address(echo['address']).version}"
            since = datetime.fromisoformat(echo["silent_since"]).astimezone(now.tzinfo)
            yield f"{lang.text('page.silent_family', family=family)} {_when(since, now)}"


def _when(since: datetime, now: datetime) -> str:
    """Return a time in as few letters as can be told from others: the line above has the offset."""
    if since.date() == now.date():
        return f"{since:%H:%M:%S}"
    return f"{since:%m-%d %H:%M:%S}" if since.year == now.year else f"{since:%Y-%m-%d %H:%M}"


def duration(length: timedelta) -> str:
    """Return a length of time as people read it: "2d 03:04:05" or "03:04:05"."""
    seconds = max(0, round(length.total_seconds()))
    days, seconds = divmod(seconds, 86_400)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{days}d {clock}" if days else clock


def milliseconds(seconds: float) -> str:
    """Return a round-trip time: that of a near router is not rounded to nothing."""
    if seconds < _LEAST_SECONDS:
        return "< 0.01 ms"
    return f"{seconds * 1000:.{1 if seconds >= _MILLISECOND else 2}f} ms"


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")

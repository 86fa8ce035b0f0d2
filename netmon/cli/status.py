"""`netmon status`: what the running daemon sees now."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from netmon.errors import CapabilityError
from netmon.messages import Catalogue
from netmon.model import State

if TYPE_CHECKING:
    import argparse

    from netmon.cli.options import Commands

_DEFAULT_URL = "http://127.0.0.1:9877"
_TIMEOUT_SECONDS = 10
_STYLES = {
    State.UP: "green",
    State.DEGRADED: "yellow",
    State.DOWN: "bold red",
    State.UNREACHABLE: "magenta",
    State.MAINTENANCE: "cyan",
}


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
    return int(bool(status["down"]))


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
    table = _table(words, options.lang)
    for agency in status["agencies"]:
        for link in agency["links"]:
            if options.all or link["state"] != State.UP:
                table.add_row(*_row(agency, link, at, zone, words=words, lang=options.lang))
    if table.row_count:
        console.print(table)
    else:
        console.print(words.text(options.lang, "cli.all_up"))


def _table(words: Catalogue, lang: str) -> Table:
    table = Table(header_style="bold")
    for key in ("cli.agency", "cli.link", "cli.state", "cli.since"):
        table.add_column(words.text(lang, key))
    for key in ("cli.duration", "cli.rtt", "cli.loss"):
        table.add_column(words.text(lang, key), justify="right")
    table.add_column(words.text(lang, "cli.evidence"), overflow="fold")
    return table


def _row(  # a row needs its agency, its link, the time and the language
    agency: dict[str, Any],
    link: dict[str, Any],
    at: datetime,
    zone: ZoneInfo,
    *,
    words: Catalogue,
    lang: str,
) -> list[str]:
    state = State(link["state"])
    since = None if link["since"] is None else datetime.fromisoformat(link["since"])
    rtts = [echo["rtt_seconds"] for echo in link["echoes"] if echo["rtt_seconds"] is not None]
    outage = link["outage"] or {}
    style = _STYLES.get(state, "")
    text = words.text(lang, f"state.{state}")
    return [
        _escaped(agency["name"]),
        link["id"],
        f"[{style}]{text}[/]" if style else text,
        "" if since is None else f"{since.astimezone(zone):%Y-%m-%d %H:%M:%S %z}",
        "" if since is None else duration(at - since),
        f"{min(rtts) * 1000:.1f} ms" if rtts else "",
        "" if link["loss_ratio"] is None else f"{link['loss_ratio']:.1%}",
        _escaped(outage.get("path_end") or outage.get("evidence") or "")
        or _silent_families(link, zone, words, lang),
    ]


def _silent_families(link: dict[str, Any], zone: ZoneInfo, words: Catalogue, lang: str) -> str:
    silent = [echo for echo in link["echoes"] if echo.get("silent_since")]
    return "; ".join(
        f"{words.text(lang, 'page.silent_family', family=_family(echo['address']))} "
        f"{datetime.fromisoformat(echo['silent_since']).astimezone(zone):%Y-%m-%d %H:%M:%S}"
        for echo in silent
    )


def _family(address: str) -> str:
    return f"IPv{ip_address(address).version}"


def duration(length: timedelta) -> str:
    """Return a length of time as people read it: "2d 03:04:05" or "03:04:05"."""
    seconds = max(0, round(length.total_seconds()))
    days, seconds = divmod(seconds, 86_400)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{days}d {clock}" if days else clock


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")

"""`netmon drill`: a marked page through the whole path, and how long it took."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from netmon.cli import FINDINGS
from netmon.errors import CapabilityError
from netmon.messages import Catalogue

if TYPE_CHECKING:
    import argparse

    from netmon.cli.options import Commands

_DEFAULT_URL = "http://127.0.0.1:9877"
_TIMEOUT_SECONDS = 10
_ASK_AGAIN_SECONDS = 0.2


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "drill", help="raise a marked page for an agency; exit 1 if it is not delivered"
    )
    parser.add_argument("agency", help="its id")
    parser.add_argument(
        "--url", default=_DEFAULT_URL, help=f"of the daemon (default {_DEFAULT_URL})"
    )
    parser.add_argument(
        "--alertmanager", metavar="URL", help="tell also when the alert has come so far"
    )
    parser.add_argument("--seconds", type=int, default=120, help="how long the drill lasts")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds to wait for it")
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    parser.set_defaults(command=_drill)


def _drill(options: argparse.Namespace) -> int:
    words, url = Catalogue.load(), options.url.rstrip("/") + "/-/drill"

    def say(key: str, **values: object) -> None:
        print(words.text(options.lang, key, **values), flush=True)

    _ask(f"{url}?{urlencode({'agency': options.agency, 'seconds': options.seconds})}", "POST")
    begun = time.monotonic()
    say("cli.drill_raised", agency=options.agency)
    passing: str | None = options.alertmanager
    while time.monotonic() < begun + options.patience:
        if passing is not None and _has_come(passing, options.agency):
            say("cli.drill_alertmanager", seconds=f"{time.monotonic() - begun:.1f}")
            passing = None
        seconds = _delivered_seconds(url, options.agency)
        if seconds is not None:
            say("cli.drill_delivered", seconds=f"{seconds:.1f}")
            return 0
        time.sleep(_ASK_AGAIN_SECONDS)
    say("cli.drill_lost", seconds=f"{options.patience:.0f}")
    return FINDINGS


def _delivered_seconds(url: str, agency: str) -> float | None:
    drills: list[dict[str, Any]] = json.loads(_ask(url))
    return next((each["delivered_seconds"] for each in drills if each["agency"] == agency), None)


def _has_come(alertmanager: str, agency: str) -> bool:
    matchers = [("filter", 'alertname="NetmonDrill"'), ("filter", f'agency="{agency}"')]
    return bool(json.loads(_ask(f"{alertmanager.rstrip('/')}/api/v2/alerts?{urlencode(matchers)}")))


def _ask(url: str, method: str = "GET") -> bytes:
    if not url.startswith(("http://", "https://")):
        message = f"{url}: write it as http://HOST:PORT"
        raise CapabilityError(message)
    request = urllib.request.Request(url, method=method)  # noqa: S310  # checked above
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310  # the same
            body: bytes = answer.read()
    except urllib.error.HTTPError as error:
        message = f"{url}: {error.read().decode(errors='replace').strip()}"
        raise CapabilityError(message) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        message = f"{url}: {getattr(error, 'reason', error)}; is it running?"
        raise CapabilityError(message) from error
    return body

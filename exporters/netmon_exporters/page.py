"""`/`, `/agency/…` and `/api/v1/status`: the network as people look at it."""

from __future__ import annotations

from http import HTTPStatus
from importlib import resources
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from netmon.clock import Clock, SystemClock
from netmon.inventory.coverage import coverage
from netmon.messages import LANGUAGES, Catalogue
from netmon.web import Handler, Request, Response
from netmon_exporters.groups import groups
from netmon_exporters.look import Look
from netmon_exporters.status import status
from netmon_exporters.status_json import status_json
from netmon_exporters.troubles import age_seconds, troubles
from netmon_exporters.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netmon.state import Snapshot

_TABLE_LIMIT = 600
"""So many agencies still fit on one page; beyond, one group is shown at a time."""
_ASSET_SECONDS = 3600
_Context: TypeAlias = dict[str, object]


class PageExporter:
    """Serves the status page, a page for each agency, and the same as JSON."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._catalogue = Catalogue.load()
        self._templates = Environment(
            loader=PackageLoader("netmon_exporters"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        folder = resources.files("netmon_exporters").joinpath("templates")
        self._style = folder.joinpath("style.css").read_bytes()
        self._icon = folder.joinpath("icon.svg").read_bytes()

    def routes(self) -> Mapping[str, Handler]:
        """Return the pages and what they are made of."""
        return {
            "/": self.overview,
            "/agency/": self.agency,
            "/api/v1/status": self.data,
            "/style.css": lambda _s, _r: _asset(self._style, "text/css; charset=utf-8"),
            "/favicon.ico": lambda _s, _r: _asset(self._icon, "image/svg+xml"),
            "/favicon.svg": lambda _s, _r: _asset(self._icon, "image/svg+xml"),
        }

    def overview(self, snapshot: Snapshot, request: Request) -> Response:
        """Return the page of the whole network."""
        look = self._look(snapshot, request)
        every = groups(look.status)
        few = len(look.status.agencies) <= _TABLE_LIMIT
        shown = request.query.get("group")
        return self._page(
            "overview.html",
            look,
            groups=every,
            open_groups=[each for each in every if few or each.id == shown],
            coverage=coverage(snapshot.inventory),
        )

    def agency(self, snapshot: Snapshot, request: Request) -> Response:
        """Return the page of one agency."""
        look = self._look(snapshot, request)
        wanted = unquote(request.path.removeprefix("/agency/"))
        found = look.status.agencies.get(wanted)
        if found is None:
            return self._page("unknown.html", look, HTTPStatus.NOT_FOUND, wanted=wanted)
        history = [
            outage
            for outage in (*snapshot.open_outages, *snapshot.recent_outages)
            if outage.key.agency == wanted
        ]
        return self._page("agency.html", look, each=found, history=history)

    def data(self, snapshot: Snapshot, _request: Request) -> Response:
        """Return the whole network as JSON (docs/api.md)."""
        body = status_json(status(snapshot), age_seconds(snapshot, self._clock))
        return Response(body, "application/json; charset=utf-8")

    def _look(self, snapshot: Snapshot, request: Request) -> Look:
        zone = ZoneInfo(snapshot.inventory.province.timezone)
        chosen = request.query.get("lang")
        language = (
            chosen
            if chosen in LANGUAGES
            else _preferred(request.headers.get("accept-language", ""), snapshot.daemon.language)
        )
        words = Words(self._catalogue, language, zone)
        return Look(words, chosen in LANGUAGES, status(snapshot), request.path)

    def _page(
        self, template: str, look: Look, code: HTTPStatus = HTTPStatus.OK, **more: object
    ) -> Response:
        snapshot = look.status.snapshot
        context: _Context = {
            "look": look,
            "w": look.words,
            "t": look.words.text,
            "status": look.status,
            "snapshot": snapshot,
            "inventory": snapshot.inventory,
            "age": age_seconds(snapshot, self._clock),
            "troubles": troubles(snapshot, look.words, self._clock),
            "languages": LANGUAGES,
            **more,
        }
        text = self._templates.get_template(template).render(context)
        return Response(text.encode("utf-8", "replace"), status=code.value)


def _asset(body: bytes, content_type: str) -> Response:
    kept = {"Cache-Control": f"max-age={_ASSET_SECONDS}"}
    return Response(body, content_type, headers=kept)


def _preferred(accept_language: str, default: str) -> str:
    """Return the first language of the browser's list that we speak (RFC 9110, 12.5.4)."""
    offers: Sequence[str] = accept_language.lower().split(",")
    for language in sorted((_offer(offer) for offer in offers), reverse=True):
        if language[1] in LANGUAGES:
            return language[1]
    return default


def _offer(text: str) -> tuple[float, str]:
    tag, _, parameter = text.partition(";")
    weight = parameter.strip().removeprefix("q=") or "1"
    try:
        quality = float(weight)
    except ValueError:
        quality = 0.0
    return quality, tag.strip().partition("-")[0]

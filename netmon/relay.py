"""The relay: Alertmanager's webhook in, one call to an SMS or chat gateway out.

Alertmanager's webhooks send its own JSON, which no gateway takes. The relay makes the short text
and calls the gateway as its owner wrote. It is a process of its own: the page that says netmon is
gone must not pass through netmon. It keeps nothing: what a gateway does not take is answered 502,
and Alertmanager sends it again.
"""

from __future__ import annotations

import json
import logging
import socket
import urllib.error
import urllib.request
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import quote

from netmon.alerting.short_text import Shape, short_text
from netmon.config.secrets import read_secret
from netmon.errors import CapabilityError, SecretError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

    from netmon.config.settings import Gateway

_log = logging.getLogger(__name__)

_TEXT, _SECRET = "{text}", "{secret}"
_LONGEST_BODY, _LONGEST_EXCERPT = 4_000_000, 10_000
_PATIENCE_SECONDS = 10.0
_OK, _BAD, _NOT_FOUND, _TOO_LARGE, _BAD_GATEWAY = 200, 400, 404, 413, 502


class GatewayError(Exception):
    """A gateway did not take a text. The message holds no secret."""


class _Ipv6Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6


class Relay:
    """An HTTP server: POST /NAME of a gateway takes what Alertmanager sends."""

    def __init__(self, listen: str, gateways: Mapping[str, Gateway], zone: ZoneInfo) -> None:
        """Bind.

        Raises:
            CapabilityError: the address cannot be bound.
        """
        self._gateways, self._zone = gateways, zone
        host, _, port = listen.rpartition(":")
        server = _Ipv6Server if host.startswith("[") else ThreadingHTTPServer
        try:
            self._server = server((host.strip("[]"), int(port)), self._handler())
        except OSError as error:
            message = f"the relay cannot listen on {listen}: {error.strerror}; is it running twice?"
            raise CapabilityError(message) from error

    @property
    def port(self) -> int:
        """The port that is really bound."""
        return self._server.server_port

    def serve(self) -> None:
        """Answer until `stop`."""
        self._server.serve_forever(0.2)
        self._server.server_close()

    def stop(self) -> None:
        """Let `serve` return; called in another thread."""
        self._server.shutdown()

    def answer(self, name: str, body: bytes) -> tuple[int, str]:
        """Pass a notification on; return the HTTP status and a sentence."""
        gateway = self._gateways.get(name)
        if gateway is None:
            known = ", ".join(sorted(self._gateways)) or "none"
            return _NOT_FOUND, f"there is no gateway {name!r}; there are: {known}"
        try:
            notification = json.loads(body)
            text = short_text(notification, Shape(gateway.form, gateway.longest), self._zone)
        except (ValueError, RecursionError) as error:
            # Sent again it would be no better: Alertmanager gives up at 400.
            _log.error("%s: %s", name, error)  # no bug of ours: what came in is not readable
            return _BAD, str(error)
        try:
            send(gateway, text)
        except GatewayError as error:
            _log.warning("%s: %s", name, error)
            return _BAD_GATEWAY, str(error)
        _log.info("%s: told: %s", name, text)
        return _OK, "told"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            timeout = _PATIENCE_SECONDS

            def do_GET(self) -> None:
                """Say that the relay runs."""
                self._say(_OK, "the relay runs: Alertmanager posts to /NAME of a gateway")

            def do_POST(self) -> None:
                """Pass a notification on."""
                length = self.headers.get("Content-Length", "")
                if not (length.isascii() and length.isdigit()):
                    self._say(_BAD, "no Content-Length")
                elif int(length) > _LONGEST_BODY:
                    self._say(_TOO_LARGE, f"more than {_LONGEST_BODY} bytes")
                else:
                    body = self.rfile.read(int(length))
                    self._say(*relay.answer(self.path.strip("/"), body))

            def _say(self, status: int, text: str) -> None:
                body = f"{text}\n".encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.close_connection = True
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay silent: what was told is logged where it is known."""

        return Handler


def send(gateway: Gateway, text: str) -> None:
    """Call a gateway with a text.

    Raises:
        GatewayError: it cannot be reached, or its answer is not 2xx.
    """
    secret = ""
    try:
        secret = "" if gateway.secret is None else read_secret(gateway.secret).reveal()
        request = _request(gateway, text, secret)
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310  # the settings allow http and https only
            answer.read(1024)
    except SecretError as error:
        raise GatewayError(str(error)) from error
    except urllib.error.HTTPError as error:
        said = _excerpt(error, secret)
        raise GatewayError(f"the gateway answers {error.code}: {said}") from error
    except (OSError, HTTPException, ValueError) as error:
        # The error's own text may hold the URL, and with it the secret.
        reason = getattr(error, "reason", None) or type(error).__name__
        raise GatewayError(f"the gateway cannot be asked: {reason}") from None


def _request(gateway: Gateway, text: str, secret: str) -> urllib.request.Request:
    def filled(template: str, escape: Callable[[str], str]) -> str:
        # The secret first: a text that holds "{secret}" must not be given it.
        return template.replace(_SECRET, escape(secret)).replace(_TEXT, escape(text))

    request = urllib.request.Request(filled(gateway.url, _percent))  # noqa: S310  # the same
    if gateway.body:
        escape = _ESCAPES.get(gateway.content_type, str)
        request.data = filled(gateway.body, escape).encode("utf-8", "replace")
        request.add_header("Content-Type", f"{gateway.content_type}; charset=utf-8")
    if gateway.authorization:
        header = gateway.authorization.replace(_SECRET, secret)
        request.add_unredirected_header("Authorization", header)
    return request


def _percent(text: str) -> str:
    return quote(text, safe="", errors="replace")


_ESCAPES: Mapping[str, Callable[[str], str]] = {
    "application/json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "application/x-www-form-urlencoded": _percent,
}


def _excerpt(error: urllib.error.HTTPError, secret: str) -> str:
    try:
        said = error.read(_LONGEST_EXCERPT).decode("utf-8", "replace") or error.reason
    except (OSError, HTTPException):
        said = error.reason
    # Some repeat what they were asked, in the form in which it came to them.
    forms = {secret, *(escape(secret) for escape in _ESCAPES.values())} - {""}
    for form in sorted(forms, key=len, reverse=True):
        said = said.replace(form, "********")
    return " ".join("".join(c if c.isprintable() else " " for c in said[:200]).split())

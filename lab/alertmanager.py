"""A real Alertmanager, and a receiver of its webhooks that keeps what was delivered."""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lab.capabilities import find_program
from lab.closing import Closing
from lab.daemons import HttpDaemon
from lab.kernel import inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


_TEMPLATES = Path("/usr/share/prometheus/alertmanager/default.tmpl")
"""Debian's Alertmanager reads it from there, wherever the program lies."""
_IN_ITS_PLACE = """\
mount --bind /usr/share/zoneinfo "$1/zoneinfo" && mount --rbind "$1" /usr/share &&
shift && exec "$@"
"""


def _with_templates(program: str, share: Path) -> Sequence[str]:
    """Return what starts a program that was unpacked, not installed, with its own /usr/share."""
    unpacked = Path(program).resolve().parents[1] / "share/prometheus"
    if _TEMPLATES.exists() or not unpacked.exists():
        return []
    (share / "zoneinfo").mkdir(parents=True)
    (share / "prometheus").symlink_to(unpacked)
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *as_root, "sh", "-c", _IN_ITS_PLACE, "sh", str(share)]


class Alertmanager(HttpDaemon):
    """Alertmanager on a free port, here or inside a namespace, with the configuration given."""

    def __init__(self, config: Path, namespace: str | None = None) -> None:
        super().__init__(namespace)
        self._config = config

    def command(self) -> Sequence[str]:
        """Return the command that starts Alertmanager; an empty cluster address: no gossip."""
        program = find_program("prometheus-alertmanager")
        return [
            *_with_templates(program, self.directory / "share"),
            program,
            f"--config.file={self._config.resolve()}",
            f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]

    def post(self, alerts: Iterable[dict[str, Any]]) -> None:
        """Hand in alerts as Prometheus does (API v2)."""
        self.fetch("/api/v2/alerts", "POST", json.dumps(list(alerts)).encode())

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that Alertmanager knows, with whom inhibits them."""
        known: list[dict[str, Any]] = json.loads(self.fetch("/api/v2/alerts"))
        return known


class WebhookReceiver(Closing):
    """An HTTP server that keeps every notification, in the order of delivery."""

    def __init__(self, namespace: str | None = None) -> None:
        self._deliveries: queue.Queue[dict[str, Any]] = queue.Queue()
        place = inside(namespace) if namespace is not None else nullcontext()
        with place:
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    @property
    def url(self) -> str:
        """What to write as `url` in webhook_configs."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(
        self,
        wanted: Callable[[dict[str, Any]], bool] = lambda _: True,
        patience_seconds: float = 30.0,
    ) -> dict[str, Any]:
        """Return the next notification that is wanted; others before it are passed over.

        Raises:
            TimeoutError: None came.
        """
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                delivery = self._deliveries.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty as empty:
                message = f"no such notification within {patience_seconds:.0f} s"
                raise TimeoutError(message) from empty
            if wanted(delivery):
                return delivery

    def pending(self) -> list[dict[str, Any]]:
        """Take and return what was delivered and not yet waited for."""
        taken = []
        while not self._deliveries.empty():
            taken.append(self._deliveries.get())
        return taken

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        deliveries = self._deliveries

        class Handler(BaseHTTPRequestHandler):
            """Keeps the JSON of each POST."""

            def do_POST(self) -> None:
                """Keep a notification."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                deliveries.put(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay silent: what was delivered is in the queue."""

        return Handler

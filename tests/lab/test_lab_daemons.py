"""A real Prometheus and a real Alertmanager run in the lab's centre and are taken down again."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from lab.alertmanager import Alertmanager, WebhookReceiver
from lab.capabilities import Need, missing
from lab.kernel import inside
from lab.prometheus import Prometheus, Scrape
from lab.topology import CENTRE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab import Lab

pytestmark = pytest.mark.lab

RULES = """
groups:
  - name: links
    rules:
      - {alert: LinkDown, expr: up_to_us == 0, labels: {severity: critical},
         annotations: {summary: Đường truyền mất kết nối}}
"""
ROUTES = """
route: {receiver: noc, group_by: [alertname], group_wait: 100ms, group_interval: 1s}
receivers: [{name: noc, webhook_configs: [{url: "%s"}]}]
"""


class Exporter(BaseHTTPRequestHandler):
    """Shows one gauge."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"up_to_us 0\n")

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def _exporter(namespace: str) -> Iterator[str]:
    with inside(namespace):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_metric_becomes_an_alert_and_the_alert_a_notification(lab: Lab, tmp_path: Path) -> None:
    if lack := missing(Need.PROMETHEUS, Need.ALERTMANAGER):
        pytest.skip(lack)
    centre = lab.namespace(CENTRE)
    rules, routes = tmp_path / "rules.yml", tmp_path / "alertmanager.yml"
    rules.write_text(RULES, encoding="utf-8")
    with _exporter(centre) as target, WebhookReceiver(centre) as receiver:
        routes.write_text(ROUTES % receiver.url, encoding="utf-8")
        with Alertmanager(routes, centre) as manager:
            scrape = Scrape(
                [target], rule_files=[rules], alertmanagers=[f"127.0.0.1:{manager.port}"]
            )
            with Prometheus(scrape, centre) as prometheus:
                (sample,) = prometheus.wait_for("up_to_us")
                assert sample.value == 0
                assert sample.labels["instance"] == target
                delivery = receiver.wait(lambda each: each["status"] == "firing")
                assert prometheus.alerts()[0]["state"] == "firing"
            (alert,) = delivery["alerts"]
            assert alert["annotations"]["summary"] == "Đường truyền mất kết nối"
            assert manager.alerts()[0]["labels"]["severity"] == "critical"


def test_a_daemon_that_refuses_its_configuration_says_why(tmp_path: Path) -> None:
    if lack := missing(Need.ALERTMANAGER):
        pytest.skip(lack)
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {}\n", encoding="utf-8")
    with (
        pytest.raises(RuntimeError, match="root route must specify a default receiver"),
        Alertmanager(config),
    ):
        pass

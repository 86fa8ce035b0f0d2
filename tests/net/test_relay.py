"""The relay between Alertmanager and a gateway: real sockets on loopback, a real Alertmanager."""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from lab.alertmanager import Alertmanager
from lab.capabilities import Need, missing
from lab.daemons import free_port, request
from netmon.config.settings import Gateway, SecretReference, SecretSource
from netmon.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.net

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SECRET = "khoá-bí-mật & more"
TEXT = "SU CO: UBND xa Tan Hoi Dong mat ket noi. Tu 08:15 23/11."
WHOLE = "SỰ CỐ: UBND xã Tân Hội Đông mất kết nối. Từ 08:15 23/11."
NOTIFICATION = {
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "startsAt": "2026-11-23T01:15:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "annotations": {"summary": "UBND xã Tân Hội Đông mất kết nối."},
        }
    ],
}


@dataclass(frozen=True)
class Call:
    """What a gateway was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class FakeGateway:
    """A gateway that keeps every call and answers as it is told."""

    def __init__(self) -> None:
        self.calls: queue.Queue[Call] = queue.Queue()
        self.answer = (200, b"queued")
        calls, gateway = self.calls, self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                calls.put(Call(self.command, self.path, headers, self.rfile.read(length)))
                self.send_response(gateway.answer[0])
                self.send_header("Content-Length", str(len(gateway.answer[1])))
                self.end_headers()
                self.wfile.write(gateway.answer[1])

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/send"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    fake = FakeGateway()
    yield fake
    fake.close()


@contextmanager
def relay(*gateways: Gateway, listen: str = "127.0.0.1:0") -> Iterator[int]:
    """Run a relay; yield its port."""
    running = Relay(listen, {each.name: each for each in gateways}, ZONE)
    thread = threading.Thread(target=running.serve)
    thread.start()
    try:
        yield running.port
    finally:
        running.stop()
        thread.join()


def told(port: int, name: str = "sms", notification: object = NOTIFICATION) -> tuple[int, str]:
    status, body = request(port, "POST", f"/{name}", json.dumps(notification).encode())
    return status, body.decode().strip()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> SecretReference:
    monkeypatch.setenv("SMS_SECRET", SECRET)
    return SecretReference(SecretSource.ENVIRONMENT, "SMS_SECRET")


def test_json_holds_the_text_and_the_secret_escaped(
    gateway: FakeGateway, secret: SecretReference
) -> None:
    body = '{"to": ["0912345678"], "text": "{text}", "key": "{secret}"}'
    with relay(Gateway("sms", gateway.url, body, secret=secret)) as port:
        assert told(port) == (200, "told")
    call = gateway.calls.get(timeout=5)
    assert (call.method, call.path) == ("POST", "/send")
    assert call.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(call.body) == {"to": ["0912345678"], "text": TEXT, "key": SECRET}


def test_a_form_and_a_header_with_the_secret(gateway: FakeGateway, secret: SecretReference) -> None:
    sms = Gateway(
        "sms",
        gateway.url,
        "to=0912345678&text={text}",
        "application/x-www-form-urlencoded",
        "Bearer {secret}",
        secret,
        form="unicode",
    )
    os.environ["SMS_SECRET"] = "abc"
    with relay(sms) as port:
        assert told(port) == (200, "told")
    call = gateway.calls.get(timeout=5)
    assert parse_qs(call.body.decode("ascii")) == {"to": ["0912345678"], "text": [WHOLE]}
    assert call.headers["authorization"] == "Bearer abc"


def test_without_a_body_it_is_asked_with_get(gateway: FakeGateway, secret: SecretReference) -> None:
    url = gateway.url + "?key={secret}&text={text}"
    with relay(Gateway("sms", url, secret=secret)) as port:
        assert told(port) == (200, "told")
    call = gateway.calls.get(timeout=5)
    assert call.method == "GET"
    assert parse_qs(urlsplit(call.path).query) == {"key": [SECRET], "text": [TEXT]}


def test_it_listens_on_ipv6() -> None:
    with relay(listen="[::1]:0") as port, socket.create_connection(("::1", port), 5) as asking:
        asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert asking.recv(100).startswith(b"HTTP/1.0 200")


def test_a_summary_cannot_ask_for_the_secret(gateway: FakeGateway, secret: SecretReference) -> None:
    summary = "{secret} và {text}"
    hostile = {**NOTIFICATION["alerts"][0], "annotations": {"summary": summary}}  # type: ignore[dict-item]  # a dict, as written above
    sms = Gateway(
        "sms", gateway.url, "{text}", "text/plain", secret=secret, form="unicode", longest=200
    )
    with relay(sms) as port:
        assert told(port, notification={"status": "firing", "alerts": [hostile]})[0] == 200
    assert gateway.calls.get(timeout=5).body.decode() == f"SỰ CỐ: {summary} Từ 08:15 23/11."


def test_what_the_gateway_does_not_take_is_sent_again_and_no_secret_is_told(
    gateway: FakeGateway, secret: SecretReference, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway.answer = (503, "hết tiền\n\x1b[31m key=hunter2".encode())
    url = gateway.url + "?key={secret}"
    sms = Gateway("sms", url, "{text}", "text/plain", "{secret}", secret)
    closed = f"http://127.0.0.1:{free_port()}/?key={{secret}}"
    nobody = Gateway("nobody", closed, "{text}", "text/plain", secret=secret)
    lost = SecretReference(SecretSource.ENVIRONMENT, "NOT_SET")
    keyless = Gateway("keyless", url, "{text}", "text/plain", secret=lost)
    with relay(sms, nobody, keyless) as port:
        os.environ["SMS_SECRET"] = "hunter2"
        assert told(port) == (502, "the gateway answers 503: hết tiền [31m key=********")
        status, said = told(port, "nobody")
        assert (status, said.partition(":")[0]) == (502, "the gateway cannot be asked")
        assert told(port, "keyless")[0] == 502
    assert "hunter2" not in caplog.text + said


@pytest.mark.parametrize(
    "repeated",
    ["/bot123%3Ak%22y/send", '{"key": "123:k\\"y"}', '123:k"y'],
    ids=["url", "json", "bare"],
)
def test_a_gateway_that_repeats_the_secret_as_it_was_sent_does_not_tell_it(
    gateway: FakeGateway, secret: SecretReference, repeated: str
) -> None:
    gateway.answer = (404, f"no such thing: {repeated}".encode())
    with relay(Gateway("sms", gateway.url + "?key={secret}", secret=secret)) as port:
        os.environ["SMS_SECRET"] = '123:k"y'
        status, said = told(port)
    assert (status, said.count("********")) == (502, 1)
    assert "123" not in said


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("sms", b"{", 400),
        ("sms", b"[]", 400),
        ("sms", b"\xff", 400),
        pytest.param("sms", b"[" * 200_000, 400, id="nested"),
        ("zalo", b"{}", 404),
    ],
)
def test_what_is_no_notification_is_refused_for_good(
    gateway: FakeGateway, name: str, body: bytes, status: int
) -> None:
    with relay(Gateway("sms", gateway.url, "{text}", "text/plain")) as port:
        assert request(port, "POST", f"/{name}", body)[0] == status
        assert request(port, "GET", "/")[0] == 200
    assert gateway.calls.empty()


SETTINGS = """\
inventory: {inventory}
storage: {{path: ledger.db}}
alerting:
  relay_address: 127.0.0.1:{port}
  group_wait: 1s
  gateways:
    sms: {{url: "{url}", content_type: text/plain, body: "{{text}}", text: unicode}}
  receivers: {{on-call: {{gateway: [sms]}}}}
"""
INVENTORY = Path(__file__).parents[1] / "data/config/base.yaml"


@pytest.mark.skipif(
    bool(missing(Need.ALERTMANAGER)), reason=missing(Need.ALERTMANAGER) or "Alertmanager is there"
)
def test_alertmanager_tells_the_gateway_through_the_command_and_the_settings(
    gateway: FakeGateway, tmp_path: Path
) -> None:
    settings, port = tmp_path / "netmon.yaml", free_port()
    settings.write_text(SETTINGS.format(inventory=INVENTORY, port=port, url=gateway.url), "utf-8")
    netmon, config = [sys.executable, "-m", "netmon"], f"--config.file={settings}"
    for what, name in (("alertmanager", "am.yml"), ("alertmanager-templates", "netmon.tmpl")):
        command = [*netmon, "export", what, config, f"--output={tmp_path / name}"]
        subprocess.run(command, check=True)
    with subprocess.Popen([*netmon, "relay", config], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().decode() == f"netmon relay: http://127.0.0.1:{port}/\n"
            with Alertmanager(tmp_path / "am.yml") as alertmanager:
                alertmanager.post([firing()])
                body = gateway.calls.get(timeout=30).body.decode()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert body == "SỰ CỐ: UBND xã Tân Hội Đông mất kết nối. Từ 08:15 23/11."


def firing() -> dict[str, Any]:
    return {
        "labels": {"alertname": "AgencyDown", "agency": "xa-1", "severity": "critical"},
        "annotations": {"summary": "UBND xã Tân Hội Đông mất kết nối."},
        "startsAt": "2026-11-23T01:15:00Z",
        "endsAt": "2099-01-01T00:00:00Z",
    }

"""`netmon status` prints what the daemon's JSON says, in the reader's language."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from netmon.cli import main
from netmon.cli.status import milliseconds
from netmon.model import State
from tests.support.pages import data, district_down
from tests.support.snapshots import COMMUNE, DISTRICT, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from netmon.state import Snapshot

VIETNAMESE = """\
tỉnh Tiền Giang · 2025-06-15 22:06:40 +0700 · Hoạt động: 2 · Mất kết nối: 1 · Không thể với tới: 2

 Đơn vị                                Trạng thái            Từ lúc    Kéo dài      RTT   Mất gói
 ────────────────────────────────────────────────────────────────────────────────────────────────
 UBND huyện Châu Thành                 Mất kết nối         21:54:40   00:12:00   4.2 ms    100.0%
 ubnd-chau-thanh/chinh · mất 5/5 gói
 UBND xã Tân Hội Đông                  Không thể với tới   21:54:40   00:12:00               0.0%
 xa-tan-hoi-dong/chinh
 UBND xã Thạnh Phú                     Không thể với tới   21:54:40   00:12:00   4.2 ms      0.0%
 xa-thanh-phu/chinh
"""


@pytest.fixture
def serve() -> Iterator[Callable[[Snapshot], str]]:
    """Yield what serves the JSON of a snapshot as the daemon does, and returns where."""
    body = [b""]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body[0])

        def log_message(self, *_: object) -> None:
            """Say nothing on the test's terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def answer_with(shown: Snapshot) -> str:
        body[0] = data(shown)
        return f"http://127.0.0.1:{server.server_port}"

    yield answer_with
    server.shutdown()
    server.server_close()


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return "\n".join(line.rstrip() for line in capsys.readouterr().out.rstrip().splitlines()) + "\n"


def test_those_in_trouble_are_a_table_and_the_exit_code_tells(
    serve: Callable[[Snapshot], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--url", serve(district_down())]) == 1
    assert printed(capsys) == VIETNAMESE


def test_english_readers_get_english_evidence(
    serve: Callable[[Snapshot], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--lang", "en", "--url", serve(district_down())]) == 1
    text = printed(capsys)
    assert "ubnd-chau-thanh/chinh · 5 of 5 echoes lost" in text
    assert " Unreachable " in text


def test_unreachable_links_alone_are_no_finding(
    serve: Callable[[Snapshot], str], capsys: pytest.CaptureFixture[str]
) -> None:
    states = {DISTRICT: State.MAINTENANCE, COMMUNE: State.UNREACHABLE}
    assert main(["status", "--lang", "en", "--url", serve(snapshot(states))]) == 0
    assert "Maintenance: 1" in printed(capsys)


def test_all_well_is_one_sentence_and_all_lists_every_link(
    serve: Callable[[Snapshot], str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = serve(snapshot())
    assert main(["status", "--lang", "en", "--url", url]) == 0
    assert printed(capsys).splitlines()[1:] == ["Every link is up."]
    assert main(["status", "--lang", "en", "--all", "--url", url]) == 0
    assert printed(capsys).count(" Up ") == len(snapshot().keys)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.000004, "< 0.01 ms"), (0.00004, "0.04 ms"), (0.0042, "4.2 ms"), (0.25, "250.0 ms")],
)
def test_a_near_routers_rtt_is_not_rounded_to_nothing(seconds: float, text: str) -> None:
    assert milliseconds(seconds) == text

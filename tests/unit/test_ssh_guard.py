"""The border to a router's terminal."""

from __future__ import annotations

import pytest

from netmon.probes.ssh import guard
from netmon.probes.ssh.guard import (
    DeadlineOver,
    Dropped,
    Flooded,
    GuardedChannel,
    NotAllowed,
)


class Terminal:
    """A channel that says what it is told to say."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.written: list[str] = []
        self.closed = False
        self.seconds = 1.0

    def write_channel(self, out_data: str) -> None:
        self.written.append(out_data)

    def read_buffer(self) -> str:
        return self.texts.pop(0) if self.texts else ""

    def guarded(self) -> GuardedChannel:
        return GuardedChannel(self, {"show version"}, lambda: self.seconds, lambda: self.closed)


@pytest.mark.parametrize("text", ["show version\n", "\n", "show version\r\n", " ", ""])
def test_what_is_on_the_list_is_written(text: str) -> None:
    terminal = Terminal()
    terminal.guarded().write_channel(text)
    assert terminal.written == [text]


@pytest.mark.parametrize(
    "text",
    ["reload\n", "show version\nreload\n", "conf t", "show versio", "show version | tee x\n"],
)
def test_anything_else_is_not_and_not_even_told(text: str) -> None:
    terminal = Terminal()
    with pytest.raises(NotAllowed) as refused:
        terminal.guarded().write_channel(text)
    assert terminal.written == []
    assert text.strip() not in str(refused.value)


def test_what_came_before_the_end_is_read_to_its_last_letter() -> None:
    terminal = Terminal("a", "b")
    terminal.closed = True
    channel = terminal.guarded()
    assert channel.read_buffer() + channel.read_buffer() == "ab"
    with pytest.raises(Dropped):
        channel.read_buffer()


def test_silence_is_no_end() -> None:
    assert Terminal().guarded().read_channel() == ""


def test_the_time_of_a_router_ends_whatever_it_says() -> None:
    terminal = Terminal("a", "b")
    terminal.seconds = 0.0
    with pytest.raises(DeadlineOver):
        terminal.guarded().read_buffer()


def test_a_router_that_talks_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_BYTES", 10)
    with pytest.raises(Flooded):
        Terminal(*["abc"] * 9).guarded().read_channel()

"""How netmon and the toy world talk: a line of JSON for each order and each answer."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from typing import Any, TypedDict


class Order(TypedDict, total=False):
    """What the world is asked to do; `do` says which of the other fields are there."""

    do: str
    mode: str
    community: str
    routers: list[Any]
    token: str
    addresses: list[str]
    ratio: float
    agency: str
    link: str
    on: bool
    socket: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an order. `error` not empty: nothing did, and why."""

    error: str = ""
    at_us: int = 0
    """Monotonic time at which it was done."""
    snmp_port: int = 0
    descriptor: int | None = None
    """A socket's file descriptor; belongs to whoever receives it."""


class LineReader:
    """Cuts what arrives on a stream socket into lines; file descriptors may come along."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._rest = b""
        self.is_closed = False
        self.descriptors: list[int] = []

    def read(self) -> list[bytes]:
        """Wait for something to arrive; return the lines that are complete by then."""
        data, descriptors, _, _ = socket.recv_fds(self._stream, 65536, 1)
        self.descriptors += descriptors
        self.is_closed = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines


def send_order(stream: socket.socket, order: Order) -> None:
    """Send one order."""
    stream.sendall(json.dumps(order).encode() + b"\n")


def receive_answer(reader: LineReader) -> Answer:
    """Wait for the one answer that is due.

    Raises:
        EOFError: The other side is gone.
    """
    lines: list[bytes] = []
    while not lines:
        lines = reader.read()
        if reader.is_closed:
            message = "the toy world has ended"
            raise EOFError(message)
    fields = json.loads(lines[0])
    descriptor = reader.descriptors.pop() if reader.descriptors else None
    return Answer(fields["error"], fields["at_us"], fields["snmp_port"], descriptor)


def send_answer(stream: socket.socket, answer: Answer) -> None:
    """Send one answer; its file descriptor is closed here once it is sent."""
    fields = {"error": answer.error, "at_us": answer.at_us, "snmp_port": answer.snmp_port}
    line = json.dumps(fields).encode() + b"\n"
    if answer.descriptor is None:
        stream.sendall(line)
    else:
        socket.send_fds(stream, [line], [answer.descriptor])
        os.close(answer.descriptor)

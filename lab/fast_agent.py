"""A fast SNMP agent for thousands of addresses: `python -m lab.fast_agent`, inside a namespace.

All addresses are one and the same toy router (`netmon.demo.device`). What it answers to a question
is encoded once a second; all else is joining bytes, so that the agent costs less than the manager
that is measured: about 15 µs of CPU a request.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Self

from lab.agents import COMMUNITY
from lab.capabilities import LAB, missing
from lab.closing import Closing
from lab.kernel import enter_command, new_prefix, remove_namespaces, run_ip, sweep_dead
from netmon.demo.agent import respond
from netmon.demo.codec import decode_query
from netmon.demo.device import ToyDevice
from netmon.demo.plan import RouterPlan, UplinkPlan

COUNTRY = IPv4Network("10.64.0.0/12")
_IP_PKTINFO = 8  # Linux's number; Python names it from 3.14 on only
_PACKET_INFO = struct.Struct("=i4s4s")
_FRESH_SECONDS = 1.0
_RECEIVE_BUFFER_BYTES = 8 << 20
_REQUESTS_A_TURN = 256
_STOP_SECONDS = 10.0
_LONG_LENGTH = 0x80


class Country(Closing):
    """A namespace in which every address of 10.64.0.0/12 answers echoes and SNMP.

    Echoes are answered by the kernel, which takes the whole network for its own, at once and
    without loss; SNMP by the fast agent.
    """

    def __init__(self) -> None:
        self.namespace = f"{new_prefix()}country"
        self._agent: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Build the namespace and start the agent.

        Raises:
            RuntimeError: Something that it needs is missing; the message says what.
        """
        if lack := missing(*LAB):
            raise RuntimeError(lack)
        sweep_dead()
        try:
            run_ip([f"netns add {self.namespace}"])
            run_ip(["link set lo up", f"route add local {COUNTRY} dev lo"], self.namespace)
            self._agent = self._start_agent()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Take everything down."""
        if self._agent is not None:
            self._agent.terminate()
            self._agent.communicate(timeout=_STOP_SECONDS)
            self._agent = None
        remove_namespaces([self.namespace])

    def popen(self, *command: str, **options: Any) -> subprocess.Popen[Any]:  # noqa: ANN401  # those of Popen
        """Start a command in the namespace."""
        return subprocess.Popen([*enter_command(self.namespace), *command], **options)

    def _start_agent(self) -> subprocess.Popen[str]:
        root = str(Path(__file__).parents[1])
        agent = self.popen(
            sys.executable, "-m", "lab.fast_agent",
            env={**os.environ, "PYTHONPATH": root}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if agent.stdout is None or agent.stdout.readline() != "ready\n":
            message = f"the fast agent ended with code {agent.wait()}"
            raise RuntimeError(message)
        return agent


class FastAgent:
    """Answers version 2c requests on one socket, from whatever address was asked."""

    def __init__(self, udp: socket.socket) -> None:
        self._socket = udp
        self._device = ToyDevice(_plan(), time.monotonic)
        self._answers: dict[bytes, bytes] = {}
        self._fresh_until = 0.0
        udp.setblocking(False)  # noqa: FBT003  # socket's own signature
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        udp.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)

    def serve(self) -> None:
        """Answer what has arrived; call it when the socket can be read."""
        for _ in range(_REQUESTS_A_TURN):
            try:
                message, ancillary, _, sender = self._socket.recvmsg(8192, 64)
            except BlockingIOError:
                return
            answer = self.answer(message)
            if answer is not None:
                (level, kind, data) = ancillary[0]
                asked = _PACKET_INFO.unpack(data)[2]
                source = (level, kind, _PACKET_INFO.pack(0, asked, bytes(4)))
                self._socket.sendmsg([answer], [source], 0, sender)

    def answer(self, message: bytes) -> bytes | None:
        """Return the answer to a request; None: a stranger, or not understood."""
        parts = _split(message)
        if parts is None:
            return None
        head, request_id, question = parts
        now = time.monotonic()
        if now > self._fresh_until:
            self._answers.clear()
            self._fresh_until = now + _FRESH_SECONDS
        body = self._answers.get(head + question)
        if body is None:
            body = self._encode(message)
            if body is None:
                return None
            self._answers[head + question] = body
        pdu = request_id + body
        message_body = head + b"\xa2" + _length(len(pdu)) + pdu
        return b"\x30" + _length(len(message_body)) + message_body

    def _encode(self, message: bytes) -> bytes | None:
        """Return an answer from behind its request id on."""
        query = decode_query(message)
        if query is None or query.community != COMMUNITY.encode():
            return None
        parts = _split(respond(self._device, query))
        return None if parts is None else parts[2][1:]


def _split(message: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Cut a message into version and community, request id, and what is asked.

    What is asked begins with the PDU's tag: GET and GETNEXT of the same names differ.
    """
    try:
        start, _ = _value_of(message, 0)
        _, version_end = _value_of(message, start)
        _, community_end = _value_of(message, version_end)
        pdu, pdu_end = _value_of(message, community_end)
        _, request_id_end = _value_of(message, pdu)
    except IndexError:
        return None
    question = message[community_end : community_end + 1] + message[request_id_end:pdu_end]
    return message[start:community_end], message[pdu:request_id_end], question


def _value_of(message: bytes, at: int) -> tuple[int, int]:
    """Return where the value of the element at an offset begins and ends (X.690)."""
    length = message[at + 1]
    begin = at + 2
    if length & _LONG_LENGTH:
        size = length & ~_LONG_LENGTH
        length = int.from_bytes(message[begin : begin + size], "big")
        begin += size
    return begin, begin + length


def _length(length: int) -> bytes:
    if length < _LONG_LENGTH:
        return bytes((length,))
    size = (length.bit_length() + 7) // 8
    return bytes((_LONG_LENGTH | size,)) + length.to_bytes(size, "big")


def _plan() -> RouterPlan:
    address = IPv4Address("192.0.2.2")
    uplink = UplinkPlan("primary", (address,), 200_000_000, "TSLCD")
    return RouterPlan(
        "country", address, "cisco_xe", "Phòng máy chủ", has_lan=True, uplinks=(uplink,)
    )


def _main() -> None:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("0.0.0.0", 161))  # noqa: S104  # every address of the namespace
    agent = FastAgent(udp)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("ready", flush=True)
    with selectors.DefaultSelector() as selector, udp:
        selector.register(udp, selectors.EVENT_READ)
        while True:
            selector.select()
            agent.serve()


if __name__ == "__main__":
    _main()

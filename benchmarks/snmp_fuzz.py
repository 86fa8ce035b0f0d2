"""Throw damaged SNMP messages at the codec and at USM: nothing but our own errors may come out.

    python benchmarks/snmp_fuzz.py --runs 1000000 [--seed 1] [--atheris]

Messages of every version, PDU and security level are damaged by octets changed, cut, repeated and
spliced, and by lengths made to lie. With --atheris, where that is installed, coverage leads.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import tempfile
import time
from collections import Counter
from ipaddress import IPv4Address
from pathlib import Path

from netmon.clock import SystemClock
from netmon.probes.snmp.ber import (
    OCTETS_TAG,
    SEQUENCE,
    MalformedError,
    OidReader,
    encode,
    encode_varbinds,
)
from netmon.probes.snmp.keys import AUTH_PROTOCOLS, PRIV_PROTOCOLS, KeyRing
from netmon.probes.snmp.message import (
    CommunityMessage,
    PduType,
    UsmMessage,
    Version,
    encode_pdu,
    encode_scoped_pdu,
    encode_usm_message,
    read_community,
    read_header,
    read_pdu,
    read_scoped_pdu,
)
from netmon.probes.snmp.security import CommunitySecurity, ForgedError, ReportError
from netmon.probes.snmp.trap_users import RefusedError, TrapUsers
from netmon.probes.snmp.usm import UNKNOWN_ENGINE_ID, User, UserSecurity
from netmon.probes.snmp.values import Missing, SnmpError, Tag, VarBind

ENGINE_ID = b"\x80\x00\x1f\x88\x04fuzz"
OWN_ENGINE_ID = b"\x80\x00\x1f\x88\x04ours"
SLOWEST_SECONDS = 0.5
CORPUS_SIZE = 500
LAYERS = ("rows", "pdu", "whole pdu", "header", "message", "whole message")
ROWS = [
    encode_varbinds(
        [
            VarBind((1, 3, 6, 1, 2, 1, 1, 1, 0), Tag.OCTET_STRING, bytes(140)),
            VarBind((1, 3, 6, 1, 4, 1, 2**32 - 1), Tag.INTEGER, -(2**31)),
            VarBind((1, 3, 6, 1), Tag.COUNTER64, 2**64 - 1),
            VarBind((1, 3, 6, 1), Tag.COUNTER32, 2**32 - 1),
            VarBind((1, 3, 6, 1), Tag.OBJECT_IDENTIFIER, (1, 3, 6, 1, 4, 1, 8072)),
            VarBind((1, 3, 6, 1), Tag.IP_ADDRESS, IPv4Address("192.0.2.1")),
            VarBind((1, 3, 6, 1), Tag.NO_SUCH_INSTANCE, Missing.NO_SUCH_INSTANCE),
            VarBind((1, 3, 6, 1), Tag.NULL, Missing.NULL),
        ]
    ),
    encode_varbinds(
        [VarBind((1, 3, 6, 1, 2, 1, 2, 2, 1, 10, n), Tag.GAUGE32, n) for n in range(20)]
    ),
]


class Target:
    """The whole way that a datagram takes, at any security level."""

    def __init__(self) -> None:
        clock = SystemClock()
        auth, priv = AUTH_PROTOCOLS["SHA-256"], PRIV_PROTOCOLS["AES"]
        users = (
            User(b"netmon"),
            User(b"netmon", b"", auth, b"authpassword"),
            User(b"netmon", b"", auth, b"authpassword", priv, b"privpassword"),
        )
        self._users = [UserSecurity(user, KeyRing(), clock.monotonic_us) for user in users]
        header = UsmMessage(1, 0, ENGINE_ID, 1, 1000, b"", b"", 0, b"", b"", 0)
        for security in self._users:
            security.heed(ReportError(UNKNOWN_ENGINE_ID, header))
        self._communities: list[CommunitySecurity | UserSecurity] = [
            CommunitySecurity(version, b"public") for version in (Version.V1, Version.V2C)
        ]
        self._oids = OidReader()
        self._senders = [
            TrapUsers([user], KeyRing(), OWN_ENGINE_ID, clock.monotonic_us) for user in users
        ]

    def message(self, random_source: random.Random) -> bytes:
        """Return a message that is damaged at one of its layers, and whole outside of it.

        So that the damage is met as deep inside as where it was done: behind right lengths, a
        right community, or a right signature and encryption.
        """
        layer = random_source.choice(LAYERS)
        kind = random_source.choice(list(PduType))
        rows = random_source.choice(ROWS)
        if layer == "rows":
            rows = encode(SEQUENCE, mutated(random_source, rows[3:]))
        pdu = encode_pdu(kind, 1, 0, 0, rows)
        if layer == "pdu":
            pdu = encode(kind, mutated(random_source, pdu[3:]))
        if layer == "whole pdu":
            pdu = mutated(random_source, pdu)
        if layer == "header":
            return unlikely_header(random_source, pdu)
        data = random_source.choice([*self._communities, *self._users]).seal(1, pdu)
        if layer == "message":
            data = encode(SEQUENCE, mutated(random_source, data[3:]))
        if layer == "whole message":
            data = mutated(random_source, data)
        return data

    def run(self, data: bytes) -> str:
        """Read a datagram in every way, and return what became of it.

        Raises:
            Exception: a defect of the codec: whatever is not its own errors.
        """
        try:
            header = read_header(data)
        except MalformedError:
            self._read_inside(data)
            return "malformed header"
        read_community(data)
        if isinstance(header, UsmMessage):
            self._check_sender(header)
        ends = {self._open(security, header) for security in (*self._communities, *self._users)}
        return " or ".join(sorted(ends))

    def _open(
        self, security: CommunitySecurity | UserSecurity, header: CommunityMessage | UsmMessage
    ) -> str:
        try:
            security.open(header, self._oids)
        except (MalformedError, ForgedError) as error:
            return type(error).__name__
        except ReportError as report:
            try:
                UserSecurity(User(b"u"), KeyRing(), SystemClock().monotonic_us).heed(report)
            except SnmpError:
                return "report of a failure"
            return "report"
        return "answer"

    def _check_sender(self, header: UsmMessage) -> None:
        """Let it be a trap of a stranger's engine, or an inform to ours."""
        for sender in self._senders:
            for engine_id in (header.engine_id, OWN_ENGINE_ID):
                try:
                    sender.check(header._replace(engine_id=engine_id))
                except (RefusedError, MalformedError):
                    continue

    def _read_inside(self, data: bytes) -> None:
        for read in (read_pdu, read_scoped_pdu):
            try:
                read(data, 0, self._oids)
            except MalformedError:
                continue


def unlikely_header(random_source: random.Random, pdu: bytes) -> bytes:
    """Return an SNMPv3 message whose header is well-formed and makes little sense."""
    numbers = (0, 1, -1, 2**31 - 1, -(2**31), 2**31, 2**32 - 1, 1000)
    boots, engine_time = random_source.choice(numbers), random_source.choice(numbers)
    digest = bytes(random_source.choice((0, 12, 24, 200)))
    salt = bytes(random_source.choice((0, 7, 8, 9)))
    engine_id = random_source.choice((ENGINE_ID, b"", bytes(40)))
    flags = random_source.randrange(256)
    header = UsmMessage(1, flags, engine_id, boots, engine_time, b"netmon", digest, 0, salt, b"", 0)
    body = encode_scoped_pdu(engine_id, b"", pdu)
    if random_source.choice((True, False)):
        body = encode(OCTETS_TAG, body)
    return encode_usm_message(header, body)[0]


def mutated(random_source: random.Random, whole: bytes) -> bytes:
    """Return octets with one to four things wrong."""
    data = bytearray(whole)
    for _ in range(random_source.randint(1, 4)):
        position = random_source.randrange(len(data) + 1)
        match random_source.randrange(6):
            case 0:
                data[position : position + 1] = random_source.randbytes(1)
            case 1:
                del data[position : position + random_source.randint(1, 20)]
            case 2:
                data[position:position] = random_source.randbytes(random_source.randint(1, 8))
            case 3:
                piece = random_source.choice(ROWS)
                start = random_source.randrange(len(piece))
                data[position:position] = piece[start : start + random_source.randint(1, 60)]
            case 4:
                lies = (b"\x80", b"\x81\xff", b"\x82\xff\xff", b"\x84\x7f\xff\xff\xff", b"\x00")
                data[position : position + 1] = random_source.choice(lies)
            case _ if position < len(data):
                data[position] ^= 1 << random_source.randrange(8)
    return bytes(data)


def run_plainly(target: Target, runs: int, seed: int) -> int:
    """Run so many inputs and print what became of them; 1 if one took too long."""
    random_source = random.Random(seed)
    ends: Counter[str] = Counter()
    slowest = 0.0
    begun = time.perf_counter()
    for _ in range(runs):
        data = target.message(random_source)
        started = time.thread_time()
        try:
            ends[target.run(data)] += 1
        except Exception:
            print(f"this input broke it: {data.hex()}", file=sys.stderr)
            raise
        slowest = max(slowest, time.thread_time() - started)
    took = time.perf_counter() - begun
    print(f"{runs} inputs in {took:.0f} s, slowest {slowest * 1000:.1f} ms of CPU")
    for end, count in ends.most_common():
        print(f"{count:10d}  {end}")
    return int(slowest > SLOWEST_SECONDS)


def run_atheris(target: Target, runs: int) -> int:
    """Run with coverage leading."""
    try:
        atheris = importlib.import_module("atheris")
    except ModuleNotFoundError:
        print("atheris is not installed: pip install atheris, or run without --atheris")
        return 2
    with tempfile.TemporaryDirectory() as corpus:
        random_source = random.Random(1)
        for number in range(CORPUS_SIZE):
            Path(corpus, str(number)).write_bytes(target.message(random_source))
        atheris.instrument_all()
        atheris.Setup([sys.argv[0], f"-runs={runs}", "-max_len=1500", corpus], target.run)
        atheris.Fuzz()
    return 0


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true")
    arguments = parser.parse_args()
    target = Target()
    if arguments.atheris:
        return run_atheris(target, arguments.runs)
    return run_plainly(target, arguments.runs, arguments.seed)


if __name__ == "__main__":
    raise SystemExit(main())

"""CPU of asking routers: netmon's engine beside pysnmp, and a whole country of routers.

    python benchmarks/snmp_cpu.py [--json] [--seconds 12]

Every client runs in a process of its own against `snmp_responder.py` in another, and only the
client's CPU time (user + system) is counted. The clients of a ratio take turns within one run, so
that a busy machine slows both alike. pysnmp's v1arch and v3arch are asked without MIB look-up,
their fastest way. Peers that are installed are measured beside them: see `snmp_peers.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import TypeAlias

from netmon.clock import SystemClock
from netmon.config.settings import SnmpCredential, SnmpModule
from netmon.probes.snmp.engine import SnmpEngine, SnmpSession
from netmon.probes.snmp.rounds import AT_ONCE_SECONDS
from netmon.probes.snmp.values import Oid, SnmpSecrets, oid_text

# Run as a script, it must find its neighbour all the same.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import snmp_peers  # after the line above

VARIABLES: tuple[Oid, ...] = tuple((1, 3, 6, 1, 2, 1, 2, 2, 1, 10, index) for index in range(1, 21))
ROUTERS = 20_000
REQUESTS_PER_SECOND = ROUTERS / 60
WARM_UP_BATCH = 100
TURNS = 3
AT_A_TIME = 10
"""Routers asked at once: what a poller does, and no more than pysnmp can bear."""
USER, AUTH_PASSWORD, PRIV_PASSWORD = "bench", "authpassword", "privpassword"
"""As in snmp_responder.py."""
CREDENTIALS = {
    "v2c": SnmpCredential("2c"),
    "v3": SnmpCredential("3", user=USER, auth_protocol="SHA-256", priv_protocol="AES"),
}
GUFO_USER = {"user": USER, "auth": AUTH_PASSWORD, "priv": PRIV_PASSWORD}
SECRETS = SnmpSecrets("public", AUTH_PASSWORD, PRIV_PASSWORD)
MODULE = SnmpModule("bench", timeout_seconds=2, retries=2)
GOALS = {
    "ratio_vs_pysnmp_v2c": 0.03,
    "ratio_vs_pysnmp_v3": 0.03,
    "ratio_vs_snmp_exporter": 0.5,
    "country_cpu_percent_v2c": 8.0,
    "country_cpu_percent_v3": 15.0,
    "rss_mib": 200.0,
}
Get: TypeAlias = Callable[[], Awaitable[None]]


def main() -> int:
    """Parse the command line and run; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=12.0, help="length of the country runs")
    parser.add_argument("--client", choices=sorted(CLIENTS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        client = CLIENTS[arguments.client]
        print(json.dumps(asyncio.run(client(arguments.port, arguments.seconds))))
        return 0
    with responder() as port:
        figures = measure(port, arguments.seconds)
    report(figures, as_json=arguments.json)
    return int(any(figures.get(key, 0.0) > goal for key, goal in GOALS.items()))


def measure(port: int, seconds: float) -> dict[str, float]:
    """Return all figures, the ratios from clients that took turns."""
    figures: dict[str, float] = {}
    for version in CREDENTIALS:
        ours, theirs = [], []
        for _ in range(TURNS):
            ours.append(run_client(f"netmon_{version}", port, seconds)["microseconds"])
            theirs.append(run_client(f"pysnmp_{version}", port, seconds)["microseconds"])
        figures[f"netmon_{version}_microseconds"] = statistics.median(ours)
        figures[f"pysnmp_{version}_microseconds"] = statistics.median(theirs)
        figures[f"ratio_vs_pysnmp_{version}"] = statistics.median(
            our / their for our, their in zip(ours, theirs, strict=True)
        )
    country = {version: run_client(f"country_{version}", port, seconds) for version in CREDENTIALS}
    for version, result in country.items():
        figures[f"country_cpu_percent_{version}"] = result["cpu_percent"]
        figures[f"country_failures_{version}"] = result["failures"]
        figures[f"country_rss_mib_{version}"] = result["rss_mib"]
    figures |= measure_peers(port, figures["netmon_v2c_microseconds"])
    figures["rss_mib"] = max(result["rss_mib"] for result in country.values())
    return figures


def measure_peers(port: int, ours: float) -> dict[str, float]:
    """Return the figures of the peers that are installed."""
    figures: dict[str, float] = {}
    if snmp_peers.has_gufo():
        for version in CREDENTIALS:
            gufo = run_client(f"gufo_{version}", port, 0)["microseconds"]
            figures[f"gufo_{version}_microseconds"] = gufo
    bulk, exporter = snmp_peers.snmpbulkget(port), snmp_peers.snmp_exporter(port)
    if bulk is not None:
        figures["snmpbulkget_microseconds"] = bulk
    if exporter is not None:
        figures["snmp_exporter_microseconds"] = exporter
        figures["ratio_vs_snmp_exporter"] = ours / exporter
    return figures


def report(figures: dict[str, float], *, as_json: bool) -> None:
    """Print the figures, beside their goals where there are any."""
    if as_json:
        print(json.dumps({key: round(value, 5) for key, value in figures.items()}))
        return
    for key, value in figures.items():
        goal = f"   goal ≤ {GOALS[key]:g}" if key in GOALS else ""
        print(f"{key:32} {value:10.4g}{goal}")


@contextlib.contextmanager
def responder() -> Iterator[int]:
    """Run the agent in its own process."""
    script = Path(__file__).with_name("snmp_responder.py")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None  # noqa: S101  # it was asked for above
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def run_client(name: str, port: int, seconds: float) -> dict[str, float]:
    """Run one client in its own process and return what it measured."""
    command = [sys.executable, __file__, "--client", name]
    command += ["--port", str(port), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


async def microseconds_each(gets: Sequence[Get], count: int) -> dict[str, float]:
    """Return the CPU time of one GET while several routers are asked at a time, once warm."""

    async def ask(get: Get, times: int) -> None:
        for _ in range(times):
            await get()

    each = count // len(gets)
    await asyncio.gather(*(ask(get, max(1, each // 10)) for get in gets))
    begun = time.process_time()
    await asyncio.gather(*(ask(get, each) for get in gets))
    return {"microseconds": (time.process_time() - begun) / (each * len(gets)) * 1e6}


# --- netmon --------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def engine() -> AsyncIterator[SnmpEngine]:
    """Run an engine."""
    snmp = SnmpEngine(SystemClock())
    await snmp.start()
    try:
        yield snmp
    finally:
        await snmp.close()


def session(snmp: SnmpEngine, version: str, port: int) -> SnmpSession:
    """Return a session with the responder."""
    return snmp.session(IPv4Address("127.0.0.1"), port, CREDENTIALS[version], SECRETS, MODULE)


async def netmon(version: str, port: int) -> dict[str, float]:
    """Ask by netmon's engine."""
    async with engine() as snmp:

        async def get(asked: SnmpSession) -> None:
            check(len(await asked.get(VARIABLES)))

        sessions = [session(snmp, version, port) for _ in range(AT_A_TIME)]
        return await microseconds_each([partial(get, each) for each in sessions], 4000)


async def country(version: str, port: int, seconds: float) -> dict[str, float]:
    """Ask 20,000 routers at the rate of one a minute each, for some seconds."""
    async with engine() as snmp:
        sessions = [session(snmp, version, port) for _ in range(ROUTERS)]
        for start in range(0, ROUTERS, WARM_UP_BATCH):
            batch = sessions[start : start + WARM_UP_BATCH]
            await asyncio.gather(*(each.get(VARIABLES) for each in batch))
        cpu, begun = time.process_time(), time.monotonic()
        polls = await pace(sessions, seconds)
        outcomes = await asyncio.gather(*polls, return_exceptions=True)
        passed = time.monotonic() - begun
        return {
            "cpu_percent": (time.process_time() - cpu) / passed * 100,
            "failures": sum(isinstance(outcome, BaseException) for outcome in outcomes),
            "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


async def pace(sessions: list[SnmpSession], seconds: float) -> list[asyncio.Task[None]]:
    """Start polls evenly, as a round does, and return them."""
    begun = time.monotonic()
    polls: list[asyncio.Task[None]] = []

    async def poll(asked: SnmpSession) -> None:
        check(len(await asked.get(VARIABLES)))

    while (passed := time.monotonic() - begun) < seconds:
        while len(polls) < passed * REQUESTS_PER_SECOND:
            polls.append(asyncio.ensure_future(poll(sessions[len(polls) % ROUTERS])))
        await asyncio.sleep(AT_ONCE_SECONDS)
    return polls


# --- pysnmp --------------------------------------------------------------------------------------


async def pysnmp_v1arch(port: int) -> dict[str, float]:
    """Ask by pysnmp without its v3 engine."""
    from pysnmp.hlapi.v1arch import asyncio as hlapi  # noqa: PLC0415  # only in its own process

    dispatcher = hlapi.SnmpDispatcher()
    target = await hlapi.UdpTransportTarget.create(("127.0.0.1", port))
    community = hlapi.CommunityData("public", mpModel=1)  # noqa: S508  # v2c is measured
    names = [oid_text(oid) for oid in VARIABLES]

    async def get() -> None:
        variables = [hlapi.ObjectType(hlapi.ObjectIdentity(name)) for name in names]
        answer = await hlapi.get_cmd(dispatcher, community, target, *variables, lookupMib=False)
        check(0 if answer[0] or answer[1] else len(answer[3]))

    return await microseconds_each([get] * AT_A_TIME, 200)


async def pysnmp_v3arch(port: int) -> dict[str, float]:
    """Ask by pysnmp with authentication and privacy."""
    from pysnmp.hlapi.v3arch import asyncio as hlapi  # noqa: PLC0415  # only in its own process

    snmp = hlapi.SnmpEngine()
    target = await hlapi.UdpTransportTarget.create(("127.0.0.1", port))
    user = hlapi.UsmUserData(
        USER,
        AUTH_PASSWORD,
        PRIV_PASSWORD,
        authProtocol=hlapi.usmHMAC192SHA256AuthProtocol,
        privProtocol=hlapi.usmAesCfb128Protocol,
    )
    context = hlapi.ContextData()
    names = [oid_text(oid) for oid in VARIABLES]

    async def get() -> None:
        variables = [hlapi.ObjectType(hlapi.ObjectIdentity(name)) for name in names]
        answer = await hlapi.get_cmd(snmp, user, target, context, *variables, lookupMib=False)
        check(0 if answer[0] or answer[1] else len(answer[3]))

    return await microseconds_each([get] * AT_A_TIME, 200)


def check(variables: int) -> None:
    """Stop the benchmark if an answer was not whole: a failure must not count as fast."""
    if variables != len(VARIABLES):
        message = f"{variables} variables where {len(VARIABLES)} were asked"
        raise RuntimeError(message)


CLIENTS: dict[str, Callable[[int, float], Coroutine[None, None, dict[str, float]]]] = {
    "netmon_v2c": lambda port, _: netmon("v2c", port),
    "netmon_v3": lambda port, _: netmon("v3", port),
    "gufo_v2c": lambda port, _: snmp_peers.gufo(port, {"community": "public"}, microseconds_each),
    "gufo_v3": lambda port, _: snmp_peers.gufo(port, GUFO_USER, microseconds_each),
    "pysnmp_v2c": lambda port, _: pysnmp_v1arch(port),
    "pysnmp_v3": lambda port, _: pysnmp_v3arch(port),
    "country_v2c": lambda port, seconds: country("v2c", port, seconds),
    "country_v3": lambda port, seconds: country("v3", port, seconds),
}


if __name__ == "__main__":
    raise SystemExit(main())

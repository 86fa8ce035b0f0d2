"""A real net-snmp agent is read over every version and every pair of v3 protocols it offers."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import pytest

from netmon.config.settings import SnmpCredential, SnmpModule
from netmon.model import SnmpStatus
from netmon.probes.snmp.keys import AUTH_PROTOCOLS, PRIV_PROTOCOLS
from netmon.probes.snmp.values import Missing, SnmpError, SnmpSecrets
from tests.net.snmp_agents import SECRETS, V1, V2C, running_engine, session_with, snmpd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netmon.probes.snmp.engine import SnmpEngine, SnmpSession

pytestmark = pytest.mark.net

SYSTEM = (1, 3, 6, 1, 2, 1, 1)
UPTIME = (*SYSTEM, 3, 0)
LOCATION = (*SYSTEM, 6, 0)
PAIRS = [(auth, priv) for auth in AUTH_PROTOCOLS for priv in ("", *PRIV_PROTOCOLS)]
PATIENT = SnmpModule("patient", timeout_seconds=2)


def credential(auth: str, priv: str) -> SnmpCredential:
    return SnmpCredential("3", user=user_name(auth, priv), auth_protocol=auth, priv_protocol=priv)


def user_name(auth: str, priv: str) -> str:
    return f"user-{auth}-{priv}".lower()


def configuration() -> str:
    lines = [
        "rocommunity public",
        "rocommunity6 public",
        "sysLocation Đà Lạt",
        "rouser nobody noauth",
    ]
    lines.append("createUser nobody")
    for auth, priv in PAIRS:
        name = user_name(auth, priv)
        privacy = f"{priv} privpassword" if priv else ""
        lines += [
            f"createUser {name} {auth} authpassword {privacy}",
            f"rouser {name} {'priv' if priv else 'auth'}",
        ]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with snmpd(tmp_path_factory.mktemp("snmpd"), configuration()) as listening:
        asyncio.run(until_ready(listening))
        yield listening


async def until_ready(port: int) -> None:
    """Ask until the agent answers: it needs a second to read its configuration."""
    async with running_engine() as engine:
        session = session_with(engine, port, module=SnmpModule("", timeout_seconds=0.2, retries=0))
        async with asyncio.timeout(20):
            while True:
                try:
                    await session.get([UPTIME])
                except SnmpError:
                    await asyncio.sleep(0.05)
                else:
                    return


async def check(session: SnmpSession) -> None:
    uptime, location, absent = await session.get([UPTIME, LOCATION, (*SYSTEM, 77, 0)])
    assert isinstance(uptime.value, int)
    assert location.value == "Đà Lạt".encode()
    assert absent.value is Missing.NO_SUCH_OBJECT
    walk = await session.walk(SYSTEM)
    assert walk.complete
    assert (walk.trouble, walk.status) == ("", SnmpStatus.OK)
    assert len(walk.rows) > 8


@pytest.mark.parametrize("address", [IPv4Address("127.0.0.1"), IPv6Address("::1")], ids=str)
@pytest.mark.parametrize("version", [V1, V2C], ids=["v1", "v2c"])
async def test_communities_read_it(
    port: int, version: SnmpCredential, address: IPv4Address | IPv6Address
) -> None:
    async with running_engine() as engine:
        await check(session_with(engine, port, version, address=address, module=PATIENT))


@pytest.mark.parametrize(("auth", "priv"), PAIRS)
async def test_every_pair_of_protocols_reads_it(port: int, auth: str, priv: str) -> None:
    async with running_engine() as engine:
        await check(session_with(engine, port, credential(auth, priv), module=PATIENT))


async def test_a_user_without_passwords_reads_it(port: int) -> None:
    async with running_engine() as engine:
        session = session_with(engine, port, SnmpCredential("3", user="nobody"), module=PATIENT)
        await check(session)


async def test_a_walk_agrees_between_versions(port: int) -> None:
    async with running_engine() as engine:
        walks = [
            await session_with(engine, port, asked, module=PATIENT).walk((1, 3, 6, 1, 2, 1, 2))
            for asked in (V1, V2C, credential("SHA-256", "AES"))
        ]
        names = [[row.oid for row in walk.rows] for walk in walks]
        assert names[0] == names[1] == names[2]
        assert len(names[0]) >= 22


@pytest.mark.parametrize(
    ("asked", "secrets", "status", "words"),
    [
        pytest.param(
            V2C, SnmpSecrets("not-its-word"), SnmpStatus.TIMEOUT, "wrong community", id="community"
        ),
        pytest.param(
            SnmpCredential("3", user="stranger", auth_protocol="SHA"),
            SECRETS,
            SnmpStatus.AUTHENTICATION,
            "unknown user",
            id="user",
        ),
        pytest.param(
            credential("SHA", ""),
            SnmpSecrets(auth_password="wrongwrong"),
            SnmpStatus.AUTHENTICATION,
            "wrong digest",
            id="authentication password",
        ),
        pytest.param(
            credential("SHA", "AES"),
            SnmpSecrets(auth_password="authpassword", priv_password="wrongwrong"),
            SnmpStatus.TIMEOUT,
            "wrong privacy password",
            id="privacy password",
        ),
        pytest.param(
            SnmpCredential("3", user=user_name("SHA", "AES"), auth_protocol="SHA"),
            SECRETS,
            SnmpStatus.AUTHENTICATION,
            "authorizationError",
            id="level too low",
        ),
        pytest.param(
            SnmpCredential(
                "3", user=user_name("SHA", ""), auth_protocol="SHA", priv_protocol="AES"
            ),
            SECRETS,
            SnmpStatus.AUTHENTICATION,
            "security level",
            id="level too high",
        ),
        pytest.param(
            SnmpCredential(
                "3", user=user_name("SHA", "DES"), auth_protocol="SHA", priv_protocol="AES"
            ),
            SECRETS,
            SnmpStatus.AUTHENTICATION,
            "decryption error",
            id="privacy protocol",
        ),
    ],
)
async def test_each_wrong_credential_is_told_in_its_own_words(
    port: int, asked: SnmpCredential, secrets: SnmpSecrets, status: SnmpStatus, words: str
) -> None:
    async with running_engine() as engine:
        with pytest.raises(SnmpError, match=words) as caught:
            await session_with(engine, port, asked, secrets=secrets).get([UPTIME])
        assert caught.value.status is status
        for secret in (secrets.community, secrets.auth_password, secrets.priv_password):
            assert not secret or secret not in str(caught.value)


async def test_a_hundred_sessions_share_a_socket(port: int) -> None:
    async def ask(engine: SnmpEngine) -> int:
        session = session_with(engine, port, module=PATIENT)
        (uptime,) = await session.get([UPTIME])
        assert isinstance(uptime.value, int)
        return uptime.value

    async with running_engine() as engine:
        uptimes = await asyncio.gather(*(ask(engine) for _ in range(100)))
        assert max(uptimes) - min(uptimes) < 500
        assert engine.figures().strangers == 0

"""The toy province answers with real packets, in a namespace and on the loopback network."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import socket
import struct
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type.univ import Integer
from pysnmp.proto.api import v2c

from netmon.clock import SystemClock, Timeline
from netmon.demo.faults import Fault, FaultPlayer, Script, Step, Truth
from netmon.demo.province import DEMO_COMMUNITY, Mode, ToyProvince, WorldError, open_province
from netmon.demo.world import LOSS_SLOT_SECONDS
from netmon.errors import CapabilityError
from netmon.model import Agency, Inventory, IPAddress, Link, LinkKey, Province, Role, Router

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.net


def _agency(agency_id: str, *addresses: str, parent: str | None = None) -> Agency:
    links = tuple(
        Link(LinkKey(agency_id, role), role, (ip_address(address),), "standard")
        for role, address in zip(Role, addresses, strict=False)
    )
    router = Router(ip_address(addresses[0]), snmp="demo", platform="cisco_xe")
    return Agency(agency_id, f"UBND {agency_id}", "xa", parent, router=router, links=links)


def _inventory(*agencies: Agency) -> Inventory:
    province = Province("tg", "Tiền Giang", "Tien Giang", "Asia/Ho_Chi_Minh", "TTTHDL")
    return Inventory(province, {}, {}, {agency.id: agency for agency in agencies})


HUYEN = _agency("huyen", "10.20.0.1")
XA = _agency("xa", "10.20.0.2", parent="huyen")
SO = _agency("so", "10.20.0.3", "10.20.1.3")
INVENTORY = _inventory(HUYEN, XA, SO)


class Prober:
    """Sends single echo requests and SNMP requests into a toy province."""

    def __init__(self, province: ToyProvince) -> None:
        self._echo, _ = province.open_echo_socket(4)
        self._udp = province.open_udp_socket(socket.AF_INET)
        self._sequence = 0

    def close(self) -> None:
        self._echo.close()
        self._udp.close()

    def answers(self, address: IPAddress, patience_seconds: float = 0.1) -> bool:
        self._sequence += 1
        self._echo.sendto(_echo_request(self._sequence), (str(address), 0))
        deadline = time.monotonic() + patience_seconds
        while (rest := deadline - time.monotonic()) > 0:
            self._echo.settimeout(rest)
            with contextlib.suppress(TimeoutError):
                packet, sender = self._echo.recvfrom(2048)
                icmp = packet[20:] if self._echo.type == socket.SOCK_RAW else packet
                echo_reply = icmp[0] == 0 and icmp[6:8] == struct.pack("!H", self._sequence)
                if echo_reply and sender[0] == str(address):
                    return True
        return False

    def get(
        self, router: Router, name: tuple[int, ...], patience_seconds: float = 0.2
    ) -> object | None:
        self._udp.sendto(_get_request(name), (str(router.address), router.snmp_port))
        self._udp.settimeout(patience_seconds)
        try:
            message, sender = self._udp.recvfrom(2048)
        except TimeoutError:
            return None
        assert sender == (str(router.address), router.snmp_port)
        return _first_value(message)

    def attach(self, program: bytes) -> None:
        buffer = ctypes.create_string_buffer(program, len(program))
        head = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
        self._echo.setsockopt(socket.SOL_SOCKET, 26, head)

    def ticks(self, router: Router, name: tuple[int, ...]) -> int:
        value = self.get(router, name, patience_seconds=2)
        assert isinstance(value, int)
        return value


SYS_UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SYS_NAME = (1, 3, 6, 1, 2, 1, 1, 5, 0)
ENGINE_BOOTS = (1, 3, 6, 1, 6, 3, 10, 2, 1, 2, 0)
IF_LAST_CHANGE_1 = (1, 3, 6, 1, 2, 1, 2, 2, 1, 9, 1)
IF_HC_IN_OCTETS_1 = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 1)


def _echo_request(sequence: int) -> bytes:
    words = (0x0800, 0, 0x4E4D, sequence)
    total = sum(words)
    checksum = ~(total + (total >> 16)) & 0xFFFF
    return struct.pack("!4H", words[0], checksum, words[2], words[3])


def _get_request(name: tuple[int, ...]) -> bytes:
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_varbinds(pdu, [(name, v2c.null)])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, DEMO_COMMUNITY)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def _first_value(message: bytes) -> object:
    decoded, _ = decoder.decode(message, asn1Spec=v2c.Message())
    ((_, value),) = v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(decoded))
    return int(value) if isinstance(value, Integer) else bytes(value)


@pytest.fixture(scope="module", params=list(Mode))
def shared(request: pytest.FixtureRequest) -> Iterator[ToyProvince]:
    try:
        province = open_province(request.param)
    except CapabilityError as error:
        pytest.skip(f"missing: {error}")
    with province:
        yield province


@pytest.fixture
def province(shared: ToyProvince) -> ToyProvince:
    """An empty province in which nothing is broken, whatever the last test did."""
    shared.set_inventory(_inventory())
    for token in ("a storm", "one", "two"):
        shared.restore(token)
    shared.windows.clear()
    return shared


@pytest.fixture
def prober(province: ToyProvince) -> Iterator[Prober]:
    prober = Prober(province)
    yield prober
    prober.close()


def _router(inventory: Inventory, agency: str) -> Router:
    router = inventory.agencies[agency].router
    assert router is not None
    return router


def test_every_router_answers_echoes_and_snmp_in_its_own_name(
    province: ToyProvince, prober: Prober
) -> None:
    inventory = province.set_inventory(INVENTORY)
    for agency in inventory.agencies.values():
        assert all(prober.answers(a) for link in agency.links for a in link.addresses)
        assert prober.get(_router(inventory, agency.id), SYS_NAME) == f"rt-{agency.id}".encode()


def test_a_silenced_address_is_silent_alone_and_comes_back(
    province: ToyProvince, prober: Prober
) -> None:
    inventory = province.set_inventory(INVENTORY)
    cut = _router(inventory, "xa")
    province.silence("a storm", [cut.address])
    assert not prober.answers(cut.address)
    assert prober.get(cut, SYS_NAME) is None
    assert prober.answers(_router(inventory, "so").address)
    province.restore("a storm")
    assert prober.answers(cut.address)
    assert prober.get(cut, SYS_NAME) is not None


def test_an_address_is_silent_until_the_last_of_its_faults_is_over(
    province: ToyProvince, prober: Prober
) -> None:
    address = _router(province.set_inventory(INVENTORY), "xa").address
    province.silence("one", [address])
    province.silence("two", [address])
    province.restore("one")
    assert not prober.answers(address)
    province.restore("two")
    assert prober.answers(address)


def test_a_closed_socket_is_in_nobodys_way(province: ToyProvince, prober: Prober) -> None:
    address = _router(province.set_inventory(INVENTORY), "xa").address
    closed, _ = province.open_echo_socket(4)
    closed.close()
    province.silence("a storm", [address])
    assert not prober.answers(address)


def test_a_filter_of_the_echo_engine_and_silence_hold_together(
    province: ToyProvince, prober: Prober
) -> None:
    address = _router(province.set_inventory(INVENTORY), "xa").address
    nothing_passes = struct.pack("=HBBI", 0x06, 0, 0, 0)
    everything_passes = struct.pack("=HBBI", 0x06, 0, 0, 0x40000)
    prober.attach(nothing_passes)
    assert not prober.answers(address)
    prober.attach(everything_passes)
    assert prober.answers(address)
    province.silence("a storm", [address])
    prober.attach(everything_passes)
    assert not prober.answers(address)


def test_a_hung_agent_is_silent_while_its_router_answers_echoes(
    province: ToyProvince, prober: Prober
) -> None:
    router = _router(province.set_inventory(INVENTORY), "so")
    province.hang_agent("so", hangs=True)
    assert prober.get(router, SYS_NAME) is None
    assert prober.answers(router.address)
    province.hang_agent("so", hangs=False)
    assert prober.get(router, SYS_NAME) is not None


def test_counters_of_an_uplink_move(province: ToyProvince, prober: Prober) -> None:
    router = _router(province.set_inventory(INVENTORY), "so")
    before = prober.ticks(router, IF_HC_IN_OCTETS_1)
    time.sleep(0.05)
    assert prober.ticks(router, IF_HC_IN_OCTETS_1) > before


def test_a_new_commune_gets_life_and_the_others_run_on(
    province: ToyProvince, prober: Prober
) -> None:
    before = province.set_inventory(INVENTORY)
    uptime = prober.ticks(_router(before, "so"), SYS_UPTIME)
    after = province.set_inventory(_inventory(HUYEN, XA, SO, _agency("moi", "10.86.20.5")))
    assert prober.answers(_router(after, "moi").address)
    assert prober.ticks(_router(after, "so"), SYS_UPTIME) >= uptime


def test_a_removed_agency_gets_no_answer_from_the_agent(
    province: ToyProvince, prober: Prober
) -> None:
    removed = _router(province.set_inventory(INVENTORY), "so")
    province.set_inventory(_inventory(HUYEN, XA))
    assert prober.get(removed, SYS_NAME) is None


def test_a_share_of_the_packets_gets_lost(province: ToyProvince, prober: Prober) -> None:
    address = _router(province.set_inventory(INVENTORY), "so").address
    province.lose("a bad splice", [address], 0.5)
    replies = 0
    for _ in range(24):
        replies += prober.answers(address, 0.02)
        time.sleep(LOSS_SLOT_SECONDS)
    province.lose("a bad splice", (), 0)
    # Binomial(24, 0.5): outside 2…22 fewer than once in 300,000 runs.
    assert 2 <= replies <= 22
    assert prober.answers(address)


async def _begin(
    province: ToyProvince, fault: Fault, agency: str, seconds: float
) -> asyncio.Task[Truth]:
    """Start a fault; return when it has begun."""
    begun = asyncio.Event()
    player = FaultPlayer(province, Timeline(SystemClock()), lambda _: begun.set())
    playing = asyncio.create_task(player.play(fault, agency, seconds))
    await begun.wait()
    return playing


SCRIPTED = [
    pytest.param(Fault.CUT, "so", False, True, id="a cut circuit moves ifLastChange only"),
    pytest.param(Fault.PATH, "so", False, False, id="a cut half-way moves nothing"),
    pytest.param(Fault.POWER, "so", True, False, id="a power cycle starts uptime anew"),
    pytest.param(Fault.DISTRICT, "huyen", False, True, id="a district's circuit is cut"),
]


@pytest.mark.parametrize(("fault", "agency", "restarts", "uplink_moves"), SCRIPTED)
async def test_what_a_router_tells_after_a_fault_gives_its_cause_away(
    province: ToyProvince, prober: Prober, fault: Fault, agency: str, *,
    restarts: bool, uplink_moves: bool,
) -> None:  # fmt: skip
    router = _router(province.set_inventory(INVENTORY), agency)
    boots = prober.ticks(router, ENGINE_BOOTS)
    moved = prober.ticks(router, IF_LAST_CHANGE_1)
    uptime = prober.ticks(router, SYS_UPTIME)
    playing = await _begin(province, fault, agency, 0.3)
    assert not await asyncio.to_thread(prober.answers, router.address)
    truth = await playing
    assert prober.answers(router.address)
    assert prober.ticks(router, ENGINE_BOOTS) == boots + restarts
    assert (prober.ticks(router, SYS_UPTIME) < uptime) == restarts
    assert (prober.ticks(router, IF_LAST_CHANGE_1) != moved) == uplink_moves
    assert truth.end_us is not None
    assert 300_000 <= truth.end_us - truth.start_us < 900_000


async def test_a_district_takes_its_communes_along(province: ToyProvince, prober: Prober) -> None:
    inventory = province.set_inventory(INVENTORY)
    playing = await _begin(province, Fault.DISTRICT, "huyen", 0.2)
    assert not await asyncio.to_thread(prober.answers, _router(inventory, "xa").address)
    truth = await playing
    assert truth.links == (LinkKey("huyen", "primary"),)
    assert truth.behind == (LinkKey("xa", "primary"),)


async def test_the_script_announces_its_maintenance_before_it_cuts(
    province: ToyProvince,
) -> None:
    province.set_inventory(INVENTORY)
    told: list[str] = []
    reloaded = asyncio.Event()

    async def reload() -> None:
        assert not told
        (window,) = province.set_inventory(INVENTORY).maintenance
        assert window.agencies <= INVENTORY.agencies.keys()
        reloaded.set()

    player = FaultPlayer(province, Timeline(SystemClock()), told.append)
    script = Script((Step(0, Fault.MAINTENANCE, 60),), cycle_seconds=60)
    running = asyncio.create_task(player.run(script, reload))
    async with asyncio.timeout(5):
        await reloaded.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_cancelled_script_heals_what_it_broke(
    province: ToyProvince, prober: Prober
) -> None:
    address = _router(province.set_inventory(INVENTORY), "xa").address
    playing = await _begin(province, Fault.PATH, "xa", 60)
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing
    assert prober.answers(address)


def test_the_world_ends_with_the_province_and_says_so_to_whoever_asks_it(
    province: ToyProvince,
) -> None:
    ended = open_province(province.mode)
    process = ended._world._process
    ended.close()
    assert process.poll() is not None
    with pytest.raises(WorldError, match="the toy world is gone"):
        ended.restore("a storm")


def test_the_page_is_told_of_the_fallback_in_one_sentence(province: ToyProvince) -> None:
    for language in ("vi", "en"):
        notice = province.notice(language)
        assert notice.count(".") - notice.count("127.") == 1
        assert ("127.x" in notice) == (province.mode is Mode.LOOPBACK)


def test_sockets_of_netmon_itself_stay_on_the_machines_network(province: ToyProvince) -> None:
    province.set_inventory(INVENTORY)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()

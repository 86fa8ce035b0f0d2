"""Each fault of the lab is seen by real ping and real snmpget as netmon will see it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from lab.faults import Direction, End, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import Lab

pytestmark = pytest.mark.lab

IF_NAME = ".1.3.6.1.2.1.31.1.1.1.1"
SYS_UPTIME = ".1.3.6.1.2.1.1.3.0"
ENGINE_BOOTS = ".1.3.6.1.6.3.10.2.1.2.0"
BACKUP_OPER_STATUS = ".1.3.6.1.2.1.2.2.1.8.3"


def ping(lab: Lab, router: str, count: int = 3, *options: str, interface: str = "wan0") -> str:
    address = str(lab.address(router, interface))
    return "".join(_ping(lab, address, count, *options))


def _ping(lab: Lab, address: str, count: int, *options: str) -> tuple[str, str]:
    done = lab.run("ping", "-n", "-c", str(count), "-i", "0.01", "-W", "0.3", *options, address)
    return done.stdout, done.stderr


def loss_percent(output: str) -> float:
    found = re.search(r"([\d.]+)% packet loss", output)
    assert found, output
    return float(found[1])


def answers(lab: Lab, router: str) -> bool:
    return loss_percent(ping(lab, router)) == 0


def get(lab: Lab, router: str, name: str = SYS_UPTIME, *, community: str = "lab") -> str:
    """Return what snmpget prints: a bare value, or what went wrong."""
    done = lab.run(
        "snmpget", "-v2c", "-c", community, "-t", "0.5", "-r", "0", "-Oqvt", "-On",
        str(lab.address(router)), name,
    )  # fmt: skip
    return (done.stdout + done.stderr).strip().strip('"')


def agent_answers(lab: Lab, router: str) -> bool:
    return get(lab, router).isdecimal()


def comes_true(condition: Callable[[], bool], patience_seconds: float = 8.0) -> bool:
    """Ask until it is so: agents read their interfaces every few seconds only."""
    deadline = time.monotonic() + patience_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_every_router_answers_echoes_and_snmp(lab: Lab) -> None:
    for router in lab.topology.nodes:
        assert answers(lab, router)
        assert get(lab, router, ".1.3.6.1.2.1.1.5.0") == f"rt-{router}"
    assert loss_percent(ping(lab, "so-0", interface="wan1")) == 0


def test_a_cut_link_is_silent_alone_and_comes_back(lab: Lab) -> None:
    with lab.faults.cut("so-1"):
        assert loss_percent(ping(lab, "so-1")) == 100
        assert not agent_answers(lab, "so-1")
        assert answers(lab, "so-2")
    assert comes_true(lambda: answers(lab, "so-1"))
    assert agent_answers(lab, "so-1")


def test_a_cut_district_takes_its_communes_along(lab: Lab) -> None:
    with lab.faults.cut("huyen-0"):
        assert loss_percent(ping(lab, "huyen-0")) == 100
        assert loss_percent(ping(lab, "xa-0-0")) == 100
        assert answers(lab, "so-0")
    assert comes_true(lambda: answers(lab, "huyen-0"))
    assert comes_true(lambda: answers(lab, "xa-0-0"))


def test_of_a_commune_cut_at_its_district_the_district_says_so(lab: Lab) -> None:
    with lab.faults.cut("xa-0-1", end=End.ABOVE):
        # The kernel asks for the neighbour for a second or three before it gives up.
        output = ping(lab, "xa-0-1", 4, "-i", "1")
        assert f"From {lab.address('huyen-0')}" in output
        assert "Unreachable" in output
        assert answers(lab, "xa-0-0")
    assert comes_true(lambda: answers(lab, "xa-0-1"))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        pytest.param("blackhole", "Invalid argument", id="a blackhole raises EINVAL"),
        pytest.param("no_route", "No route to host", id="unreachable raises EHOSTUNREACH"),
        pytest.param("prohibit", "Permission denied", id="prohibit raises EACCES"),
    ],
)
def test_a_route_at_the_centre_fails_sending_itself(lab: Lab, kind: str, words: str) -> None:
    with _fault(lab, kind):
        done = lab.run("snmpget", "-v2c", "-c", "lab", "-t", "0.3", "-r", "0",
                       str(lab.address("so-1")), SYS_UPTIME)  # fmt: skip
        assert words in done.stderr
        assert loss_percent_or_refusal(lab, "so-1")
    assert answers(lab, "so-1")


def _fault(lab: Lab, kind: str) -> Fault:
    return {
        "blackhole": lab.faults.blackhole,
        "no_route": lab.faults.no_route,
        "prohibit": lab.faults.prohibit,
    }[kind]("so-1")


def loss_percent_or_refusal(lab: Lab, router: str) -> bool:
    output = ping(lab, router)
    return "% packet loss" not in output or loss_percent(output) == 100


def test_a_lost_return_path_is_silence(lab: Lab) -> None:
    with lab.faults.lose_return_path("so-1"):
        assert loss_percent(ping(lab, "so-1")) == 100
        assert not agent_answers(lab, "so-1")
    assert answers(lab, "so-1")


def test_random_loss_is_about_what_was_asked_for(lab: Lab) -> None:
    with lab.faults.lose("so-2", 0.3):
        # Binomial(200, 0.3): outside 13…49 % fewer than once in ten million runs.
        assert 13 <= loss_percent(ping(lab, "so-2", 200, "-i", "0.002")) <= 49
    assert answers(lab, "so-2")


def test_every_tenth_packet_is_exactly_a_tenth(lab: Lab) -> None:
    with lab.faults.lose_every("so-2", 10):
        assert loss_percent(ping(lab, "so-2", 50)) == 10


def test_one_way_loss_lets_requests_in(lab: Lab) -> None:
    with lab.faults.lose("so-2", 1.0, direction=Direction.REPLIES):
        assert loss_percent(ping(lab, "so-2")) == 100
        counted = lab.run("nstat", "-asz", "IcmpInEchos", place="so-2").stdout
        assert int(counted.split()[-2]) >= 3
    assert answers(lab, "so-2")


def test_a_hole_in_the_mtu_swallows_large_packets_only(lab: Lab) -> None:
    with lab.faults.drop_larger("so-2", 1000):
        assert answers(lab, "so-2")
        assert loss_percent(ping(lab, "so-2", 3, "-s", "1400")) == 100


def test_filtered_echoes_are_silent_while_the_agent_answers(lab: Lab) -> None:
    with lab.faults.drop_echoes("so-2"):
        assert loss_percent(ping(lab, "so-2")) == 100
        assert agent_answers(lab, "so-2")


def test_rejected_echoes_are_told_by_the_router_itself(lab: Lab) -> None:
    with lab.faults.reject_echoes("so-2"):
        output = ping(lab, "so-2")
        assert "Packet filtered" in output
        assert f"From {lab.address('so-2')}" in output
        assert agent_answers(lab, "so-2")


def test_a_router_that_protects_its_processor_answers_some_echoes(lab: Lab) -> None:
    with lab.faults.limit_echoes("so-2", 2):
        assert 50 <= loss_percent(ping(lab, "so-2", 20)) < 100


def test_two_faults_of_one_router_heal_apart(lab: Lab) -> None:
    lossy = lab.faults.lose("so-2", 1.0)
    with lab.faults.drop_larger("so-2", 1000):
        lossy.heal()
        assert answers(lab, "so-2")
        assert loss_percent(ping(lab, "so-2", 3, "-s", "1400")) == 100
    lossy.heal()
    assert loss_percent(ping(lab, "so-2", 3, "-s", "1400")) == 0


def test_a_hung_agent_is_silent_while_echoes_are_answered(lab: Lab) -> None:
    with lab.faults.hang_agent("so-3"):
        assert answers(lab, "so-3")
        assert "Timeout" in get(lab, "so-3")
    assert comes_true(lambda: agent_answers(lab, "so-3"))


def test_a_stopped_agent_is_started_again(lab: Lab) -> None:
    with lab.faults.stop_agent("so-3"):
        assert answers(lab, "so-3")
        assert not agent_answers(lab, "so-3")
    assert comes_true(lambda: agent_answers(lab, "so-3"))


def test_a_wrong_community_is_silence(lab: Lab) -> None:
    assert "Timeout" in get(lab, "so-3", community="sai")


def test_power_comes_back_with_uptime_anew_and_one_more_boot(lab: Lab) -> None:
    boots = int(get(lab, "so-3", ENGINE_BOOTS))
    with lab.faults.power_off("so-3"):
        assert loss_percent(ping(lab, "so-3")) == 100
        back = time.monotonic()
    assert comes_true(lambda: agent_answers(lab, "so-3"))
    assert int(get(lab, "so-3", ENGINE_BOOTS)) == boots + 1
    assert int(get(lab, "so-3")) / 100 <= time.monotonic() - back


def test_a_cut_backup_uplink_is_told_by_the_agent_only(lab: Lab) -> None:
    with lab.faults.cut("so-0", interface="wan1", end=End.ABOVE):
        assert answers(lab, "so-0")
        assert comes_true(lambda: get(lab, "so-0", BACKUP_OPER_STATUS) in {"down", "2", "7"})
    assert comes_true(lambda: get(lab, "so-0", BACKUP_OPER_STATUS) in {"up", "1"})


def test_a_recreated_interface_has_its_old_name_and_a_new_index(lab: Lab) -> None:
    def indices() -> list[str]:
        walk = lab.run("snmpwalk", "-v2c", "-c", "lab", "-Oqn", str(lab.address("so-0")), IF_NAME)
        lines = (line.split() for line in walk.stdout.splitlines())
        return [name.rpartition(".")[2] for name, value in lines if value.strip('"') == "wan1"]

    assert indices() == ["3"]
    lab.faults.recreate_interface("so-0")
    assert comes_true(lambda: indices() not in ([], ["3"]))
    assert len(indices()) == 1

"""netmon's own commands against a real router: FRR's vtysh behind a real sshd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.capabilities import missing
from lab.kernel import new_prefix, remove_namespaces, run_ip, sweep_dead
from tests.support.ssh_frr import NEEDS, PASSWORD, USER, FrrRouter
from tests.support.ssh_recordings import SEED
from tests.support.ssh_site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.lab

COMMUNE, CENTRE = "10.99.0.1", "10.99.0.2"
_CONFIGURATION = """
ip route 10.6.0.0/16 Null0
password SEEDvty
enable password SEEDenable
interface {device}
 description to the other side
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf authentication message-digest
 ip ospf message-digest-key 1 md5 SEEDospf
!
router ospf
 ospf router-id {address}
 network 10.99.0.0/24 area 0
!
"""


@pytest.fixture(scope="module")
def namespaces() -> Iterator[tuple[str, str]]:
    """Make a commune and a centre, and a wire between them."""
    if lack := missing(*NEEDS):
        pytest.skip(lack)
    sweep_dead()
    prefix = new_prefix()
    commune, centre = names = (f"{prefix}commune", f"{prefix}centre")
    try:
        wire = f"link add wan0 netns {commune} type veth peer name lan0 netns {centre}"
        run_ip([*(f"netns add {name}" for name in names), wire])
        for name, device, address in ((commune, "wan0", COMMUNE), (centre, "lan0", CENTRE)):
            addressed = f"addr add {address}/24 dev {device}"
            run_ip([addressed, f"link set {device} up", "link set lo up"], name)
        yield names
    finally:
        remove_namespaces(names)


@pytest.fixture(scope="module")
def router(
    namespaces: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FrrRouter]:
    """Start FRR on both sides; the commune's is the one that is visited."""
    folder = tmp_path_factory.mktemp("frr")
    commune, centre = namespaces
    there = _CONFIGURATION.format(device="wan0", address=COMMUNE)
    here = _CONFIGURATION.format(device="lan0", address=CENTRE)
    with (
        FrrRouter(centre, folder / "centre", CENTRE, here),
        FrrRouter(commune, folder / "r-xa-a", COMMUNE, there) as router,
    ):
        router.wait_until("show ip ospf neighbor", "Full")
        yield router


@pytest.fixture
def site(namespaces: tuple[str, str], tmp_path: Path) -> Site:
    site = Site(tmp_path / "site", (USER, PASSWORD), namespaces[1])
    site.add("xa-a", {"address": COMMUNE, "platform": "frr"})
    return site


def test_a_real_router_tells_facts_and_configuration_and_one_changed_line(
    site: Site, router: FrrRouter
) -> None:
    done = site.run("inventory", "refresh", "--lang", "en")
    assert done.returncode == 0, done.stdout + done.stderr + router.logs()
    known = site.facts("xa-a")
    assert known.pop("version")[:1].isdigit()
    content = known.pop("config")
    assert known == {
        "vendor": "FRRouting",
        "os": "FRR",
        "name": "r-xa-a",
        "interface/lo": "-",
        "interface/wan0": "to the other side",
        "address/wan0": f"{COMMUNE}/24",
        "neighbour/wan0": f"ospf {CENTRE}",
    }
    kept = site.configuration("xa-a")
    assert kept is not None
    assert " description to the other side\n" in kept
    assert kept.endswith("end\n")
    assert site.run("inventory", "refresh").returncode == 0
    assert (site.changes(), site.facts("xa-a")["config"]) == ([], content)

    router.configure("ip route 10.7.0.0/16 Null0")
    assert site.run("inventory", "refresh").returncode == 0
    assert [(each.agency, each.kind) for each in site.changes()] == [("xa-a", "config")]
    shown = site.run("config", "diff", "xa-a").stdout.splitlines()
    assert [line for line in shown[2:] if line[:1] in "+-"] == ["+ip route 10.7.0.0/16 Null0"]
    assert site.find(SEED) == []


def test_a_real_sshd_refuses_a_wrong_password_once(site: Site, router: FrrRouter) -> None:
    site.write_secret("password", "SEEDwrong")
    tries = router.logs().count("Failed password")
    for words in ("login refused", "held back"):
        done = site.run("inventory", "refresh", "--lang", "en")
        assert done.returncode == 1
        assert f"xa-a: {words}: " in done.stdout
    assert router.logs().count("Failed password") == tries + 1
    assert site.facts("xa-a") == {}
    assert SEED not in done.stdout + done.stderr


def test_a_real_sshd_with_another_host_key_is_told_no_password(
    site: Site, router: FrrRouter
) -> None:
    assert site.run("inventory", "refresh").returncode == 0
    before, logins = site.facts("xa-a"), router.logs().count(" password for ")
    router.make_host_key()
    done = site.run("inventory", "refresh", "--lang", "en")
    assert done.returncode == 1
    assert "xa-a: another host key: " in done.stdout
    assert (site.facts("xa-a"), router.logs().count(" password for ")) == (before, logins)

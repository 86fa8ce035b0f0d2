"""`netmon probe` tells all that can be learnt of an agency, in tables, in JSON and by exit code."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from netmon.cli import main
from netmon.config import load_all
from netmon.demo.files import write_demo_files
from netmon.demo.province import Mode, open_province
from netmon.errors import CapabilityError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from netmon.model import Router

pytestmark = pytest.mark.net

AGENCY = "van-phong-hdnd"
SETTINGS = "netmon.yaml"


class Place:
    """The demo's files, and where its routers stand in on the loopback network."""

    def __init__(self, folder: Path, router: Router) -> None:
        self.folder = folder
        self.router = router

    def probe(self, *arguments: str) -> int:
        return main(["probe", f"--config.file={self.folder / SETTINGS}", "--count=2", *arguments])

    @property
    def reachable(self) -> tuple[str, str]:
        return str(self.router.address), f"--snmp-port={self.router.snmp_port}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("probe")
    settings = write_demo_files(folder)
    with ExitStack() as stack:
        try:
            province = stack.enter_context(open_province(Mode.LOOPBACK))
        except CapabilityError as error:
            pytest.skip(str(error))
        inventory = province.set_inventory(load_all(settings).inventory)
        router = inventory.agencies[AGENCY].router
        assert router is not None
        yield Place(folder, router)


def test_a_narrow_terminal_cuts_nothing_short(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert place.probe(*place.reachable) == 0
    assert "…" not in capsys.readouterr().out


def test_a_router_is_told_with_its_facts_its_uplink_and_why(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.probe(*place.reachable, "--profile-debug") == 0
    shown, aside = capsys.readouterr()
    for words in (
        "ICMP echo",
        "rt-van-phong-hdnd",
        "Ruijie",
        "uplink GigabitEthernet 0/0: default route via 192.0.2.1",
        "→ 1 GigabitEthernet",
        "because sysDescr like 'Ruijie'",
    ):
        assert words in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 100
    assert aside == ""  # no progress where nobody watches


def test_the_same_is_told_in_json(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.probe(*place.reachable, "--format=json") == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    (echoes,) = told["echoes"]
    assert (echoes["sent"], echoes["replies"], echoes["loss_ratio"]) == (2, 2, 0)
    assert 0 < echoes["rtt_seconds"]["min"] <= echoes["rtt_seconds"]["max"]
    router = told["snmp"]["router"]
    assert (told["snmp"]["status"], router["profile"]["name"]) == ("ok", "ruijie")
    assert [row["name"] for row in router["interfaces"]] == [
        "GigabitEthernet 0/0",
        "GigabitEthernet 0/1",
    ]
    assert router["uplink"] == {"index": 1, "reason": "default route via 192.0.2.1"}


def test_a_silent_agent_is_a_finding_with_its_remedy(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.probe("127.84.30.99") == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "status timeout" in shown or "status refused" in shown
    assert "credential province" in shown or "switch the router's SNMP agent on" in shown


def test_a_secret_that_is_not_there_is_told_and_echoes_go_on(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(place.folder, tmp_path / "copy")
    (folder / "community").unlink()
    assert Place(folder, place.router).probe(*place.reachable, "--format=json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["snmp"]["status"] == "no_secret"
    assert "credential province" in told["snmp"]["remedy"]
    assert told["echoes"][0]["replies"] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["van-phong-hdn"], "did you mean van-phong-hdnd?"),
        (["10.1.2.999"], "neither an agency's id nor an address"),
        (["127.0.0.1", "--snmp=x"], "no such credential in the settings (there: province)"),
    ],
)
def test_wrong_usage_ends_with_2_and_the_remedy(
    place: Place, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.probe(*arguments) == 2
    assert words in capsys.readouterr().err


def test_an_impossible_count_is_wrong_usage(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        place.probe("127.0.0.1", "--count=0")
    assert ended.value.code == 2
    assert "a number from 1 to 1000" in capsys.readouterr().err


def test_an_operators_profile_is_used_and_a_wrong_one_is_told(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(place.folder, tmp_path / "copy")
    own = folder / "own"
    own.mkdir()
    profile = own / "rsr.yaml"
    profile.write_text(
        "vendor: Our own\nmatch: {object_id: 1.3.6.1.4.1.4881.1.2.1.1.100, description: RSR}\n",
        encoding="utf-8",
    )
    settings = folder / SETTINGS
    settings.write_text(settings.read_text(encoding="utf-8") + "profiles: own\n", encoding="utf-8")
    copied = Place(folder, place.router)
    assert copied.probe(*place.reachable, "--profile-debug") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Our own" in shown
    assert "also fits ruijie: sysDescr like 'Ruijie'" in shown
    profile.write_text("vndor: Our own\n", encoding="utf-8")
    assert copied.probe(*place.reachable) == 1
    said = f"{profile}:1:1: unknown key 'vndor'; did you mean 'vendor'?"
    assert said in capsys.readouterr().err
    assert main(["check", f"--config.file={settings}"]) == 1
    assert said in capsys.readouterr().out

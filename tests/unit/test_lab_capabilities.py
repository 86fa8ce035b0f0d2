"""What is missing is said in words, with where to get it."""

from __future__ import annotations

import pytest

from lab.capabilities import Need, find_program, missing
from tests.conftest import pytest_runtest_makereport


def test_nothing_missing_is_no_sentence() -> None:
    assert missing() == ""


def test_what_is_missing_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.capabilities.shutil.which", lambda *_, **__: None)
    assert missing(Need.SNMPD, Need.NFT) == (
        "missing: snmpd (apt-get install snmpd), nft (apt-get install nftables)"
    )
    with pytest.raises(FileNotFoundError, match="snmpd is not installed"):
        find_program("snmpd")


def test_an_ordinary_user_is_told_to_be_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.capabilities.os.geteuid", lambda: 1000)
    assert missing(Need.ROOT) == "missing: root (run as root)"


@pytest.mark.parametrize(
    ("ci", "reason", "outcome"),
    [
        pytest.param("true", "missing: snmpd", "failed", id="under CI a missing tool fails"),
        pytest.param("true", "no loop device here", "failed", id="and whatever else is not here"),
        pytest.param("true", "optional: not on Sundays", "skipped", id="what is optional is not"),
        pytest.param("", "missing: snmpd", "skipped", id="elsewhere it is a skip"),
    ],
)
def test_a_skip_for_a_missing_tool_fails_under_ci(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    ci: str,
    reason: str,
    outcome: str,
) -> None:
    monkeypatch.setenv("CI", ci)
    longrepr = ("test_it.py", 1, f"Skipped: {reason}")
    report = pytest.TestReport("test_it", ("", 0, ""), {}, "skipped", longrepr, "call")
    hook = pytest_runtest_makereport(request.node)
    next(hook)
    with pytest.raises(StopIteration) as end:
        hook.send(report)
    assert end.value.value.outcome == outcome

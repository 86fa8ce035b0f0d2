"""The rules that are shipped: what promtool says of them, and what their tests would notice."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lab.capabilities import Need, missing
from netmon.alerting.prometheus_files import rules_file
from netmon.config.settings import Alerting
from netmon.messages import Catalogue
from netmon_exporters.prometheus import families
from tests.support.promtool import EXPORTERS, RULES, TESTS, promtool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT = EXPORTERS.parent
TREE: dict[str, Any] = yaml.safe_load((RULES / "netmon.yml").read_text("utf-8"))
RULE_LIST: list[dict[str, Any]] = [rule for group in TREE["groups"] for rule in group["rules"]]
ALERTS = sorted({rule["alert"] for rule in RULE_LIST if "alert" in rule})
TEST_FILES = sorted(TESTS.glob("*.yml"))

needs_promtool = pytest.mark.skipif(
    bool(missing(Need.PROMTOOL)), reason=missing(Need.PROMTOOL) or "promtool is there"
)


def cases(alert: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield the tests that look at an alert, each with its expectations in order."""
    for path in TEST_FILES:
        for test in yaml.safe_load(path.read_text("utf-8"))["tests"]:
            looks = [each for each in test["alert_rule_test"] if each["alertname"] == alert]
            if looks:
                yield test, looks


@needs_promtool
def test_promtool_finds_no_fault_in_the_rules_and_the_scrape_configuration() -> None:
    commands: tuple[list[str | Path], ...] = (
        ["check", "rules", *sorted(RULES.glob("*.yml"))],
        ["check", "config", EXPORTERS / "prometheus/prometheus.yml"],
    )
    for arguments in commands:
        done = promtool(*arguments)
        assert done.returncode == 0, done.stdout
        assert "FAILED" not in done.stdout


@needs_promtool
@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.stem)
def test_every_alert_does_what_its_tests_say(path: Path) -> None:
    done = promtool("test", "rules", path.name, where=TESTS)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_tested_silent_firing_and_over(alert: str) -> None:
    fires = [[bool(look["exp_alerts"]) for look in looks] for _, looks in cases(alert)]
    assert any(any(each) for each in fires), "no test sees it fire"
    if alert != "Watchdog":
        assert any(re.search("FT+F", "".join("FT"[fired] for fired in each)) for each in fires), (
            "no test sees it begin and end"
        )


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_words_in_both_languages_and_a_runbook(alert: str) -> None:
    (rule, *_) = [rule for rule in RULE_LIST if rule.get("alert") == alert]
    assert set(rule["annotations"]) == {
        "summary", "description", "summary_en", "description_en", "runbook_url",
    }  # fmt: skip
    assert rule["annotations"]["runbook_url"].endswith(f"/{alert}.md")
    page = (ROOT / f"docs/runbooks/{alert}.md").read_text("utf-8")
    assert page.startswith(f"# {alert}\n")


def test_every_text_of_an_alert_belongs_to_one() -> None:
    said = {key.split(".")[1] for key in Catalogue.load().texts if key.startswith("alert.")}
    assert sorted(said) == ALERTS


def test_every_metric_in_a_rule_is_one_that_netmon_exposes() -> None:
    known = {family.name for family in families()}
    for rule in RULE_LIST:
        named = set(re.findall(r"(?<![:\w])netmon_[a-z_]+", str(rule["expr"])))
        named |= set(re.findall(r"(?<![:\w])netmon_[a-z_]+", str(rule.get("annotations", ""))))
        assert named <= known, rule


def test_every_rule_keeps_what_one_netmon_says_apart_from_another() -> None:
    clauses = [
        (rule, clause)
        for rule in RULE_LIST
        for clause in re.findall(r"\b(?:on|by) \(([^)]*)\)", rule["expr"])
    ]
    assert clauses
    for rule, clause in clauses:
        assert clause.startswith("job, instance"), rule


def test_the_rules_that_are_shipped_are_those_of_the_defaults() -> None:
    assert (RULES / "netmon.yml").read_text("utf-8") == rules_file(Alerting(), 7 * 3600)


# --- Broken on purpose ----------------------------------------------------------------------------

_LABELS = "agency|link|parent|district|provider|interface|circuit|name"
_SWAPS = (
    (r"== 1\b", "== 0"),
    (r"== 0\b", "== 1"),
    (r"(?<=\s)>(?=\s)", "<"),
    (r"(?<=\s)>=(?=\s)", ">"),
    (r"(?<=\s)<(?=\s)", ">"),
    (r"(?<=\s)/(?=\s)", "*"),
    (r"(?<=\s)or(?=\n)", "and"),
    (r"\boffset \w+", "offset 1h"),
    # Not where an alert is held while netmon is silent: then nothing else is there to be joined.
    (rf", (?:{_LABELS})\)(?!\n\(max without.*up\{{)", ")"),
    (r"\bunless\b", "and"),
    (r"\band on\b", "unless on"),
    (r"\bsum by\b", "max by"),
    (r"\bcount by\b", "max by"),
    (r"\bsum_over_time\b", "max_over_time"),
    (r"\b(?:last|present)_over_time\b", "absent_over_time"),
    (r"\bincrease\(", "idelta("),
    (r'(?<=trouble=")\w+', "nothing"),
    (r"=~", "!~"),
    (r'!=""', '=""'),
    (r'"primary"', '"backup"'),
    (r'"backup"', '"primary"'),
    (r"0\.9 \*", "0.1 *"),
    (r"\(1 - ", "(2 - "),
)


def mutants(expression: str) -> Iterator[str]:
    """Yield the expression broken in one place at a time."""
    yield f"({expression}) and on () vector(0) == 1"
    for pattern, other in _SWAPS:
        for match in re.finditer(pattern, expression):
            yield expression[: match.start()] + other + expression[match.end() :]
    yield from without_one_branch(expression)


def without_one_branch(expression: str) -> Iterator[str]:
    """Yield the expression with one of its outermost `or` branches left out."""
    branches = re.split(r"\nor on \([a-z, ]+\)\n", expression)
    if len(branches) > 1:
        joins = re.findall(r"\nor on \([a-z, ]+\)\n", expression)
        for gone in range(len(branches)):
            kept = [branch for number, branch in enumerate(branches) if number != gone]
            yield joins[0].join(kept)


def survives(work: Path, position: int, mutant: str) -> bool:
    """Tell whether the tests that look at a rule pass although it is broken."""
    tree = yaml.safe_load(yaml.safe_dump(TREE))
    rules = [rule for group in tree["groups"] for rule in group["rules"]]
    name = rules[position].get("alert")
    rules[position]["expr"] = mutant
    for group in tree["groups"]:
        group["rules"] = [
            rule for rule in group["rules"] if name is None or rule.get("alert") in {None, name}
        ]
    work.mkdir()
    (work / "rules.yml").write_text(yaml.safe_dump(tree), "utf-8")
    for path in relevant(name, rules[position].get("record", "")):
        document = yaml.safe_load(path.read_text("utf-8"))
        document["rule_files"] = ["rules.yml"]
        if name is not None:
            document["tests"] = [only(test, name) for test in document["tests"]]
            document["tests"] = [test for test in document["tests"] if test["alert_rule_test"]]
        first = witness(RULE_LIST[position], document["tests"])
        rest = [test for test in document["tests"] if test not in first] if ALL_MUTANTS else []
        for tests in filter(None, (first, rest)):
            # Most are found out by the first.
            text = yaml.safe_dump({**document, "tests": tests})
            (work / path.name).write_text(text, "utf-8")
            if promtool("test", "rules", path.name, where=work).returncode:
                return False
    return True


def only(test: dict[str, Any], alert: str) -> dict[str, Any]:
    """Return a test with nothing but its looks at one alert."""
    looks = [each for each in test["alert_rule_test"] if each["alertname"] == alert]
    return {**test, "alert_rule_test": looks, "promql_expr_test": []}


def relevant(alert: str | None, record: str) -> list[Path]:
    """Return the test files that look at an alert, or at what is made of a record."""
    if alert is not None:
        return [path for path in TEST_FILES if f"alertname: {alert}\n" in path.read_text("utf-8")]
    if any(part in record for part in ("_seconds", "errors", "budget")):
        return [path for path in TEST_FILES if path.stem in {"account", "hours"}]
    if record.startswith("interface:"):
        return [path for path in TEST_FILES if path.stem == "routers"]
    first = "outages" if record.startswith(("provider:", "district:")) else "agencies"
    rest = [path for path in TEST_FILES if path.stem in {"agencies", "company", "links", "outages"}]
    return sorted(rest, key=lambda path: path.stem != first)


ALL_MUTANTS = os.environ.get("NETMON_MUTANTS") == "all"
_PAGED = "an agency is paged after half a minute"
_UNOBSERVED = "a page stays open while the link is unobserved"
_CARRIER = "a carrier of which most circuits are down"
_AREA = "an area of which most agencies are down"
_TEN_MINUTES, _ALL_DAY = "ten minutes down within an hour", "a link of which a twentieth is lost"
WITNESSES = {
    "link:netmon_link_down:bool": "a primary that is down beside a backup that answers",
    "link:netmon_link_held:bool": "links stay told while netmon is dead",
    "agency:netmon_agency_down:bool": _PAGED,
    "agency:netmon_agency_held:bool": _UNOBSERVED,
    "parent:netmon_agency_down:bool": "a commune that went down just before its district",
    "agency:netmon_agency_down:unexplained": _PAGED,
    "agency:netmon_agency_unreachable_behind:count": "a district that is cut is one page",
    "provider:netmon_link_down:ratio": _CARRIER,
    "provider:netmon_link_down:count": _CARRIER,
    "district:netmon_agency_down:ratio": _AREA,
    "district:netmon_agency_down:count": _AREA,
    "interface:netmon_uplink_bytes:max_rate5m": "an uplink that carries more than nine tenths",
    "link:netmon_link_down_seconds:increase5m": _TEN_MINUTES,
    "link:netmon_link_judged_seconds:increase5m": _TEN_MINUTES,
    "link:netmon_link_errors:ratio_rate5m": _TEN_MINUTES,
    "link:netmon_link_errors:ratio_rate30m": _ALL_DAY,
    "link:netmon_link_errors:ratio_rate1h": _TEN_MINUTES,
    "link:netmon_link_errors:ratio_rate6h": _ALL_DAY,
    "link:netmon_link_budget:ratio": _TEN_MINUTES,
    "link:netmon_link_errors_beyond_budget:ratio": _TEN_MINUTES,
    "link:netmon_link_state_seconds:increase1h": "a month can be added up from hours",
}
"""The test that notices first when a recording rule says nothing any more."""


def witness(rule: dict[str, Any], tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the test of a file that notices when a rule says nothing any more, if there is one."""
    if "record" in rule:
        return [test for test in tests if test["name"].startswith(WITNESSES[rule["record"]])]
    firing = (
        test
        for test in tests
        if any(
            look["alertname"] == rule["alert"] and expects(look, rule)
            for look in test["alert_rule_test"]
        )
    )
    return list(islice(firing, 1))


def expects(look: dict[str, Any], rule: dict[str, Any]) -> bool:
    """Tell whether a look expects an alert with the labels that the rule gives."""
    given = rule["labels"].items()
    return any(given <= alert["exp_labels"].items() for alert in look["exp_alerts"])


@needs_promtool
@pytest.mark.parametrize(
    "position", range(len(RULE_LIST)), ids=lambda at: str(RULE_LIST[at].get("alert", at))
)
def test_a_rule_that_is_broken_fails_its_tests(tmp_path: Path, position: int) -> None:
    """Each says nothing any more; with NETMON_MUTANTS=all each place is broken (10 minutes)."""
    expression = RULE_LIST[position]["expr"]
    broken = list(mutants(expression))
    tried = [expression, *broken] if ALL_MUTANTS else broken[:1]
    with ThreadPoolExecutor(2) as pool:
        alive = pool.map(
            lambda numbered: survives(tmp_path / str(numbered[0]), position, numbered[1]),
            enumerate(tried),
        )
        survivors = [each for each, lives in zip(tried, alive, strict=True) if lives]
    assert survivors == ([expression] if ALL_MUTANTS else [])

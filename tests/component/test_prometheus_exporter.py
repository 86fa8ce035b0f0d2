"""/metrics of a whole snapshot: the contract, Prometheus' own checks, and what is absent when."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from prometheus_client.exposition import choose_encoder, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from netmon.model import RouterFacts, SnmpStatus, State
from netmon.web import Request, find_exporters
from netmon_exporters.metrics_table import document
from netmon_exporters.prometheus import PrometheusExporter, families
from tests.support.reference import ReferenceCollector
from tests.support.snapshots import (
    COMMUNE,
    DEPARTMENT,
    DISTRICT,
    NOW_US,
    SECOND_COMMUNE,
    agencies,
    figures,
    outage,
    reading,
    snapshot,
)

if TYPE_CHECKING:
    from netmon.state import Snapshot

ROOT = Path(__file__).parents[2]
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
OWN = re.compile(rb"^(# (HELP|TYPE) )?(process|python)_.*\n", re.MULTILINE)


def scrape(taken: Snapshot, accept: str = "", exporter: PrometheusExporter | None = None) -> bytes:
    handler = (exporter or PrometheusExporter()).routes()["/metrics"]
    return b"".join(handler(taken, Request("/metrics", {}, {"accept": accept})).parts)


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def values(text: bytes, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """Return the values of a metric by the values of the labels named."""
    return {
        tuple(dict(own)[label] for label in labels): value
        for (found, own), value in samples(text).items()
        if found == name
    }


def busy() -> Snapshot:
    """Return a snapshot that has something of everything."""
    return snapshot(
        {DISTRICT: State.DOWN, COMMUNE: State.UNREACHABLE, SECOND_COMMUNE: State.MAINTENANCE},
        readings=[reading(), reading(DISTRICT, status=SnmpStatus.TIMEOUT, interfaces=())],
        open_outages=[outage(DISTRICT)],
        daemon=figures(exporter_failures={"PageExporter": 2}),
    )


def test_both_formats_equal_what_prometheus_client_makes_of_the_same() -> None:
    taken = busy()
    reference = ReferenceCollector(taken)
    classic = generate_latest(reference)
    assert scrape(taken).startswith(classic)
    whole: bytes = generate_openmetrics(reference)  # type: ignore[no-untyped-call]  # no types
    modern = whole.removesuffix(b"# EOF\n")
    assert scrape(taken, OPENMETRICS).startswith(modern)
    assert scrape(taken, OPENMETRICS).endswith(b"\n# EOF\n")


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/plain;version=0.0.4",
        "text/plain;version=1.0.0;escaping=allow-utf-8",
        OPENMETRICS,
        "application/openmetrics-text",
        "application/openmetrics-text;version=1.0.0;escaping=underscores",
        "nonsense;;;=,",
    ],
)
def test_the_format_is_negotiated_as_prometheus_client_does(accept: str) -> None:
    handler = PrometheusExporter().routes()["/metrics"]
    response = handler(busy(), Request("/metrics", {}, {"accept": accept}))
    assert response.content_type == choose_encoder(accept)[1]


def test_openmetrics_parses_strictly() -> None:
    text = scrape(busy(), OPENMETRICS).decode()
    parsed = parse_openmetrics(text)  # type: ignore[no-untyped-call]  # it carries no types
    assert {family.name for family in parsed} >= {"netmon_link", "netmon_echo_rtt_seconds"}


def test_no_series_is_there_twice() -> None:
    twice_named = reading(
        interfaces=tuple(replace(each, name="wan1") for each in reading().interfaces)
    )
    taken = replace(busy(), readings={DEPARTMENT: twice_named})
    lines = [line.rsplit(b" ", 1)[0] for line in scrape(taken).splitlines() if line[:1] != b"#"]
    assert [line for line, count in Counter(lines).items() if count > 1] == []
    found = values(scrape(taken), "netmon_interface_up", "interface")
    assert set(found) == {("wan1#1",), ("wan1",)}


def test_promtool_finds_nothing_to_complain_about() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=scrape(busy()), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("state", "health", "up"),
    [
        (State.UP, State.UP, 1),
        (State.DEGRADED, State.DEGRADED, 1),
        (State.DOWN, State.DOWN, 0),
        (State.UNKNOWN, State.UNKNOWN, None),
        (State.UNREACHABLE, State.DOWN, None),
        (State.UNREACHABLE, State.UP, None),
        (State.UNOBSERVED, State.DOWN, None),
        (State.UNOBSERVED, State.UNKNOWN, None),
        (State.MAINTENANCE, State.UP, 1),
        (State.MAINTENANCE, State.DOWN, 0),
        (State.MAINTENANCE, State.UNKNOWN, None),
    ],
)
def test_link_up_is_there_only_while_the_link_is_judged(
    state: State, health: State, up: int | None
) -> None:
    text = scrape(snapshot({COMMUNE: state}, health={COMMUNE: health}))
    assert values(text, "netmon_link_up", "agency").get((COMMUNE,)) == up
    hot = values(text, "netmon_link_state", "agency", "state")
    assert [s for s in State if hot[COMMUNE, s.value] == 1] == [state]


def test_a_dead_district_is_down_and_its_communes_are_not() -> None:
    taken = snapshot(
        {DISTRICT: State.DOWN, COMMUNE: State.UNREACHABLE, SECOND_COMMUNE: State.UNREACHABLE}
    )
    up = values(scrape(taken), "netmon_link_up", "agency", "link")
    assert [key for key, value in up.items() if value == 0] == [(DISTRICT, "chinh")]


def test_what_was_not_measured_has_no_series() -> None:
    text = scrape(snapshot({COMMUNE: State.UNKNOWN}, readings=[]))
    assert not values(text, "netmon_snmp_up", "agency")
    assert (COMMUNE,) not in values(text, "netmon_link_last_change_timestamp_seconds", "agency")
    assert (COMMUNE,) not in values(text, "netmon_agency_staff", "agency")
    assert values(text, "netmon_agency_lan", "agency")[COMMUNE,] == 0
    assert not values(text, "netmon_link_outage_start_timestamp_seconds", "agency")


@pytest.mark.parametrize(
    ("status", "up"),
    [
        (SnmpStatus.OK, 1),
        (SnmpStatus.PARTIAL, 1),
        (SnmpStatus.TIMEOUT, 0),
        (SnmpStatus.REFUSED, 0),
        (SnmpStatus.AUTHENTICATION, 0),
        (SnmpStatus.MALFORMED, 0),
        (SnmpStatus.FAULT, None),
        (SnmpStatus.NO_SECRET, None),
        (SnmpStatus.NOT_CONFIGURED, None),
    ],
)
def test_snmp_up_says_nothing_when_the_trouble_is_ours(status: SnmpStatus, up: int | None) -> None:
    silent = reading(status=status, facts=RouterFacts(), uptime_seconds=None, interfaces=())
    text = scrape(snapshot(readings=[silent]))
    assert values(text, "netmon_snmp_up", "agency").get((DEPARTMENT,)) == up
    hot = values(text, "netmon_snmp_status", "status")
    assert [name for (name,), value in hot.items() if value] == [status.value]
    assert not values(text, "netmon_router_info", "agency")


def test_figures_are_those_of_the_snapshot() -> None:
    taken = busy()
    text = scrape(taken)
    echo = values(text, "netmon_echo_requests_total", "agency", "link", "family")
    assert echo[DEPARTMENT, "chinh", "ipv4"] == taken.echo.requests[0]
    assert echo[DEPARTMENT, "chinh", "ipv6"] == taken.echo.requests[1]
    counts = values(text, "netmon_echo_rtt_seconds_count", "agency", "link", "family")
    assert counts[DEPARTMENT, "chinh", "ipv4"] == taken.echo.rtt_buckets[0].sum()
    seconds = values(text, "netmon_link_state_seconds_total", "agency", "link", "state", "hours")
    assert seconds[DISTRICT, "chinh", "up", "business"] == taken.account.seconds[2, 0, 0]
    assert values(text, "netmon_link_outage_start_timestamp_seconds", "agency") == {
        (DISTRICT,): (NOW_US - 720_000_000) / 1e6
    }
    assert values(text, "netmon_interface_speed_bytes_per_second", "interface")["ether1",] == 125e6
    assert values(text, "netmon_router_uplink_info", "interface") == {("ether1",): 1}
    assert values(text, "netmon_exporter_failures_total", "exporter") == {("PageExporter",): 2}
    assert values(text, "netmon_snmp_requests_total") == {(): 5000}
    assert values(text, "netmon_snmp_failures_total", "reason")["timeout",] == 10
    assert values(text, "netmon_snmp_ignored_packets_total", "reason")["late",] == 3
    assert values(text, "netmon_traps_total", "kind") == {("linkDown",): 2, ("other",): 0}
    assert values(text, "netmon_traps_ignored_total", "reason")["flood",] == 4
    assert values(text, "netmon_traps_ignored_total", "reason")["secret",] == 3


def test_where_traps_are_not_received_there_is_no_count_of_them() -> None:
    text = scrape(snapshot(daemon=figures(traps=None)))
    assert not values(text, "netmon_traps_total", "kind")
    assert not values(text, "netmon_traps_ignored_total", "reason")


def test_names_survive_in_nfc_with_everything_escaped() -> None:
    hostile = 'Xa\u0303 "Ấp Bắc" \\ {50 %}\n%s'
    member = replace(agencies()[2], parent=None, district=None, name=hostile)
    text = scrape(snapshot(members=[member]))
    assert b'name="X\xc3\xa3 \\"' in text
    ((name,),) = values(text, "netmon_agency_info", "name")
    assert name == 'Xã "Ấp Bắc" \\ {50 %}\n%s'


def test_a_removed_link_vanishes_at_once_and_the_others_keep_their_figures() -> None:
    exporter = PrometheusExporter()
    before = scrape(busy(), exporter=exporter)
    assert COMMUNE.encode() in before
    after = scrape(snapshot(members=agencies()[:2], generation=2), exporter=exporter)
    assert COMMUNE.encode() not in after
    kept = values(after, "netmon_echo_requests_total", "agency", "link", "family")
    known = values(before, "netmon_echo_requests_total", "agency", "link", "family")
    assert kept == {key: known[key] for key in kept}


def test_a_later_snapshot_of_the_same_generation_is_rendered_anew() -> None:
    exporter = PrometheusExporter()
    scrape(busy(), exporter=exporter)
    later = busy()
    moved = replace(later, echo=replace(later.echo, requests=later.echo.requests + 15))
    assert scrape(moved, exporter=exporter).startswith(generate_latest(ReferenceCollector(moved)))


def test_a_new_poll_replaces_the_figures_of_its_router_only() -> None:
    exporter = PrometheusExporter()
    first, other = reading(), reading(DISTRICT, uptime_seconds=5.0)
    scrape(snapshot(readings=[first, other]), exporter=exporter)
    text = scrape(snapshot(readings=[replace(first, uptime_seconds=9.0), other]), exporter=exporter)
    uptimes = values(text, "netmon_router_uptime_seconds", "agency")
    assert uptimes == {(DEPARTMENT,): 9.0, (DISTRICT,): 5.0}


def test_an_empty_inventory_is_no_error() -> None:
    taken = snapshot(members=[replace(agencies()[0], links=())])
    assert values(scrape(taken), "netmon_inventory_links") == {(): 0}


def test_addresses_of_both_families_are_told_apart() -> None:
    (info,) = (
        dict(labels)
        for (name, labels) in samples(scrape(snapshot()))
        if name == "netmon_link_info"
        and ("role", "primary") in labels
        and ("agency", DEPARTMENT) in labels
    )
    assert ip_address(info["ipv4"]).version == 4
    assert ip_address(info["ipv6"]).version == 6


def test_every_family_that_is_exposed_is_documented_and_has_its_labels() -> None:
    assert (ROOT / "docs/metrics.md").read_text("utf-8") == document()
    documented = {family.name: set(family.labels) for family in families()}
    text = OWN.sub(b"", scrape(busy()))
    exposed: dict[str, set[str]] = {}
    for name, labels in samples(text):
        base = name if name in documented else name.rsplit("_", 1)[0]
        exposed.setdefault(base, set()).update(label for label, _ in labels)
    assert exposed.keys() <= documented.keys()
    assert {name: documented[name] for name in exposed} == exposed
    typed = {line.split()[2].decode() for line in text.splitlines() if line.startswith(b"# TYPE")}
    assert typed == documented.keys()


def test_how_long_outages_lasted_is_told_from_the_first_one_on() -> None:
    name = "netmon_link_outage_seconds_total"
    told = samples(scrape(snapshot(open_outages=[outage(DEPARTMENT)])))
    rows = {labels: value for (metric, labels), value in told.items() if metric == name}
    # The snapshot's links had none, one, two ... of ten minutes each; the first has one open.
    first = (("agency", DEPARTMENT), ("cause", "circuit"), ("link", "chinh"))
    assert rows[first] == 0
    assert sorted({value for value in rows.values() if value}) == [600, 1200, 1800, 2400]
    told = samples(scrape(snapshot()))
    assert (name, first) not in told


def test_unmeasured_rtt_is_absent_and_not_zero() -> None:
    taken = snapshot()
    taken = replace(
        taken, echo=replace(taken.echo, last_rtt_seconds=np.full(len(taken.echo.row), np.nan))
    )
    assert not values(scrape(taken), "netmon_echo_last_rtt_seconds", "agency")


def test_the_exporters_that_are_shipped_are_found_by_entry_point() -> None:
    for exporter in find_exporters():
        assert exporter.routes()

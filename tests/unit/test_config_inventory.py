"""The shipped inventories hold what they promise, and good YAML becomes the right values."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from netmon.clock import from_datetime, utc
from netmon.config import check, load_all, load_inventory
from netmon.model import Inventory, Limits, LinkKey, Role, Severity, Target, Uplink

_ROOT = Path(__file__).parents[2]
_BASE = (_ROOT / "tests/data/config/base.yaml").read_text(encoding="utf-8")
_COMMUNE = (
    "  - {id: xa-tan-hoi-dong, name: UBND xã Tân Hội Đông, kind: commune, "
    "parent: ubnd-chau-thanh, router: 10.86.20.5}\n"
)


@pytest.fixture(scope="module")
def province() -> Inventory:
    """The shipped inventory."""
    return load_all(_ROOT / "config/netmon.yaml").inventory


def _load(directory: Path, more: str) -> Inventory:
    path = directory / "agencies.yaml"
    path.write_text(_BASE + more, encoding="utf-8")
    return load_inventory(path).inventory


def test_the_province_has_52_agencies_of_the_first_level_and_12_communes(
    province: Inventory,
) -> None:
    kinds = Counter(agency.kind for agency in province.agencies.values())
    assert kinds.pop("commune") == 12
    assert sum(kinds.values()) == 52
    assert kinds["district"] == 11
    first_level = [agency for agency in province.agencies.values() if agency.parent is None]
    assert len(first_level) == 52


def test_communes_stand_behind_their_districts_and_most_have_no_lan(province: Inventory) -> None:
    communes = [a for a in province.agencies.values() if a.kind == "commune"]
    assert all(province.agencies[c.parent or ""].kind == "district" for c in communes)
    assert all(c.district == c.parent for c in communes)
    assert Counter(c.lan for c in communes) == {False: 10, True: 2}
    assert all(a.lan for a in province.agencies.values() if a.kind != "commune")


def test_three_quarters_of_the_staff_have_a_mailbox_and_35_units_the_document_system(
    province: Inventory,
) -> None:
    agencies = province.agencies.values()
    staff = sum(agency.staff or 0 for agency in agencies)
    assert sum(agency.mailboxes or 0 for agency in agencies) / staff == 0.75
    assert sum(agency.document_system is True for agency in agencies) == 35


def test_addresses_are_private_and_of_the_four_networks(province: Inventory) -> None:
    networks = [ip_network(f"10.{second}.0.0/16") for second in (84, 85, 86, 87)]
    addresses = [address for link in province.links.values() for address in link.addresses]
    addresses += [canary.address for canary in province.canaries]
    assert all(any(address in network for network in networks) for address in addresses)
    assert len(set(addresses)) == len(addresses)


def test_every_agency_is_watched_and_some_have_a_backup_of_another_carrier(
    province: Inventory,
) -> None:
    roles = Counter(link.role for link in province.links.values())
    assert roles == {Role.PRIMARY: 64, Role.BACKUP: 12}
    backups = [link for link in province.links.values() if link.role is Role.BACKUP]
    assert {link.provider for link in backups} == {"viettel"}
    assert all(link.target and link.limits for link in province.links.values())


def test_every_agency_has_a_place_on_the_map(province: Inventory) -> None:
    for agency in province.agencies.values():
        assert 10.1 < (agency.latitude or 0) < 10.6
        assert 105.8 < (agency.longitude or 0) < 106.9


def test_a_commune_is_onboarded_by_one_line_at_the_end_of_the_shipped_file(tmp_path: Path) -> None:
    text = (_ROOT / "config/agencies.yaml").read_text(encoding="utf-8")
    path = tmp_path / "agencies.yaml"
    path.write_text(text + _COMMUNE, encoding="utf-8")
    inventory = load_inventory(path).inventory
    agency = inventory.agencies["xa-tan-hoi-dong"]
    assert (agency.name, agency.district) == ("UBND xã Tân Hội Đông", "ubnd-chau-thanh")
    assert (agency.lan, agency.staff, agency.document_system) == (None, None, None)
    assert agency.router
    assert agency.router.snmp == "province"
    (link,) = agency.links
    assert link.key == LinkKey("xa-tan-hoi-dong", "primary")
    assert link.addresses == (ip_address("10.86.20.5"),)
    assert (link.provider, link.echo_module, link.circuit) == ("vnpt", "default", None)
    assert link.bandwidth_bits_per_second == 10_000_000
    assert link.limits == Limits(0.05, 0.1)


def test_shipped_files_have_no_errors_and_warn_only_of_secrets_and_the_coming_year(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NETMON_SNMP_COMMUNITY", "x")
    monkeypatch.setenv("NETMON_SSH_PASSWORD", "x")
    found = check([_ROOT / "config/netmon.yaml", _ROOT / "config/two-tier/netmon.yaml"])
    assert {finding.severity for finding in found} == {Severity.WARNING}
    assert {finding.message for finding in found} == {
        "the days of 2027 are not confirmed: see its notice"
    }


def test_the_two_tier_form_has_no_districts_and_loads_from_three_files() -> None:
    loaded = load_all(_ROOT / "config/two-tier/netmon.yaml")
    names = [path.name for path in loaded.files]
    assert names == ["netmon.yaml", "calendar.yaml", "agencies.yaml", "north.yaml", "south.yaml"]
    agencies = loaded.inventory.agencies
    assert agencies["xa-tan-lap"].district == "xa-tan-lap"
    assert agencies["tram-y-te-phuoc-thanh"].district == "xa-phuoc-thanh"
    assert agencies["phuong-trung-tam"].former_names == ("UBND phường 1", "UBND phường 2")
    dual = loaded.inventory.links[LinkKey("so-khoa-hoc-cong-nghe", "primary")]
    assert dual.addresses == (ip_address("10.96.11.1"), ip_address("2001:db8:11::1"))


def test_the_working_calendar_knows_the_swap_of_april_2025() -> None:
    calendar = load_all(_ROOT / "config/netmon.yaml").settings.calendar
    days = {day.isoformat() for day in calendar.extra_workdays}
    assert {"2024-05-04", "2025-04-26"} <= days
    assert "2025-05-02" in {day.isoformat() for day in calendar.holidays}
    assert all(day.weekday() >= 5 for day in calendar.extra_workdays)
    assert calendar.hours[0][0].isoformat() == "07:30:00"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param("2024-02-08", "2024-02-14", id="Tết Giáp Thìn"),
        pytest.param("2024-04-27", "2024-05-01", id="five days at the end of April 2024"),
        pytest.param("2024-08-31", "2024-09-03", id="Quốc khánh 2024"),
        pytest.param("2025-01-25", "2025-02-02", id="Tết Ất Tỵ"),
        pytest.param("2025-04-30", "2025-05-04", id="five days at the end of April 2025"),
        pytest.param("2025-08-30", "2025-09-02", id="Quốc khánh 2025"),
        pytest.param("2026-01-01", "2026-01-04", id="Tết Dương lịch 2026"),
        pytest.param("2026-02-14", "2026-02-22", id="Tết Bính Ngọ"),
        pytest.param("2026-04-25", "2026-04-27", id="Giỗ Tổ 2026"),
        pytest.param("2026-04-30", "2026-05-03", id="four days at the end of April 2026"),
        pytest.param("2026-08-29", "2026-09-02", id="Quốc khánh 2026"),
    ],
)
def test_the_long_breaks_are_as_they_were_announced(first: str, last: str) -> None:
    calendar = load_all(_ROOT / "config/netmon.yaml").settings.calendar
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    length = (end - start).days + 1
    assert not any(calendar.is_workday(start + timedelta(n)) for n in range(length))
    assert calendar.is_workday(start - timedelta(1))
    assert calendar.is_workday(end + timedelta(1))


@pytest.mark.parametrize("worked", ["2024-05-04", "2025-04-26", "2026-01-10", "2026-08-22"])
def test_the_saturdays_that_are_worked_for_them_are_working_days(worked: str) -> None:
    calendar = load_all(_ROOT / "config/netmon.yaml").settings.calendar
    assert calendar.is_workday(date.fromisoformat(worked))


def test_parents_may_stand_after_their_children_in_the_file(tmp_path: Path) -> None:
    inventory = _load(
        tmp_path,
        "  - {id: c, name: C, kind: commune, parent: b, router: 10.0.0.4}\n"
        "  - {id: b, name: B, kind: commune, parent: a, router: 10.0.0.3}\n"
        "  - {id: a, name: A, kind: district, router: 10.0.0.2}\n",
    )
    assert list(inventory.agencies) == ["ubnd-cai-be", "a", "b", "c"]
    assert inventory.agencies["c"].district == "a"
    assert inventory.agencies["ubnd-cai-be"].district == "ubnd-cai-be"


def test_link_over_agency_over_kind_is_the_order_of_defaults(tmp_path: Path) -> None:
    head = _BASE.replace(
        "commune: {name: UBND xã, name_en: Commune}",
        "commune: {name: UBND xã, name_en: Commune, defaults: {provider: vnpt, bandwidth: 1 Mbit/s,"
        " echo_module: slow, snmp: p, ssh: p, snmp_module: rare, platform: cisco_ios,"
        " target: {availability: 99%, source: S}}}",
    )
    path = tmp_path / "agencies.yaml"
    path.write_text(
        head + "  - {id: a, name: A, kind: commune, bandwidth: 2 Mbit/s, router: {address: "
        "10.0.0.2, snmp: q, snmp_port: 1161, uplink: {alias: WAN}}, links: [{circuit: 0123}, "
        "{role: backup, address: 10.0.0.3, bandwidth: 1.5 Gbit/s, echo_module: fast}]}\n",
        encoding="utf-8",
    )
    agency = load_inventory(path).inventory.agencies["a"]
    primary, backup = agency.links
    assert primary.circuit == "0123"
    assert (primary.bandwidth_bits_per_second, primary.echo_module) == (2_000_000, "slow")
    assert (backup.bandwidth_bits_per_second, backup.echo_module) == (1_500_000_000, "fast")
    assert primary.target == Target(0.99, "S")
    assert agency.snmp_module == "rare"
    assert agency.router
    assert (agency.router.snmp, agency.router.ssh, agency.router.snmp_port) == ("q", "p", 1161)
    assert agency.router.uplink == Uplink(alias="WAN")
    assert agency.router.platform == "cisco_ios"


@pytest.mark.parametrize(
    ("link", "addresses"),
    [
        ("{circuit: C}", ["10.0.0.2"]),
        ("{address: 10.0.0.9}", ["10.0.0.9"]),
        ('{address6: "2001:db8::1"}', ["10.0.0.2", "2001:db8::1"]),
        ('{role: backup, address6: "2001:db8::1"}', ["2001:db8::1"]),
        ('{address: 10.0.0.9, address6: "2001:db8::1"}', ["10.0.0.9", "2001:db8::1"]),
        ('{address: "2001:db8::1"}', ["2001:db8::1"]),
    ],
)
def test_a_link_is_pinged_at_its_own_addresses_or_its_routers(
    tmp_path: Path, link: str, addresses: list[str]
) -> None:
    entry = f"  - {{id: a, name: A, kind: commune, router: 10.0.0.2, links: [{link}]}}\n"
    (read,) = _load(tmp_path, entry).agencies["a"].links
    assert [str(address) for address in read.addresses] == addresses


def test_maintenance_is_read_in_the_zone_of_the_province_or_with_its_offset(
    tmp_path: Path,
) -> None:
    window = (
        "{id: m, reason: R, agencies: [ubnd-cai-be], subtree: true, links: [ubnd-cai-be/primary], "
    )
    inventory = _load(
        tmp_path, f"maintenance:\n  - {window}from: 2025-04-26 22:00, to: 2025-04-26T17:00Z}}\n"
    )
    (read,) = inventory.maintenance
    assert utc(read.start_us).isoformat() == "2025-04-26T15:00:00+00:00"
    assert utc(read.end_us).isoformat() == "2025-04-26T17:00:00+00:00"
    assert from_datetime(utc(read.start_us)) == read.start_us
    assert read.links == {LinkKey("ubnd-cai-be", "primary")}
    assert read.subtree


def test_text_stays_the_text_that_was_written(tmp_path: Path) -> None:
    entry = (
        "  - {id: no, name: No, kind: commune, router: 10.0.0.2, contact: 0123, name_en: 12:30}\n"
    )
    agency = _load(tmp_path, entry).agencies["no"]
    assert (agency.id, agency.name, agency.contact, agency.name_en) == ("no", "No", "0123", "12:30")


def test_paths_in_files_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "one" / "two").mkdir(parents=True)
    (tmp_path / "one/agencies.yaml").write_text(_BASE + "include: [two/a.yaml]\n")
    (tmp_path / "one/two/a.yaml").write_text("include: [b.yaml]\n")
    (tmp_path / "one/two/b.yaml").write_text(
        "agencies:\n  - {id: b, name: B, kind: commune, router: 10.0.0.2}\n"
    )
    assert "b" in load_inventory(tmp_path / "one/agencies.yaml").inventory.agencies

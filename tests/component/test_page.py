"""The status page: what is down comes first, in words, and nothing can be smuggled into it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from ipaddress import ip_address

import pytest

from netmon.messages import LANGUAGES
from netmon.model import (
    Agency,
    Cause,
    EchoError,
    Evidence,
    LinkKey,
    MaintenanceWindow,
    RouterFacts,
    SnmpStatus,
    State,
)
from tests.support.pages import Text, ask, data, district_down, words
from tests.support.snapshots import (
    COMMUNE,
    DEPARTMENT,
    DISTRICT,
    MINUTE_US,
    NOW_US,
    SECOND_COMMUNE,
    agencies,
    figures,
    link,
    outage,
    reading,
    snapshot,
)

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/", f"/agency/{DEPARTMENT}", f"/agency/{COMMUNE}", "/agency/x"])
def test_every_page_is_well_formed_and_loads_nothing_from_elsewhere(
    path: str, language: str
) -> None:
    page = Text.of(ask(district_down(), path, lang=language))
    assert "script" not in page.seen
    assert [found for found in page.links if not re.match(r"/(?!/)|#", found)] == []


def test_a_quiet_network_says_so_in_words() -> None:
    said = words(ask(snapshot()))
    assert "Không có sự cố nào. Đang theo dõi 5 đường truyền của 4 đơn vị." in said
    assert "Chưa có sự cố nào được ghi nhận." in said
    assert "Cần chú ý" not in said


def test_a_network_of_which_nothing_is_known_is_not_called_quiet() -> None:
    everything = dict.fromkeys([DEPARTMENT, DISTRICT, COMMUNE, SECOND_COMMUNE], State.UNOBSERVED)
    said = words(ask(snapshot(everything)))
    assert "Không có sự cố nào" not in said
    assert "Chưa thể kết luận" in said
    assert "Chưa rõ về 1 đường truyền." in words(ask(snapshot({COMMUNE: State.UNKNOWN})))


def test_what_is_down_stands_before_everything_else_with_whom_it_cuts_off() -> None:
    said = words(ask(district_down()))
    down, after = said.split("Đang mất kết nối (1)")[1].split("Các đơn vị", 1)
    assert "UBND huyện Châu Thành" in down
    assert "Từ 20:31:40 hôm nay" in down
    assert "Đã kéo dài 1 giờ 35 phút" in down
    assert "mất 5/5 gói" in down
    assert "Viễn thông Tiền Giang (VNPT) · TSL-0042" in down
    assert "không thể với tới (2 đơn vị): UBND xã Tân Hội Đông UBND xã Thạnh Phú" in down
    assert "Sở Giáo dục" not in down
    assert "Sở Giáo dục" in after


def test_evidence_tells_who_said_what_and_where_the_path_ends() -> None:
    told = replace(
        outage(DISTRICT),
        evidence=Evidence(error=EchoError.HOST_UNREACHABLE, offender=ip_address("10.0.3.1")),
        path_end="10.0.3.1",
        cause=Cause.POWER,
        note="Đã báo điện lực",
    )
    said = words(ask(snapshot({DISTRICT: State.DOWN}, open_outages=[told])))
    assert "10.0.3.1 báo: không tới được thiết bị; tuyến dừng tại 10.0.3.1" in said
    assert "Nguyên nhân mất điện hoặc thiết bị khởi động lại" in said
    assert "Đã báo điện lực" in said


def test_links_of_one_carrier_in_one_area_that_went_at_once_are_told_together() -> None:
    down = {COMMUNE: State.DOWN, SECOND_COMMUNE: State.DOWN}
    gone = [outage(COMMUNE), outage(SECOND_COMMUNE)]
    said = words(ask(snapshot(down, open_outages=gone)))
    where = "cùng lúc với 1 đường truyền khác của Viễn thông Tiền Giang (VNPT)"
    assert said.count(where) == 2
    past = [outage(COMMUNE, lasted=3), outage(SECOND_COMMUNE, lasted=3)]
    assert words(ask(snapshot(recent_outages=past))).count(where) == 2
    assert where not in words(ask(snapshot(recent_outages=past[:1])))


def test_an_agency_on_its_backup_is_told_and_is_not_cut_off() -> None:
    taken = snapshot({LinkKey(DEPARTMENT, "chinh"): State.DOWN})
    assert "đang chạy đường dự phòng" in words(ask(taken))
    (member,) = (a for a in json.loads(data(taken))["agencies"] if a["id"] == DEPARTMENT)
    assert (member["state"], member["on_backup"]) == ("up", True)


def test_unreachable_agencies_stand_under_the_first_one_above_that_is_down() -> None:
    below = Agency("ap-bac", "Ấp Bắc", "commune", COMMUNE, DISTRICT, links=(link("ap-bac"),))
    states = {
        DISTRICT: State.DOWN,
        COMMUNE: State.UNREACHABLE,
        SECOND_COMMUNE: State.UP,
        "ap-bac": State.UNREACHABLE,
    }
    down = json.loads(data(snapshot(states, members=(*agencies(), below))))["down"]
    assert down == [
        {"agency": DISTRICT, "links": ["chinh"], "unreachable_behind": [COMMUNE, "ap-bac"]}
    ]


def test_failures_that_cut_off_others_come_first_then_the_latest() -> None:
    lone = Agency("so-y-te", "Sở Y tế", "department", links=(link("so-y-te"),))
    states = {
        DISTRICT: State.DOWN,
        COMMUNE: State.UNREACHABLE,
        LinkKey(DEPARTMENT, "chinh"): State.DOWN,
        "so-y-te": State.DOWN,
    }
    outages = [
        outage(DISTRICT, minutes=500),
        outage(DEPARTMENT, minutes=30),
        outage("so-y-te", minutes=3),
    ]
    taken = snapshot(states, members=(*agencies(), lone), open_outages=outages)
    order = [failure["agency"] for failure in json.loads(data(taken))["down"]]
    assert order == [DISTRICT, "so-y-te", DEPARTMENT]


@pytest.mark.parametrize(
    ("query", "header", "default", "language"),
    [
        ("en", "vi", "vi", "en"),
        ("vi", "en", "en", "vi"),
        ("", "en-GB,en;q=0.9,vi;q=0.8", "vi", "en"),
        ("", "fr, vi-VN;q=0.4, en;q=0.3", "en", "vi"),
        ("", "", "vi", "vi"),
        ("", "", "en", "en"),
        ("", "fr", "vi", "vi"),
        ("", "en;q=nonsense", "vi", "en"),
        ("xx", "", "vi", "vi"),
    ],
)
def test_the_language_is_the_readers_choice_then_the_browsers_then_the_daemons(
    query: str, header: str, default: str, language: str
) -> None:
    taken = snapshot(daemon=figures(language=default))
    page = b"".join(ask(taken, headers={"accept-language": header}, lang=query).parts)
    assert f'<html lang="{language}">'.encode() in page


def test_links_keep_the_language_that_was_chosen() -> None:
    page = Text.of(ask(snapshot(), lang="en"))
    assert f"/agency/{DISTRICT}?lang=en" in page.links
    assert f"/agency/{DISTRICT}" in Text.of(ask(snapshot())).links


@pytest.mark.parametrize("path", ["/", "/agency/a%22%3E", "/agency/"])
def test_hostile_names_are_only_text(path: str) -> None:
    member = Agency(
        'a">',
        HOSTILE,
        HOSTILE,
        former_names=(HOSTILE,),
        contact=HOSTILE,
        links=(replace(link('a">', HOSTILE, "10.0.0.1"), circuit=HOSTILE, provider=HOSTILE),),
    )
    facts = RouterFacts(*[HOSTILE] * 9)
    taken = snapshot(
        {'a">': State.DOWN},
        members=[member],
        readings=[reading('a">', facts=facts, detail=HOSTILE)],
        open_outages=[replace(outage('a">', HOSTILE), path_end=HOSTILE, note=HOSTILE)],
        daemon=figures(
            notice=dict.fromkeys(("vi", "en"), HOSTILE),
            ledger_writable=False,
            ledger_message=HOSTILE,
        ),
    )
    response = ask(taken, path)
    assert "script" not in Text.of(response).seen
    assert b"49" not in b"".join(response.parts).split(b"<body>")[1].replace(b"{{7*7}}", b"")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"ledger_writable": False, "ledger_message": "đĩa đầy"},
            "Không ghi được sổ sự cố: đĩa đầy",
        ),
        ({"reload_successful": False, "reload_message": "a.yaml:5:1"}, "a.yaml:5:1"),
        ({"canaries": {"gateway": False}}, "Cổng ra của trung tâm (10.86.0.1) ngay tại trung tâm"),
        ({"wall_offset_us": -3_600_000_000}, "lệch −1 giờ 0 phút"),
    ],
)
def test_trouble_of_netmon_itself_stands_on_top(change: dict[str, object], said: str) -> None:
    taken = replace(district_down(), daemon=figures(**change))
    text = words(ask(taken))
    assert said in text.split("Đang mất kết nối (1)")[0]
    assert "Cần chú ý" in text


def test_old_figures_are_called_old() -> None:
    said = words(ask(snapshot(), seconds_later=300))
    assert "Số liệu đã cũ 5 phút 0 giây: netmon không còn cập nhật." in said


def test_a_clock_that_was_set_forward_does_not_make_figures_old() -> None:
    taken = snapshot(daemon=figures(wall_offset_us=3_600_000_000))
    assert "Số liệu đã cũ" not in words(ask(taken, seconds_later=3_601))


def test_times_are_told_in_the_provinces_zone() -> None:
    said = words(ask(snapshot(recent_outages=[outage(COMMUNE, minutes=3_000, lasted=25)])))
    assert "22:06:40 15/06/2025 (UTC+07:00)" in said
    assert "20:06:40 13/06/2025 20:31:40 13/06/2025 25 phút 0 giây" in said


def test_planned_work_that_goes_on_is_told() -> None:
    taken = snapshot({COMMUNE: State.MAINTENANCE})
    now = MaintenanceWindow("m", NOW_US - MINUTE_US, NOW_US + MINUTE_US, "Thay cáp quang")
    later = MaintenanceWindow("n", NOW_US + MINUTE_US, NOW_US + 2 * MINUTE_US, "Về sau")
    taken = replace(taken, inventory=replace(taken.inventory, maintenance=(now, later)))
    assert "Thay cáp quang" in words(ask(taken))
    assert "Về sau" not in words(ask(taken))


@pytest.mark.parametrize("status", SnmpStatus)
def test_every_way_an_snmp_poll_ends_has_its_words(status: SnmpStatus) -> None:
    taken = snapshot(readings=[reading(status=status, detail="chi tiết")])
    for language in LANGUAGES:
        assert ask(taken, lang=language).status == 200
        assert "chi tiết" in words(ask(taken, f"/agency/{DEPARTMENT}", lang=language))


def test_the_page_of_an_agency_tells_all_there_is() -> None:
    taken = snapshot(
        readings=[reading()], recent_outages=[outage(DEPARTMENT, lasted=3), outage(COMMUNE)]
    )
    said = words(ask(taken, f"/agency/{DEPARTMENT}"))
    for text in (
        "Sở Giáo dục và Đào tạo",
        "Tên cũ Sở Giáo dục",
        "Phòng CNTT, máy lẻ 12",
        "90 / 120",
        "10.86.1.1 2001:db8:1::1",
        "200 Mbit/s",
        "99,50 %",
        "MikroTik RB4011",
        "RouterOS 7.14",
        "ether1 đường lên",
        "1 Gbit/s",
        "123 GB / 9,9 GB",
        "tắt theo cấu hình",
    ):
        assert text in said
    assert said.count("3 phút 0 giây") == 1


def test_an_outage_that_goes_on_is_told_so_in_the_history() -> None:
    taken = snapshot({DISTRICT: State.DOWN}, open_outages=[outage(DISTRICT)])
    assert "đang tiếp diễn 12 phút 0 giây" in words(ask(taken, f"/agency/{DISTRICT}"))


def test_an_unknown_agency_is_a_404_in_words() -> None:
    response = ask(snapshot(), "/agency/kh%C3%B4ng-c%C3%B3")
    assert response.status == 404
    assert "Không có đơn vị nào mang mã “không-có”" in words(response)


def test_coverage_counts_only_what_is_known() -> None:
    said = words(ask(snapshot()))
    assert "Sở, ban, ngành 1 1 / 1 90 / 120 (75 %) 1 / 1" in said
    assert "UBND cấp xã 2 0 / 1 chưa có số liệu chưa có số liệu" in said


def test_a_large_inventory_is_shown_one_group_at_a_time() -> None:
    many = [
        Agency(f"xa-{n}", f"Xã số {n}", "commune", links=(link(f"xa-{n}", "chinh", "10.0.0.1"),))
        for n in range(601)
    ]
    taken = snapshot(members=(*agencies(), *many))
    assert "Xã số 600" not in words(ask(taken))
    assert "/?group=commune" in Text.of(ask(taken)).links
    assert "Xã số 600" in words(ask(taken, group="commune"))


def test_an_empty_inventory_says_what_to_do() -> None:
    taken = snapshot()
    empty = replace(
        taken,
        inventory=replace(taken.inventory, agencies={}),
        keys=(),
        echo=replace(taken.echo, **{n: getattr(taken.echo, n)[:0] for n in taken.echo.__slots__}),
    )
    assert "Danh mục chưa có đơn vị nào" in words(ask(empty))


def test_the_style_and_the_icon_are_served_by_us() -> None:
    style = ask(snapshot(), "/style.css")
    assert b"url(" not in b"".join(style.parts)
    assert style.content_type.startswith("text/css")
    assert ask(snapshot(), "/favicon.ico").content_type == "image/svg+xml"

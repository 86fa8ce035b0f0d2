"""Snapshots of a small province, for tests of what people and Prometheus see."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import numpy as np

from netmon.judge.columns import JudgementColumns
from netmon.model import (
    CAUSES,
    ECHO_ERRORS,
    STATE_CODES,
    STATES,
    Agency,
    Canary,
    Evidence,
    Hours,
    InterfaceReading,
    Inventory,
    Kind,
    Limits,
    Link,
    LinkKey,
    Outage,
    Provider,
    Province,
    Role,
    Router,
    RouterFacts,
    RouterReading,
    SnmpStatus,
    State,
    Target,
)
from netmon.state import (
    RTT_BUCKETS_SECONDS,
    AccountColumns,
    DaemonFigures,
    EchoColumns,
    RoundFigures,
    Snapshot,
    SnmpFigures,
    TrapFigures,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOW_US = 1_750_000_000_000_000
"""2025-06-15T15:06:40Z, 22:06:40 in Vietnam."""
MINUTE_US = 60_000_000

DEPARTMENT = "so-giao-duc"
DISTRICT = "ubnd-chau-thanh"
COMMUNE = "xa-tan-hoi-dong"
SECOND_COMMUNE = "xa-thanh-phu"


def link(agency: str, name: str = "chinh", *addresses: str, role: Role = Role.PRIMARY) -> Link:
    """Return a link of `agency`."""
    return Link(
        LinkKey(agency, name),
        role,
        tuple(ip_address(address) for address in addresses),
        "default",
        provider="vnpt" if role is Role.PRIMARY else None,
        circuit="TSL-0042" if role is Role.PRIMARY else None,
        bandwidth_bits_per_second=200_000_000 if role is Role.PRIMARY else None,
        target=Target(0.995, "Hợp đồng 12/2025") if role is Role.PRIMARY else None,
        limits=Limits(0.05, 0.1) if role is Role.PRIMARY else None,
    )


def agencies() -> tuple[Agency, ...]:
    """Return a department with two links, and a district with two communes behind it."""
    return (
        Agency(
            DEPARTMENT,
            "Sở Giáo dục và Đào tạo",
            "department",
            name_en="Department of Education and Training",
            former_names=("Sở Giáo dục",),
            latitude=10.36,
            longitude=106.36,
            lan=True,
            staff=120,
            mailboxes=90,
            document_system=True,
            contact="Phòng CNTT, máy lẻ 12",
            router=Router(ip_address("10.86.1.1")),
            links=(
                link(DEPARTMENT, "chinh", "10.86.1.1", "2001:db8:1::1"),
                link(DEPARTMENT, "du-phong", "10.87.1.1", role=Role.BACKUP),
            ),
        ),
        Agency(
            DISTRICT,
            "UBND huyện Châu Thành",
            "district",
            district=DISTRICT,
            lan=True,
            links=(link(DISTRICT, "chinh", "10.86.20.1"),),
        ),
        Agency(
            COMMUNE,
            "UBND xã Tân Hội Đông",
            "commune",
            parent=DISTRICT,
            district=DISTRICT,
            lan=False,
            links=(link(COMMUNE, "chinh", "10.86.20.5"),),
        ),
        Agency(
            SECOND_COMMUNE,
            "UBND xã Thạnh Phú",
            "commune",
            parent=DISTRICT,
            district=DISTRICT,
            links=(link(SECOND_COMMUNE, "chinh", "10.86.20.6"),),
        ),
    )


def inventory(*members: Agency) -> Inventory:
    """Return an inventory of `members`, or of the small province when there are none."""
    return Inventory(
        Province(
            "tien-giang",
            "tỉnh Tiền Giang",
            "Tien Giang province",
            "Asia/Ho_Chi_Minh",
            "Trung tâm tích hợp dữ liệu tỉnh",
        ),
        {
            "department": Kind("department", "Sở, ban, ngành", "Departments"),
            "district": Kind("district", "UBND cấp huyện", "District committees", area=True),
            "commune": Kind("commune", "UBND cấp xã", "Commune committees"),
        },
        {"vnpt": Provider("vnpt", "Viễn thông Tiền Giang (VNPT)", "máy 18001166")},
        {agency.id: agency for agency in members or agencies()},
        canaries=(Canary("gateway", "Cổng ra của trung tâm", ip_address("10.86.0.1")),),
    )


def reading(agency: str = DEPARTMENT, **changes: object) -> RouterReading:
    """Return what a healthy router of `agency` said."""
    base = RouterReading(
        agency,
        NOW_US - MINUTE_US // 2,
        SnmpStatus.OK,
        duration_seconds=0.012,
        uptime_seconds=1_234_567.25,
        engine_boots=3,
        facts=RouterFacts(
            name="sgddt-r1",
            vendor="MikroTik",
            model="RB4011",
            serial="ABC123",
            os="RouterOS",
            version="7.14",
            location="Phòng máy chủ",
        ),
        uplink_index=1,
        uplink_reason="route",
        interfaces=(
            InterfaceReading(
                1,
                "ether1",
                alias="WAN",
                admin_up=True,
                oper_up=True,
                speed_bits_per_second=1_000_000_000,
                receive_bytes=123_456_789_012,
                transmit_bytes=9_876_543_210,
                receive_errors=0,
                transmit_errors=0,
                receive_discards=7,
                transmit_discards=0,
            ),
            InterfaceReading(2, "ether2", admin_up=False, oper_up=False),
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def outage(
    agency: str, name: str = "chinh", *, minutes: int = 12, lasted: int | None = None
) -> Outage:
    """Return an outage that began `minutes` ago and lasted so many, or goes on."""
    start = NOW_US - minutes * MINUTE_US
    end = None if lasted is None else start + lasted * MINUTE_US
    return Outage(LinkKey(agency, name), start, end, evidence=Evidence(sent=5, lost=5))


def snapshot(  # noqa: PLR0913  # one knob for each thing a test may want different
    states: Mapping[Any, State] | None = None,
    *,
    members: Sequence[Agency] = (),
    health: Mapping[Any, State] | None = None,
    readings: Sequence[RouterReading] = (),
    open_outages: Sequence[Outage] = (),
    recent_outages: Sequence[Outage] = (),
    daemon: DaemonFigures | None = None,
    generation: int = 1,
    at_us: int = NOW_US,
) -> Snapshot:
    """Return a snapshot in which every link is up but those in `states`.

    A state is given for a `LinkKey`, or by its id for every link of an agency. `health` is what
    lies underneath, where it is not what one would expect.
    """
    held = inventory(*members)
    keys = tuple(held.links)
    return Snapshot(
        at_us,
        generation,
        held,
        keys,
        _echo(held),
        _judgement(keys, states or {}, health or {}),
        _account(len(keys)),
        {each.agency: each for each in readings},
        tuple(open_outages),
        tuple(recent_outages),
        daemon or figures(),
    )


def figures(**changes: object) -> DaemonFigures:
    """Return what a healthy netmon says of itself."""
    base = DaemonFigures(
        "0.1.0",
        NOW_US - 600 * MINUTE_US,
        rounds=(RoundFigures("snmp", 10, NOW_US, 1.25, 0.003),),
        reload_success_us=NOW_US - 600 * MINUTE_US,
        canaries={"gateway": True},
        snmp=SnmpFigures(requests=5000, answers=4990, timeouts=10, late=3),
        traps=TrapFigures(
            {"linkDown": 2, "other": 0}, strangers=1, dropped=4, refused={"secret": 3}
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def _echo(held: Inventory) -> EchoColumns:
    targets = [
        (row, address.version)
        for row, each in enumerate(held.links.values())
        for address in each.addresses
    ]
    count = len(targets)
    number = np.arange(count)
    buckets = np.zeros((count, len(RTT_BUCKETS_SECONDS) + 1), np.int64)
    buckets[:, 2] = 1_500_000 + number
    buckets[:, 5] = 100
    errors = np.zeros((count, len(ECHO_ERRORS)), np.int64)
    errors[::2, 1] = 3
    return EchoColumns(
        row=np.array([row for row, _ in targets], np.int32),
        family=np.array([family for _, family in targets], np.int8),
        requests=1_500_110 + number,
        replies=1_500_100 + number,
        errors=errors,
        rtt_buckets=buckets,
        rtt_sum_seconds=(6_000.125 + number).astype(np.float64),
        last_rtt_seconds=np.where(number % 3 == 1, np.nan, 0.0042),
        jitter_seconds=np.where(number % 3 == 2, np.nan, 0.0007),
        last_reply_us=np.where(number % 3 == 1, 0, NOW_US - number),
    )


def _judgement(
    keys: Sequence[LinkKey],
    states: Mapping[Any, State],
    health: Mapping[Any, State],
) -> JudgementColumns:
    held = [_of(key, states, State.UP) for key in keys]
    under = {
        State.UNREACHABLE: State.DOWN,
        State.MAINTENANCE: State.UP,
        State.UNOBSERVED: State.UNKNOWN,
    }
    beneath = [
        _of(key, health, under.get(state, state)) for key, state in zip(keys, held, strict=True)
    ]
    return JudgementColumns(
        state=np.array([STATE_CODES[state] for state in held], np.int8),
        health=np.array([STATE_CODES[state] for state in beneath], np.int8),
        since_us=np.array(
            [0 if state is State.UNKNOWN else NOW_US - 12 * MINUTE_US for state in held], np.int64
        ),
        settled_us=np.full(len(keys), NOW_US, np.int64),
        loss_ratio=np.array([1.0 if state is State.DOWN else 0.0 for state in held]),
        flapping=np.zeros(len(keys), np.bool_),
        silent_family_us=np.zeros((len(keys), 2), np.int64),
    )


def _of(key: LinkKey, states: Mapping[Any, State], default: State) -> State:
    return states.get(key, states.get(key.agency, default))


def _account(links: int) -> AccountColumns:
    seconds = np.zeros((links, len(STATES), len(Hours)))
    seconds[:, 0, :] = 1_234_567.5 + np.arange(links)[:, None]
    outages = np.zeros((links, len(CAUSES)), np.int64)
    outages[:, 0] = np.arange(links)
    return AccountColumns(seconds, outages, 600.0 * outages)


def ipv6_silent(taken: Snapshot, key: LinkKey, minutes: int = 7) -> Snapshot:
    """Return a snapshot in which a link is degraded, for its IPv6 has not answered for minutes."""
    row = taken.keys.index(key)
    judged, silent_us = taken.judgement, taken.judgement.silent_family_us.copy()
    silent_us[row, 1] = NOW_US - minutes * MINUTE_US
    return replace(taken, judgement=replace(judged, silent_family_us=silent_us))

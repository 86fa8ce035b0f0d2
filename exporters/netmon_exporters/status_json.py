"""`/api/v1/status`: stable keys, raw values; described in docs/api.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from netmon.clock import utc

if TYPE_CHECKING:
    from netmon.judge.groups import Group
    from netmon.model import MaintenanceWindow, Outage, RouterReading
    from netmon_exporters.status import AgencyStatus, Failure, LinkStatus, Status

_BATCH = 200
Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | int | bool | None"


def status_json(status: Status, age_seconds: float) -> tuple[bytes, ...]:
    """Return the whole network as JSON in UTF-8, in parts. What is not known is null."""
    head = _encoded(_head(status, age_seconds)).removesuffix(b"}")
    agencies = list(status.agencies.values())
    # One call for a whole country would hold the interpreter for a third of a second.
    batches = [
        b", ".join(_encoded(_agency(each)) for each in agencies[start : start + _BATCH])
        for start in range(0, len(agencies), _BATCH)
    ]
    separated = (part for batch in batches for part in (b", ", batch))
    return (head, b', "agencies": [', *list(separated)[1:], b"]}")


def _encoded(tree: Json) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode("utf-8", "replace")


def _head(status: Status, age_seconds: float) -> dict[str, Json]:
    snapshot = status.snapshot
    province = snapshot.inventory.province
    return {
        "version": 1,
        "at": _instant(snapshot.at_us),
        "age_seconds": round(age_seconds, 3),
        "province": {
            "id": province.id,
            "name": province.name,
            "centre": province.centre_name,
            "timezone": province.timezone,
        },
        "netmon": _daemon(status),
        "links_by_state": {state.value: count for state, count in status.counts.items()},
        "down": [_failure(each) for each in status.failures],
        "recent_outages": [_outage(each) for each in snapshot.recent_outages],
        "outage_groups": [_group(each) for each in _groups(status)],
        "maintenance": [_window(each) for each in status.windows],
    }


def _groups(status: Status) -> list[Group]:
    found = {id(group): group for group in status.together.values()}
    return sorted(found.values(), key=lambda group: group.start_us, reverse=True)


def _daemon(status: Status) -> Json:
    daemon = status.snapshot.daemon
    return {
        "version": daemon.version,
        "started": _instant(daemon.started_us),
        "notice": dict(daemon.notice),
        "reload_successful": daemon.reload_successful,
        "reload_message": daemon.reload_message,
        "ledger_writable": daemon.ledger_writable,
        "ledger_message": daemon.ledger_message,
        "canaries": dict(daemon.canaries),
        "privileged": daemon.engine.privileged,
    }


def _failure(failure: Failure) -> Json:
    return {
        "agency": failure.agency.agency.id,
        "links": [each.link.key.link for each in failure.links],
        "unreachable_behind": [each.agency.id for each in failure.behind],
    }


def _agency(each: AgencyStatus) -> Json:
    agency = each.agency
    return {
        "id": agency.id,
        "name": agency.name,
        "name_en": agency.name_en,
        "kind": agency.kind,
        "parent": agency.parent,
        "district": agency.district,
        "state": each.state.value,
        "on_backup": each.on_backup,
        "lan": agency.lan,
        "staff": agency.staff,
        "mailboxes": agency.mailboxes,
        "document_system": agency.document_system,
        "router": _reading(each.reading),
        "links": [_link(link) for link in each.links],
    }


def _link(each: LinkStatus) -> Json:
    link = each.link
    return {
        "id": link.key.link,
        "role": link.role.value,
        "provider": link.provider,
        "circuit": link.circuit,
        "state": each.state.value,
        "health": each.health.value,
        "since": _instant(each.since_us),
        "loss_ratio": each.loss_ratio,
        "flapping": each.flapping,
        "echoes": [
            {
                "address": str(echo.address),
                "rtt_seconds": echo.rtt_seconds,
                "jitter_seconds": echo.jitter_seconds,
                "last_reply": _instant(echo.last_reply_us),
                "silent_since": _instant(echo.silent_since_us),
            }
            for echo in each.echoes
        ],
        "outage": None if each.outage is None else _outage(each.outage),
    }


def _outage(outage: Outage) -> Json:
    evidence = outage.evidence
    return {
        "agency": outage.key.agency,
        "link": outage.key.link,
        "start": _instant(outage.start_us),
        "end": _instant(outage.end_us),
        "cause": outage.cause.value,
        "evidence": evidence.text,
        "sent": evidence.sent,
        "lost": evidence.lost,
        "error": None if evidence.error is None else evidence.error.value,
        "offender": None if evidence.offender is None else str(evidence.offender),
        "path_end": outage.path_end or None,
        "note": outage.note or None,
    }


def _group(group: Group) -> Json:
    return {
        "provider": group.provider,
        "area": group.area,
        "start": _instant(group.start_us),
        "outages": [
            {
                "agency": outage.key.agency,
                "link": outage.key.link,
                "start": _instant(outage.start_us),
            }
            for outage in group.outages
        ],
    }


def _window(window: MaintenanceWindow) -> Json:
    return {
        "id": window.id,
        "start": _instant(window.start_us),
        "end": _instant(window.end_us),
        "reason": window.reason,
    }


def _reading(reading: RouterReading | None) -> Json:
    if reading is None:
        return None
    facts = reading.facts
    return {
        "status": reading.status.value,
        "detail": reading.detail,
        "polled": _instant(reading.at_us),
        "uptime_seconds": reading.uptime_seconds,
        "name": facts.name,
        "vendor": facts.vendor,
        "model": facts.model,
        "serial": facts.serial,
        "os": facts.os,
        "version": facts.version,
        "uplink": reading.uplink_index,
    }


def _instant(at_us: int | None) -> str | None:
    return None if at_us is None else utc(at_us).isoformat().replace("+00:00", "Z")

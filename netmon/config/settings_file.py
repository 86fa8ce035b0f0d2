"""Reads config/netmon.yaml, and the calendar that it names, into Settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.config.alerting_fields import AlertingKeys, GatewayKeys
from netmon.config.alerting_file import build_alerting, check_routes
from netmon.config.calendar_file import read_calendar
from netmon.config.document import read_table
from netmon.config.fields import Record
from netmon.config.nodes import Node
from netmon.config.report import Place
from netmon.config.settings import (
    EchoModule,
    RouterVisits,
    SecretReference,
    Settings,
    SnmpCredential,
    SnmpModule,
    SnmpTraps,
    SshCredential,
    Storage,
    Web,
)
from netmon.config.settings_fields import (
    SETTINGS,
    CredentialsKeys,
    EchoModuleKeys,
    JudgeKeys,
    ModulesKeys,
    SettingsKeys,
    SnmpCredentialKeys,
    SnmpModuleKeys,
    SnmpTrapsKeys,
    SshCredentialKeys,
    StorageKeys,
    VisitsKeys,
    WebKeys,
)
from netmon.config.source import is_file
from netmon.config.words import quoted
from netmon.judge.calendar import Calendar
from netmon.judge.policy import NewLinks, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netmon.config.fields import Field
    from netmon.config.report import Report

DEFAULT_MODULE = "default"
_DEFAULT_CALENDAR = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))
_ABSENT = Record(Node("", 1, 1))
"""Stands for a table that is not there: every field has its default."""


@dataclass
class SettingsDraft:
    """What was read of the settings: all of it, or as much as a check can still use."""

    settings: Settings | None
    inventory: Path | None = None
    """Where the inventory lies, known even if something else is wrong."""
    files: list[Path] = field(default_factory=list)
    secrets: list[tuple[SecretReference, Place]] = field(default_factory=list)
    alerting: Record | None = None
    """Routes that are checked against the inventory."""


def read_settings(path: Path, report: Report) -> SettingsDraft:
    """Read the settings; `settings` is None if anything in them is wrong, which is reported."""
    draft = SettingsDraft(None, files=[path])
    root = read_table(path, SETTINGS, report)
    if root is None:
        return draft
    inventory = root.get(SettingsKeys.INVENTORY)
    if inventory is not None:
        draft.inventory = path.parent / inventory
    _check_credentials(root, report)
    _check_modules(root, report)
    _check_profiles(root, path, report)
    _check_traps(root, report)
    draft.alerting = root.get(SettingsKeys.ALERTING)
    check_routes(draft.alerting or _ABSENT, report)
    calendar = _calendar(root, path, draft, report)
    draft.secrets = _secrets(root)
    if not report.has_errors and calendar is not None:
        draft.settings = _build(root, path.parent, calendar)
    return draft


def _calendar(root: Record, path: Path, draft: SettingsDraft, report: Report) -> Calendar | None:
    named = root.get(SettingsKeys.CALENDAR)
    if named is None:
        return _DEFAULT_CALENDAR
    calendar_path = path.parent / named.value
    if not is_file(calendar_path):
        report.error(named.place, f"the calendar {quoted(str(calendar_path))} is not there")
        return None
    draft.files.append(calendar_path)
    return read_calendar(calendar_path, report)


def _entries(
    root: Record, table: Field[Record], field: Field[Mapping[str, Record]]
) -> Mapping[str, Record]:
    return (root.get(table) or _ABSENT).get(field) or {}


def _check_credentials(root: Record, report: Report) -> None:
    for credential in _entries(root, SettingsKeys.CREDENTIALS, CredentialsKeys.SNMP).values():
        match credential.get(SnmpCredentialKeys.VERSION):
            case "1" | "2c" as version:
                _check_community(credential, version, report)
            case "3":
                _check_user(credential, report)
    for credential in _entries(root, SettingsKeys.CREDENTIALS, CredentialsKeys.SSH).values():
        if (
            SshCredentialKeys.PASSWORD not in credential
            and SshCredentialKeys.KEY_FILE not in credential
        ):
            report.error(credential.node.place, "neither password nor key_file: write one of them")


def _check_community(credential: Record, version: str, report: Report) -> None:
    if SnmpCredentialKeys.COMMUNITY not in credential:
        message = f"key 'community' is missing: version {version} needs it; write {{env: NAME}}"
        report.error(credential.node.place, message)
    for key in _V3_KEYS:
        if key in credential:
            report.error(credential.place(key), f"{key.key} belongs to version 3 only")


def _check_user(credential: Record, report: Report) -> None:
    if SnmpCredentialKeys.USER not in credential:
        report.error(credential.node.place, "key 'user' is missing: version 3 needs it")
    if SnmpCredentialKeys.COMMUNITY in credential:
        place = credential.place(SnmpCredentialKeys.COMMUNITY)
        report.error(place, "community belongs to versions 1 and 2c only")
    for there, missing in _V3_PAIRS:
        if there in credential and missing not in credential:
            place = credential.place(there)
            report.error(place, f"{there.key} stands without {missing.key}: write both or none")


_V3_KEYS: tuple[Field[object], ...] = (
    SnmpCredentialKeys.USER,
    SnmpCredentialKeys.AUTH_PROTOCOL,
    SnmpCredentialKeys.AUTH_PASSWORD,
    SnmpCredentialKeys.PRIV_PROTOCOL,
    SnmpCredentialKeys.PRIV_PASSWORD,
    SnmpCredentialKeys.CONTEXT,
)
_V3_PAIRS: tuple[tuple[Field[object], Field[object]], ...] = (
    (SnmpCredentialKeys.AUTH_PROTOCOL, SnmpCredentialKeys.AUTH_PASSWORD),
    (SnmpCredentialKeys.AUTH_PASSWORD, SnmpCredentialKeys.AUTH_PROTOCOL),
    (SnmpCredentialKeys.PRIV_PROTOCOL, SnmpCredentialKeys.PRIV_PASSWORD),
    (SnmpCredentialKeys.PRIV_PASSWORD, SnmpCredentialKeys.PRIV_PROTOCOL),
    # RFC 3414: there is no privacy without authentication.
    (SnmpCredentialKeys.PRIV_PROTOCOL, SnmpCredentialKeys.AUTH_PROTOCOL),
)


def _check_modules(root: Record, report: Report) -> None:
    for module in _entries(root, SettingsKeys.MODULES, ModulesKeys.SNMP).values():
        longest = module[SnmpModuleKeys.TIMEOUT] * (1 + module[SnmpModuleKeys.RETRIES])
        if longest > module[SnmpModuleKeys.INTERVAL]:
            message = (
                f"timeout and retries take up to {longest:g} s, longer than the interval: "
                "silent routers are polled less often"
            )
            report.warn(module.node.place, message)


def _check_profiles(root: Record, path: Path, report: Report) -> None:
    named = root.get(SettingsKeys.PROFILES)
    if named is not None and not (path.parent / named.value).is_dir():
        message = f"{quoted(str(path.parent / named.value))} is no folder: make it, or leave it out"
        report.error(named.place, message)


def _check_traps(root: Record, report: Report) -> None:
    traps = root.get(SettingsKeys.SNMP_TRAPS)
    if traps is None:
        return
    named = traps.get(SnmpTrapsKeys.CREDENTIALS) or ()
    if SnmpTrapsKeys.COMMUNITIES not in traps and SnmpTrapsKeys.CREDENTIALS not in traps:
        message = "nobody may send traps: write communities, credentials of version 3, or both"
        report.error(traps.node.place, message)
    known = _entries(root, SettingsKeys.CREDENTIALS, CredentialsKeys.SNMP)
    for name in named:
        if name.value not in known:
            hint = report.guesser.hint(name.value, known)
            report.error(name.place, f"there is no SNMP credential {quoted(name.value)}{hint}")
        elif known[name.value].get(SnmpCredentialKeys.VERSION) in ("1", "2c"):
            message = f"the credential {quoted(name.value)} is not of version 3: name its community"
            report.error(name.place, f"{message} under communities")


def _secrets(root: Record) -> list[tuple[SecretReference, Place]]:
    snmp = _entries(root, SettingsKeys.CREDENTIALS, CredentialsKeys.SNMP).values()
    ssh = _entries(root, SettingsKeys.CREDENTIALS, CredentialsKeys.SSH).values()
    wanted = [(record, field) for record in snmp for field in _SNMP_SECRETS]
    wanted += [(record, field) for record in ssh for field in _SSH_SECRETS]
    gateways = (root.get(SettingsKeys.ALERTING) or _ABSENT).get(AlertingKeys.GATEWAYS) or {}
    wanted += [(record, GatewayKeys.SECRET) for record in gateways.values()]
    found = ((record.get(field), record.place(field)) for record, field in wanted)
    traps = root.get(SettingsKeys.SNMP_TRAPS) or _ABSENT
    return [
        *((reference, place) for reference, place in found if reference is not None),
        *((named.value, named.place) for named in traps.get(SnmpTrapsKeys.COMMUNITIES) or ()),
    ]


_SNMP_SECRETS = (
    SnmpCredentialKeys.COMMUNITY,
    SnmpCredentialKeys.AUTH_PASSWORD,
    SnmpCredentialKeys.PRIV_PASSWORD,
)
_SSH_SECRETS = (SshCredentialKeys.PASSWORD, SshCredentialKeys.ENABLE_PASSWORD)


def _build(root: Record, directory: Path, calendar: Calendar) -> Settings:
    echo = _entries(root, SettingsKeys.MODULES, ModulesKeys.ECHO)
    snmp = _entries(root, SettingsKeys.MODULES, ModulesKeys.SNMP)
    snmp_credentials = _entries(root, SettingsKeys.CREDENTIALS, CredentialsKeys.SNMP)
    ssh_credentials = _entries(root, SettingsKeys.CREDENTIALS, CredentialsKeys.SSH)
    profiles = root.get(SettingsKeys.PROFILES)
    storage, web = root[SettingsKeys.STORAGE], root.get(SettingsKeys.WEB) or _ABSENT
    return Settings(
        inventory=directory / root[SettingsKeys.INVENTORY],
        storage=Storage(directory / storage[StorageKeys.PATH], storage[StorageKeys.RETENTION]),
        calendar=calendar,
        web=Web(web[WebKeys.LISTEN_ADDRESS], web[WebKeys.LANGUAGE]),
        policy=_policy(root.get(SettingsKeys.JUDGE) or _ABSENT),
        echo_modules={n: _echo(n, r) for n, r in {DEFAULT_MODULE: _ABSENT, **echo}.items()},
        snmp_modules={n: _snmp(n, r) for n, r in {DEFAULT_MODULE: _ABSENT, **snmp}.items()},
        snmp_credentials={n: _snmp_credential(r) for n, r in snmp_credentials.items()},
        ssh_credentials={n: _ssh_credential(r, directory) for n, r in ssh_credentials.items()},
        visits=_visits(root.get(SettingsKeys.VISITS) or _ABSENT, directory, storage),
        inventory_max_bytes=root[SettingsKeys.INVENTORY_MAX_SIZE],
        snmp_traps=_traps(root.get(SettingsKeys.SNMP_TRAPS), snmp_credentials),
        profiles=None if profiles is None else directory / profiles.value,
        alerting=build_alerting(root.get(SettingsKeys.ALERTING) or _ABSENT),
    )


def _traps(record: Record | None, credentials: Mapping[str, Record]) -> SnmpTraps | None:
    if record is None:
        return None
    named = record.get(SnmpTrapsKeys.CREDENTIALS) or ()
    return SnmpTraps(
        listen_address=record[SnmpTrapsKeys.LISTEN_ADDRESS],
        communities=tuple(word.value for word in record.get(SnmpTrapsKeys.COMMUNITIES) or ()),
        credentials=tuple(_snmp_credential(credentials[name.value]) for name in named),
    )


def _visits(record: Record, directory: Path, storage: Record) -> RouterVisits:
    named = record.get(VisitsKeys.PATH)
    ledger = directory / storage[StorageKeys.PATH]
    return RouterVisits(
        path=ledger.parent / "routers" if named is None else directory / named,
        at_minutes=record[VisitsKeys.AT],
        splay_seconds=record[VisitsKeys.SPLAY],
        threads=record[VisitsKeys.THREADS],
        deadline_seconds=record[VisitsKeys.DEADLINE],
    )


def _policy(record: Record) -> Policy:
    return Policy(
        false_alarms_per_link_year=record[JudgeKeys.FALSE_ALARMS],
        burst_packets_per_second=record[JudgeKeys.BURST],
        faults_until_unobserved=record[JudgeKeys.FAULTS_UNTIL_UNOBSERVED],
        loss_window_echoes=record[JudgeKeys.LOSS_WINDOW],
        new_links=NewLinks(record[JudgeKeys.NEW_LINKS]),
    )


def _echo(name: str, record: Record) -> EchoModule:
    return EchoModule(
        name=name,
        interval_seconds=record[EchoModuleKeys.INTERVAL],
        timeout_seconds=record[EchoModuleKeys.TIMEOUT],
        size_bytes=record[EchoModuleKeys.SIZE],
        dscp=record[EchoModuleKeys.DSCP],
        dont_fragment=record[EchoModuleKeys.DONT_FRAGMENT],
        source_ipv4=record.get(EchoModuleKeys.SOURCE_IPV4),
        source_ipv6=record.get(EchoModuleKeys.SOURCE_IPV6),
    )


def _snmp(name: str, record: Record) -> SnmpModule:
    return SnmpModule(
        name=name,
        interval_seconds=record[SnmpModuleKeys.INTERVAL],
        timeout_seconds=record[SnmpModuleKeys.TIMEOUT],
        retries=record[SnmpModuleKeys.RETRIES],
        max_repetitions=record[SnmpModuleKeys.MAX_REPETITIONS],
    )


def _snmp_credential(record: Record) -> SnmpCredential:
    return SnmpCredential(
        version=record[SnmpCredentialKeys.VERSION],
        community=record.get(SnmpCredentialKeys.COMMUNITY),
        user=record.get(SnmpCredentialKeys.USER) or "",
        auth_protocol=record.get(SnmpCredentialKeys.AUTH_PROTOCOL) or "",
        auth_password=record.get(SnmpCredentialKeys.AUTH_PASSWORD),
        priv_protocol=record.get(SnmpCredentialKeys.PRIV_PROTOCOL) or "",
        priv_password=record.get(SnmpCredentialKeys.PRIV_PASSWORD),
        context=record.get(SnmpCredentialKeys.CONTEXT) or "",
    )


def _ssh_credential(record: Record, directory: Path) -> SshCredential:
    key_file = record.get(SshCredentialKeys.KEY_FILE)
    return SshCredential(
        user=record[SshCredentialKeys.USER],
        password=record.get(SshCredentialKeys.PASSWORD),
        key_file=None if key_file is None else directory / key_file,
        enable_password=record.get(SshCredentialKeys.ENABLE_PASSWORD),
    )

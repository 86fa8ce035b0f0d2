"""How well routers are understood: recordings of real ones against independently published facts.

    NETMON_CORPUS=/path/to/corpus python benchmarks/snmp_corpus.py [--misses] [--json]
        [--brands known|others|all] [--generic]

NETMON_CORPUS names the folder that holds index.json, or an archive of it. The corpus (data of other
projects, under their own licences) is not part of netmon. What may be compared fairly is told in
its own README: nulls are no expectations, values that the source made itself are listed in its
agreement.json, and facts that stand nowhere in a recording (names looked up in the source's own
tables) cannot be asked for. Where a published fact is not one of the router itself (the serial of a
line card, the kernel's version, the router's name as its hardware), it is *set aside*: it counts
against netmon in the sum of all values, and not in the ratio of its field.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from netmon.probes.snmp import mib
from netmon.probes.snmp.decode import text
from netmon.probes.snmp.facts import Identity, read_facts, read_system
from netmon.probes.snmp.interfaces import read_table
from netmon.probes.snmp.profile_files import load_profiles
from netmon.probes.snmp.profiles import FALLBACK, Profiles
from netmon.probes.snmp.values import oid_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from netmon.model import InterfaceReading

# Run as a script, it must find the tests all the same.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.component.snmp_recordings import (  # after the line above
    RecordedSession,
    read_recording,
)

Json: TypeAlias = dict[str, Any]

VENDORS = {
    "aruba_procurve": ("Aruba", "HPE"),
    "bdcom": ("BDCOM",),
    "brocade": ("Brocade", "Ruckus"),
    "cisco": ("Cisco",),
    "dell": ("Dell",),
    "digitalchina": ("DCN",),
    "dlink": ("D-Link",),
    "draytek": ("DrayTek",),
    "ericsson": ("Ericsson",),
    "extreme": ("Extreme Networks",),
    "fortinet": ("Fortinet",),
    "h3c_hpe_comware": ("H3C", "HPE"),
    "huawei": ("Huawei",),
    "juniper": ("Juniper",),
    "linux": ("Linux", "net-snmp"),
    "maipu": ("Maipu",),
    "mikrotik": ("MikroTik",),
    "nokia": ("Nokia",),
    "paloalto": ("Palo Alto Networks",),
    "ruijie": ("Ruijie",),
    "sophos": ("Sophos",),
    "teltonika": ("Teltonika",),
    "tplink": ("TP-Link",),
    "ubiquiti": ("Ubiquiti",),
    "vyos": ("VyOS",),
    "zte": ("ZTE",),
    "zyxel": ("Zyxel",),
}
"""How netmon calls the brands of the corpus."""
OS_NAMES = {
    "anyos": ("ZyNOS",),
    "aruba-instant": ("ArubaOS Instant",),
    "ciscosb": ("Small Business",),
    "ciscome1200": ("IOS", "ME1200"),
    "ciscowap": ("Wireless AP",),
    "ciscowlc": ("AireOS",),
    "draytek": ("DrayOS",),
    "edgeswitch": ("EdgeSwitch", "UniFi"),
    "ericsson-6600": ("MINI-LINK",),
    "ericsson-tn": ("MINI-LINK",),
    "fabos": ("Fabric OS",),
    "fortigate": ("FortiOS",),
    "mypoweros": ("MyPower",),
    "nokia-isam": ("ISAM",),
    "sophos-xg": ("SFOS",),
    "unifi-usp": ("UniFi",),
    "yunshan": ("YunShan OS",),
    "zyxelwlc": ("ZLD", "ZyNOS"),
}
"""Families of the source whose names are not what the makers call their systems."""
GOAL_RATIO = 0.98
MEGABIT = 1_000_000
REDACTED = re.compile(r"private|redacted|^X+$|XXYYZZ|^0*$|^SERIAL$|^x+|xxx", re.IGNORECASE)
INTERFACE_FIELDS = {
    "ifName": "name",
    "ifDescr": "description",
    "ifAlias": "alias",
    "ifOperStatus": "oper_up",
    "ifAdminStatus": "admin_up",
    "ifSpeed": "speed_bits_per_second",
    "ifInOctets": "receive_bytes",
    "ifOutOctets": "transmit_bytes",
    "ifInErrors": "receive_errors",
    "ifOutErrors": "transmit_errors",
    "ifInDiscards": "receive_discards",
    "ifOutDiscards": "transmit_discards",
}


NAMES = (mib.SYS_NAME, (1, 3, 6, 1, 4, 1, 48690, 1, 2, 0))
"""Where routers tell their names: sysName, and routerName of TELTONIKA-MIB."""
CHASSIS = 3
ENTITY_CLASSES = {5: "container", 9: "module", 10: "port", 11: "stack"}
"""entPhysicalClass of ENTITY-MIB (RFC 6933), as far as facts stand there."""
OVERFLOW = "4294967295"
"""ifSpeed of what is too fast for it (RFC 2863): a mark, and no speed."""


class Brands(StrEnum):
    """Which recordings are compared."""

    KNOWN = "known"
    """Of brands that have profiles."""
    OTHERS = "others"
    ALL = "all"


@dataclass(slots=True)
class Score:
    """What was compared, what agreed, and what did not."""

    compared: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    misses: list[Miss] = field(default_factory=list)

    @property
    def overall(self) -> float:
        """Of all values compared, the part that agrees; what was set aside does not."""
        return self.agreed.total() / max(self.compared.total(), 1)

    def ratio(self, what: str) -> float:
        """Of one field's values, set-aside ones left out, the part that agrees."""
        return self.agreed[what] / max(self.compared[what] - self.apart(what), 1)

    def apart(self, what: str) -> int:
        """Return how many values of a field are set aside."""
        return sum(miss.what == what and miss.is_apart for miss in self.misses)

    def take(self, recording: str, what: str, published: object, ours: object, *, ok: bool) -> None:
        """Note one comparison."""
        self.compared[what] += 1
        self.agreed[what] += ok
        if not ok:
            self.misses.append(Miss(recording, what, str(published), str(ours)))


@dataclass(slots=True)
class Miss:
    """A value on which the source and netmon differ, and why, where that can be told."""

    recording: str
    what: str
    published: str
    ours: str
    reason: str = "not explained"
    is_apart: bool = False
    """Set aside: what is published is no fact of the router itself."""


@contextlib.contextmanager
def corpus_folder(place: Path) -> Iterator[Path]:
    """Give the folder of the corpus; of an archive, for as long as it is unpacked.

    Raises:
        FileNotFoundError: there is no corpus.
    """
    if place.is_dir():
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="netmon-corpus-") as folder:
        with tarfile.open(place) as archive:
            archive.extractall(folder, filter="data")
        yield next(Path(folder).rglob("index.json")).parent


async def score_corpus(
    corpus: Path, brands: Brands = Brands.KNOWN, profiles: Profiles | None = None
) -> Score:
    """Compare all recordings of these brands that have published results."""
    profiles, score = profiles or load_profiles(), Score()
    agreement = json.loads((corpus / "agreement.json").read_text(encoding="utf-8"))
    for row in json.loads((corpus / "index.json").read_text(encoding="utf-8")):
        is_known = row["core"] or row["vendor"] in VENDORS
        if brands is not Brands.ALL and is_known is not (brands is Brands.KNOWN):
            continue
        path = corpus / f"{row['id']}.snmprec"
        expected_path = corpus / f"{row['id']}.expected.json"
        expected: Json = {}
        if expected_path.exists():
            expected = json.loads(expected_path.read_text(encoding="utf-8"))
        agreed = agreement.get(row["id"], {})
        await _score_recording(row, path, (expected, agreed), profiles, score)
    return score


async def _score_recording(
    row: Json, path: Path, published: tuple[Json, Json], profiles: Profiles, score: Score
) -> None:
    expected, agreed = published
    known = len(score.misses)
    session = RecordedSession(read_recording(path))
    identity = await read_facts(session, await read_system(session), profiles)
    vendors = VENDORS.get(row["vendor"], ())
    if vendors:
        ours = identity.facts.vendor
        score.take(row["id"], "vendor", row["vendor"], ours, ok=ours in vendors)
    _score_facts(row["id"], expected, agreed, identity, score)
    table = await read_table(session)
    for name, theirs, mine in _interface_values(expected, agreed, table.readings):
        score.take(row["id"], name, theirs, mine, ok=theirs == mine)
    for miss in score.misses[known:]:
        miss.reason, miss.is_apart = _reason(miss, agreed, session)


def _reason(miss: Miss, agreed: Json, session: RecordedSession) -> tuple[str, bool]:
    """Tell why the source and netmon differ, and whether that sets the value aside."""
    if miss.what == "ifSpeed":
        return _reason_of_speed(miss)
    if miss.what == "vendor":
        but = f"; ENTITY-MIB names {miss.ours}" if miss.ours else ""
        return f"neither sysDescr nor sysObjectID names it{but}", False
    literal = agreed.get("facts_literal_in_recording", {}).get(miss.what) or []
    return _reason_of_fact(miss, literal, session)


def _reason_of_fact(miss: Miss, literal: list[str], session: RecordedSession) -> tuple[str, bool]:
    if (parts := _parts_of(literal, session)) and miss.ours:
        return f"it stands at a {parts}; netmon tells the chassis", True
    if miss.published in _names(session):
        return "it is the router's name", True
    if miss.what == "version" and f"Linux {_node(session)} {miss.published} " in _said(session):
        return "it is the kernel's version; netmon tells the maker's software", bool(miss.ours)
    if _key(miss.ours) and _key(miss.ours) in _key(miss.published):
        return "the same, without the words around it", False
    return (
        f"it stands at {literal[0]}; netmon reads another object" if literal else miss.reason,
        False,
    )


def _names(session: RecordedSession) -> list[str]:
    return [text(session.variables[oid].value) for oid in NAMES if oid in session.variables]


def _said(session: RecordedSession) -> str:
    row = session.variables.get(mib.SYS_DESCR)
    return "" if row is None else text(row.value)


def _node(session: RecordedSession) -> str:
    """Return what uname(1) gives as the node's name in sysDescr."""
    return _said(session).split(" ")[1] if _said(session).count(" ") > 1 else ""


def _reason_of_speed(miss: Miss) -> tuple[str, bool]:
    if miss.published == OVERFLOW:
        return "the mark of an overflow (RFC 2863), and no speed", True
    if miss.ours.isdecimal() and abs(int(miss.ours) - int(miss.published)) < MEGABIT:
        return "rounded to Mbit/s; ifSpeed says it exactly", False
    return miss.reason, False


def _parts_of(literal: list[str], session: RecordedSession) -> str:
    """Name the parts other than the chassis at which a fact stands in ENTITY-MIB."""
    entry = oid_text(mib.ENT_PHYSICAL_ENTRY) + "."
    indexes = [int(oid.rpartition(".")[2]) for oid in literal if oid.startswith(entry)]
    found = [session.variables.get((*mib.ENT_PHYSICAL_CLASS, index)) for index in indexes]
    kinds = {row.value for row in found if row is not None and isinstance(row.value, int)}
    if not kinds or CHASSIS in kinds:
        return ""
    return " or ".join(sorted(ENTITY_CLASSES.get(kind, f"part of class {kind}") for kind in kinds))


def _score_facts(
    recording: str, expected: Json, agreed: Json, identity: Identity, score: Score
) -> None:
    facts = identity.facts
    if expected.get("os"):
        family = str(expected["os"])
        ours = f"{facts.os} (profile {identity.explanation.profile.name})"
        score.take(recording, "os", family, ours, ok=_same_family(family, facts.os))
    for name, said in (
        ("hardware", facts.model),
        ("version", facts.version),
        ("serial", facts.serial),
    ):
        theirs = str(expected.get(name) or "")
        words = _comparable_words(name, theirs, agreed)
        if words:
            same = _key(theirs) == _key(said) or all(_key(word) in _key(said) for word in words)
            score.take(recording, name, theirs, said, ok=bool(said) and same)


def _same_family(theirs: str, ours: str) -> bool:
    names = OS_NAMES.get(theirs, (theirs,))
    return any(_key(ours) and _key(name).startswith(_key(ours)) for name in names)


def _comparable_words(name: str, theirs: str, agreed: Json) -> list[str]:
    """Return the words of a published fact that stand in the recording; none: not comparable."""
    if not theirs or (name == "serial" and REDACTED.search(theirs)):
        return []
    words = agreed.get("facts_tokens_in_recording", {}).get(name) or {}
    if words:
        return [word for word, stands in words.items() if stands]
    return [theirs] if agreed.get("facts_literal_in_recording", {}).get(name) else []


def _key(words: str) -> str:
    return re.sub(r"[^a-z0-9]", "", words.casefold())


def _interface_values(
    expected: Json, agreed: Json, readings: Mapping[int, InterfaceReading]
) -> Iterator[tuple[str, object, object]]:
    apart = {name: set(rows) for name, rows in agreed.get("divergent_ifIndex", {}).items()}
    for published in expected.get("interfaces", ()):
        index = published["ifIndex"]
        for name, attribute in INTERFACE_FIELDS.items():
            theirs = published.get(name, (published["counters"] or {}).get(name))
            if theirs is None or index in apart.get(name, ()):
                continue
            reading = readings.get(index)
            mine = None if reading is None else getattr(reading, attribute)
            if theirs == 0 and mine is None:
                continue
            yield name, *_comparable(name, theirs, mine)


def _comparable(name: str, theirs: object, mine: object) -> tuple[object, object]:
    if name.endswith("Status"):
        up = {"up": True, "unknown": None}
        return up.get(str(theirs), False), mine
    return (theirs.strip(), mine) if isinstance(theirs, str) else (theirs, mine)


def main() -> int:
    """Print the table; exit 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--brands", type=Brands, choices=list(Brands), default=Brands.KNOWN)
    parser.add_argument("--generic", action="store_true", help="as if no brand had a profile")
    parser.add_argument("--misses", action="store_true", help="every value that does not agree")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    place = os.environ.get("NETMON_CORPUS")
    if not place:
        print("NETMON_CORPUS is not set: give the folder that holds index.json", file=sys.stderr)
        return 2
    with corpus_folder(Path(place)) as corpus:
        profiles = load_profiles()
        if options.generic:
            profiles = Profiles([profiles[FALLBACK]])
        score = asyncio.run(score_corpus(corpus, options.brands, profiles))
    if options.json:
        ratios = {f"{name}_agreement_ratio": score.ratio(name) for name in score.compared}
        print(json.dumps({**ratios, "agreement_ratio": score.overall}))
    else:
        print(*table_lines(score), sep="\n")
    if options.misses:
        print(*miss_lines(score), sep="\n")
    return 0 if score.overall >= GOAL_RATIO else 1


def table_lines(score: Score) -> Iterator[str]:
    """Tell how many values of each field were compared and agree."""
    yield f"{'value':<20}{'compared':>10}{'agree':>10}{'apart':>10}{'ratio':>9}"
    for name, total in score.compared.items():
        apart, agreed = score.apart(name), score.agreed[name]
        yield f"{name:<20}{total:>10}{agreed:>10}{apart:>10}{score.ratio(name):>9.2%}"
    apart = sum(miss.is_apart for miss in score.misses)
    total, agreed = score.compared.total(), score.agreed.total()
    yield f"{'all':<20}{total:>10}{agreed:>10}{apart:>10}{score.overall:>9.2%}"


def miss_lines(score: Score) -> Iterator[str]:
    """Tell every value on which the source and netmon differ, with the reason."""
    by_place: dict[tuple[str, str, str], list[Miss]] = defaultdict(list)
    for miss in score.misses:
        by_place[miss.recording, miss.what, miss.reason].append(miss)
    for (recording, what, reason), misses in by_place.items():
        more = f" (and {len(misses) - 1} more)" if len(misses) > 1 else ""
        values = f"published {misses[0].published!r}, netmon {misses[0].ours!r}{more}"
        apart = " (set aside)" if misses[0].is_apart else ""
        yield f"{recording}: {what}: {values}: {reason}{apart}"


if __name__ == "__main__":
    sys.exit(main())

"""How far the province has come: who has links, a local network, mailboxes, the documents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from netmon.model import Agency, Inventory


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many agencies of a kind have what. `…_known`: of how many it is known at all."""

    kind: str
    agencies: int
    connected: int
    """With at least one link to the centre."""
    lan: int
    lan_known: int
    staff: int
    mailboxes: int
    """Of those agencies of which both are known."""
    document_system: int
    document_system_known: int

    @property
    def mailbox_ratio(self) -> float | None:
        """Mailboxes per official; None: nothing known."""
        return self.mailboxes / self.staff if self.staff else None


def coverage(inventory: Inventory) -> tuple[Coverage, ...]:
    """Return what is known of each kind of agency, kinds as in the inventory."""
    members: dict[str, list[Agency]] = {kind: [] for kind in inventory.kinds}
    for agency in inventory.agencies.values():
        members.setdefault(agency.kind, []).append(agency)
    return tuple(_coverage(kind, agencies) for kind, agencies in members.items() if agencies)


def total(rows: Iterable[Coverage]) -> Coverage:
    """Return the sum of all kinds, with the kind left empty."""
    summed = Counter[str]()
    for row in rows:
        summed.update({name: getattr(row, name) for name in _FIGURES})
    return Coverage("", **{name: summed[name] for name in _FIGURES})


def software(identities: Iterable[Mapping[str, str]]) -> dict[tuple[str, str, str], int]:
    """Return how many routers there are of each vendor, system and version."""
    counted = Counter(
        (each.get("vendor", ""), each.get("os", ""), each.get("version", ""))
        for each in identities
        if each
    )
    return dict(sorted(counted.items()))


_FIGURES = (
    "agencies", "connected", "lan", "lan_known", "staff", "mailboxes", "document_system",
    "document_system_known",
)  # fmt: skip


def _coverage(kind: str, agencies: Collection[Agency]) -> Coverage:
    both = [a for a in agencies if a.staff is not None and a.mailboxes is not None]
    lan, systems = _known(a.lan for a in agencies), _known(a.document_system for a in agencies)
    return Coverage(
        kind=kind,
        agencies=len(agencies),
        connected=sum(bool(a.links) for a in agencies),
        lan=sum(lan),
        lan_known=len(lan),
        staff=sum(a.staff or 0 for a in both),
        mailboxes=sum(a.mailboxes or 0 for a in both),
        document_system=sum(systems),
        document_system_known=len(systems),
    )


def _known(facts: Iterable[bool | None]) -> list[bool]:
    return [fact for fact in facts if fact is not None]

"""What must hold across the entries of an inventory: ids, parents, addresses, names of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from netmon.config.inventory_fields import (
    AgencyKeys,
    CanaryKeys,
    CentreKeys,
    DefaultKeys,
    InventoryKeys,
    KindKeys,
    LinkDefaultKeys,
    LinkKeys,
    MaintenanceKeys,
    PlannedKeys,
    ProvinceKeys,
    RecurringKeys,
    RouterKeys,
)
from netmon.config.link_addresses import lies_at_router
from netmon.config.times import local_instant_us
from netmon.config.words import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from netmon.config.fields import Field, Record
    from netmon.config.forms import Placed
    from netmon.config.inventory_file import Draft
    from netmon.config.report import Place, Report
    from netmon.config.settings import Settings
    from netmon.model import IPAddress

T = TypeVar("T")


_ADDRESS_MISSING = (
    "key 'address' is missing: only one primary link of an agency with a router goes without"
)


def check_inventory(draft: Draft, settings: Settings | None, report: Report) -> None:
    """Report everything that is wrong between the entries of `draft`."""
    _Checks(draft, report).run(settings)


class _Checks:
    """The checks of one inventory."""

    def __init__(self, draft: Draft, report: Report) -> None:
        self._draft = draft
        self._report = report
        self._agencies: dict[str, Record] = {}
        self._known_ids: set[str] = set()
        """Ids as written, refused ones too: what is there under a bad id is not missing."""
        self._address_users: dict[IPAddress, tuple[str, Place]] = {}

    def run(self, settings: Settings | None) -> None:
        """Run all of them."""
        self._check_ids()
        self._check_parents()
        self._check_circles()
        self._check_canaries()
        for agency in self._draft.agencies:
            self._check_agency(agency)
        for kind in self._draft.kinds.values():
            defaults = kind.get(KindKeys.DEFAULTS)
            if defaults is not None:
                self._check_provider(defaults)
        self._check_maintenance()
        if settings is not None:
            self._check_settings_names(settings)

    def _check_ids(self) -> None:
        for agency in self._draft.agencies:
            agency_id = agency.get(AgencyKeys.ID)
            self._known_ids.add(agency_id or agency.raw(AgencyKeys.ID) or "")
            if agency_id is None:
                continue
            first = self._agencies.setdefault(agency_id, agency)
            if first is not agency:
                place = first.place(AgencyKeys.ID)
                message = f"agency {agency_id!r} is there twice; the first is at {place}"
                self._report.error(agency.place(AgencyKeys.ID), message)

    def _check_parents(self) -> None:
        for agency in self._draft.agencies:
            parent = agency.get(AgencyKeys.PARENT)
            if parent is not None:
                place = agency.place(AgencyKeys.PARENT)
                self._check_known("agency", parent, place, self._known_ids)

    def _check_circles(self) -> None:
        """Report every circle of parents once, at its first agency in the files."""
        settled: set[str] = set()
        for start in self._agencies:
            path: dict[str, None] = {}
            at: str | None = start
            while at is not None and at in self._agencies and at not in settled:
                if at in path:
                    self._report_circle(list(path)[list(path).index(at) :])
                    break
                path[at] = None
                at = self._agencies[at].get(AgencyKeys.PARENT)
            settled.update(path)

    def _report_circle(self, circle: list[str]) -> None:
        place = self._agencies[circle[0]].place(AgencyKeys.PARENT)
        if len(circle) == 1:
            self._report.error(place, f"agency {circle[0]!r} is its own parent")
            return
        shown = [*circle[:5], "…"] if len(circle) > 6 else circle  # noqa: PLR2004  # a line's worth
        way = " → ".join([*shown, circle[0]])
        self._report.error(place, f"parents form a circle: {way}")

    def _check_canaries(self) -> None:
        centre = self._draft.root.get(InventoryKeys.CENTRE) if self._draft.root else None
        canaries = centre.get(CentreKeys.CANARIES) or () if centre else ()
        ids: dict[str, Place] = {}
        for canary in canaries:
            self._check_once("canary", canary, CanaryKeys.ID, ids)
            address = canary.get(CanaryKeys.ADDRESS)
            if address is not None:
                name = f"canary {canary.raw(CanaryKeys.ID)!r}"
                self._claim(address, name, canary.place(CanaryKeys.ADDRESS))

    def _check_agency(self, agency: Record) -> None:
        kind = agency.get(AgencyKeys.KIND)
        if kind is not None:
            self._check_known("kind", kind, agency.place(AgencyKeys.KIND), self._draft.kinds)
        self._check_provider(agency)
        self._check_position(agency)
        self._check_addresses(agency)
        self._check_links(agency)
        staff, mailboxes = agency.get(AgencyKeys.STAFF), agency.get(AgencyKeys.MAILBOXES)
        if staff is not None and mailboxes is not None and mailboxes > staff:
            message = f"{mailboxes} mailboxes are more than {staff} staff: check both numbers"
            self._report.warn(agency.place(AgencyKeys.MAILBOXES), message)

    def _check_provider(self, record: Record) -> None:
        provider = record.get(LinkDefaultKeys.PROVIDER)
        if provider is not None:
            place = record.place(LinkDefaultKeys.PROVIDER)
            self._check_known("provider", provider, place, self._draft.providers)

    def _check_position(self, agency: Record) -> None:
        for there, missing in (
            (AgencyKeys.LATITUDE, AgencyKeys.LONGITUDE),
            (AgencyKeys.LONGITUDE, AgencyKeys.LATITUDE),
        ):
            if there in agency and missing not in agency:
                message = f"{there.key} stands without {missing.key}: write both or none"
                self._report.error(agency.place(there), message)

    def _check_addresses(self, agency: Record) -> None:
        owner = agency.get(AgencyKeys.ID) or agency.raw(AgencyKeys.ID) or "?"
        router = agency.get(AgencyKeys.ROUTER)
        own = router.get(RouterKeys.ADDRESS) if router else None
        if router and own is not None:
            self._claim(own, f"the router of {owner!r}", router.place(RouterKeys.ADDRESS))
        links = agency.get(AgencyKeys.LINKS) or ()
        # One link may lie at the router's own address; a second one there is a mistake.
        at_router = sum(lies_at_router(link) for link in links)
        for link in links:
            for field in (LinkKeys.ADDRESS, LinkKeys.ADDRESS6):
                address = link.get(field)
                at_router += address is not None and address == own
                if address is not None and (address != own or at_router > 1):
                    self._claim(address, f"a link of {owner!r}", link.place(field))

    def _claim(self, address: IPAddress, user: str, place: Place) -> None:
        first = self._address_users.setdefault(address, (user, place))
        if first[1] != place:
            message = f"address {address} is used twice; first by {first[0]} at {first[1]}"
            self._report.error(place, message)

    def _check_links(self, agency: Record) -> None:
        links = agency.get(AgencyKeys.LINKS)
        if links is None:
            if AgencyKeys.ROUTER not in agency and AgencyKeys.LINKS not in agency:
                message = "neither router nor links: nothing of this agency is watched"
                self._report.warn(agency.node.place, message)
            return
        ids: dict[str, Place] = {}
        free = AgencyKeys.ROUTER in agency
        for link in links:
            self._check_provider(link)
            self._check_link_id(link, ids)
            self._check_families(link)
            if lies_at_router(link) and free:
                free = False
            elif LinkKeys.ADDRESS not in link and LinkKeys.ADDRESS6 not in link:
                self._report.error(link.node.place, _ADDRESS_MISSING)

    def _check_link_id(self, link: Record, ids: dict[str, Place]) -> None:
        link_id = link.get(LinkKeys.ID) or (None if LinkKeys.ID in link else link[LinkKeys.ROLE])
        if link_id is None:
            return
        place = link.place(LinkKeys.ID)
        first = ids.setdefault(link_id, place)
        if first != place:
            hint = "" if LinkKeys.ID in link else "; without key 'id' it is named after its role"
            message = f"link {link_id!r} is there twice; the first is at {first}{hint}"
            self._report.error(place, message)

    def _check_families(self, link: Record) -> None:
        address, address6 = link.get(LinkKeys.ADDRESS), link.get(LinkKeys.ADDRESS6)
        if address is not None and address6 is not None and address.version == address6.version:
            message = "address is IPv6 as well: one address of each family is read"
            self._report.error(link.place(LinkKeys.ADDRESS6), message)

    def _check_maintenance(self) -> None:
        ids: dict[str, Place] = {}
        for window in self._draft.maintenance:
            self._check_once("maintenance window", window, MaintenanceKeys.ID, ids)
            self._check_planned(window)
            self._check_span(window)
        for work in self._draft.recurring:
            self._check_once("maintenance window", work, RecurringKeys.ID, ids)
            self._check_planned(work)
            self._check_recurring(work)

    def _check_planned(self, work: Record) -> None:
        self._check_all("agency", work.get(PlannedKeys.AGENCIES), self._known_ids)
        self._check_all("provider", work.get(PlannedKeys.PROVIDERS), self._draft.providers)
        for link in work.get(PlannedKeys.LINKS) or ():
            self._check_link_key(link)
        if PlannedKeys.SUBTREE in work and PlannedKeys.AGENCIES not in work:
            message = "subtree stands without agencies: name the agencies it begins at"
            self._report.error(work.place(PlannedKeys.SUBTREE), message)

    def _check_recurring(self, work: Record) -> None:
        since, until = work.get(RecurringKeys.SINCE), work.get(RecurringKeys.UNTIL)
        if since and until and until < since:
            message = "the work ends before it begins: 'until' is not before 'since'"
            self._report.error(work.place(RecurringKeys.UNTIL), message)

    def _check_span(self, window: Record) -> None:
        start, end = window.get(MaintenanceKeys.FROM), window.get(MaintenanceKeys.TO)
        root = self._draft.root
        province = root.get(InventoryKeys.PROVINCE) if root else None
        zone = province.get(ProvinceKeys.TIMEZONE) if province else None
        zone = zone or ProvinceKeys.TIMEZONE.default_value
        if start and end and local_instant_us(end, zone) <= local_instant_us(start, zone):
            message = "the window ends before it begins: 'to' is later than 'from'"
            self._report.error(window.place(MaintenanceKeys.TO), message)

    def _check_link_key(self, key: Placed[tuple[str, str]]) -> None:
        agency_id, link_id = key.value
        agency = self._agencies.get(agency_id)
        if agency is None:
            self._check_known("agency", agency_id, key.place, self._known_ids)
            return
        links = agency.get(AgencyKeys.LINKS)
        if links is None:
            known = {"primary"}
        else:
            known = {
                link.get(LinkKeys.ID) or link.raw(LinkKeys.ID) or link[LinkKeys.ROLE]
                for link in links
            }
        if link_id not in known:
            hint = self._report.guesser.hint(link_id, known)
            self._report.error(key.place, f"agency {agency_id!r} has no link {link_id!r}{hint}")

    def _check_settings_names(self, settings: Settings) -> None:
        checks: tuple[tuple[Field[str], str, Collection[str]], ...] = (
            (DefaultKeys.SNMP, "SNMP credential", settings.snmp_credentials),
            (DefaultKeys.SSH, "SSH credential", settings.ssh_credentials),
            (DefaultKeys.SNMP_MODULE, "SNMP module", settings.snmp_modules),
            (DefaultKeys.ECHO_MODULE, "echo module", settings.echo_modules),
        )
        for record in self._records_with_names():
            for field, what, known in checks:
                name = record.get(field)
                if name is not None and name not in known:
                    hint = self._report.guesser.hint(name, known)
                    message = f"no {what} {quoted(name)} in the settings{hint}"
                    self._report.error(record.place(field), message)

    def _records_with_names(self) -> Iterable[Record]:
        for kind in self._draft.kinds.values():
            defaults = kind.get(KindKeys.DEFAULTS)
            if defaults is not None:
                yield defaults
        for agency in self._draft.agencies:
            yield agency
            router = agency.get(AgencyKeys.ROUTER)
            if router is not None:
                yield router
            yield from agency.get(AgencyKeys.LINKS) or ()

    def _check_once(
        self, what: str, record: Record, field: Field[str], first: dict[str, Place]
    ) -> None:
        name = record.get(field)
        if name is None:
            return
        place = first.setdefault(name, record.place(field))
        if place != record.place(field):
            message = f"{what} {name!r} is there twice; the first is at {place}"
            self._report.error(record.place(field), message)

    def _check_all(
        self, what: str, names: Iterable[Placed[str]] | None, known: Collection[str]
    ) -> None:
        for name in names or ():
            self._check_known(what, name.value, name.place, known)

    def _check_known(self, what: str, name: str, place: Place, known: Collection[str]) -> None:
        # After a syntax error or an unreadable include the rest may hold it.
        if name not in known and self._draft.complete and not self._report.full:
            hint = self._report.guesser.hint(name, known)
            self._report.error(place, f"there is no {what} {quoted(name)}{hint}")

"""Where a link is pinged: its own addresses, or its router's. One rule for all readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.config.inventory_fields import LinkKeys
from netmon.model import Role

if TYPE_CHECKING:
    from netmon.config.fields import Record
    from netmon.model import IPAddress


def lies_at_router(link: Record) -> bool:
    """Tell whether a link is pinged at its router's address: a primary one without `address`."""
    return LinkKeys.ADDRESS not in link and link[LinkKeys.ROLE] == Role.PRIMARY


def link_addresses(link: Record | None, router: IPAddress | None) -> tuple[IPAddress, ...]:
    """Return the addresses of a link, one of each family at most; None: the link not written."""
    if link is None:
        return () if router is None else (router,)
    address = router if lies_at_router(link) else link.get(LinkKeys.ADDRESS)
    address6 = link.get(LinkKeys.ADDRESS6)
    if address is None:
        return () if address6 is None else (address6,)
    if address6 is None:
        return (address,)
    # A router known by an IPv6 address, and a link with one of its own: the link's is meant.
    return (address6,) if address.version == address6.version else (address, address6)

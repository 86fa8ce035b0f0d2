"""What the toy province must bring to life, worked out from an inventory.

Plain values: they travel as JSON to the world's process.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self, TypedDict

from netmon.model import Agency, Inventory, IPAddress


class _UplinkFields(TypedDict):
    link: str
    addresses: list[str]
    bandwidth_bits_per_second: int
    alias: str


class _RouterFields(TypedDict):
    agency: str
    address: str
    platform: str
    location: str
    has_lan: bool
    uplinks: list[_UplinkFields]


@dataclass(frozen=True, slots=True)
class UplinkPlan:
    """One uplink interface of a toy router."""

    link: str
    addresses: tuple[IPAddress, ...]
    bandwidth_bits_per_second: int
    alias: str


@dataclass(frozen=True, slots=True)
class RouterPlan:
    """One toy router: an agency's device with all its uplinks."""

    agency: str
    address: IPAddress
    platform: str
    location: str
    has_lan: bool
    uplinks: tuple[UplinkPlan, ...]

    @property
    def addresses(self) -> frozenset[IPAddress]:
        """Every address that is this router's."""
        return frozenset(
            (self.address, *(address for uplink in self.uplinks for address in uplink.addresses))
        )

    def to_json(self) -> _RouterFields:
        """Return fields that JSON can carry."""
        return {
            "agency": self.agency,
            "address": str(self.address),
            "platform": self.platform,
            "location": self.location,
            "has_lan": self.has_lan,
            "uplinks": [
                {
                    "link": uplink.link,
                    "addresses": [str(address) for address in uplink.addresses],
                    "bandwidth_bits_per_second": uplink.bandwidth_bits_per_second,
                    "alias": uplink.alias,
                }
                for uplink in self.uplinks
            ],
        }

    @classmethod
    def from_json(cls, fields: _RouterFields) -> Self:
        """Rebuild a plan from what `to_json` returned."""
        uplinks = tuple(
            UplinkPlan(
                uplink["link"],
                tuple(map(ip_address, uplink["addresses"])),
                uplink["bandwidth_bits_per_second"],
                uplink["alias"],
            )
            for uplink in fields["uplinks"]
        )
        return cls(
            fields["agency"],
            ip_address(fields["address"]),
            fields["platform"],
            fields["location"],
            fields["has_lan"],
            uplinks,
        )


def plan_routers(inventory: Inventory) -> tuple[RouterPlan, ...]:
    """Return a toy router for every agency that has an address to answer at."""
    return tuple(
        _plan_router(agency)
        for agency in inventory.agencies.values()
        if agency.router is not None or agency.links
    )


_DEFAULT_BANDWIDTH_BITS_PER_SECOND = 100_000_000


def _plan_router(agency: Agency) -> RouterPlan:
    uplinks = tuple(
        UplinkPlan(
            link.key.link,
            link.addresses,
            link.bandwidth_bits_per_second or _DEFAULT_BANDWIDTH_BITS_PER_SECOND,
            f"TSLCD {link.role} {link.circuit or link.key}",
        )
        for link in agency.links
    )
    address = uplinks[0].addresses[0] if agency.router is None else agency.router.address
    platform = "" if agency.router is None else agency.router.platform or ""
    return RouterPlan(agency.id, address, platform, agency.name, bool(agency.lan), uplinks)

"""JSON Schemas of the YAML files, for editors: made from the same declarations as the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.config.inventory_fields import INCLUDED, INVENTORY
from netmon.config.settings_fields import CALENDAR, SETTINGS

if TYPE_CHECKING:
    from netmon.config.fields import Table
    from netmon.config.forms import Schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def inventory_schema() -> Schema:
    """Return the JSON Schema (2020-12) of config/agencies.yaml."""
    return _document(INVENTORY, "netmon inventory")


def included_schema() -> Schema:
    """Return the JSON Schema (2020-12) of a file that an inventory includes."""
    return _document(INCLUDED, "part of a netmon inventory")


def settings_schema() -> Schema:
    """Return the JSON Schema (2020-12) of config/netmon.yaml."""
    return _document(SETTINGS, "netmon settings")


def calendar_schema() -> Schema:
    """Return the JSON Schema (2020-12) of config/calendar.yaml."""
    return _document(CALENDAR, "netmon working calendar")


SCHEMAS = {
    "agencies": inventory_schema,
    "part": included_schema,
    "netmon": settings_schema,
    "calendar": calendar_schema,
}
"""Name → maker, as committed in config/schema/NAME.schema.json."""


def _document(table: Table, title: str) -> Schema:
    return {"$schema": _DIALECT, "title": title} | table.schema()

"""Exporters of other packages, found by entry point."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netmon.web.exchange import Exporter

GROUP = "netmon.exporters"

_log = logging.getLogger(__name__)


def find_exporters(candidates: Iterable[EntryPoint] | None = None) -> list[Exporter]:
    """Make one of every exporter that is installed; one that is broken is logged and left out."""
    found = entry_points(group=GROUP) if candidates is None else candidates
    made = (_make(entry) for entry in sorted(found, key=lambda entry: entry.name))
    return [exporter for exporter in made if exporter is not None]


def _make(entry: EntryPoint) -> Exporter | None:
    try:
        exporter: Exporter = entry.load()()
        exporter.routes()
    except Exception:  # noqa: BLE001  # a plug-in's bug must not stop the daemon
        _log.exception(
            "%s: exporter %s cannot be loaded and is left out; repair or uninstall its package",
            entry.name,
            entry.value,
        )
        return None
    return exporter

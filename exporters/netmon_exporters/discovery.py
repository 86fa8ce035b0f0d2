"""`/sd`: the inventory as HTTP service discovery for stock exporters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.alerting.discovery import EXPORTERS, target_groups
from netmon.web import Handler, Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netmon.state import Snapshot


class DiscoveryExporter:
    """Serves the targets of blackbox_exporter and snmp_exporter to Prometheus."""

    def routes(self) -> Mapping[str, Handler]:
        """Return the one path there is."""
        return {"/sd": self.targets}

    def targets(self, snapshot: Snapshot, request: Request) -> Response:
        """List the targets of all exporters, or with `?for=` those of one."""
        exporter = request.query.get("for")
        if exporter not in {None, *EXPORTERS}:
            text = f"/sd?for={exporter}: no such exporter; write {' or '.join(EXPORTERS)}\n"
            return Response(text.encode(), "text/plain; charset=utf-8", 400)
        # Prometheus demands exactly this content type.
        return Response(target_groups(snapshot.inventory, exporter).encode(), "application/json")

"""`/metrics`: the metrics contract, rendered from the columns of a snapshot."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from prometheus_client.exposition import choose_encoder

from netmon.web import Handler, Request, Response
from netmon_exporters import daemon_metrics, inventory_metrics, link_metrics, router_metrics
from netmon_exporters.columns import ColumnFamily, blocks
from netmon_exporters.coverage_metrics import COVERAGE_FAMILIES
from netmon_exporters.daemon_metrics import DaemonMetrics
from netmon_exporters.router_metrics import RouterMetrics
from netmon_exporters.trouble_metrics import TROUBLE_FAMILIES, trouble_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from netmon.state import Snapshot
    from netmon_exporters.exposition import Block, Family

_END = b"# EOF\n"


class PrometheusExporter:
    """Serves every figure of a snapshot to Prometheus, in the format it asks for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation: int | None = None
        self._facts: list[tuple[Family, list[bytes]]] = []
        self._blocks: list[tuple[ColumnFamily, Block]] = []
        self._routers = RouterMetrics()
        self._daemon = DaemonMetrics()

    def routes(self) -> Mapping[str, Handler]:
        """Return the one path there is."""
        return {"/metrics": self.metrics}

    def metrics(self, snapshot: Snapshot, request: Request) -> Response:
        """Render a snapshot. What did not change since the last one is not rendered again."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        openmetrics = content_type.startswith("application/openmetrics-text")
        with self._lock:
            parts = list(self._parts(snapshot, openmetrics=openmetrics))
        small = encode(self._daemon.collector(snapshot))
        parts.append(small.removesuffix(_END))
        if openmetrics:
            parts.append(_END)
        return Response(tuple(parts), content_type)

    def _parts(self, snapshot: Snapshot, *, openmetrics: bool) -> Iterator[bytes]:
        if snapshot.generation != self._generation:
            self._prepare(snapshot)
        for family, slices in self._facts:
            yield family.header(openmetrics=openmetrics)
            yield from slices
        for each, block in self._blocks:
            yield each.family.header(openmetrics=openmetrics)
            yield from block.render(each.values(snapshot))
        for family, slices in self._routers.render(snapshot):
            yield family.header(openmetrics=openmetrics)
            yield from slices

    def _prepare(self, snapshot: Snapshot) -> None:
        links, echoes = inventory_metrics.link_rows(snapshot), link_metrics.echo_rows(snapshot)
        facts = [
            *blocks(inventory_metrics.AGENCY_FAMILIES, inventory_metrics.agency_rows(snapshot)),
            *blocks(inventory_metrics.LINK_FACT_FAMILIES, links),
            *blocks(inventory_metrics.PROVIDER_FAMILIES, inventory_metrics.provider_rows(snapshot)),
            *blocks(inventory_metrics.AREA_FAMILIES, inventory_metrics.area_rows(snapshot)),
        ]
        self._facts = [(each.family, block.render(each.values(snapshot))) for each, block in facts]
        self._blocks = [
            *blocks(link_metrics.LINK_FAMILIES, links),
            *blocks(link_metrics.ECHO_FAMILIES, echoes),
            *trouble_blocks(snapshot),
        ]
        self._generation = snapshot.generation


def families() -> list[Family]:
    """Return every family of the contract, in the order of the exposition."""
    columns = (
        *inventory_metrics.AGENCY_FAMILIES,
        *inventory_metrics.LINK_FACT_FAMILIES,
        *inventory_metrics.PROVIDER_FAMILIES,
        *inventory_metrics.AREA_FAMILIES,
        *link_metrics.LINK_FAMILIES,
        *link_metrics.ECHO_FAMILIES,
        *TROUBLE_FAMILIES,
    )
    return [
        *(each.family for each in columns),
        *router_metrics.router_families(),
        *(family for family, _ in daemon_metrics.FAMILIES),
        *daemon_metrics.INVENTORY_FAMILIES,
        *(family for family, _ in COVERAGE_FAMILIES),
    ]

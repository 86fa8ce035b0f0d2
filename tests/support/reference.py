"""The same metrics through prometheus-client: a custom collector, the slow and certain way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from netmon_exporters import inventory_metrics, link_metrics, router_metrics, trouble_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netmon.state import Snapshot
    from netmon_exporters.columns import ColumnFamily
    from netmon_exporters.exposition import Family, Labels


class ReferenceCollector(Collector):
    """Collects a snapshot sample by sample."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Yield every family that the exporter renders by itself."""
        snapshot = self._snapshot
        links = inventory_metrics.link_rows(snapshot)
        yield from self._columns(
            inventory_metrics.AGENCY_FAMILIES, inventory_metrics.agency_rows(snapshot)
        )
        yield from self._columns(inventory_metrics.LINK_FACT_FAMILIES, links)
        yield from self._columns(
            inventory_metrics.PROVIDER_FAMILIES, inventory_metrics.provider_rows(snapshot)
        )
        yield from self._columns(
            inventory_metrics.AREA_FAMILIES, inventory_metrics.area_rows(snapshot)
        )
        yield from self._columns(link_metrics.LINK_FAMILIES, links)
        yield from self._columns(link_metrics.ECHO_FAMILIES, link_metrics.echo_rows(snapshot))
        for rows in trouble_metrics.trouble_rows(snapshot):
            labels = [rows.labels(row) for row in range(rows.count)]
            yield from self._columns((rows.family,), labels)
        yield from self._routers()

    def _columns(
        self, families: Sequence[ColumnFamily], rows: Sequence[Labels]
    ) -> Iterator[Metric]:
        for each in families:
            metric = _metric(each.family)
            suffixes = [(each.family.name + s.suffix, dict(s.labels)) for s in each.samples]
            for row, values in zip(rows, each.values(self._snapshot).tolist(), strict=True):
                own = {name: row[name] for name in each.row_labels}
                for (name, labels), value in zip(suffixes, values, strict=True):
                    if value == value:  # noqa: PLR0124  # NaN is unequal to itself: no series
                        metric.add_sample(name, {**own, **labels}, value)
            yield metric

    def _routers(self) -> Iterator[Metric]:
        inventory, readings = self._snapshot.inventory, self._snapshot.readings
        present = [readings[agency] for agency in inventory.agencies if agency in readings]
        for router in router_metrics.ROUTER_FAMILIES:
            metric = _metric(router.family)
            for reading in present:
                for labels, value in router.samples(reading):
                    if value is not None:
                        own = {"agency": reading.agency}
                        metric.add_sample(router.family.name, {**own, **labels}, value)
            yield metric
        for each in router_metrics.INTERFACE_FAMILIES:
            metric = _metric(each.family)
            for reading in present:
                names = router_metrics.interface_names(reading.interfaces)
                for name, interface in zip(names, reading.interfaces, strict=True):
                    for labels, value in each.samples(interface):
                        if value is not None:
                            own = {"agency": reading.agency, "interface": name}
                            metric.add_sample(each.family.name, {**own, **labels}, value)
            yield metric


def _metric(family: Family) -> Metric:
    base = family.name
    if family.kind in {"counter", "info"}:
        base = base.removesuffix("_total").removesuffix("_info")
    return Metric(base, family.help, family.kind)

"""Every generated file of this folder: dashboards in both languages, rules, provisioning."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from grafana.source.availability import availability
from grafana.source.boxes import boxes
from grafana.source.carrier import carrier
from grafana.source.health import health
from grafana.source.inventory import inventory
from grafana.source.link import link
from grafana.source.look import Words
from grafana.source.overview import overview
from grafana.source.records import rules_file
from netmon.messages import LANGUAGES, Catalogue

Make: TypeAlias = Callable[[Words], model.Dashboard]
DASHBOARDS: Mapping[str, Make] = MappingProxyType(
    {
        "overview": overview,
        "boxes": boxes,
        "link": link,
        "carrier": carrier,
        "availability": availability,
        "inventory": inventory,
        "health": health,
    }
)
_DATA_SOURCE = """\
# Written by scripts/generate.py. Put in the address of your Prometheus.
apiVersion: 1
datasources:
  - name: netmon
    uid: netmon-prometheus
    type: prometheus
    access: proxy
    url: http://127.0.0.1:9090
    editable: false
    jsonData:
      httpMethod: POST
      # Prometheus' scrape interval: $__rate_interval is four of it at least.
      timeInterval: 15s
"""


def generated() -> dict[str, str]:
    """Return every generated file: its path below the project and its text."""
    catalogue = Catalogue.load()
    files = {
        "grafana/rules/netmon-dashboards.yml": rules_file(),
        "grafana/provisioning/datasources/netmon.yaml": _DATA_SOURCE,
        "grafana/provisioning/dashboards/netmon.yaml": _providers(catalogue),
    }
    for language in LANGUAGES:
        words = Words(catalogue, language)
        for name, make in DASHBOARDS.items():
            path = f"grafana/dashboards/{language}/{words.uid(name)}.json"
            files[path] = text(make(words))
    return files


def text(dashboard: model.Dashboard) -> str:
    """Return a dashboard as it is committed: keys sorted, Vietnamese readable."""
    made = json.dumps(dashboard, cls=JSONEncoder, ensure_ascii=False, indent=2, sort_keys=True)
    return made + "\n"


def _providers(catalogue: Catalogue) -> str:
    lines = ["# Written by scripts/generate.py.", "apiVersion: 1", "providers:"]
    for language in LANGUAGES:
        folder = json.dumps(catalogue.text(language, "grafana.folder"), ensure_ascii=False)
        lines += [
            f"  - name: netmon-{language}",
            f"    folder: {folder}",
            f"    folderUid: netmon-{language}",
            "    type: file",
            "    # Change the Python source, not the dashboard: what is saved here is lost.",
            "    allowUiUpdates: false",
            "    disableDeletion: true",
            "    options:",
            f"      path: /etc/netmon/grafana/dashboards/{language}",
        ]
    return "\n".join(lines) + "\n"

"""The web server: exporters' pages, health, readiness and reload.

Exporters are found by the entry point group `netmon.exporters`; netmon itself knows none of them.
"""

from netmon.web.exchange import Action, Exporter, Handler, ReloadResult, Request, Response
from netmon.web.plugins import find_exporters
from netmon.web.server import WebServer

__all__ = [
    "Action",
    "Exporter",
    "Handler",
    "ReloadResult",
    "Request",
    "Response",
    "WebServer",
    "find_exporters",
]

"""A real Prometheus that scrapes given targets and evaluates given rules.

Its first scrape comes 5 to 6 s after the start, whatever the interval: start one for many tests.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lab.capabilities import find_program
from lab.daemons import HttpDaemon

_ASK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Scrape:
    """What Prometheus is to do. Targets and Alertmanagers are written HOST:PORT."""

    targets: Sequence[str]
    job: str = "netmon"
    interval: str = "1s"
    rule_files: Sequence[Path] = ()
    alertmanagers: Sequence[str] = ()
    external_labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query's answer."""

    labels: dict[str, str]
    value: float


class Prometheus(HttpDaemon):
    """Prometheus on a free port, here or inside a namespace."""

    def __init__(self, scrape: Scrape, namespace: str | None = None) -> None:
        super().__init__(namespace)
        self._scrape = scrape

    def command(self) -> Sequence[str]:
        """Write prometheus.yml; return the command that starts Prometheus."""
        config = self.directory / "prometheus.yml"
        # JSON is YAML: no quoting of our own.
        config.write_text(json.dumps(self._config()), encoding="utf-8")
        return [
            find_program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
            "--log.level=warn",
        ]

    def query(self, expression: str, at: float | None = None) -> list[Sample]:
        """Evaluate an expression that yields a vector, now or at a time."""
        when = {} if at is None else {"time": str(at)}
        answer = self._api("query", query=expression, **when)
        return [Sample(each["metric"], float(each["value"][1])) for each in answer["result"]]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are pending or firing."""
        alerts: list[dict[str, Any]] = self._api("alerts")["alerts"]
        return alerts

    def wait_for(
        self,
        expression: str,
        holds: Callable[[list[Sample]], bool] = bool,
        patience_seconds: float = 30.0,
    ) -> list[Sample]:
        """Ask until the answer is as wanted; without `holds`, until there is one.

        Raises:
            TimeoutError: It did not become so; the message holds the last answer.
        """
        deadline = time.monotonic() + patience_seconds
        while not holds(samples := self.query(expression)):
            if time.monotonic() > deadline:
                message = f"{expression} is still {samples} after {patience_seconds:.0f} s"
                raise TimeoutError(message)
            time.sleep(_ASK_AGAIN_SECONDS)
        return samples

    def _api(self, path: str, **parameters: str) -> dict[str, Any]:
        answer = json.loads(self.fetch(f"/api/v1/{path}?{urlencode(parameters)}"))
        data: dict[str, Any] = answer["data"]
        return data

    def _config(self) -> dict[str, Any]:
        scrape = self._scrape
        return {
            "global": {
                "scrape_interval": scrape.interval,
                "scrape_timeout": scrape.interval,
                "evaluation_interval": scrape.interval,
                "external_labels": scrape.external_labels,
            },
            "rule_files": [str(path.resolve()) for path in scrape.rule_files],
            "scrape_configs": [
                {"job_name": scrape.job, "static_configs": [{"targets": list(scrape.targets)}]}
            ],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": list(scrape.alertmanagers)}]}]
            },
        }


class Recorded(Prometheus):
    """Prometheus over samples of the past, given as OpenMetrics text; it scrapes nothing."""

    def __init__(self, openmetrics: str) -> None:
        super().__init__(Scrape([]))
        self._openmetrics = openmetrics

    def command(self) -> Sequence[str]:
        """Make blocks of the samples; return the command that starts Prometheus over them."""
        text, data = self.directory / "samples.om", self.directory / "data"
        text.write_text(self._openmetrics + "# EOF\n", encoding="utf-8")
        tool = find_program("promtool")
        blocks = [tool, "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
        subprocess.run(blocks, check=True, stdout=subprocess.DEVNULL)
        return [*super().command(), "--storage.tsdb.retention.time=10y"]

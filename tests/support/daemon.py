"""A real netmon in a process of its own, and its exposition as figures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from prometheus_client.parser import text_string_to_metric_families

from lab.daemons import free_port, request
from lab.kernel import enter_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 40.0

Series = tuple[str, tuple[tuple[str, str], ...]]
Figures = dict[Series, float]


class Netmon:
    """`netmon run` on a free port, here or inside a namespace; `with` ends it by SIGTERM."""

    def __init__(self, settings: Path, namespace: str | None = None) -> None:
        self.settings = settings
        self.port = free_port(namespace)
        self._namespace = namespace
        self._log = settings.with_name("netmon.log")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def start(self, **environment: str) -> None:
        """Start it, and return when it is ready."""
        where = enter_command(self._namespace) if self._namespace is not None else []
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *where, sys.executable, "-m", "netmon", "run",
                    f"--config.file={self.settings}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                cwd=_ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stderr=log,
            )  # fmt: skip
        self.until(self.is_ready, "it is not ready")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        """All that was logged so far, by every start."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def is_ready(self) -> bool:
        """Tell whether it answers and has figures."""
        assert self.process.poll() is None, self.log
        try:
            return self.request("GET", "/-/ready")[0] == 200
        except OSError:
            return False

    def request(self, method: str, path: str) -> tuple[int, bytes]:
        """Send one HTTP request; return status and body."""
        return request(self.port, method, path, None, self._namespace)

    def metrics(self) -> bytes:
        """Return /metrics as it is."""
        status, body = self.request("GET", "/metrics")
        assert status == 200, body
        return body

    def figures(self) -> Figures:
        """Return /metrics as figures; a series that stands there twice fails the test."""
        figures: Figures = {}
        for family in text_string_to_metric_families(self.metrics().decode()):
            for sample in family.samples:
                series = (sample.name, tuple(sorted(sample.labels.items())))
                assert series not in figures, f"{series} stands there twice"
                figures[series] = sample.value
        return figures

    def of(self, name: str, **labels: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Return the series of one metric that carry these labels."""
        wanted = labels.items()
        return {
            series[1]: value
            for series, value in self.figures().items()
            if series[0] == name and wanted <= dict(series[1]).items()
        }

    def state(self, agency: str, link: str = "primary") -> str | None:
        """Return the state of a link; None while it has none."""
        for labels, value in self.of("netmon_link_state", agency=agency, link=link).items():
            if value == 1:
                return dict(labels)["state"]
        return None

    def until(
        self, holds: Callable[[], bool], complaint: str, patience: float = _PATIENCE_SECONDS
    ) -> None:
        """Ask until it holds; fail with the complaint and the log's end if it never does."""
        deadline = time.monotonic() + patience
        while not holds():
            assert time.monotonic() < deadline, f"{complaint}: {self.log[-3000:]}"
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """End it by SIGTERM; return the exit code."""
        self.process.terminate()
        return self.process.wait(20)

"""What routers of each platform answer, what must be read in it, and secrets that must not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from tests.support.ssh_vendors import Device

_FOLDER = Path(__file__).resolve().parents[1] / "data" / "ssh"
SEED = "SEED"
"""Every secret in the recordings begins so."""


@dataclass(frozen=True)
class Recording:
    """One router."""

    platform: str
    prompt: str
    answers: dict[str, str]
    facts: dict[str, str]
    tables: dict[str, dict[str, str]]
    command: str
    configuration: str
    noise: tuple[str, ...]
    kept: tuple[str, ...]
    unknown: str
    pager: str

    def device(self) -> Device:
        """Return a router that answers so."""
        answers = {command: text.removesuffix("\n") for command, text in self.answers.items()}
        answers[self.command] = self.configuration.removesuffix("\n")
        return Device(self.prompt, answers, unknown=self.unknown, pager=self.pager)


@cache
def recordings() -> dict[str, Recording]:
    """Return every recording by platform."""
    return {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.yaml"))}


def _read(path: Path) -> Recording:
    tree = yaml.load(path.read_text("utf-8"), Loader=yaml.CBaseLoader)  # noqa: S506  # texts only
    return Recording(
        platform=path.stem,
        prompt=tree["prompt"],
        answers=tree["answers"],
        facts=tree["facts"],
        tables=tree["tables"],
        command=tree["command"],
        configuration=tree["configuration"],
        noise=tuple(tree["noise"]),
        kept=tuple(tree["kept"]),
        unknown=tree.get("unknown", "% Invalid input detected at '^' marker.").strip(),
        pager=tree.get("pager", ""),
    )

"""A reload that cannot be done wholly is not done at all, and says so."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

from netmon.daemon import Daemon
from netmon.errors import StorageError
from netmon.surroundings import Options, Surroundings

if TYPE_CHECKING:
    import pytest

SHIPPED = Path(__file__).parents[2] / "config"


async def test_new_links_whose_account_cannot_be_read_are_refused_before_anything_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed: list[object] = []

    async def refuse(_action: object) -> NoReturn:
        raise StorageError("ledger: the disk has failed")

    async def listen(settings: object) -> None:
        changed.append(settings)

    shutil.copytree(SHIPPED, tmp_path / "config")
    daemon = Daemon(Options(tmp_path / "config/netmon.yaml"), Surroundings(exporters=()))
    for name, part in (
        ("_watch", SimpleNamespace(inventory=None)),
        ("_writer", SimpleNamespace(call=refuse)),
        ("_traps", SimpleNamespace(listen=listen)),
        ("_snmp", SimpleNamespace(set_profiles=changed.append)),
    ):
        monkeypatch.setattr(daemon, name, part, raising=False)
    result = await daemon.reload()
    assert (result.ok, result.text) == (False, "ledger: the disk has failed")
    assert not changed

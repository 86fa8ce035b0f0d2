"""Configurations in a git repository, as git itself sees it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from lab.capabilities import Need, find_program, missing
from netmon.errors import InventoryError
from netmon.inventory.configs import ConfigStore, count_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR_US = 3_600_000_000
START_US = 1_795_400_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConfigStore]:
    store = ConfigStore.open(tmp_path / "configurations.git", create=True)
    yield store
    store.close()


def git(path: Path, *words: str) -> str:
    if lack := missing(Need.GIT):
        pytest.skip(lack)
    command = [find_program("git"), "-C", str(path), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_only_a_change_is_a_commit(store: ConfigStore) -> None:
    content, new = store.save("xa-a", "a\nb\n", START_US)
    assert new
    assert store.save("xa-a", "a\nb\n", START_US + HOUR_US) == (content, False)
    assert [each.message for each in store.versions()] == ["xa-a: first kept"]


def test_a_diff_is_of_the_last_change_or_since_a_time(store: ConfigStore) -> None:
    for hour, text in enumerate(("a\n", "b\n", "c\n")):
        store.save("xa-a", text, START_US + hour * HOUR_US)
    store.save("xa-b", "z\n", START_US + 3 * HOUR_US)
    assert store.diff("xa-a").splitlines()[-2:] == ["-b", "+c"]
    assert store.diff("xa-a", START_US).splitlines()[-2:] == ["-a", "+c"]
    assert store.diff("xa-a", START_US + 2 * HOUR_US) == ""
    assert "--- nothing" in store.diff("xa-a", START_US - 1)


def test_git_finds_a_sound_repository_with_author_and_time(
    store: ConfigStore, tmp_path: Path
) -> None:
    store.save("xa-a", "mật khẩu\n", START_US)
    store.save("xa-a", "mật khẩu\nx\n", START_US + HOUR_US, by="admin")
    path = tmp_path / "configurations.git"
    assert git(path, "fsck", "--strict") == ""
    log = git(path, "log", "--format=%an %at %s", "--", "xa-a.cfg").splitlines()
    assert log == [
        f"netmon {(START_US + HOUR_US) // 1_000_000} xa-a: 1 lines added, 0 removed, by admin",
        f"netmon {START_US // 1_000_000} xa-a: first kept",
    ]
    assert git(path, "show", "HEAD:xa-a.cfg") == "mật khẩu\nx\n"


def test_a_process_that_is_killed_while_it_writes_leaves_a_sound_repository(
    tmp_path: Path,
) -> None:
    path = tmp_path / "configurations.git"
    writing = textwrap.dedent(
        f"""
        from pathlib import Path
        from netmon.inventory.configs import ConfigStore
        store = ConfigStore.open(Path({str(path)!r}), create=True)
        print("ready", flush=True)
        for number in range(100_000):
            store.save(f"xa-{{number % 50}}", f"version {{number}}\\nend\\n", number * 1_000_000)
        """
    )
    command = [sys.executable, "-c", writing]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)
        process.kill()
    store = ConfigStore.open(path, create=True)
    newest = next(store.versions())
    text = store.text(newest.agency)
    assert text is not None
    assert text.endswith("end\n")
    git(path, "fsck", "--strict")
    store.save("xa-a", "after\n", START_US)
    store.close()


def test_people_may_pack_it_and_commit_beside_it(store: ConfigStore, tmp_path: Path) -> None:
    path = tmp_path / "configurations.git"
    for hour, text in enumerate(("a\n", "b\n")):
        store.save("xa-a", text, START_US + hour * HOUR_US)
    git(path, "gc", "-q")
    tree = git(path, "rev-parse", "main^{tree}").strip()
    who = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    by_hand = git(path, *who, "commit-tree", tree, "-p", "main", "-m", "note: by hand").strip()
    git(path, "update-ref", "refs/heads/main", by_hand)
    store.save("xa-a", "c\n", START_US + 2 * HOUR_US)
    assert [each.agency for each in store.versions()] == ["xa-a"] * 3
    assert store.diff("xa-a").splitlines()[-2:] == ["-b", "+c"]
    assert git(path, "fsck", "--strict") == ""


def test_what_is_missing_is_said(store: ConfigStore, tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="xa-a: no configuration was kept yet"):
        store.diff("xa-a")
    with pytest.raises(InventoryError, match="netmon inventory refresh makes it"):
        ConfigStore.open(tmp_path / "nothing")


def test_lines_are_counted_as_git_counts_them() -> None:
    assert count_lines("a\nb\nc\n", "a\nx\ny\nc\n") == (2, 1)

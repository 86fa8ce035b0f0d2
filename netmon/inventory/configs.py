"""Configurations of routers in a git repository: one file each, a commit for every change.

The repository is bare: there is no working copy that a stop in the midst could leave half written.
Objects come first and the branch moves last, so whatever happens it names a whole state. Written
with dulwich, which needs no git program; read it with any git: `git -C PATH log -p AGENCY.cfg`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from netmon.clock import MICROSECONDS, utc
from netmon.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_Kind = TypeVar("_Kind", bound=ShaFile)

_BRANCH = Ref(b"refs/heads/main")
_IDENTITY = b"netmon <netmon@localhost>"
_MODE = 0o100644
_SHOWN = 12
"""So many digits of a content's hash are told."""


@dataclass(frozen=True, slots=True)
class Version:
    """A configuration from `at_us` on."""

    agency: str
    commit: str
    content: str
    """Hash of the text, as facts tell it."""
    at_us: int
    message: str


class ConfigStore:
    """The repository. One writer at a time; readers need no lock."""

    def __init__(self, repository: Repo) -> None:
        self._repository = repository

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> ConfigStore:
        """Open the repository at `path`; with `create` as its one writer.

        Raises:
            InventoryError: there is none, or it is none.
        """
        if create and not (path / "HEAD").exists():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            repository = Repo.init_bare(path, default_branch=b"main")
            repository.get_config().set((b"core",), b"fsyncObjectFiles", b"true")
            repository.get_config().write_to_path()
            repository.close()
        if create:
            # Writers are one at a time: a lock that lies here is a killed one's.
            (path / f"{_BRANCH.decode()}.lock").unlink(missing_ok=True)
        try:
            return cls(Repo(str(path)))
        except Exception:  # noqa: BLE001  # dulwich has many ways to say it
            remedy = (
                "it cannot be read: restore it, or move it away and a new one is begun"
                if path.exists()
                else "netmon inventory refresh makes it"
            )
            raise InventoryError(f"{path}: no repository of configurations: {remedy}") from None

    def close(self) -> None:
        """Give its files free."""
        self._repository.close()

    def save(self, agency: str, text: str, at_us: int, by: str = "") -> tuple[str, bool]:
        """Keep a configuration; return its content's hash, and whether it is new.

        Raises:
            InventoryError: it cannot be kept; what was kept before is as it was.
        """
        try:
            return self._save(agency, text, at_us, by)
        except InventoryError:
            raise
        except Exception as error:  # noqa: BLE001  # dulwich has many ways to say it
            raise InventoryError(
                f"{self._repository.path}: cannot keep the configuration of {agency} "
                f"({type(error).__name__}: {error}): is the disk full, or the repository damaged? "
                "git fsck tells"
            ) from None

    def _save(self, agency: str, text: str, at_us: int, by: str) -> tuple[str, bool]:
        blob = Blob.from_string(text.encode())
        name, head = _file(agency), self._head()
        tree = self._tree(head)
        before = tree[name][1] if name in tree else None
        if before == blob.id:
            return _short(blob), False
        tree.add(name, _MODE, blob.id)
        commit = self._commit(head, tree, at_us)
        commit.message = self._message(agency, before, text, by).encode()
        for each in (blob, tree, commit):
            self._repository.object_store.add_object(each)
        if not self._repository.refs.set_if_equals(_BRANCH, head, commit.id):
            raise InventoryError(f"{agency}: another process writes configurations: try again")
        return _short(blob), True

    def text(self, agency: str) -> str | None:
        """Return the configuration that was last kept; None: there is none."""
        tree = self._tree(self._head())
        name = _file(agency)
        return self._text(tree[name][1]) if name in tree else None

    def versions(self, agency: str | None = None) -> Iterator[Version]:
        """Yield what was kept, the newest first.

        Each commit keeps one file and names it: to compare trees of thousands of files would take
        minutes after some years.
        """
        commit_id = self._head()
        while commit_id is not None:
            commit = self._of(commit_id, Commit)
            name = commit.message.partition(b":")[0].decode()
            tree = self._tree(commit_id) if agency in {None, name} else Tree()
            if _file(name) in tree:
                yield Version(
                    name,
                    commit_id.decode(),
                    tree[_file(name)][1].decode()[:_SHOWN],
                    commit.commit_time * MICROSECONDS,
                    commit.message.decode().strip(),
                )
            commit_id = commit.parents[0] if commit.parents else None

    def diff(self, agency: str, since_us: int | None = None) -> str:
        """Return what changed since then, or at the last change, as a unified diff; "": nothing.

        Raises:
            InventoryError: no configuration of this agency was ever kept.
        """
        found = self.versions(agency)
        newest = next(found, None)
        if newest is None:
            raise InventoryError(f"{agency}: no configuration was kept yet")
        if since_us is None:
            old = next(found, None)
        elif newest.at_us <= since_us:
            return ""
        else:
            old = next((each for each in found if each.at_us <= since_us), None)
        before = "" if old is None else self._at(old)
        return _unified(agency, before, self._at(newest), old, newest)

    def _at(self, version: Version) -> str:
        return self._text(self._tree(ObjectID(version.commit.encode()))[_file(version.agency)][1])

    def _message(self, agency: str, before: ObjectID | None, text: str, by: str) -> str:
        if before is None:
            return f"{agency}: first kept\n"
        added, removed = count_lines(self._text(before), text)
        author = f", by {by}" if by else ""
        return f"{agency}: {added} lines added, {removed} removed{author}\n"

    def _head(self) -> ObjectID | None:
        # Read anew: another process may have committed.
        head = self._repository.refs.as_dict().get(_BRANCH)
        return None if head is None else ObjectID(head)

    def _tree(self, commit_id: ObjectID | None) -> Tree:
        if commit_id is None:
            return Tree()
        return self._of(self._of(commit_id, Commit).tree, Tree)

    def _text(self, blob_id: ObjectID) -> str:
        return self._of(blob_id, Blob).data.decode()

    def _commit(self, head: ObjectID | None, tree: Tree, at_us: int) -> Commit:
        commit = Commit()
        commit.tree = tree.id
        commit.parents = [] if head is None else [head]
        commit.author = commit.committer = _IDENTITY
        commit.author_time = commit.commit_time = at_us // MICROSECONDS
        commit.author_timezone = commit.commit_timezone = 0
        commit.encoding = b"UTF-8"
        return commit

    def _of(self, object_id: ObjectID, kind: type[_Kind]) -> _Kind:
        found = self._repository[object_id]
        if not isinstance(found, kind):
            raise InventoryError(f"{object_id.decode()}: the repository is damaged")
        return found


def count_lines(before: str, after: str) -> tuple[int, int]:
    """Return how many lines were added and removed."""
    changes = [
        line[0]
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        if not line.startswith(("+++", "---", "@@"))
    ]
    return changes.count("+"), changes.count("-")


def _unified(agency: str, before: str, after: str, old: Version | None, new: Version) -> str:
    return "".join(
        f"{line}\n"
        for line in difflib.unified_diff(
            before.splitlines(),
            after.splitlines(),
            f"{agency} {utc(old.at_us):%Y-%m-%dT%H:%MZ}" if old else "nothing",
            f"{agency} {utc(new.at_us):%Y-%m-%dT%H:%MZ}",
            lineterm="",
        )
    )


def _file(agency: str) -> bytes:
    return f"{agency}.cfg".encode()


def _short(blob: Blob) -> str:
    return blob.id.decode()[:_SHOWN]

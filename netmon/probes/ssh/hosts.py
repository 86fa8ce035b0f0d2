"""netmon's own known_hosts: the key of a router is pinned at first sight, and holds.

One file for each router, in the format of OpenSSH (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): threads
never write the same file, and a library reads one line instead of a thousand.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from typing import TYPE_CHECKING

from netmon.probes.ssh.guard import SessionTrouble

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)


class ChangedKey(SessionTrouble):
    """Another host key than the pinned one: nobody logs in there."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"{address} shows another host key than the one pinned: no login. Either the router "
            "was replaced or reset, or something stands between. Find out; if it is right, "
            "netmon inventory trust AGENCY"
        )


class HostKeys:
    """The pins of one router."""

    def __init__(self, directory: Path, agency: str) -> None:
        self.path = directory / agency
        self._agency = agency

    def pin(self, host: str, kind: str, key: str) -> None:
        """Pin the first key seen of `host`.

        Raises:
            ChangedKey: there is one already: a key of another kind is another key.
        """
        lines = self._lines()
        if any(line.split(" ", 1)[0] == host for line in lines):
            raise ChangedKey(host)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.new")
        text = "".join(f"{line}\n" for line in (*lines, f"{host} {kind} {key}"))
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self.path)
        _log.info("%s: pinned %s, %s", self._agency, kind, fingerprint(key))

    def forget(self) -> bool:
        """Forget the pins; tell whether there were any."""
        if not self.path.exists():
            return False
        self.path.unlink()
        return True

    def _lines(self) -> list[str]:
        if not self.path.exists():
            return []
        return self.path.read_text(encoding="utf-8").splitlines()


def fingerprint(key: str) -> str:
    """Return a key as `ssh-keygen -l` shows it."""
    digest = hashlib.sha256(base64.b64decode(key)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

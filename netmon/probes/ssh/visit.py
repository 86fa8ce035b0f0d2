"""One visit to one router: log in, ask, read, leave. Blocking: runs in a thread."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from netmon.probes.ssh.adapter import NoPrompt, NoSession, Unreachable, WrongLogin
from netmon.probes.ssh.guard import DeadlineOver, Dropped, Flooded, NotAllowed, SessionTrouble
from netmon.probes.ssh.hosts import ChangedKey
from netmon.probes.ssh.masking import clean, mask, tidy
from netmon.probes.ssh.reading import Answers, Unreadable, read_answer

if TYPE_CHECKING:
    from collections.abc import Collection

    from netmon.probes.ssh.platforms import Platform


_log = logging.getLogger(__name__)


class SshStatus(StrEnum):
    """How a visit ended. Bounded: it is a metric label."""

    OK = "ok"
    PARTIAL = "partial"
    """Some of what was asked for could not be had; what came is good."""
    NOT_CONFIGURED = "not_configured"
    NO_SECRET = "no_secret"  # noqa: S105  # a status, not a secret
    HELD_BACK = "held_back"
    """Not tried: the login failed before, and no account is to be locked."""
    UNREACHABLE = "unreachable"
    AUTHENTICATION = "authentication"
    HOST_KEY = "host_key"
    """Another host key than the pinned one: an alert, and no login."""
    TIMEOUT = "timeout"
    DROPPED = "dropped"
    GARBAGE = "garbage"
    """What came is no answer of such a router."""
    NOT_ALLOWED = "not_allowed"
    """Our own bug: a line that is not on the allow-list."""
    BROKEN = "broken"
    """Our own bug too; the log tells where."""
    NOT_KEPT = "not_kept"
    """The router told everything, and it could not be stored."""


class Conversation(Protocol):
    """A session as a visit needs it."""

    def open(self) -> None:
        """Log in."""
        ...

    def ask(self, command: str) -> str:
        """Return the answer to a command."""
        ...

    def close(self) -> None:
        """Leave."""
        ...

    def abort(self) -> None:
        """Make whatever waits fail now."""
        ...


@dataclass
class Visit:
    """What a visit brought."""

    agency: str
    status: SshStatus
    detail: str = ""
    """In words, for people: what went wrong and what to look at."""
    platform: str = ""
    answers: Answers = field(default_factory=Answers)
    configuration: str | None = None
    """Whole, without noise, secrets masked; None: there is none that may be kept."""
    changed_at: str = ""
    """When it was last changed, in the router's own words."""
    changed_by: str = ""
    unread: dict[str, str] = field(default_factory=dict)
    """Command → what came and could not be read, secrets masked."""


_STATUSES: tuple[tuple[type[SessionTrouble], SshStatus], ...] = (
    (Unreachable, SshStatus.UNREACHABLE),
    (WrongLogin, SshStatus.AUTHENTICATION),
    (ChangedKey, SshStatus.HOST_KEY),
    (DeadlineOver, SshStatus.TIMEOUT),
    (NoPrompt, SshStatus.TIMEOUT),
    (Dropped, SshStatus.DROPPED),
    (NoSession, SshStatus.GARBAGE),
    (Flooded, SshStatus.GARBAGE),
    (NotAllowed, SshStatus.NOT_ALLOWED),
)


def visit(
    agency: str, platform: Platform, session: Conversation, known_secrets: Collection[str]
) -> Visit:
    """Visit a router; trouble is told in the result, never raised."""
    result = Visit(agency, SshStatus.OK, platform=platform.name)
    asking = _Asking(platform, session, known_secrets, result)
    try:
        session.open()
        asking.facts()
        asking.configuration()
        # Where nothing marks the end of a configuration, only facts tell that a router speaks.
        marked = platform.configuration.complete is not None
        if not result.answers.facts and not (marked and result.configuration):
            result.status = SshStatus.GARBAGE
            result.answers, result.configuration = Answers(), None
        else:
            told = {"vendor": platform.vendor, "os": platform.os}
            result.answers.facts = {**told, **result.answers.facts}
    except SessionTrouble as trouble:
        result.status = next(status for kind, status in _STATUSES if isinstance(trouble, kind))
        result.detail = str(trouble)
        # Whatever came before the session broke may be cut short: none of it is kept.
        result.configuration = None
        result.answers = Answers()
    finally:
        session.close()
    return result


def broken(agency: str, platform: str, error: Exception) -> Visit:
    """Return what a visit came to that met a bug of ours, and log where that is."""
    # Neither the error's text nor its values: a router's words may hold secrets.
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s: the visit is broken: %s\n%s", agency, type(error).__name__, where)
    detail = f"netmon's own mistake ({type(error).__name__}): the log tells where"
    return Visit(agency, SshStatus.BROKEN, detail, platform)


class _Asking:
    def __init__(
        self,
        platform: Platform,
        session: Conversation,
        known_secrets: Collection[str],
        result: Visit,
    ) -> None:
        self._platform = platform
        self._session = session
        self._known_secrets = known_secrets
        self._result = result

    def facts(self) -> None:
        """Ask every question of the platform."""
        for command in self._platform.commands:
            text = self._session.ask(command.send)
            if self._platform.refusal.search(text):
                if not command.optional:
                    self._finding(f"{command.send}: refused by the router")
                continue
            try:
                answers = read_answer(self._platform, command, text)
            except Unreadable as error:
                self._result.unread[command.send] = self._masked(text)
                if not command.optional:
                    self._finding(str(error))
                continue
            if command.facts and not answers.facts and not command.optional:
                self._result.unread[command.send] = self._masked(text)
                self._finding(f"{command.send}: nothing of what was asked for is in the answer")
            self._result.answers.take(answers)

    def configuration(self) -> None:
        """Read the configuration, and keep it if it is whole."""
        rules, parts = self._platform.configuration, []
        for command in rules.send:
            text = self._session.ask(command)
            if not self._platform.refusal.search(text):
                parts.append(tidy(text))
        whole = "".join(parts)
        if not whole:
            self._finding(f"{rules.send[0]}: the router does not show its configuration")
        elif rules.complete is not None and not rules.complete.search(whole):
            self._finding(f"{rules.send[0]}: the end is missing: not kept")
        else:
            self._result.configuration = clean(whole, rules, self._known_secrets)
            change = rules.changed.search(whole) if rules.changed else None
            if change is not None:
                self._result.changed_at = change["at"]
                self._result.changed_by = change["by"] or ""

    def _finding(self, text: str) -> None:
        result = self._result
        result.status = SshStatus.PARTIAL
        result.detail = f"{result.detail}; {text}" if result.detail else text

    def _masked(self, text: str) -> str:
        return mask(tidy(text), self._platform.configuration, self._known_secrets)

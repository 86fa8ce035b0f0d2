"""What is kept of a configuration: nothing secret, and nothing that changes by itself."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netmon.probes.ssh.platforms import Configuration

MASK = "<masked>"
_SHORTEST_KNOWN = 4
"""A shorter secret of ours would be found inside ordinary words."""

# What is secret wherever it stands, whoever's configuration it is.
_EVERYWHERE = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        (
            r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?"
            r"(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))"
        ),
        r"://[^/\s:@]+:(?P<secret>[^@\s]+)@",
        r"(?P<secret>\$(?:1|5|6|8|9|14|2[aby])\$[^\s\";]+)",
    )
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def clean(text: str, rules: Configuration, known: Iterable[str] = ()) -> str:
    """Return a configuration without noise, with its secrets and the `known` ones masked."""
    kept = tidy(text)
    for pattern in rules.noise:
        kept = pattern.sub("", kept)
    return tidy(mask(kept, rules, known))


def mask(text: str, rules: Configuration | None = None, known: Iterable[str] = ()) -> str:
    """Return the text with everything secret in it masked."""
    sections = rules.sections if rules else ()
    patterns = rules.secrets if rules else ()
    for ours in sorted({each for each in known if len(each) >= _SHORTEST_KNOWN}, key=len)[::-1]:
        text = text.replace(ours, MASK)
    for within, secret in sections:
        text = within.sub(partial(_section, secret), text)
    for pattern in (*patterns, *_EVERYWHERE):
        text = pattern.sub(_masked, text)
    return text


def tidy(text: str) -> str:
    """Return the text with line ends, trailing blanks and outer empty lines made uniform."""
    plain = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [line.rstrip() for line in plain.split("\n")]
    body = "\n".join(lines).strip("\n")
    return f"{body}\n" if body else ""


def _section(secret: re.Pattern[str], match: re.Match[str]) -> str:
    return secret.sub(_masked, match.group())


def _masked(match: re.Match[str]) -> str:
    text, start = match.group(), match.start()
    names = (name for name in match.groupdict() if match[name])
    for begin, end in sorted((match.span(name) for name in names), reverse=True):
        tail = "\n" if text[begin - start : end - start].endswith("\n") else ""
        text = text[: begin - start] + MASK + tail + text[end - start :]
    return text

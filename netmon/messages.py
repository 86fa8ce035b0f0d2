"""What netmon says to people: one catalogue, Vietnamese and English beside each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

import yaml

LANGUAGES: tuple[str, ...] = ("vi", "en")
"""The first is the one to use when nobody chose."""
_NOTES, _KEPT_IN = "note.", "en"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Texts by key and language. Placeholders are those of `str.format`, by name."""

    texts: Mapping[str, Mapping[str, str]]

    @classmethod
    def load(cls) -> Catalogue:
        """Return the catalogue that netmon comes with; it is read once."""
        return cls(_shipped_texts())

    def text(self, language: str, key: str, **values: object) -> str:
        """Return the text of `key`, its placeholders filled.

        Raises:
            KeyError: no such key, or no such language, in messages.yaml.
        """
        return self.texts[key][language].format(**values)

    def retold(self, language: str, text: str) -> str:
        """Return in the reader's language what the ledger keeps in English.

        What it keeps is evidence and never changed, so it has one language. A sentence that is not
        among the notes of the catalogue is returned as it stands.
        """
        if language == _KEPT_IN or not text:
            return text
        for key, pattern in _notes():
            if found := pattern.fullmatch(text):
                parts = found.groupdict().items()
                return self.text(language, key, **{k: self._retold(language, v) for k, v in parts})
        first, separator, last = text.rpartition("; ")
        if not separator:
            return text
        return separator.join((self.retold(language, first), self.retold(language, last)))

    def _retold(self, language: str, part: str) -> str:
        error = self.texts.get(f"echo_error.{part}")
        return self.retold(language, part) if error is None else error[language]


@cache
def _notes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return what sentences of the ledger look like, by their key."""
    found = []
    for key, texts in _shipped_texts().items():
        if key.startswith(_NOTES):
            pattern = re.escape(texts[_KEPT_IN]).replace(r"\{rest\}", "(?P<rest>.+)")
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^;]+)", pattern)
            found.append((key, re.compile(pattern)))
    return tuple(found)


@cache
def _shipped_texts() -> Mapping[str, Mapping[str, str]]:
    source = resources.files("netmon").joinpath("messages.yaml").read_text("utf-8")
    tree = yaml.load(source, Loader=yaml.CBaseLoader)  # noqa: S506  # every scalar a str, no objects
    return MappingProxyType(dict(_flat("", tree)))


def _flat(prefix: str, tree: Mapping[str, object]) -> Iterable[tuple[str, Mapping[str, str]]]:
    for name, branch in tree.items():
        if not isinstance(branch, Mapping):
            raise TypeError(f"messages.yaml: {prefix}{name} is neither a group nor a text")
        if set(branch) == set(LANGUAGES):
            yield f"{prefix}{name}", MappingProxyType({k: str(v) for k, v in branch.items()})
        else:
            yield from _flat(f"{prefix}{name}.", branch)

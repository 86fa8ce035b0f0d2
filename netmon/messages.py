"""What netmon says to people: one catalogue, Vietnamese and English beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

import yaml

LANGUAGES: tuple[str, ...] = ("vi", "en")
"""The first is the one to use when nobody chose."""


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

"""Words in messages: quoting what a file says, and guessing what its author meant."""

from __future__ import annotations

import re
import unicodedata
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_MAX_QUOTED = 60
_MAX_COMPARISONS = 200_000
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")
_SECRET_WORDS = re.compile(
    r"(^|[_-])(community|pass(word|wd|phrase)?|secret|token|(auth|priv|api)[_-]?key)s?$",
    re.IGNORECASE,
)


def quoted(text: str) -> str:
    """Return `text` in quotes, shortened, with whatever does not print escaped."""
    return repr(text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…")


def printable(text: str) -> str:
    """Return a file's name fit for one line of a terminal, without quotes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def slug(name: str) -> str:
    """Return an id made of a Vietnamese name: 'UBND xã Tân Hội Đông' → 'ubnd-xa-tan-hoi-dong'."""
    letters = unicodedata.normalize("NFD", name.lower()).replace("đ", "d")
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    return _NOT_IN_IDS.sub("-", plain).strip("-")[:63].strip("-")


def names_secret(key: str) -> bool:
    """Tell whether a key is one under which people write passwords."""
    return _SECRET_WORDS.search(key) is not None


class Guesser:
    """Guesses which known word was meant, with a bounded amount of work for a whole file."""

    def __init__(self) -> None:
        self._comparisons_left = _MAX_COMPARISONS
        self._guesses: dict[tuple[str, int], str | None] = {}

    def hint(self, word: str, known: Collection[str]) -> str:
        """Return "; did you mean 'address'?", or nothing where nothing is near."""
        meant = self.closest(word, known)
        return "" if meant is None else f"; did you mean {meant!r}?"

    def closest(self, word: str, known: Collection[str]) -> str | None:
        """Return the known word that is nearest to `word`, if one is near.

        Nothing is guessed any more once a file has had its share: twenty thousand wrong parents
        among twenty thousand ids would otherwise take hours.
        """
        memo = (word, len(known))
        if memo not in self._guesses:
            self._comparisons_left -= len(known)
            spent = self._comparisons_left < 0 or len(word) > _MAX_QUOTED
            self._guesses[memo] = None if spent else _closest(word, known)
        return self._guesses[memo]


def _closest(word: str, known: Iterable[str]) -> str | None:
    folded = {k.lower(): k for k in known if abs(len(k) - len(word)) <= max(2, len(word) // 4)}
    close = get_close_matches(word.lower(), folded, n=1, cutoff=0.7)
    return folded[close[0]] if close else None

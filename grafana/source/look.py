"""Colours, words and thresholds: the same state looks the same on every dashboard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from grafana_foundation_sdk.models import dashboard as model

from netmon.messages import Catalogue
from netmon.model import CAUSES, STATE_CODES, STATES, State

if TYPE_CHECKING:
    from collections.abc import Mapping

UP, DEGRADED, DOWN = "#0072b2", "#f5c242", "#b83200"
UNKNOWN, UNREACHABLE, MAINTENANCE = "#23282e", "#6a1b6e", "#9fd4f2"
NO_DATA = "#6b7280"
PLAIN = "#0072b2"
"""Of figures that are neither good nor bad."""
PALETTE = frozenset({UP, DEGRADED, DOWN, UNKNOWN, UNREACHABLE, MAINTENANCE, NO_DATA, PLAIN})
"""All colours there are. Told apart with any kind of colour vision; tests measure that, and that
the text which Grafana puts on each (white; dark where it takes the colour for light) is legible."""

STATE_TONES: Mapping[State, str] = MappingProxyType(
    {
        State.UP: UP,
        State.DEGRADED: DEGRADED,
        State.DOWN: DOWN,
        State.UNKNOWN: UNKNOWN,
        State.UNREACHABLE: UNREACHABLE,
        State.MAINTENANCE: MAINTENANCE,
        State.UNOBSERVED: UNKNOWN,
    }
)

Steps: TypeAlias = tuple[tuple[float | None, str], ...]
"""Thresholds: the colour from each value on; the first from nothing on."""
Mappings: TypeAlias = "list[model.ValueMapping]"

NEUTRAL: Steps = ((None, PLAIN),)
AVAILABILITY: Steps = ((None, DOWN), (0.99, DEGRADED), (0.995, UP))
COVERAGE: Steps = ((None, DOWN), (0.9, DEGRADED), (0.99, UP))
ANY_IS_BAD: Steps = ((None, UP), (1, DOWN))
ANY_IS_BEHIND: Steps = ((None, UP), (1, UNREACHABLE))
ANY_IS_WORTH_A_LOOK: Steps = ((None, UP), (1, DEGRADED))
NONE_IS_BAD: Steps = ((None, DOWN), (1, UP))


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue in one language."""

    catalogue: Catalogue
    language: str

    def __call__(self, key: str) -> str:
        """Return the text of a key."""
        return self.catalogue.text(self.language, key)

    def uid(self, name: str) -> str:
        """Return the uid of a dashboard in this language."""
        return f"netmon-{self.language}-{name}"


def kind_label(words: Words) -> str:
    """Return the label that tells the kind of an agency: ids are English, names Vietnamese."""
    return "kind_name" if words.language == "vi" else "kind"


def no_data(words: Words, index: int = 0) -> Mappings:
    """Return the mapping that paints absence grey and says so.

    Without it Grafana paints "no data" in the first threshold's colour, which is often that of
    "all is well".
    """
    result = model.ValueMappingResult(text=words("grafana.no_data"), color=NO_DATA, index=index)
    match = model.SpecialValueMatch.NULL_AND_NAN
    options = model.DashboardSpecialValueMapOptions(match=match, result=result)
    return [model.SpecialValueMap(options=options)]


def of_values(words: Words, values: Mapping[int, tuple[str, str]]) -> Mappings:
    """Return the mappings of values to key and colour, and of absence."""
    options = {
        str(value): model.ValueMappingResult(text=words(key), color=color, index=index)
        for index, (value, (key, color)) in enumerate(values.items())
    }
    return [model.ValueMap(options=options), *no_data(words, len(options))]


def of_states(words: Words) -> Mappings:
    """Return the mappings of the codes of states."""
    return of_values(
        words, {STATE_CODES[state]: (f"state.{state}", STATE_TONES[state]) for state in STATES}
    )


def of_outages(words: Words) -> Mappings:
    """Return the mappings of "an outage is open"."""
    return of_values(words, {0: ("grafana.no_outage", UP), 1: ("state.down", DOWN)})


def of_answers(words: Words) -> Mappings:
    """Return the mappings of "it answers"."""
    return of_values(words, {0: ("grafana.silent", DOWN), 1: ("grafana.answers", UP)})


def of_truth(words: Words) -> Mappings:
    """Return the mappings of a condition that ought to hold."""
    return of_values(words, {0: ("grafana.fails", DOWN), 1: ("grafana.fine", UP)})


def of_alerts(words: Words) -> Mappings:
    """Return the words of alerts: what each is sent with, its agency and link left open."""
    said = {
        found[1]: re.sub(r"\{\w+\}", "…", text[words.language])
        for key, text in words.catalogue.texts.items()
        if (found := re.fullmatch(r"alert\.(\w+)\.summary", key))
    }
    options = {
        name: model.ValueMappingResult(text=text, index=index)
        for index, (name, text) in enumerate(said.items())
    }
    return [model.ValueMap(options=options)]


def of_severities(words: Words) -> Mappings:
    """Return the words of how urgent an alert is, and of absence."""
    tones = {
        "critical": ("grafana.severity_critical", DOWN),
        "warning": ("grafana.severity_warning", DEGRADED),
        "info": ("grafana.severity_info", PLAIN),
    }
    options = {
        name: model.ValueMappingResult(text=words(key), color=color, index=index)
        for index, (name, (key, color)) in enumerate(tones.items())
    }
    return [model.ValueMap(options=options), *no_data(words, len(options))]


def of_causes(words: Words) -> Mappings:
    """Return the words of causes, in no colour: a cause is neither good nor bad."""
    options = {
        cause.value: model.ValueMappingResult(text=words(f"cause.{cause}"), index=index)
        for index, cause in enumerate(CAUSES)
    }
    return [model.ValueMap(options=options)]

"""Colours of the dashboards: everybody can tell them apart, and read what stands on them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from grafana.source import look
from netmon.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator

Matrix = tuple[tuple[float, float, float], ...]

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
VISION: dict[str, Matrix] = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
LEAST_DIFFERENCE = 20.0
"""In CIE 1976 units: a difference of 2 to 3 is just noticed side by side."""


def linear(colour: str) -> list[float]:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    ]


def seen(colour: str, vision: Matrix) -> list[float]:
    rgb = linear(colour)
    mixed = (sum(weight * each for weight, each in zip(row, rgb, strict=True)) for row in vision)
    return [min(1.0, max(0.0, each)) for each in mixed]


def lab(rgb: list[float]) -> Iterator[float]:
    red, green, blue = rgb
    x, y, z = (
        _cube((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505),
        _cube(0.2126 * red + 0.7152 * green + 0.0722 * blue),
        _cube((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089),
    )
    yield from (116 * y - 16, 500 * (x - y), 200 * (y - z))


def _cube(value: float) -> float:
    return float(value ** (1 / 3)) if value > 0.008856 else 7.787 * value + 16 / 116


def difference(one: str, other: str, vision: Matrix) -> float:
    pairs = zip(lab(seen(one, vision)), lab(seen(other, vision)), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


@pytest.mark.parametrize("vision", VISION)
def test_colours_are_told_apart_with_any_vision(vision: str) -> None:
    colours = sorted(look.PALETTE)
    least = min(difference(one, other, VISION[vision]) for one, other in combinations(colours, 2))
    assert least >= LEAST_DIFFERENCE


@pytest.mark.parametrize("vision", VISION)
def test_the_first_two_lines_of_grafana_are_told_apart_with_any_vision(vision: str) -> None:
    """Of series that nobody can name beforehand: carriers, interfaces, rounds."""
    assert difference("#73bf69", "#f2cc0c", VISION[vision]) >= LEAST_DIFFERENCE


def test_green_beside_grey_would_not_pass() -> None:
    """The pair that was found to look alike on a drawn panel is found here too."""
    assert difference("#009e73", "#999999", VISION["no green"]) < LEAST_DIFFERENCE


@pytest.mark.parametrize("colour", sorted(look.PALETTE))
def test_the_text_that_grafana_puts_on_a_colour_is_legible(colour: str) -> None:
    """Grafana's text is nearly white, and nearly black from a brightness of 180 on."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    text = "#202226" if 0.299 * red + 0.587 * green + 0.114 * blue > 180 else "#f7f8fa"
    light, dark = sorted((luminance(colour), luminance(text)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_state_has_a_colour() -> None:
    assert set(look.STATE_TONES) == set(State)

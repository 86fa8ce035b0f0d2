"""A province of real routers, shared by the tests of a module; each heals what it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import Lab, Plan
from lab.capabilities import LAB, Need, missing

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Build six departments, one district and three communes, with real snmpd."""
    if lack := missing(*LAB, Need.PING, Need.SNMPGET):
        pytest.skip(lack)
    with Lab(Plan(departments=4, districts=1, communes_per_district=2, backups=1)) as lab:
        yield lab

"""Thousands of simulated routers: with known delay and loss, or with a fast agent."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest

from lab.capabilities import LAB, Need, missing
from lab.fast_agent import Country
from lab.tun import PathProfile, TunCloud, address_of

pytestmark = pytest.mark.lab


def _ping(cloud: TunCloud | Country, address: str, count: int) -> str:
    with cloud.popen(
        "ping", "-n", "-q", "-c", str(count), "-i", "0.02", "-W", "1", address,
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        return str(process.stdout.read())


def _least_seconds(output: str) -> float:
    """Return the shortest time: the one that a busy machine does not lengthen."""
    found = re.search(r"= ([\d.]+)/[\d.]+/", output)
    assert found, output
    return float(found[1]) / 1000


def test_what_ping_measures_is_the_delay_that_was_made_and_the_truth_that_was_noted() -> None:
    if lack := missing(*LAB, Need.TUN, Need.PING):
        pytest.skip(lack)
    profiles = [PathProfile(0.02), PathProfile(0.05, 0.005), PathProfile(0.01, 0, 1.0)]
    with TunCloud(profiles) as cloud:
        steady = _least_seconds(_ping(cloud, str(address_of(0)), 10))
        wavering = _least_seconds(_ping(cloud, str(address_of(1)), 10))
        assert "100% packet loss" in _ping(cloud, str(address_of(2)), 3)
        cloud.change([PathProfile(0.001)] * 3)
        assert " 0% packet loss" in _ping(cloud, str(address_of(2)), 3)
    truth = cloud.truth
    rtt = [truth.rtt_seconds[truth.router == router] for router in range(3)]
    assert [len(each) for each in rtt] == [10, 10, 6]
    assert steady == pytest.approx(rtt[0].min(), abs=0.002)
    assert wavering == pytest.approx(rtt[1].min(), abs=0.002)
    assert rtt[0].min() >= 0.02
    assert np.isnan(rtt[2]).tolist() == [True] * 3 + [False] * 3


def test_every_address_of_the_country_answers_echoes_and_snmp() -> None:
    if lack := missing(*LAB, Need.PING, Need.SNMPGET):
        pytest.skip(lack)
    with Country() as country:
        for router in (0, 1, 20_000):
            assert " 0% packet loss" in _ping(country, str(address_of(router)), 2)
            walk = _walk(country, str(address_of(router)))
            assert "GigabitEthernet0/0/0" in walk
            assert len(walk.splitlines()) > 50


def _walk(country: Country, address: str) -> str:
    with country.popen(
        "snmpbulkwalk", "-v2c", "-c", "lab", "-t", "1", "-On", address, ".1",
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        return str(process.stdout.read())

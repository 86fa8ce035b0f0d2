"""IPv4 and IPv6 of one link: one that goes silent is named, and does not take the link down."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

import numpy as np

from netmon.judge.families import SILENT_ECHOES
from netmon.judge.judge import Judge
from netmon.judge.policy import NewLinks, Policy
from netmon.model import (
    Event,
    LinkKey,
    OutageEnd,
    OutageStart,
    Outcome,
    State,
    Transition,
)
from tests.support.judge_world import RTT, SECOND, START, TIMEOUT, Echo, batch, inventory, link

X = LinkKey("x", "a")
BOTH = (ip_address("192.0.2.1"), ip_address("2001:db8::1"))
Dead = Callable[[int, float], bool]
"""Whether a family does not answer at a second."""


class Dual:
    """A link with two addresses, each asked once a second, and a judge."""

    def __init__(self, dead: Dead) -> None:
        self.dead = dead
        self.judge = Judge(Policy(new_links=NewLinks.SWIFT))
        inv = inventory({"x": None}, [link("x", addresses=BOTH)])
        self.events: list[Event] = list(self.judge.set_links(inv, {X: 0}, 1, START))
        self.flying: list[Echo] = []
        self.now_us = START
        self.bursts = 0

    def run(self, until_seconds: float) -> Dual:
        """Let time pass; a confirming echo goes to each family in turn, as the engine does."""
        while self.now_us < START + until_seconds * SECOND:
            self.now_us += SECOND // 10
            tenth = (self.now_us - START) // (SECOND // 10)
            for family, phase in ((4, 0), (6, 5)):
                if tenth % 10 == phase:
                    self._send(family)
            done = [echo for echo in self.flying if echo.settled_us <= self.now_us]
            self.flying = [echo for echo in self.flying if echo.settled_us > self.now_us]
            done.sort(key=lambda echo: echo.sent_us)
            self.events += self.judge.observe(batch(done))
            self.events += self.judge.tick(self.now_us)
            for _ in self.judge.suspects(self.now_us).tolist():
                self.bursts += 1
                self._send((4, 6)[self.bursts % 2])
        return self

    def silent_since(self) -> list[float | None]:
        """Return since when IPv4 and IPv6 are silent, in seconds."""
        (since_us,) = self.judge.columns(np.zeros(1, np.int32)).silent_family_us.tolist()
        return [(at - START) / SECOND if at else None for at in since_us]

    def states(self) -> list[State]:
        """Return the states in their order."""
        return [event.after for event in self.events if isinstance(event, Transition)]

    def _send(self, family: int) -> None:
        lost = self.dead(family, (self.now_us - START) / SECOND)
        outcome, delay = (Outcome.SILENT, TIMEOUT) if lost else (Outcome.REPLIED, RTT)
        rtt = np.nan if lost else RTT / SECOND
        self.flying.append(Echo(0, outcome, self.now_us, self.now_us + delay, rtt, family))


def test_a_family_that_goes_silent_makes_the_link_degraded_by_name_and_not_down() -> None:
    dual = Dual(lambda family, at: family == 6 and at >= 20).run(60)
    assert dual.states() == [State.UP, State.DEGRADED]
    (_, fell) = (event for event in dual.events if isinstance(event, Transition))
    assert fell.evidence.text.startswith("IPv6 does not answer")
    assert dual.silent_since() == [None, 20.5]


def test_its_silence_draws_no_confirming_echoes_once_it_is_known() -> None:
    dual = Dual(lambda family, at: family == 6 and at >= 20).run(40)
    bursts = dual.bursts
    assert bursts > 0
    dual.run(300)
    assert dual.bursts == bursts


def test_a_true_cut_is_decided_as_fast_by_the_family_that_is_left() -> None:
    dual = Dual(lambda family, at: family == 6 or at >= 60).run(80)
    (start,) = (event for event in dual.events if isinstance(event, OutageStart))
    assert start.start_us == START + 60 * SECOND
    assert start.decided_us - start.start_us <= 4 * SECOND


def test_both_silent_is_a_cut_and_names_no_family() -> None:
    dual = Dual(lambda _, at: 20 <= at < 60).run(58)
    assert dual.silent_since() == [None, None]
    dual.run(90)
    assert dual.states() == [State.UP, State.DOWN, State.UP]
    (end,) = (event for event in dual.events if isinstance(event, OutageEnd))
    assert end.end_us - START - 60 * SECOND < SECOND


def test_a_family_that_answers_again_is_told_and_the_link_is_good() -> None:
    dual = Dual(lambda family, at: family == 4 and 20 <= at < 60).run(58)
    assert dual.silent_since() == [20.0, None]
    dual.run(120)
    assert dual.silent_since() == [None, None]
    assert dual.states() == [State.UP, State.DEGRADED, State.UP]


def test_a_few_losses_of_one_family_name_nobody() -> None:
    dual = Dual(lambda family, at: family == 6 and 20 <= at < 19 + SILENT_ECHOES / 4).run(60)
    assert dual.states() == [State.UP]


def test_a_link_that_loses_its_second_address_forgets_the_silence_of_it() -> None:
    dual = Dual(lambda family, at: family == 6 and at >= 20).run(60)
    single = inventory({"x": None}, [link("x", addresses=BOTH[:1])])
    dual.judge.set_links(single, {X: 0}, 1, dual.now_us)
    assert dual.silent_since() == [None, None]


def test_a_new_second_address_is_not_blamed_for_the_silence_of_the_one_before() -> None:
    dual = Dual(lambda family, at: family == 6 and at >= 0).run(30)
    both, single = (
        inventory({"x": None}, [link("x", addresses=addresses)]) for addresses in (BOTH, BOTH[:1])
    )
    dual.judge.set_links(single, {X: 0}, 1, dual.now_us)
    dual.judge.set_links(both, {X: 0}, 1, dual.now_us)
    dual.run(35)
    assert dual.silent_since() == [None, None]
    dual.run(60)
    (_, since) = dual.silent_since()
    assert since is not None
    assert since >= 29

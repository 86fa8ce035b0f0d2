"""What judging costs: CPU per echo, and the share of a core at 20,000 echoes per second.

python benchmarks/judge_cpu.py [--links 20000] [--seconds 20] [--json]
"""

from __future__ import annotations

import argparse
import json
from ipaddress import IPv4Address
from time import process_time
from typing import TYPE_CHECKING

import numpy as np

from netmon.judge.columns import EchoBatch
from netmon.judge.judge import Judge
from netmon.judge.policy import Policy
from netmon.model import (
    NO_ERROR,
    Agency,
    Inventory,
    Kind,
    Limits,
    Link,
    LinkKey,
    Outcome,
    Province,
    Role,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

START_US = 1_700_000_000_000_000
TICK_US = 200_000
TICKS_PER_SECOND = 1_000_000 // TICK_US
CHILDREN = 10
RTT_US = 15_000


def inventory(links: int) -> Inventory:
    """Return agencies of one link each, every eleventh the parent of the ten after it."""
    agencies = {}
    for number in range(links):
        name, parent = f"a{number}", number - number % (CHILDREN + 1)
        link = Link(
            LinkKey(name, "l"), Role.PRIMARY, (IPv4Address("192.0.2.1"),), "m",
            limits=Limits(0.1, 0.2),
        )  # fmt: skip
        above = None if parent == number else f"a{parent}"
        agencies[name] = Agency(name, name, "k", parent=above, links=(link,))
    province = Province("p", "P", "P", "Asia/Ho_Chi_Minh", "C")
    return Inventory(province, {"k": Kind("k", "K", "K")}, {}, agencies)


def batch(slots: NDArray[np.int32], at_us: int, lost: NDArray[np.bool_]) -> EchoBatch:
    """Return one settled echo of each slot."""
    count = len(slots)
    return EchoBatch(
        slot=slots.astype(np.int32),
        outcome=np.where(lost, Outcome.SILENT, Outcome.REPLIED).astype(np.int8),
        sent_us=np.full(count, at_us - RTT_US, np.int64),
        settled_us=np.full(count, at_us, np.int64),
        rtt_seconds=np.where(lost, np.nan, RTT_US / 1e6),
        error=np.full(count, NO_ERROR, np.int8),
        offender=np.zeros(count, np.uint64),
        family=np.full(count, 4, np.int8),
    )


def measure(links: int, seconds: int, loss_ratio: float) -> dict[str, float]:
    """Return CPU microseconds per echo of each call, and the share of a core of all."""
    judge, generator = Judge(Policy()), np.random.default_rng(1)
    inv = inventory(links)
    slots = {key: slot for slot, key in enumerate(inv.links)}
    begun = process_time()
    judge.set_links(inv, slots, links, START_US)
    figures = {"set_links_seconds": process_time() - begun}
    spent = dict.fromkeys(("observe", "tick", "suspects", "columns"), 0.0)
    every = np.arange(links, dtype=np.int32)
    for tick in range(-5 * TICKS_PER_SECOND, seconds * TICKS_PER_SECOND):
        now_us = START_US + 10_000_000 + tick * TICK_US
        due = every[every % TICKS_PER_SECOND == tick % TICKS_PER_SECOND]
        settled = batch(due, now_us, generator.random(len(due)) < loss_ratio)
        clocks = [process_time()]
        judge.observe(settled)
        clocks.append(process_time())
        judge.tick(now_us)
        clocks.append(process_time())
        judge.suspects(now_us)
        clocks.append(process_time())
        if tick % TICKS_PER_SECOND == 0:
            judge.columns(every)
        clocks.append(process_time())
        if tick >= 0:
            for name, cost in zip(spent, np.diff(clocks), strict=True):
                spent[name] += cost
    echoes = links * seconds
    figures |= {f"{name}_us_per_echo": cost / echoes * 1e6 for name, cost in spent.items()}
    figures["percent_of_core"] = 100 * sum(spent.values()) / seconds
    return figures


def main() -> None:
    """Print the figures for links without loss and with 1 % of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = {
        f"{loss:.0%} loss": measure(options.links, options.seconds, loss) for loss in (0.0, 0.01)
    }
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for name, figures in results.items():
        print(name)
        for figure, value in figures.items():
            print(f"  {figure:24} {value:10.3f}")


if __name__ == "__main__":
    main()

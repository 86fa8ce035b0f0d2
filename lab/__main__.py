"""`python -m lab up`: a province in network namespaces for a person to play with."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from threading import Event

from lab.agents import COMMUNITY
from lab.capabilities import LAB, missing
from lab.kernel import sweep_dead
from lab.province import Lab
from lab.topology import CENTRE, Plan


def main() -> int:
    """Read the command line and do as told; return the exit code."""
    arguments = _parser().parse_args()
    if lack := missing(*LAB):
        print(lack, file=sys.stderr)
        return 2
    if arguments.command == "sweep":
        sweep_dead()
        return 0
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    begun = time.monotonic()
    with Lab(Plan.of_size(arguments.routers)) as lab:
        settings = lab.inventory_yaml(arguments.directory or lab.directory / "netmon")
        print(_description(lab, settings, time.monotonic() - begun), flush=True)
        ended.wait(arguments.duration)
        print("taking it down …", flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="build a province; Ctrl-C takes it down")
    up.add_argument("--routers", type=int, default=20, metavar="N")
    up.add_argument("--directory", type=Path, help="where to write netmon's files")
    up.add_argument("--duration", type=float, metavar="SECONDS", help="end by itself")
    commands.add_parser("sweep", help="remove what labs of dead processes have left behind")
    return parser


def _description(lab: Lab, settings: Path, seconds: float) -> str:
    lines = [f"{len(lab.topology.nodes)} routers answer SNMP after {seconds:.1f} s.", ""]
    for node in lab.topology.nodes.values():
        indent = "    " if node.parent else "  "
        lines.append(f"{indent}{node.id:<12} {lab.address(node.id)}")
    centre, router = lab.namespace(CENTRE), next(iter(lab.topology.nodes))
    address, cut = lab.address(router), lab.namespace(router)
    return "\n".join(
        [
            *lines,
            "",
            "From the centre:",
            f"  ip netns exec {centre} ping {address}",
            f"  ip netns exec {centre} snmpwalk -v2c -c {COMMUNITY} {address}",
            f"  ip netns exec {centre} netmon run --config.file {settings}",
            f"Cut {router}, and heal it:",
            f"  ip -n {cut} link set wan0 down",
            f"  ip -n {cut} link set wan0 up",
            f"  ip -n {cut} route add default via {lab.topology.wire(router).upper_address}",
            "Ctrl-C takes everything down.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())

"""How much CPU it takes to load, and to check, an inventory of many links.

python benchmarks/config_load.py --links 20000 --json
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from netmon.config import check, load_inventory

_HEAD = """\
province: {id: test, name: Thử nghiệm, name_en: Test}
centre: {name: Trung tâm}
providers: {vnpt: {name: VNPT}, viettel: {name: Viettel}}
kinds:
  district: {name: UBND huyện, name_en: District, area: true, defaults: {provider: vnpt}}
  commune:
    name: UBND xã
    name_en: Commune
    defaults: {provider: vnpt, bandwidth: 10 Mbit/s, limits: {loss: 5%, rtt: 100ms}}
agencies:
"""
_COMMUNES_OF_A_DISTRICT = 99


def inventory_text(links: int) -> str:
    """Return an inventory of one line for every link: districts with their communes."""
    lines = [_HEAD]
    district = ""
    for number in range(links):
        address = f"10.{number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"
        if number % (_COMMUNES_OF_A_DISTRICT + 1) == 0:
            district = f"huyen-{number}"
            lines.append(
                f"  - {{id: {district}, name: UBND huyện {number}, kind: district, "
                f"router: {address}}}\n"
            )
        else:
            lines.append(
                f"  - {{id: xa-{number}, name: UBND xã Tân Hội Đông {number}, kind: commune, "
                f"parent: {district}, router: {address}}}\n"
            )
    return "".join(lines)


def measure(links: int) -> dict[str, float]:
    """Load and check a generated file; return CPU seconds, size and memory."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "agencies.yaml"
        path.write_text(inventory_text(links), encoding="utf-8")
        start = time.process_time()
        loaded = load_inventory(path)
        between = time.process_time()
        findings = check([path])
        end = time.process_time()
        size = path.stat().st_size
    if findings or len(loaded.inventory.links) != links:
        message = f"the generated file is wrong: {findings[:3]}"
        raise SystemExit(message)
    return {
        "links": links,
        "bytes": size,
        "cpu_seconds": round(between - start, 3),
        "check_cpu_seconds": round(end - between, 3),
        "peak_memory_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--links", type=int, default=20_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    figures = measure(arguments.links)
    if arguments.json:
        json.dump(figures, sys.stdout)
        print()
    else:
        print("\n".join(f"{name:>22} {figure}" for name, figure in figures.items()))


if __name__ == "__main__":
    main()

"""Draw the pictures of the documentation: the demo's page, by a headless Chromium.

Run from a checkout with `make demo`'s environment: python scripts/picture.py [--fault district]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "127.0.0.1:9879"
PICTURES = {
    "status-en.png": ("/?lang=en", "1200,1000"),
    "status-vi.png": ("/?lang=vi", "1200,1000"),
    "status-phone.png": ("/?lang=vi", "500,1000"),
}


def main() -> int:
    """Start the demo, wait for its fault to show, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", default="district")
    parser.add_argument("--after", type=float, default=22, help="seconds from the start")
    options = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is missing: apt install chromium", file=sys.stderr)
        return 2
    demo = subprocess.Popen(
        [
            sys.executable, "-m", "netmon", "demo", f"--fault={options.fault}",
            f"--web.listen-address={ADDRESS}",
        ],
        cwd=ROOT,
    )  # fmt: skip
    try:
        wait_until_ready()
        time.sleep(options.after)
        for name, (path, size) in PICTURES.items():
            draw(chromium, path, size, ROOT / "docs/pictures" / name)
    finally:
        demo.terminate()
        demo.wait()
    return 0


def wait_until_ready() -> None:
    """Return when the demo has figures."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{ADDRESS}/-/ready", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    message = f"the demo does not answer at {ADDRESS}"
    raise TimeoutError(message)


def draw(chromium: str, path: str, size: str, target: Path) -> None:
    """Take one screenshot with a browser profile of its own."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                "--no-first-run", "--disable-background-networking", "--disable-sync",
                f"--window-size={size}", f"--user-data-dir={profile}",
                "--virtual-time-budget=3000", f"--screenshot={target}", f"http://{ADDRESS}{path}",
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip
    print(f"drew {target.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())

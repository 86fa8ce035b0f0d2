"""The commands. Exit codes: 0 all well, 1 findings, 2 wrong usage or something is missing."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from netmon.signals import EarlySignals

if TYPE_CHECKING:
    from collections.abc import Sequence

FINDINGS, TROUBLE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    early = EarlySignals()
    if given[:1] == ["run"]:
        early.install()
    from netmon.cli.commands import parser  # noqa: PLC0415  # signals first, see netmon.signals
    from netmon.errors import ConfigError, NetmonError  # noqa: PLC0415  # the same

    options = parser().parse_args(given, argparse.Namespace(early_signals=early))
    try:
        code: int = options.command(options)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return FINDINGS
    except NetmonError as error:
        print(f"netmon: {error}", file=sys.stderr)
        return TROUBLE
    except BrokenPipeError:
        # The reader (head, less) has gone; Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code

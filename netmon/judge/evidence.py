"""What speaks for a decision, in words and figures."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import numpy as np

from netmon.judge import quality
from netmon.judge.families import silent_family
from netmon.model import ECHO_ERRORS, NO_ERROR, Evidence

if TYPE_CHECKING:
    from netmon.judge.links import LinkColumns


def of_fall(links: LinkColumns, slot: int) -> Evidence:
    """Return what speaks for a link being down: its run of losses and who reported an error."""
    lost = int(links.run[slot])
    code = int(links.error[slot])
    if code == NO_ERROR:
        return Evidence(f"{lost} echoes in a row lost", lost, lost)
    error = ECHO_ERRORS[code]
    number = int(links.offender[slot])
    offender = IPv4Address(number) if number else None
    return Evidence(f"{offender or 'a router'} reports {error}", lost, lost, error, offender)


def of_quality(links: LinkColumns, slot: int) -> Evidence:
    """Return loss and RTT of a link as they stand."""
    ratio = float(quality.loss_ratio(links, np.array([slot], np.int32))[0])
    text = f"loss {ratio:.1%}, RTT {float(links.rtt_seconds[slot]) * 1000:.1f} ms"
    if silent := silent_family(links, slot):
        text = f"{silent} does not answer; {text}"
    return Evidence(text, int(links.ring_filled[slot]), int(links.ring_lost[slot]))

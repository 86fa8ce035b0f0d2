"""Where the path of an outage ends, said with the router that should have come next."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, ip_address

import pytest

from netmon.clock import SystemClock, Timeline
from netmon.errors import CapabilityError
from netmon.model import EchoError, IPAddress, Link, LinkKey, OutageNote, Role
from netmon.probes.icmp import Hop, Path
from netmon.probes.icmp.outage_paths import OutagePaths, path_end

TARGET = ip_address("10.0.9.9")
NEAR, FAR = ip_address("10.0.0.1"), ip_address("10.0.5.1")
LINK = Link(LinkKey("so-noi-vu", "primary"), Role.PRIMARY, (TARGET,), "default")


def path(*hops: IPAddress, reached: bool = False, error: EchoError | None = None) -> Path:
    return Path(TARGET, tuple(Hop(i + 1, hop, 0.001) for i, hop in enumerate(hops)), reached, error)


@pytest.mark.parametrize(
    ("traced", "good", "said"),
    [
        pytest.param(
            path(NEAR),
            (NEAR, FAR, TARGET),
            "10.0.0.1 (hop 1) is the last that answers; the good path went on to 10.0.5.1",
            id="the next router of the good path is named",
        ),
        pytest.param(
            path(NEAR, FAR, error=EchoError.HOST_UNREACHABLE),
            (),
            "10.0.5.1 (hop 2) reports host unreachable",
            id="without a good path only the end is told",
        ),
        pytest.param(
            path(ip_address("10.7.7.7")),
            (NEAR, TARGET),
            "10.7.7.7 (hop 1) is the last that answers; the good path went on to 10.0.0.1",
            id="a path that went astray at once",
        ),
    ],
)
def test_the_end_of_a_path_is_told_in_words(
    traced: Path, good: tuple[IPv4Address, ...], said: str
) -> None:
    assert path_end(traced, good) == said


class ScriptedTracer:
    """Gives one path after the other; raises those that are errors."""

    def __init__(self, *answers: Path | Exception | None) -> None:
        self.answers = list(answers)

    async def trace(self, address: IPAddress, timeout_seconds: float = 1.0) -> Path | None:
        assert (address, timeout_seconds) == (TARGET, 1.0)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        return


async def notes_of(*answers: Path | Exception | None) -> list[OutageNote]:
    """Survey once, then decide an outage for each answer that is left."""
    notes: list[OutageNote] = []
    tracer = ScriptedTracer(*answers)
    paths = OutagePaths(tracer, Timeline(SystemClock()), notes.append, survey_pause_seconds=0)
    await paths.survey([LINK])
    while tracer.answers:
        paths.outage(LINK, 1_000_000)
        await asyncio.gather(*paths._tasks)
    paths.close()
    return notes


async def test_an_outage_is_noted_with_the_path_that_was_good_before() -> None:
    (note,) = await notes_of(path(NEAR, TARGET, reached=True), path(NEAR))
    assert (note.key, note.start_us) == (LINK.key, 1_000_000)
    assert note.path_end is not None
    assert note.path_end.endswith("went on to 10.0.9.9")


async def test_a_path_that_says_nothing_is_not_noted() -> None:
    arrived = path(NEAR, TARGET, reached=True)
    assert await notes_of(arrived, path(), None, arrived) == []


async def test_where_paths_cannot_be_traced_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = CapabilityError("tracing needs a raw socket: grant CAP_NET_RAW")
    assert await notes_of(refusal) == []
    assert caplog.text.count("paths are not traced") == 1

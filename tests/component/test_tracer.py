"""When a district dies, its paths are traced a few at a time, and most of them not at all."""

from __future__ import annotations

import asyncio
import threading
from ipaddress import ip_address

from netmon.errors import CapabilityError
from netmon.probes.icmp import OpenedSocket, Path, Tracer

ADDRESS = ip_address("192.0.2.1")
CONCURRENCY, WAITING, ASKING = 3, 5, 200


class HeldSockets:
    """Gives no socket, and not even that before it is let go; counts who waits inside."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.full = threading.Semaphore(0)
        self.most = self.asked = 0
        self._inside = 0
        self._lock = threading.Lock()

    def open(self, family: int) -> OpenedSocket:
        with self._lock:
            self.asked += 1
            self._inside += 1
            self.most = max(self.most, self._inside)
        self.full.release()
        assert self.let_go.wait(30)
        with self._lock:
            self._inside -= 1
        message = f"no ICMP socket for IPv{family}: refused by the test"
        raise CapabilityError(message)


async def ask(tracer: Tracer, times: int) -> list[Path | BaseException | None]:
    return await asyncio.gather(
        *(tracer.trace(ADDRESS) for _ in range(times)), return_exceptions=True
    )


async def test_never_more_than_a_few_at_once_and_a_short_line() -> None:
    sockets = HeldSockets()
    tracer = Tracer(sockets, CONCURRENCY, WAITING)
    asking = asyncio.create_task(ask(tracer, ASKING))
    for _ in range(CONCURRENCY):
        assert await asyncio.to_thread(sockets.full.acquire, timeout=30)
    sockets.let_go.set()
    answers = await asking
    assert answers.count(None) == ASKING - CONCURRENCY - WAITING
    assert sum(isinstance(each, CapabilityError) for each in answers) == CONCURRENCY + WAITING
    assert sockets.asked == CONCURRENCY + WAITING
    assert sockets.most == CONCURRENCY
    # Who has been served makes room for others.
    (again,) = await ask(tracer, 1)
    assert isinstance(again, CapabilityError)
    tracer.close()


async def test_a_caller_who_goes_away_keeps_the_place_until_the_path_is_walked() -> None:
    sockets = HeldSockets()
    tracer = Tracer(sockets, concurrency=1, waiting=0)
    leaving = asyncio.create_task(tracer.trace(ADDRESS))
    assert await asyncio.to_thread(sockets.full.acquire, timeout=30)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert await tracer.trace(ADDRESS) is None
    sockets.let_go.set()
    tracer.close()

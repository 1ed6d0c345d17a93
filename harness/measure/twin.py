"""Plays, beside a run, streams of the run's own shape from a server that logs what it sends."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.clock import SystemClock
from harness.measure.handmade import streaming_request
from harness.measure.wire.exchange import Exchange, TimeLimits
from harness.measure.wire.player import Player
from harness.model.endpoint import Endpoint
from harness.model.record import Arm, Attempt, Reads
from harness.units import seconds

if TYPE_CHECKING:
    from harness.measure.compose import ComposedRequest

NO_PATTERN = "no warm-up was answered with a stream that it could replay"
_OK = 200  # HTTP
_EVENTS = "text/event-stream"
_REQUEST_ID = "x-request-id"
_ID_PREFIX = "req_"
_LIMITS = TimeLimits(connect_s=5, first_output_s=600, idle_s=600, total_s=3600)
_LONGEST_S = 60  # a pattern is cut there: a twin that still replays when the run has ended says nothing
_SHORTEST_REST_S = 0.05
_READS_PER_S = 1000  # at most, rests counted in: what the client takes for them is a few hundredths of a core


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One stream as our client saw it; what its server sent is in the server's log."""

    id: str
    arm: Arm
    sent_at_ns: int
    reads: Reads


class Twin:
    """Replays one stream at a time, in turn those that the arms' warm-ups showed."""

    def __init__(self, base_url: str, clock: SystemClock) -> None:
        """Know no pattern yet."""
        endpoint = Endpoint(name="twin", base_url=base_url, model="twin")
        self._base_url = base_url
        self._player = Player(endpoint, clock, last_output_at=lambda *_: None, secrets=(), environ={})
        self._patterns: dict[Arm, ComposedRequest] = {}
        self.replayed: list[Replayed] = []
        self.notes: list[str] = []  # what kept it from replaying

    def learning(self, observe: Callable[[Attempt], None]) -> Callable[[Attempt], None]:
        """Give an observer that shows us every attempt, too."""

        def both(attempt: Attempt) -> None:
            self._learn(attempt)
            observe(attempt)

        return both

    def _learn(self, attempt: Attempt) -> None:
        """Take a warm-up's pattern of reads; the last good one of an arm counts."""
        pattern = pattern_of(attempt) if attempt.key.is_warmup else None
        if pattern is not None:
            self._patterns[attempt.key.arm] = streaming_request(self._base_url, "twin", metronome=pattern)

    async def run(self) -> None:
        """Replay until cancelled, or until nothing can be replayed; the stream in flight then is dropped."""
        turns = deque(sorted(self._patterns))
        if not turns:
            self.notes.append(NO_PATTERN)
        try:
            while turns:
                arm = turns.popleft()
                exchange = (await self._player.play(self._patterns[arm], _LIMITS)).settle()
                if exchange.failure is not None:  # a server on this machine that fails once is dead
                    self.notes.append(f"it ended early: {exchange.failure.kind}: {exchange.failure.message}")
                    return
                if self._keep(arm, exchange):
                    turns.append(arm)
                await asyncio.sleep(rest_s(exchange))
        finally:
            await self._player.close()

    def _keep(self, arm: Arm, exchange: Exchange) -> bool:
        """Keep a stream; a pattern that the server refuses is not asked for again."""
        number = exchange.headers.get(_REQUEST_ID)
        if exchange.status != _OK or number is None or exchange.sent_at_ns is None:
            self.notes.append(f"its server refused a pattern with status {exchange.status}")
            return False
        self.replayed.append(
            Replayed(id=number.removeprefix(_ID_PREFIX), arm=arm, sent_at_ns=exchange.sent_at_ns, reads=exchange.reads)
        )
        return True


@asynccontextmanager
async def playing(twin: Twin | None) -> AsyncIterator[None]:
    """Play while the body runs, where there is a twin; what goes wrong with it is a note, never the run's end."""
    if twin is None:
        yield
        return
    task = asyncio.get_running_loop().create_task(twin.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            twin.notes.append(f"it ended early: internal error: {type(error).__name__}: {error}")


def pattern_of(attempt: Attempt) -> Mapping[str, list[int]] | None:
    """Instants from `sent` and bytes of each read, up to the longest worth replaying; None for what did not stream."""
    if attempt.failure is not None or attempt.status != _OK or attempt.sent_at_ns is None:
        return None
    if not attempt.headers.get("content-type", "").lower().startswith(_EVENTS):
        return None
    last_ns = attempt.sent_at_ns + _LONGEST_S * 1_000_000_000
    reads = zip(attempt.reads.at_ns, attempt.reads.n_bytes, strict=True)
    kept = [(max(0, at_ns - attempt.sent_at_ns), n) for at_ns, n in reads if n and at_ns <= last_ns]
    if len({at_ns for at_ns, _ in kept}) < 2:  # noqa: PLR2004  # all at once
        return None
    return {"at_ns": [at_ns for at_ns, _ in kept], "n_bytes": [n for _, n in kept]}


def rest_s(exchange: Exchange) -> float:
    """How long to do nothing after a replay, so that the twin is no load of its own."""
    took_s = 0.0
    if exchange.sent_at_ns is not None and exchange.ended_at_ns is not None:
        took_s = seconds(exchange.ended_at_ns - exchange.sent_at_ns)
    return max(_SHORTEST_REST_S, len(exchange.reads.at_ns) / _READS_PER_S - took_s)

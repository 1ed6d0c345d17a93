"""Keeps a number of streams in flight on one server for a while, through the player that every run uses."""

import asyncio
from dataclasses import dataclass
from typing import Any

from harness.clock import SystemClock
from harness.decode.watch import last_output_at_ns
from harness.measure.handmade import streaming_request
from harness.measure.meter import Meter
from harness.measure.settling import Settling
from harness.measure.wire.exchange import Exchange
from harness.measure.wire.player import Player, TimeLimits
from harness.model.endpoint import Endpoint
from harness.model.record import ClientFacts

_LIMITS = TimeLimits(connect_s=5, first_output_s=10, idle_s=10, total_s=30)
_MODEL = "metronome"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLoad:
    """So many streams at once, each a number of requests one after the other."""

    n_streams: int
    n_rounds: int
    spread_s: float  # over which the first requests go out, so that the streams do not beat as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of a load."""

    exchanges: tuple[Exchange, ...]
    client: ClientFacts
    clock: dict[str, Any]  # the player's own account of its stamps


async def loop_at_rest(for_s: float) -> ClientFacts:
    """Watch how late an idle loop gets round to a timer."""
    meter = Meter((), 0, SystemClock())
    async with meter.watching():
        await asyncio.sleep(for_s)
    return _facts(meter, 0)


async def take_streams(base_url: str, load: StreamLoad) -> Taken:
    """Play the load; connections are opened before, records are settled beside it, as in a run."""
    endpoint = Endpoint(name=_MODEL, base_url=base_url, model=_MODEL)
    clock = SystemClock()
    request = streaming_request(base_url, _MODEL, stream_options={"include_usage": True})
    player = Player(endpoint, clock, last_output_at=last_output_at_ns, secrets=(), environ={})
    meter, settling = Meter((), 0, clock), Settling()
    exchanges: list[Exchange] = []

    async def stream(number: int) -> None:
        await asyncio.sleep(load.spread_s * number / load.n_streams)
        for _ in range(load.n_rounds):
            landed = await player.play(request, _LIMITS)
            settling.add(lambda settle=landed.settle: exchanges.append(settle()))  # type: ignore[misc]

    try:
        await player.preconnect(request, load.n_streams, _LIMITS.connect_s)
        async with meter.watching(), asyncio.TaskGroup() as tasks:
            tasks.create_task(settling.run())
            await asyncio.gather(*(stream(number) for number in range(load.n_streams)))
            settling.close()
    finally:
        await player.close()
    return Taken(exchanges=tuple(exchanges), client=_facts(meter, player.most_open), clock=player.clock_facts())


def _facts(meter: Meter, most_open: int) -> ClientFacts:
    facts = meter.facts(most_open)
    assert facts is not None  # noqa: S101  # it was watched
    return facts

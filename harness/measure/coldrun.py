"""Measures wakes: idle time, one request to an endpoint that should be asleep, one more for comparison, and again."""

import asyncio
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.clock import Clock, SystemClock
from harness.decode.record import decode_attempt
from harness.decode.watch import last_output_at_ns
from harness.measure.compose import ComposedRequest, Composer
from harness.measure.guard import Guard
from harness.measure.landing import Landing
from harness.measure.limits import time_limits
from harness.measure.sending import Gate, Outgoing, send_through
from harness.measure.waking import ALLOWANCE_S, Wait, cap_of, waking_limits
from harness.measure.wire.exchange import Landed, TimeLimits
from harness.measure.wire.player import Player
from harness.measure.wire.tls import tls_context
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Arm, Attempt, Block, Failure, Plan
from harness.units import seconds

PROMPT_ID = "wake"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdPlan:
    """What is to be measured."""

    repeats: int
    idle_s: float | None  # before each wake; None: only where it is declared to be asleep
    is_declared_cold: bool = False  # the first wake needs no idle time

    def idle_before_s(self, number: int) -> float:
        """Give the idle time before the n-th wake, from 0."""
        return 0.0 if (number == 0 and self.is_declared_cold) or self.idle_s is None else self.idle_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What goes on, for whoever watches."""

    words: str
    for_s: float | None  # how long it can take; None: as long as it takes


Watch = Callable[[Stage], None]


class ColdJournal(Protocol):
    """Where attempts go."""

    def append(self, attempt: Attempt, wire: bytes) -> Attempt:
        """Store an attempt with its bytes."""
        ...


class OneAtATime(Protocol):
    """Plays a request; never two at once."""

    async def play(self, request: ComposedRequest, limits: TimeLimits) -> Landed:
        """Play it; what goes wrong is in what landed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """One endpoint with its composed request and what plays it."""

    endpoint: Endpoint
    request: ComposedRequest = field(repr=False)
    limits: TimeLimits
    player: OneAtATime
    journal: ColdJournal
    clock: Clock


def wake_set() -> GoldenSet:
    """Give the set of the one short prompt that wakes."""
    request = {
        "messages": [{"role": "user", "content": "Reply with one word: awake."}],
        "temperature": 0,
        "top_p": 1,
        "max_tokens": 16,
    }
    return GoldenSet(
        name="wake",
        prompts=[Prompt(id=PROMPT_ID, category="cold", intent="An endpoint that sleeps wakes.", request=request)],
    )


def wake_blocks(repeats: int) -> tuple[Block, ...]:
    """Give each wake a block, and the request that follows it for comparison."""
    return tuple(
        Block(index=index, prompt_id=PROMPT_ID, repeat=index, first=Arm.REFERENCE) for index in range(2 * repeats)
    )


class ColdSession:
    """One endpoint's wakes, and how to measure them."""

    def __init__(self, endpoint: Endpoint, golden: GoldenSet, plan: Plan, environ: Mapping[str, str]) -> None:
        """Compose the request; ConfigError for what is missing, before anything is sent."""
        self._endpoint = endpoint
        self._plan = plan
        self._environ = environ
        self._composer = Composer(endpoint, environ)
        self._request = self._composer.compose(golden.prompts[0])
        self._limits = time_limits(golden.prompts[0], endpoint)
        self._clock_facts: dict[str, object] = {}
        tls_context(endpoint.tls, endpoint.name)

    def __repr__(self) -> str:
        """Show no request: headers hold the key."""
        return f"ColdSession({self._endpoint.name})"

    async def run(self, cold: ColdPlan, journal: ColdJournal, watch: Watch) -> None:
        """Measure on the running loop, with connections of its own."""
        clock = SystemClock()
        player = Player(
            self._endpoint,
            clock,
            last_output_at=last_output_at_ns,
            secrets=self._composer.secrets,
            environ=self._environ,
        )
        cast = Cast(
            endpoint=self._endpoint,
            request=self._request,
            limits=self._limits,
            player=player,
            journal=journal,
            clock=clock,
        )
        try:
            await measure_wakes(cast, cold, self._plan.blocks, watch)
        finally:
            self._clock_facts = {str(Arm.REFERENCE): player.clock_facts()}
            await player.close()

    def clock_facts(self) -> dict[str, object]:
        """Say where the instants came from, by arm."""
        return dict(self._clock_facts)


async def measure_wakes(cast: Cast, cold: ColdPlan, blocks: tuple[Block, ...], watch: Watch) -> None:
    """Wait, wake, compare, as often as asked; one request in flight at any time."""
    for number in range(cold.repeats):
        which = f"wake {number + 1} of {cold.repeats}"
        idle_s = cold.idle_before_s(number)
        if idle_s:
            watch(Stage(words=f"{which}: leaving it idle", for_s=idle_s))
            await asyncio.sleep(idle_s)
        watch(Stage(words=f"{which}: one request in flight", for_s=cap_of(cast.endpoint.cold) + ALLOWANCE_S))
        if await _wake(cast, blocks[2 * number]):
            watch(Stage(words=f"{which}: a request to compare with", for_s=None))
            await _play(cast, blocks[2 * number + 1], cast.limits, number=1, is_possibly_cold=False)


async def _wake(cast: Cast, block: Block) -> bool:
    """Send one request, and others only where it is refused or given up; whether it was answered in the end."""
    limits, began_at_ns = waking_limits(cast.limits, cast.endpoint.cold), cast.clock.monotonic_ns()
    wait, number = Wait(cold=cast.endpoint.cold), 0
    pause_s: float | None = 0.0
    failure: Failure | None = None
    while pause_s is not None:
        if pause_s:
            await asyncio.sleep(pause_s)
        number += 1
        attempt, failure = await _play(cast, block, limits, number=number, is_possibly_cold=True)
        pause_s = wait.pause_s(failure, attempt.headers, seconds(cast.clock.monotonic_ns() - began_at_ns))
    return failure is None


async def _play(
    cast: Cast, block: Block, limits: TimeLimits, *, number: int, is_possibly_cold: bool
) -> tuple[Attempt, Failure | None]:
    out = Outgoing(
        block=block,
        fingerprint=(cast.request.sha256, cast.request.n_bytes),
        send=functools.partial(cast.player.play, cast.request, limits),
        number=number,
        is_possibly_cold=is_possibly_cold,
    )
    gate = Gate(arm=Arm.REFERENCE, clock=cast.clock, guard=Guard(cast.clock))  # nothing limits it
    landing = await send_through(gate, out, functools.partial(_store, cast))
    assert landing is not None  # noqa: S101  # nothing has stopped it
    return _store(cast, landing)


def _store(cast: Cast, landing: Landing) -> tuple[Attempt, Failure | None]:
    exchange = landing.landed.settle()
    stored = cast.journal.append(landing.attempt(exchange), exchange.wire)
    return stored, decode_attempt(stored, exchange.wire, model_asked=None).failure

"""Warms one endpoint up: one request in flight, so that one that wakes is not met by a herd."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from harness.clock import Clock
from harness.errors import IncompleteRunError
from harness.measure.breaker import UNREACHABLE
from harness.measure.waking import Wait
from harness.model.endpoint import Cold
from harness.model.record import Arm, Attempt, Block, Failure, FailureKind
from harness.units import nanoseconds, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A warm-up request that is over, with what its response says went wrong."""

    attempt: Attempt
    failure: Failure | None


Play = Callable[[Block, int], Awaitable[Played]]  # a block, and which attempt at it this is

_REMEDIES = {
    FailureKind.AUTHENTICATION: "check its api_key",
    FailureKind.NOT_FOUND: "check its base_url and model",
    FailureKind.NO_UPSTREAM: "check its model, or that anything serves it",
}
_PAUSE_S = 1.0  # after a request that failed, once all prompts had their turn: a sick endpoint is not hammered
_REDIRECTED = 300  # HTTP: from here on nothing was answered
_NEVER_SLEEPS = Cold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Warming:
    """How a side is warmed up."""

    at_least_s: float = 0.0
    first_repeat: int = 0
    cold: Cold = _NEVER_SLEEPS


async def warm_up(arm: Arm, blocks: Sequence[Block], play: Play, clock: Clock, how: Warming) -> None:
    """Play every block once, then round and round until so much time has passed.

    The first one waits for an endpoint that wakes; IncompleteRunError where it does not wake, and after the first round
    where it says that no request can ever succeed.
    """
    until_ns = clock.monotonic_ns() + nanoseconds(how.at_least_s)
    warmups: list[Played] = []
    for block in blocks:
        numbered = replace(block, repeat=how.first_repeat + block.repeat)
        played = await (play(numbered, 1) if warmups else _awake(arm, numbered, play, clock, how.cold))
        warmups.append(played)
    _refuse_dead_endpoint(arm, warmups)
    while blocks and clock.monotonic_ns() < until_ns:
        if is_failure(warmups[-1].attempt):
            await asyncio.sleep(_PAUSE_S)
        n = len(warmups)
        warmups.append(await play(replace(blocks[n % len(blocks)], repeat=how.first_repeat + n), 1))


def is_failure(attempt: Attempt) -> bool:
    """Whether it failed by what the transport and the status say."""
    return attempt.failure is not None or (attempt.status or 0) >= _REDIRECTED


async def _awake(arm: Arm, block: Block, play: Play, clock: Clock, cold: Cold) -> Played:
    """Send the first request, again while it is refused because a model loads, until it is answered or the cap."""
    wait, number, began_at_ns = Wait(cold=cold), 1, clock.monotonic_ns()
    played = await play(block, number)
    while True:
        elapsed_s = seconds(clock.monotonic_ns() - began_at_ns)
        pause_s = wait.pause_s(played.failure, played.attempt.headers, elapsed_s)
        if pause_s is None:
            break
        await asyncio.sleep(pause_s)
        number += 1
        played = await play(block, number)
    if wait.is_in_vain(played.failure):
        raise IncompleteRunError(f"{_in_vain(arm, played.failure, elapsed_s, number)}. {_remedy(cold)}")
    return played


def _in_vain(arm: Arm, failure: Failure | None, elapsed_s: float, n_requests: int) -> str:
    told = "" if failure is None else f" ({failure.kind}: {failure.message})"
    tries = "one request" if n_requests == 1 else f"{n_requests} requests, one at a time"
    return f"the {arm} did not wake within {elapsed_s:.0f} s and {tries}{told}; no measured request was sent"


def _remedy(cold: Cold) -> str:
    if cold.scales_to_zero or cold.cap_s is not None:
        return "Wake it first, or measure its wake with bench cold"
    return "Start again once it has loaded; one that scales to zero is waited for longer: cold.scales_to_zero: true"


def _refuse_dead_endpoint(arm: Arm, warmups: Sequence[Played]) -> None:
    """End the run when every warm-up says that no request can ever succeed, by the kinds that would end it later."""
    failures = [played.failure for played in warmups if played.failure is not None]
    if not warmups or len(failures) < len(warmups) or any(failure.kind not in UNREACHABLE for failure in failures):
        return
    last = failures[-1]
    raise IncompleteRunError(
        f"the {arm} {_how_dead(warmups, last)}; {_REMEDIES.get(last.kind, 'check its base_url')}; "
        "no measured request was sent"
    )


def _how_dead(warmups: Sequence[Played], last: Failure) -> str:
    statuses = {played.attempt.status for played in warmups}
    if None in statuses:
        return f"cannot be reached ({last.kind}: {last.message})"
    return f"answered {' and '.join(sorted(map(str, statuses)))} to every warm-up request ({last.kind})"

"""Warms one endpoint up: one request in flight, so that one that wakes is not met by a herd."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from harness.clock import Clock
from harness.errors import IncompleteRunError
from harness.model.record import Arm, Attempt, Block, FailureKind
from harness.units import nanoseconds

Play = Callable[[Block], Awaitable[Attempt]]

_UNREACHABLE = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS, FailureKind.TIMEOUT_CONNECT})
_REFUSED = {401: "check its api_key", 403: "check its api_key", 404: "check its base_url and model"}
_PAUSE_S = 1.0  # after a request that failed, once all prompts had their turn: a sick endpoint is not hammered
_ERROR = 400  # HTTP


async def warm_up(
    arm: Arm, blocks: Sequence[Block], play: Play, clock: Clock, *, at_least_s: float, first_repeat: int = 0
) -> None:
    """Play every block once, then round and round until so much time has passed.

    IncompleteRunError after the first round where it says that no request can ever succeed.
    """
    until_ns = clock.monotonic_ns() + nanoseconds(at_least_s)
    attempts = [await play(replace(block, repeat=first_repeat + block.repeat)) for block in blocks]
    _refuse_dead_endpoint(arm, attempts)
    while blocks and clock.monotonic_ns() < until_ns:
        if _is_failure(attempts[-1]):
            await asyncio.sleep(_PAUSE_S)
        n = len(attempts)
        attempts.append(await play(replace(blocks[n % len(blocks)], repeat=first_repeat + n)))


def _is_failure(attempt: Attempt) -> bool:
    return attempt.failure is not None or (attempt.status or 0) >= _ERROR


def _refuse_dead_endpoint(arm: Arm, warmups: Sequence[Attempt]) -> None:
    """End the run when every warm-up says that no request can ever succeed."""
    if not warmups:
        return
    failures = [attempt.failure for attempt in warmups]
    if all(failure is not None and failure.kind in _UNREACHABLE for failure in failures):
        last = failures[-1]
        detail = f"{last.kind}: {last.message}" if last else ""
        raise IncompleteRunError(
            f"the {arm} cannot be reached ({detail}); check its base_url; no measured request was sent"
        )
    statuses = {attempt.status for attempt in warmups}
    if len(statuses) == 1 and (status := statuses.pop()) in _REFUSED:
        remedy = _REFUSED[status]
        raise IncompleteRunError(f"the {arm} answered {status} to every warm-up request; {remedy}")

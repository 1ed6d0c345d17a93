"""Sends one request when the budgets and the quota let it go; what is cut in flight lands all the same."""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.clock import Clock
from harness.measure.guard import Guard
from harness.measure.landing import Landing
from harness.measure.wire.exchange import Cut, Landed
from harness.model.record import Arm, Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What is to be sent, and how the record will name it."""

    block: Block
    fingerprint: tuple[str, int]  # the request's digest and size
    send: Callable[[], Awaitable[Landed]]
    intended_at_ns: int | None = None  # None: as soon as it is claimed
    number: int = 1  # of the attempt
    turn: int = 1
    is_streamed: bool = True
    is_possibly_cold: bool = False


async def _at_once() -> None:
    """Have no quota."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What an arm's requests pass before they go out."""

    arm: Arm
    clock: Clock
    guard: Guard
    part: int = 0
    admit: Callable[[], Awaitable[None]] = _at_once  # returns when the quota lets a request go


async def send_through(gate: Gate, out: Outgoing, on_cut: Callable[[Landing], object]) -> Landing | None:
    """Play it; None where the run ended before it went out. What is cut goes to `on_cut`, and the cut goes on."""
    claimed_at_ns = gate.clock.monotonic_ns()
    claim = gate.guard.claims(gate.arm, out.block.prompt_id, request_bytes=out.fingerprint[1])
    if claim is None:
        return None
    await gate.admit()
    if gate.guard.reason is not None:  # stopped while this one waited
        gate.guard.give_back(claim)
        return None
    landing = functools.partial(
        Landing,
        arm=gate.arm,
        block=out.block,
        fingerprint=out.fingerprint,
        intended_at_ns=claimed_at_ns if out.intended_at_ns is None else out.intended_at_ns,
        claimed_at_ns=claimed_at_ns,
        admitted_at_ns=gate.clock.monotonic_ns(),
        part=gate.part,
        is_possibly_cold=out.is_possibly_cold,
        number=out.number,
        turn=out.turn,
        is_streamed=out.is_streamed,
        claim=claim,
    )
    try:
        return landing(landed=await out.send())
    except Cut as cut:
        on_cut(landing(landed=cut.landed))
        raise

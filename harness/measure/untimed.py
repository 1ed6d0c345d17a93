"""Runs what follows the measured levels, when nothing is timed any more: second turns, unstreamed repeats."""

import asyncio
import functools
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.clock import Clock
from harness.decode.message import received_message
from harness.decode.record import decode_attempt
from harness.measure.compose import ComposedRequest
from harness.measure.followups import FollowUps
from harness.measure.guard import Guard
from harness.measure.landing import Landing
from harness.measure.lane import Lane
from harness.measure.outcome import failure_kind
from harness.measure.runner import Journal, Observer, first_error_only
from harness.measure.sending import Gate, Outgoing, send_through
from harness.measure.wire.exchange import Landed, TimeLimits
from harness.model.record import Arm, Attempt, Block


class StoredJournal(Journal, Protocol):
    """A journal that can be read, too."""

    def wire(self, attempt: Attempt) -> bytes:
        """Give the bytes of an attempt that was stored."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A composed request with its time limits."""

    request: ComposedRequest
    limits: TimeLimits


class FollowUpSender(Protocol):
    """Composes and sends one endpoint's follow-ups."""

    def second_turn(self, block: Block, answer: dict[str, Any]) -> Prepared | None:
        """Give the request that goes on after an answer; None where the loop ends with it."""
        ...

    def unstreamed(self, block: Block) -> Prepared:
        """Give the block's request as one that asks for no stream."""
        ...

    async def play(self, prepared: Prepared) -> Landed:
        """Play it; what goes wrong is in what landed."""
        ...


@dataclass(slots=True, kw_only=True)
class FirstAnswers:
    """Where the journal holds the answers that a loop goes on from."""

    loops: Sequence[Block]
    attempts: dict[tuple[Arm, int], Attempt] = field(default_factory=dict)  # by arm and block

    def learning(self, observe: Observer) -> Observer:
        """Give an observer that shows us every attempt, too."""
        wanted = {block.index for block in self.loops}

        def both(attempt: Attempt) -> None:
            if attempt.block in wanted and attempt.attempt == 1 and not attempt.key.is_warmup:
                self.attempts[attempt.key.arm, attempt.block] = attempt
            observe(attempt)

        return both


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedLane:
    """One arm's lane and who sends its follow-ups."""

    lane: Lane
    sender: FollowUpSender


class Untimed:
    """The phase: each arm plays its follow-ups with a fixed number in flight, loops first. Each is sent once."""

    def __init__(
        self,
        planned: FollowUps,
        firsts: FirstAnswers,
        journal: StoredJournal,
        clock: Clock,
        guard: Guard | None = None,
    ) -> None:
        """Take what was planned and where the first answers are; without a guard nothing ends it early."""
        self._planned = planned
        self._firsts = firsts
        self._journal = journal
        self._clock = clock
        self._guard = guard or Guard(clock)

    async def run(self, lanes: Iterable[FollowedLane], slots: int, observe: Observer) -> None:
        """Play everything; each is on record when this returns. StoppedRunError where the guard ended the run."""
        async with first_error_only(), asyncio.TaskGroup() as tasks:
            for followed in lanes:
                share = followed.lane.share
                arm, remaining = followed.lane.arm, followed.lane.remaining
                planned = [(block, 2) for block in share.blocks(self._planned.loops)]
                planned += [(block, 1) for block in share.blocks(self._planned.unstreamed)]
                queue = deque((block, turn) for block, turn in planned if not remaining.has_followed(block, arm, turn))
                for _ in range(max(1, share.of(slots))):
                    tasks.create_task(self._walk(followed, queue, observe))
        self._guard.raise_if_stopped()

    async def _walk(self, followed: FollowedLane, queue: deque[tuple[Block, int]], observe: Observer) -> None:
        while queue:
            block, turn = queue.popleft()
            is_loop = turn > 1
            prepared = self._second_turn(followed, block) if is_loop else followed.sender.unstreamed(block)
            if prepared is None:
                continue
            out = Outgoing(
                block=block,
                fingerprint=(prepared.request.sha256, prepared.request.n_bytes),
                send=functools.partial(followed.sender.play, prepared),
                turn=turn,
                is_streamed=is_loop,
            )
            if not await self._play(followed, out, observe):
                return

    def _second_turn(self, followed: FollowedLane, block: Block) -> Prepared | None:
        """Decode the first answer, plainly: nobody is timed now. An answer that failed leads nowhere."""
        first = self._firsts.attempts.get((followed.lane.arm, block.index))
        wire = b"" if first is None else self._journal.wire(first)
        if first is None or decode_attempt(first, wire, model_asked=None).failure is not None:
            return None
        answer = received_message(wire, first.reads)
        return None if answer is None else followed.sender.second_turn(block, answer)

    async def _play(self, followed: FollowedLane, out: Outgoing, observe: Observer) -> bool:
        """Play it and put it on record; False where the run has ended before."""
        lane = followed.lane
        gate = Gate(arm=lane.arm, clock=self._clock, guard=self._guard, part=lane.remaining.part, admit=lane.admit)
        landing = await send_through(gate, out, functools.partial(self._settle, observe=observe))
        if landing is not None:
            self._settle(landing, observe)
        return landing is not None

    def _settle(self, landing: Landing, observe: Observer) -> None:
        """Decode it plainly: nobody is timed now."""
        exchange = landing.landed.settle()
        stored = self._journal.append(landing.attempt(exchange), exchange.wire)
        observe(stored)
        self._guard.landed(stored, exchange.wire, landing.claim)
        self._guard.note(stored, failure_kind(stored, exchange.wire))

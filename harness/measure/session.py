"""Binds a plan to its endpoints: composes every request, checks that the bodies match, runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from harness.clock import SystemClock
from harness.decode.watch import last_output_at_ns
from harness.errors import ConfigError
from harness.measure.alarm import system_alarm
from harness.measure.body import compare_bodies, request_body
from harness.measure.budget import NO_BUDGETS, Budgets, bounds_of
from harness.measure.compose import ComposedRequest, Composer
from harness.measure.followups import FollowUps, follow_ups, slots
from harness.measure.guard import Guard
from harness.measure.lane import WHOLE, Lane, Share
from harness.measure.ledger import Ledger
from harness.measure.limits import time_limits, unstreamed_limits
from harness.measure.meter import Meter
from harness.measure.pace import Pace
from harness.measure.remaining import WHOLE_PLAN, Remaining
from harness.measure.runner import Observer, Runner, Timekeeping
from harness.measure.toolloop import second_turn
from harness.measure.twin import Twin, playing
from harness.measure.untimed import FirstAnswers, FollowedLane, Prepared, StoredJournal, Untimed
from harness.measure.waking import waking_limits, what_wakes
from harness.measure.wire.player import Landed, Player, TimeLimits
from harness.measure.wire.tls import tls_context
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Attempt, Block, ClientFacts, Plan
from harness.model.settings import breaker_settings

NOTHING_RECORDED: Mapping[tuple[Arm, int], Attempt] = MappingProxyType({})
_LEAD_NS = 300_000  # of an open loop's alarm: what a virtual machine takes to wake, measured with benchmarks/alarm.py


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedEndpoint:
    """An endpoint with every request composed; nothing was sent yet."""

    arm: Arm
    endpoint: Endpoint
    requests: Mapping[str, ComposedRequest]  # by prompt id
    unstreamed: Mapping[str, ComposedRequest]  # of the prompts that are also asked for no stream
    limits: Mapping[str, TimeLimits]
    secrets: tuple[bytes, ...]
    composer: Composer  # of the requests that depend on an answer

    def __repr__(self) -> str:
        """Show no request: headers hold the key."""
        return f"PreparedEndpoint({self.arm}, {self.endpoint.name}, {len(self.requests)} requests)"


def prepare_session(  # noqa: PLR0913  # most of it by name
    golden: GoldenSet,
    endpoints: Mapping[Arm, Endpoint],
    plan: Plan,
    *,
    environ: Mapping[str, str],
    share: Share = WHOLE,
    remaining: Remaining = WHOLE_PLAN,
    budgets: Budgets = NO_BUDGETS,
) -> "Session":
    """Compose all requests of all arms; ConfigError for a missing variable or an undeclared difference."""
    _refuse_undeclared_differences(golden, endpoints)
    planned = follow_ups(golden, plan)
    prepared = [_prepare(arm, endpoint, golden, planned, environ) for arm, endpoint in endpoints.items()]
    return Session(plan, golden, prepared, share, environ, remaining, budgets)


def _prepare(
    arm: Arm, endpoint: Endpoint, golden: GoldenSet, planned: FollowUps, environ: Mapping[str, str]
) -> PreparedEndpoint:
    composer = Composer(endpoint, environ)
    unstreamed = {block.prompt_id for block in planned.unstreamed}
    tls_context(endpoint.tls, endpoint.name)  # a file that cannot be used is found before the run folder exists
    return PreparedEndpoint(
        arm=arm,
        endpoint=endpoint,
        requests={prompt.id: composer.compose(prompt) for prompt in golden.prompts},
        unstreamed={p.id: composer.compose(p, is_streamed=False) for p in golden.prompts if p.id in unstreamed},
        limits={prompt.id: time_limits(prompt, endpoint) for prompt in golden.prompts},
        secrets=composer.secrets,
        composer=composer,
    )


def _refuse_undeclared_differences(golden: GoldenSet, endpoints: Mapping[Arm, Endpoint]) -> None:
    if len(endpoints) < 2:  # noqa: PLR2004  # nothing to compare with
        return
    reference, candidate = endpoints[Arm.REFERENCE], endpoints[Arm.CANDIDATE]
    for prompt in golden.prompts:
        found = compare_bodies(request_body(prompt, reference), request_body(prompt, candidate), reference, candidate)
        if found.undeclared:
            raise ConfigError(
                f"the two request bodies of prompt {prompt.id!r} differ undeclared: {', '.join(found.undeclared)}",
                remedy="Declare it under params: or sampling: of an endpoint file",
            )


class Session:
    """One run's senders and how to run them."""

    def __init__(  # noqa: PLR0913, PLR0917  # what `prepare_session` has put together
        self,
        plan: Plan,
        golden: GoldenSet,
        prepared: list[PreparedEndpoint],
        share: Share,
        environ: Mapping[str, str],
        remaining: Remaining,
        budgets: Budgets,
    ) -> None:
        """Keep what the loop will need; sockets are opened only inside it."""
        self._plan = plan
        self._golden = golden
        self._environ = environ
        self._prepared = prepared
        self._share = share
        self._remaining = remaining
        self._budgets = budgets
        self._clock_facts: dict[str, Any] = {}
        self._client_facts: ClientFacts | None = None

    async def run(
        self,
        journal: StoredJournal,
        observe: Observer,
        pace: Pace | None = None,
        twin: Twin | None = None,
        recorded: Mapping[tuple[Arm, int], Attempt] = NOTHING_RECORDED,
        ledger: Ledger | None = None,
    ) -> None:
        """Open a player per endpoint, run the plan, close them; a twin plays beside the measured part.

        Tool loops go on from what was recorded in earlier parts of the run, too. StoppedRunError where a budget or a
        dead endpoint ended it; with a ledger, other processes' spending counts, and they stop as well.
        """
        clock = SystemClock()
        planned = follow_ups(self._golden, self._plan)
        firsts = FirstAnswers(loops=planned.loops, attempts=dict(recorded))
        players = {
            ready.arm: Player(
                ready.endpoint,
                clock,
                last_output_at=last_output_at_ns,
                secrets=ready.secrets,
                environ=self._environ,
            )
            for ready in self._prepared
        }
        alarm = system_alarm(clock, lead_ns=_LEAD_NS)
        meter = Meter(tuple(players), self._share.worker, clock, part=self._remaining.part)
        try:
            lanes = [self._lane(ready, players[ready.arm]) for ready in self._prepared]
            time = Timekeeping(clock=clock, alarm=alarm, pace=pace, on_level=meter.enter_level)
            watched = firsts.learning(observe if twin is None else twin.learning(observe))
            guard = self._guard(clock, ledger)
            runner = Runner(self._plan, lanes, journal, time, watched, self._remaining, guard=guard)
            async with guard.watching():
                await runner.warm_up()
                async with meter.watching(), playing(twin):
                    await runner.walk()
                if planned.n:
                    if pace is not None:
                        await pace.gather(len(self._plan.load))  # what follows would disturb a side still measured
                    followed = self._followed(lanes, players)
                    untimed = Untimed(planned, firsts, journal, clock, guard)
                    await untimed.run(followed, slots(self._plan), observe)
        finally:
            alarm.close()
            for arm, player in players.items():
                self._clock_facts[arm] = player.clock_facts()
                await player.close()
            self._client_facts = meter.facts(sum(player.most_open for player in players.values()))

    def clock_facts(self) -> dict[str, Any]:
        """Say where the instants came from, by arm."""
        return dict(self._clock_facts)

    def client_facts(self) -> tuple[ClientFacts, ...]:
        """Say what measuring cost this process; empty when no measured request was sent."""
        return () if self._client_facts is None else (self._client_facts,)

    def _guard(self, clock: SystemClock, ledger: Ledger | None) -> Guard:
        return Guard(
            clock,
            budgets=self._budgets,
            bounds=bounds_of(self._golden, {ready.arm: ready.endpoint for ready in self._prepared}),
            breaker=breaker_settings(self._plan.settings),
            ledger=ledger,
        )

    def _followed(self, lanes: list[Lane], players: Mapping[Arm, Player]) -> list[FollowedLane]:
        return [
            FollowedLane(lane=lane, sender=_FollowUps(ready, players[ready.arm], self._golden))
            for lane, ready in zip(lanes, self._prepared, strict=True)
        ]

    def _lane(self, ready: PreparedEndpoint, player: Player) -> Lane:
        return Lane(
            arm=ready.arm,
            sender=_PlayerSender(ready, player),
            share=self._share,
            remaining=self._remaining,
            requests_per_minute=ready.endpoint.limits.requests_per_minute,
            target=what_wakes(ready.endpoint),
            cold=ready.endpoint.cold,
        )


class _PlayerSender:
    """Sends a block's composed request through a player."""

    def __init__(self, ready: PreparedEndpoint, player: Player) -> None:
        self._ready = ready
        self._player = player

    def fingerprint(self, block: Block) -> tuple[str, int]:
        request = self._ready.requests[block.prompt_id]
        return request.sha256, request.n_bytes

    async def send(self, block: Block) -> Landed:
        limits, cold = self._ready.limits[block.prompt_id], self._ready.endpoint.cold
        if block.is_warmup and cold.scales_to_zero:
            limits = waking_limits(limits, cold)
        return await self._player.play(self._ready.requests[block.prompt_id], limits)

    async def preconnect(self, n: int) -> None:
        any_request = next(iter(self._ready.requests.values()))  # all of an endpoint go to one origin
        await self._player.preconnect(any_request, n, self._ready.endpoint.timeouts.connect_s)


class _FollowUps:
    """Composes and plays the requests that follow the measured levels."""

    def __init__(self, ready: PreparedEndpoint, player: Player, golden: GoldenSet) -> None:
        self._ready = ready
        self._player = player
        self._golden = golden

    def second_turn(self, block: Block, answer: dict[str, Any]) -> Prepared | None:
        """Compose it; an answer that no request can bring back ends the loop like one without a call."""
        prompt = second_turn(self._golden.prompt(block.prompt_id), answer)
        if prompt is None:
            return None
        return Prepared(request=self._ready.composer.compose(prompt), limits=self._ready.limits[prompt.id])

    def unstreamed(self, block: Block) -> Prepared:
        limits = unstreamed_limits(self._ready.limits[block.prompt_id])
        return Prepared(request=self._ready.unstreamed[block.prompt_id], limits=limits)

    async def play(self, prepared: Prepared) -> Landed:
        return await self._player.play(prepared.request, prepared.limits)

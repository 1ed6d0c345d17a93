"""Binds a plan to its endpoints: composes every request, checks that the bodies match, runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.clock import SystemClock
from harness.decode.watch import last_output_at_ns
from harness.errors import ConfigError
from harness.measure.body import compare_bodies, request_body
from harness.measure.compose import ComposedRequest, Composer
from harness.measure.limits import time_limits
from harness.measure.runner import Journal, Lane, Observer, Runner
from harness.measure.wire.player import Exchange, Player, TimeLimits
from harness.measure.wire.tls import tls_context
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Block, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedEndpoint:
    """An endpoint with every request composed; nothing was sent yet."""

    arm: Arm
    endpoint: Endpoint
    requests: Mapping[str, ComposedRequest]  # by prompt id
    limits: Mapping[str, TimeLimits]
    secrets: tuple[bytes, ...]

    def __repr__(self) -> str:
        """Show no request: headers hold the key."""
        return f"PreparedEndpoint({self.arm}, {self.endpoint.name}, {len(self.requests)} requests)"


def prepare_session(
    golden: GoldenSet, endpoints: Mapping[Arm, Endpoint], plan: Plan, *, environ: Mapping[str, str]
) -> "Session":
    """Compose all requests of all arms; ConfigError for a missing variable or an undeclared difference."""
    _refuse_undeclared_differences(golden, endpoints)
    prepared = [_prepare(arm, endpoint, golden, environ) for arm, endpoint in endpoints.items()]
    concurrency = min(endpoint.limits.concurrency for endpoint in endpoints.values())
    return Session(plan, prepared, concurrency=concurrency)


def _prepare(arm: Arm, endpoint: Endpoint, golden: GoldenSet, environ: Mapping[str, str]) -> PreparedEndpoint:
    composer = Composer(endpoint, environ)
    tls_context(endpoint.tls, endpoint.name)  # a file that cannot be used is found before the run folder exists
    return PreparedEndpoint(
        arm=arm,
        endpoint=endpoint,
        requests={prompt.id: composer.compose(prompt) for prompt in golden.prompts},
        limits={prompt.id: time_limits(prompt, endpoint) for prompt in golden.prompts},
        secrets=composer.secrets,
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

    def __init__(self, plan: Plan, prepared: list[PreparedEndpoint], *, concurrency: int) -> None:
        """Keep what the loop will need; sockets are opened only inside it."""
        self._plan = plan
        self._prepared = prepared
        self._concurrency = concurrency
        self._clock_facts: dict[str, Any] = {}

    async def run(self, journal: Journal, observe: Observer) -> None:
        """Open a player per endpoint, run the plan, close them."""
        clock = SystemClock()
        players = {
            ready.arm: Player(ready.endpoint, clock, last_output_at=last_output_at_ns, secrets=ready.secrets)
            for ready in self._prepared
        }
        try:
            lanes = [self._lane(ready, players[ready.arm]) for ready in self._prepared]
            await Runner(self._plan, lanes, journal, clock, observe).run()
        finally:
            for arm, player in players.items():
                self._clock_facts[arm] = player.clock_facts()
                await player.close()

    def clock_facts(self) -> dict[str, Any]:
        """Say where the instants came from, by arm."""
        return dict(self._clock_facts)

    def _lane(self, ready: PreparedEndpoint, player: Player) -> Lane:
        return Lane(
            arm=ready.arm,
            sender=_PlayerSender(ready, player),
            concurrency=self._concurrency,
            requests_per_minute=ready.endpoint.limits.requests_per_minute,
        )


class _PlayerSender:
    """Sends a block's composed request through a player."""

    def __init__(self, ready: PreparedEndpoint, player: Player) -> None:
        self._ready = ready
        self._player = player

    def fingerprint(self, block: Block) -> tuple[str, int]:
        request = self._ready.requests[block.prompt_id]
        return request.sha256, request.n_bytes

    async def send(self, block: Block) -> Exchange:
        return await self._player.play(self._ready.requests[block.prompt_id], self._ready.limits[block.prompt_id])

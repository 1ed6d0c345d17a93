"""The settings file of a comparison: how to run it, what to call the same."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from harness.model.endpoint import NotNegative, Positive
from harness.model.record import Arrival, LookScheme

Fraction = Annotated[float, Meta(ge=0, le=1)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section of a file that refuses keys it does not know."""


class PlanSettings(_Section, frozen=True, kw_only=True):
    """How the golden set is replayed."""

    repeats: Annotated[int, Meta(ge=1, le=1000, description="Repeats of every prompt on each side.")] = 5
    max_repeats: Annotated[
        int, Meta(ge=1, le=1000, description="Ceiling when a gate's prompts get more repeats to reach its n.")
    ] = 20
    allocate: Annotated[
        bool, Meta(description="Give a required gate's prompts more repeats until the gate can pass.")
    ] = True
    seed: Annotated[int, Meta(ge=0, description="Seed of every random choice of the run.")] = 20260101
    warmup: Annotated[int, Meta(ge=0, description="Requests per side that are recorded but not judged.")] = 2
    warmup_s: Annotated[
        NotNegative, Meta(description="Warm each side up for at least this long, with the same prompts again.")
    ] = 0.0
    preconnect: Annotated[bool, Meta(description="Open the connections before the measured window.")] = True
    look_ahead: Annotated[int, Meta(ge=0, description="Blocks that the faster side may be ahead of the slower.")] = 16
    looks: Annotated[
        LookScheme,
        Meta(
            description="Planned looks at the data. single: one at 5 %. two: this run and, if need be, one with "
            "further repeats, 3 % each. sequential: after 3, 5 and 10 repeats, 5 % together."
        ),
    ] = LookScheme.TWO
    screen: Annotated[
        bool, Meta(description="Whether this is a quick screen, which its verdict then says (`--quick`).")
    ] = False
    unstreamed: Annotated[
        int,
        Meta(ge=0, description="Repeats of each prompt with tools or JSON that are sent once more, unstreamed."),
    ] = 1


class ArrivalSettings(_Section, frozen=True, kw_only=True):
    """When requests are due."""

    process: Annotated[
        Arrival, Meta(description="closed: a fixed number in flight. constant, poisson: open loop, a rate per side.")
    ] = Arrival.CLOSED
    ramp_s: Annotated[
        NotNegative, Meta(description="Seconds at the start of each level over which the load rises to it.")
    ] = 0.0
    max_in_flight: Annotated[
        int, Meta(ge=1, le=4096, description="Open loop: most requests in flight per side; more wait, on the record.")
    ] = 512


class RetrySettings(_Section, frozen=True, kw_only=True):
    """Whether and when a request that failed is sent again; the first attempt stays the trial."""

    max_attempts: Annotated[
        int, Meta(ge=1, le=10, description="Most attempts of one measured request, the first included; 1: no retries.")
    ] = 1
    backoff_s: Annotated[
        Positive, Meta(description="The first wait is chance between 0 and this; the bound doubles with each attempt.")
    ] = 0.5
    max_backoff_s: Annotated[Positive, Meta(description="Where that bound stops doubling.")] = 8.0
    delayed_s: Annotated[
        NotNegative, Meta(description="Least wait before the one retry that follows a gateway's timeout.")
    ] = 20.0
    max_wait_s: Annotated[
        Positive, Meta(description="Longest wait; a request whose server asks for a longer one is not sent again.")
    ] = 60.0


class BreakerSettings(_Section, frozen=True, kw_only=True):
    """When a dead endpoint ends the run, so that the rest of the set is not burnt on it; 0 switches a rule off."""

    unreachable: Annotated[
        int,
        Meta(
            ge=0,
            description="Requests of one side in a row that never reached it, or that it refused by address, "
            "model or key.",
        ),
    ] = 8
    from_the_start: Annotated[
        int,
        Meta(
            ge=0,
            description="Requests of one side that failed before any of it succeeded; refusals that load may explain "
            "do not count.",
        ),
    ] = 20
    without_success: Annotated[
        int, Meta(ge=0, description="Requests of one side in a row that failed, in whatever way.")
    ] = 200


class RateGate(_Section, frozen=True, kw_only=True):
    """A gate on a difference of two success rates."""

    margin: Annotated[Fraction, Meta(description="Largest loss, as a fraction, that we call the same.")]
    required: Annotated[bool, Meta(description="Whether the verdict depends on it.")] = True


class RatioGate(_Section, frozen=True, kw_only=True):
    """A gate on candidate over reference of one quantile."""

    margin: Annotated[Positive, Meta(description="Largest (or, for a rate, smallest) ratio that we call the same.")]
    required: Annotated[bool, Meta(description="Whether the verdict depends on it.")] = True


class SloMetric(StrEnum):
    """What a limit may be set on."""

    TTFT = "ttft"  # seconds, at most
    E2E = "e2e"  # seconds, at most
    DECODE_RATE = "decode_rate"  # tokens per second, at least


class SloGate(_Section, frozen=True, kw_only=True):
    """A gate on the candidate alone: the share of its requests that keep a limit."""

    metric: SloMetric
    limit: Annotated[Positive, Meta(description="Seconds at most, or tokens per second at least.")]
    share: Annotated[float, Meta(gt=0, lt=1, description="Share of requests that must keep the limit.")]
    required: Annotated[bool, Meta(description="Whether the verdict depends on it.")] = True

    @property
    def margin(self) -> float:
        """Share of requests that may be beyond the limit."""
        return round(1 - self.share, 12)

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.metric is SloMetric.DECODE_RATE


class Gates(_Section, frozen=True, kw_only=True):
    """The margins, fixed before the run; defaults are those of the statistics page."""

    task_success: RateGate = RateGate(margin=0.05)
    tool_success: RateGate = RateGate(margin=0.05)
    request_success: RateGate = RateGate(margin=0.02)
    json_validity: RateGate = RateGate(margin=0.05)
    refusal: RateGate = RateGate(margin=0.05, required=False)
    truncation: RateGate = RateGate(margin=0.05, required=False)
    ttft_p50: RatioGate = RatioGate(margin=1.25)
    ttft_p95: RatioGate = RatioGate(margin=1.5)
    decode_p50: RatioGate = RatioGate(margin=0.80)
    decode_p5: RatioGate = RatioGate(margin=0.67)
    e2e_p50: RatioGate = RatioGate(margin=1.25)
    completion_length: Annotated[
        RatioGate, Meta(description="Ratio of completion tokens, in both directions: neither longer nor shorter.")
    ] = RatioGate(margin=1.25, required=False)
    cost_per_success: Annotated[
        RatioGate, Meta(description="Ratio of cost per successful task; needs prices on both sides.")
    ] = RatioGate(margin=1.25, required=False)
    identity: Annotated[
        RateGate, Meta(description="Disagreement of the answers beyond the sides' own, as a fraction.")
    ] = RateGate(margin=0.10, required=False)
    slo: Annotated[
        list[str | SloGate],
        Meta(
            max_length=16,
            description='Limits that the candidate must keep, as "ttft <= 2 s in 99 %", "e2e <= 800 ms in 95 %" or '
            '"decode_rate >= 40 tok/s in 95 %"; or metric, limit (seconds, tokens per second), share, required.',
        ),
    ] = []


class Validity(_Section, frozen=True, kw_only=True):
    """When a run says nothing about the candidate."""

    reference_task_floor: Annotated[
        Fraction, Meta(description="Task success below which the reference does not answer this set.")
    ] = 0.5
    reference_lost_fraction: Annotated[
        Fraction, Meta(description="Share of the reference's requests that may be lost.")
    ] = 0.05


class Settings(_Section, frozen=True, kw_only=True):
    """The whole settings file; every section has defaults."""

    plan: PlanSettings = PlanSettings()
    load: Annotated[
        list[Positive],
        Meta(
            max_length=16,
            description="Levels of load per side, one after the other, the golden set replayed at each: requests in "
            "flight (closed loop) or per second (open loop). The first is judged. Without it: limits.concurrency.",
        ),
    ] = []
    arrival: ArrivalSettings = ArrivalSettings()
    verdict: Gates = Gates()
    validity: Validity = Validity()
    retries: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()
    max_cost: Annotated[
        NotNegative | None,
        Meta(description="Refuse a plan that may cost more than this much money, and stop a run before it does."),
    ] = None
    max_requests: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="Stop before more requests than this are sent.")
    ] = None
    max_tokens: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="Stop before prompts and answers together may come to more tokens than this."),
    ] = None
    max_time_s: Annotated[Positive | None, Meta(description="Stop sending after this many seconds.")] = None


def retry_settings(planned: Mapping[str, Any]) -> RetrySettings:
    """Read what a plan registered; one made before there were retries has none."""
    return RetrySettings(**planned.get("retries", {}))


def breaker_settings(planned: Mapping[str, Any]) -> BreakerSettings:
    """Read what a plan registered, or the defaults."""
    return BreakerSettings(**planned.get("breaker", {}))

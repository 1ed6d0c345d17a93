"""Says before a run what it will ask for, and refuses one that may cost more than allowed."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.cli.budget import money_words, refuse_over_budget, refuse_unbounded
from harness.cli.screen import say
from harness.errors import ConfigError
from harness.model.record import Arm, Arrival, LookScheme, Plan
from harness.model.settings import Settings
from harness.units import seconds

if TYPE_CHECKING:
    from harness.cli.measuring import Request
    from harness.measure.estimate import Estimate
    from harness.measure.remaining import Remaining
    from harness.probes.catalogue import ProbeCost


def announce(request: "Request", plan: Plan, remaining: "Remaining") -> None:
    """Say what the run will ask for; refuse one that may cost more than allowed, before anything is sent."""
    from harness.measure.estimate import estimate  # noqa: PLC0415

    estimates = {
        arm: estimate(request.golden, endpoint, plan, arm, remaining) for arm, endpoint in request.endpoints.items()
    }
    if not request.quiet:
        for line in _beginning(request, plan, remaining):
            say(line)
        for arm, found in estimates.items():
            side = f"{arm} " if len(estimates) > 1 else ""
            say(f"{side}{request.endpoints[arm].name}: {estimate_line(found)}", indent="  ")
        for demotion in plan.demotions:
            say(f"gate {demotion.gate} is informative only: {demotion.reason}", indent="  ")
        for warning in (*_warnings(request, plan), *_crowding(request)):
            say(f"WARNING: {warning}", indent="  ")
    _refuse_over_budget(request.settings, list(estimates.values()), _probing(request))


def _probing(request: "Request") -> list["ProbeCost"]:
    """Say and give what the probes before the run take, of each endpoint once."""
    from harness.cli.preflight import probes_before  # noqa: PLC0415
    from harness.cli.probing import cost_of, say_probes  # noqa: PLC0415

    found = []
    for endpoint, probes in probes_before(request):
        found.append(cost_of(endpoint, probes))
        if not request.quiet:
            say_probes(endpoint, probes, found[-1])
    if request.settings.max_cost is not None and any(cost.n_unbounded for cost in found):
        refuse_unbounded(["requests of the probes"], "Do not drop the budget in the endpoint file")
    return found


def _beginning(request: "Request", plan: Plan, remaining: "Remaining") -> Iterator[str]:
    """Say which run goes on, and for which look."""
    resumed, looks = request.resumed, plan.looks
    if resumed is None:
        if looks.scheme is LookScheme.SEQUENTIAL:
            yield f"look 1 of up to {len(looks.alphas)}, after {looks.repeats[0]} repeats of every prompt"
        return
    yield f"going on with {resumed.folder}: {len(remaining.done)} requests are on record, what they lack is sent"
    if resumed.look > 1:
        planned = f"of {len(looks.alphas)} planned" if resumed.look <= len(looks.alphas) else "beyond the planned ones"
        yield f"look {resumed.look}, {planned}"


def _warnings(request: "Request", plan: Plan) -> Iterator[str]:
    from harness.analysis.modes import certify_warning  # noqa: PLC0415
    from harness.measure.waking import cap_of  # noqa: PLC0415
    from harness.measure.wire.proxy import proxy_of  # noqa: PLC0415

    for arm, endpoint in request.endpoints.items():
        if endpoint.cold.scales_to_zero:
            yield (
                f"the {arm} may be asleep: until its first request is answered, for up to "
                f"{cap_of(endpoint.cold):.0f} s, nothing else is sent to it"
            )
        if not endpoint.tls.verify:
            yield f"TLS certificates of the {arm} are not verified"
        if (proxy := proxy_of(endpoint.base_url, os.environ)) is not None:
            yield f"the {arm} is reached through the proxy {proxy.address}; its timings hold for that path"
    if Arm.PLACEBO in request.endpoints:
        yield from _about_placebo(request)
    if request.is_certified and (warning := certify_warning(request.golden)) is not None:
        yield warning
    yield from _about_load(request, plan)


def _about_placebo(request: "Request") -> Iterator[str]:
    """The reference is asked twice: its server and its quota carry both."""
    reference = request.endpoints[Arm.PLACEBO]
    yield f"a placebo: {reference.name} is measured twice, against itself, and meets twice the load"
    if reference.limits.requests_per_minute is not None:
        yield f"each of the two sends up to limits.requests_per_minute, {reference.limits.requests_per_minute}"


def _about_load(request: "Request", plan: Plan) -> Iterator[str]:
    """Say where the load is not what the endpoint files name, or cannot be reached, or takes long."""
    slots = {arm: endpoint.limits.concurrency for arm, endpoint in request.endpoints.items()}
    if plan.arrival is not Arrival.CLOSED:
        yield f"an open loop: the last request is due after {seconds(_last_due_ns(plan)):.0f} s"
        return
    if not request.settings.load and len(set(slots.values())) > 1:
        yield f"limits.concurrency differs; both sides run at the lower, {min(slots.values())}"
    for arm, most in slots.items():
        if max(plan.load) > most:
            yield f"a load of {max(plan.load):g} is more than limits.concurrency of the {arm}, {most}"
    n_blocks = sum(plan.repeats.values())
    if max(plan.load) > n_blocks:
        yield f"a level has {n_blocks} requests, which cannot keep {max(plan.load):g} in flight: give more repeats"


def _last_due_ns(plan: Plan) -> int:
    """When the last request of all levels is due; what they take to answer comes on top."""
    last = {block.level: block.due_ns or 0 for block in plan.blocks if not block.is_warmup}
    return sum(last.values())


def _crowding(request: "Request") -> Iterator[str]:
    n_processes, n_cpus = len(request.endpoints) * (request.workers or 0), os.cpu_count()
    if n_cpus is not None and n_processes > n_cpus:
        yield f"{n_processes} measuring processes share {n_cpus} CPUs: they delay each other"


def estimate_line(found: "Estimate") -> str:
    """Say what one side will be asked for, and at what price."""
    from harness.measure.answerlength import UNPINNED_TOKENS  # noqa: PLC0415

    tokens = f"about {found.prompt_tokens:,} prompt and at most {found.completion_tokens:,} completion tokens"
    if found.unbounded:
        tokens = (
            f"about {found.prompt_tokens:,} prompt tokens; {len(found.unbounded)} prompts pin no max_tokens, so their "
            f"answers have no bound (counted as {UNPINNED_TOKENS:,} tokens each)"
        )
    word = "about" if found.unbounded else "at most"
    money = (
        "cost unknown (no price book)" if found.cost is None else f"{word} {money_words(found.cost)} {found.currency}"
    )
    follow_ups = f" and at most {found.follow_ups} follow-ups" if found.follow_ups else ""
    return f"{found.requests} requests{follow_ups}, {tokens}, {money}{_retries(found)}"


def _retries(found: "Estimate") -> str:
    """Say what retries may add, if every measured request failed as often as it may."""
    if not found.most_retries:
        return ""
    money = "" if found.retry_cost is None else f" and {money_words(found.retry_cost)} {found.currency}"
    return f"; retries of failed requests may add up to {found.most_retries} requests{money}"


def _refuse_over_budget(settings: Settings, estimates: Sequence["Estimate"], probing: Sequence["ProbeCost"]) -> None:
    """Hold all sides, probes and run, against one sum."""
    max_cost = settings.max_cost
    if max_cost is None:
        return
    if settings.plan.warmup_s:
        raise ConfigError(
            "--max-cost needs a bound on every request, and a warm-up by time (plan.warmup_s) sends as many as fit",
            remedy="Warm up by count: plan.warmup",
        )
    unbounded = sorted({prompt_id for found in estimates for prompt_id in found.unbounded})
    if unbounded:
        raise ConfigError(
            f"--max-cost needs a bound on every answer; these prompts pin no max_tokens: {', '.join(unbounded):.200}",
            remedy="Pin max_tokens in the golden set, or under sampling: of the endpoint file",
        )
    what = "the run with its probes" if probing else "the run"
    prices = [*((found.cost, found.currency) for found in estimates), *((one.price, one.currency) for one in probing)]
    refuse_over_budget(prices, max_cost, what=what, remedy="Lower --repeats")

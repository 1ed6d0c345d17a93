"""What a run's progress is counted against: its stretches under one load, and what their requests may cost."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from harness.cli.pacing import Leg
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Arrival, Plan

if TYPE_CHECKING:
    from harness.cli.measuring import Request
    from harness.cli.progress import Spending
    from harness.measure.remaining import Remaining


def legs_of(plan: Plan, remaining: "Remaining", arms: Iterable[Arm], golden: GoldenSet) -> tuple[Leg, ...]:
    """Give what a side still sends, in its order: warm-up one by one, the levels, what follows them up."""
    from harness.measure.followups import follow_ups, slots  # noqa: PLC0415

    known = tuple(arms)
    warmup = sum(block.is_warmup for block in plan.blocks)
    levels = [
        Leg(
            name=_level_name(plan, level),
            n=max(len(remaining.blocks(plan, arm, level)) for arm in known),
            load=load,
        )
        for level, load in enumerate(plan.load)
    ]
    return (
        Leg(name="warm-up", n=warmup, load=1.0),
        *levels,
        Leg(name="follow-ups", n=follow_ups(golden, plan).n, load=slots(plan)),
    )


def _level_name(plan: Plan, level: int) -> str:
    load = plan.load[level]
    words = f"{load:g} in flight" if plan.arrival is Arrival.CLOSED else f"{load:g} per second ({plan.arrival})"
    return words if len(plan.load) == 1 else f"level {level + 1} of {len(plan.load)}: {words}"


def spending_of(request: "Request", plan: Plan, remaining: "Remaining") -> "Spending | None":
    """Give what each request may cost on each side; None where a side has no price book."""
    from harness.cli.progress import Spending  # noqa: PLC0415
    from harness.measure.estimate import estimate  # noqa: PLC0415

    found = {
        arm: estimate(request.golden, endpoint, plan, arm, remaining) for arm, endpoint in request.endpoints.items()
    }
    each: dict[Arm, float] = {}
    for arm, one in found.items():
        if one.cost is None:
            return None
        each[arm] = one.cost / max(1, one.requests + one.follow_ups)
    currency = next(one.currency or "" for one in found.values())
    return Spending(each=each, currency=currency, is_bounded=not any(one.unbounded for one in found.values()))

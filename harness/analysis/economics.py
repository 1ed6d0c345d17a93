"""Tokens and money of one side: everything that was sent, as a bill would have it.

Warm-ups, failures and every level of load are included.
"""

import math
from collections.abc import Callable, Sequence

from harness.analysis.cost import NO_PRICES, may_be_billed, price_book, request_cost
from harness.analysis.results import Economics, Side, Trial, Value
from harness.analysis.trials import JudgedRecord
from harness.analysis.values import known, missing
from harness.model.endpoint import Prices
from harness.model.record import FailureKind, Record, Usage


def side_economics(side: Side, judged: Sequence[JudgedRecord]) -> Economics:
    """Add up one side's requests by outcome, and the tokens and money of all its attempts."""
    prices = price_book(side.endpoint)
    cost = total_cost(side.records, prices)
    n_failed = sum(item.trial.failure is not None for item in judged)
    return Economics(
        arm=side.arm,
        n_requests=len(judged),
        n_successes=len(judged) - n_failed,
        n_failed=n_failed,
        n_truncated=sum(item.trial.was_truncated is True for item in judged),
        n_empty=sum(item.trial.failure == FailureKind.EMPTY_ANSWER for item in judged),
        prompt_tokens=_total(side.records, lambda usage: usage.prompt_tokens),
        completion_tokens=_total(side.records, lambda usage: usage.completion_tokens),
        cached_tokens=_total(side.records, lambda usage: usage.cached_tokens),
        reasoning_tokens=_total(side.records, lambda usage: usage.reasoning_tokens),
        cost=cost,
        cost_per_success=cost_per_success(cost, [item.trial for item in judged]),
        currency=None if prices is None else prices.currency,
    )


def total_cost(records: Sequence[Record], prices: Prices | None) -> Value:
    """Add the cost of every attempt; undefined, with the part that is known, when one may be billed and is unknown."""
    if prices is None:
        return missing(NO_PRICES)
    costs = [request_cost(record, prices).value for record in records]
    sure = math.fsum(cost for cost in costs if cost is not None)
    unknown = sum(cost is None and may_be_billed(record) for cost, record in zip(costs, records, strict=True))
    if not unknown:
        return known(sure)
    return missing(f"at least {sure:.4g} {prices.currency}: {unknown} of {len(records)} requests without usage")


def cost_per_success(cost: Value, trials: Sequence[Trial]) -> Value:
    """Cost over requests that succeeded, with every check passed where there are checks."""
    if cost.value is None:
        return cost
    successes = sum(trial.failure is None and trial.task_success is not False for trial in trials)
    return known(cost.value / successes) if successes else missing("no success")


def _total(records: Sequence[Record], count: Callable[[Usage], int | None]) -> int | None:
    """Sum of what was reported; None when nobody reported it."""
    counts = [found for record in records if record.usage and (found := count(record.usage)) is not None]
    return sum(counts) if counts else None

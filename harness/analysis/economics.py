"""Tokens and money of one side: everything that was sent, as a bill would have it.

Warm-ups, failures, every level of load and what follows the levels are included.
"""

import math
from collections.abc import Callable, Sequence

from harness.analysis.cost import NO_PRICES, may_be_billed, price_book, request_cost
from harness.analysis.results.case import Side
from harness.analysis.results.estimates import Value
from harness.analysis.results.tokens import Economics
from harness.analysis.results.trial import Trial
from harness.analysis.tokens import has_hidden_reasoning
from harness.analysis.trials import JudgedRecord, follow_up_records
from harness.analysis.values import known, missing
from harness.model.endpoint import Prices
from harness.model.record import FailureKind, Record, Usage

COST_UNKNOWN = "the cost is not known in full"
NO_STREAMED_TEXT = "no streamed text with usage"


def side_economics(side: Side, judged: Sequence[JudgedRecord]) -> Economics:
    """Add up one side's requests by outcome, and the tokens and money of all its attempts."""
    prices = price_book(side.endpoint)
    cost = total_cost(side.records, prices)
    followed = follow_up_records(side)
    sent = [*(item.record for item in judged), *followed]
    n_failed = sum(record.failure is not None for record in sent)
    return Economics(
        arm=side.arm,
        n_requests=len(sent),
        n_successes=len(sent) - n_failed,
        n_failed=n_failed,
        n_truncated=sum(item.trial.was_truncated is True for item in judged),
        n_empty=sum(_is_empty(record) for record in sent),
        prompt_tokens=_total(side.records, lambda usage: usage.prompt_tokens),
        completion_tokens=_total(side.records, lambda usage: usage.completion_tokens),
        cached_tokens=_total(side.records, lambda usage: usage.cached_tokens),
        reasoning_tokens=_total(side.records, lambda usage: usage.reasoning_tokens),
        cost=cost,
        cost_per_success=cost_per_success(_cost_of_tasks(side, prices), [item.trial for item in judged]),
        currency=None if prices is None else prices.currency,
        n_no_usage=sum(map(_lacks_usage, sent)),
        n_zero_usage=sum(map(_counts_nothing, sent)),
        cost_per_answer=_per(cost, len(sent) - n_failed, "no answer"),
        chunks_per_token=chunks_per_token([item.record for item in judged]),
        n_follow_ups=len(followed),
    )


def _is_empty(record: Record) -> bool:
    return record.failure is not None and record.failure.kind is FailureKind.EMPTY_ANSWER


def _cost_of_tasks(side: Side, prices: Prices | None) -> Value:
    """Add up what the tasks took: a loop's second request is part of its task, an unstreamed repeat is of none."""
    return total_cost([record for record in side.records if record.key.is_streamed], prices)


def total_cost(records: Sequence[Record], prices: Prices | None) -> Value:
    """Add the cost of every attempt; undefined, with the part that is known, when one may be billed and is unknown."""
    if prices is None:
        return missing(NO_PRICES)
    costs = [request_cost(record, prices).value for record in records]
    sure = math.fsum(cost for cost in costs if cost is not None)
    unknown = sum(cost is None and may_be_billed(record) for cost, record in zip(costs, records, strict=True))
    if not unknown:
        return known(sure)
    part = f"{unknown} of {len(records)} requests without a usage that counts"
    return missing(f"at least {sure:.4g} {prices.currency}: {part}")


def cost_per_success(cost: Value, trials: Sequence[Trial]) -> Value:
    """Cost over requests that succeeded, with every check passed where there are checks."""
    successes = sum(trial.failure is None and trial.task_success is not False for trial in trials)
    return _per(cost, successes, "no success")


def _per(cost: Value, count: int, reason: str) -> Value:
    if cost.value is None:
        return cost if cost.reason == NO_PRICES else missing(COST_UNKNOWN)
    return known(cost.value / count) if count else missing(reason)


def _lacks_usage(record: Record) -> bool:
    return record.failure is None and (record.usage is None or record.usage.completion_tokens is None)


def _counts_nothing(record: Record) -> bool:
    """Whether usage says zero where there was a prompt, or an answer."""
    usage = record.usage
    return record.failure is None and usage is not None and 0 in (usage.prompt_tokens, usage.completion_tokens)


def chunks_per_token(records: Sequence[Record]) -> Value:
    """Output events over completion tokens of streamed texts; calls and hidden reasoning, which parsers hold, left out.

    Below 1 an event holds several tokens: its gaps are not times between tokens.
    """
    counted = [record for record in records if _is_streamed_text(record)]
    tokens = sum(record.usage.completion_tokens or 0 for record in counted if record.usage)
    events = sum(len(record.arrivals.at_ns) for record in counted if record.usage and record.usage.completion_tokens)
    return known(events / tokens) if tokens else missing(NO_STREAMED_TEXT)


def _is_streamed_text(record: Record) -> bool:
    is_text = record.was_streamed and not record.answer.tool_calls and not has_hidden_reasoning(record)
    return record.failure is None and is_text


def _total(records: Sequence[Record], count: Callable[[Usage], int | None]) -> int | None:
    """Sum of what was reported; None when nobody reported it."""
    counts = [found for record in records if record.usage and (found := count(record.usage)) is not None]
    return sum(counts) if counts else None

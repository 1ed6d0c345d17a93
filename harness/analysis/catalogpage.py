"""The catalogue of metrics as a page of the documentation."""

from collections.abc import Sequence

from harness.analysis.catalog import CATALOG, Direction, Failures, Metric, Of, Scope

_HEAD = """# Metrics

Written from the catalogue (`harness/analysis/catalog.py`) by `catalog_markdown()`; a test compares. Do not edit.

A value is a number or the reason why there is none. An undefined value never becomes 0, never enters a mean and never
meets a limit.

## Instants

Integers of nanoseconds on one monotonic clock, taken at the socket read before any parsing.

| instant | meaning |
|---|---|
| intended | the schedule's instant; in a closed loop, when a slot was free and the plan allowed it |
| admitted | quota and slot were got |
| sent | right before the call that handed the kernel the request's last byte |
| headers | the read that completed the response head |
| event_1 | first server-sent event of any kind |
| token_1 | first event with model output of any channel: content, reasoning, refusal, audio, tool name or arguments |
| answer_1 | first visible answer: content, refusal, tool call |
| token_N | last event with output |
| ended | last byte read, or the failure |

Comments, keep-alives, role-only chunks, empty choices and usage chunks are not output. `N` is
`usage.completion_tokens`. `n1` is the number of tokens in the first output chunk: from usage that runs along where a
server gives it, else 1 is assumed and `first_chunk_tokens` says so.

## Buffered streams

A stream is buffered ("synthetic streaming") when at least half of its output events share a read that the kernel's
stamp shows was read promptly, or when its output took less than a fifth of N over the endpoint's own median rate at
that level of load. Its decode rate is withheld, and a finding names the likely cause, unless this client's own late
reading merged as large a share of the side's output events: then the finding says that and lays nothing to the
endpoint. Its TTFT stays in the tail: a queued request is slow, not buffered. Answers of fewer than 5 output events or
20 tokens, tool calls and hidden reasoning are not judged.

## Tails

Quantiles are p50, p90, p95 and p99 of latencies, p50, p10 and p5 of rates. Warm-ups, the possibly cold first request
and requests that the user cancelled stay out. Where a run has several levels of load, these are tails of the first;
each level has its own, and none is made of two. In an open loop the times from intended stand beside those from sent; a
closed loop has no TTFT from intended, for a failed request neither.

A failed request is slower than anything in a latency tail, a timed-out one beyond its limit; a quantile that falls
among them is not estimated: the page prints "unattainable (k of n failed)" or "> 60 s (the limit; k of n)". A quantile
is printed from the n at which a distribution-free two-sided 95 % interval exists (p50 6, p90 36, p95 72), p99 from 300
requests per side of at least 50 prompts; below that stand the reason and the worst value seen. Percentiles are never
averaged: samples are merged.
"""
_WHAT = {
    Of.REQUEST: "Per request",
    Of.PAIR: "Per pair of answers",
    Of.PROMPT: "Per prompt",
    Of.SIDE: "Per side",
}


def catalog_markdown() -> str:
    """Write the page: instants, rules, and every metric by what has one value of it."""
    return _HEAD + "".join(
        f"\n## {title}\n\n{_table([metric for metric in CATALOG.values() if metric.of is of])}"
        for of, title in _WHAT.items()
    )


def _table(metrics: Sequence[Metric]) -> str:
    head = "| id | metric | formula | unit | better | no value when | failed requests in a tail | prompts |\n"
    return head + "|---|---|---|---|---|---|---|---|\n" + "".join(map(_line, metrics))


def _line(metric: Metric) -> str:
    better = "" if metric.direction is Direction.NONE else metric.direction.value
    failures = "" if metric.failures is Failures.NO_TAIL else metric.failures.value
    scope = "all" if metric.scope is Scope.ALL else f"`{metric.scope.value}`"
    cells = (f"`{metric.id}`", metric.title, metric.formula, metric.unit, better, metric.undefined, failures, scope)
    return f"| {' | '.join(cells)} |\n"

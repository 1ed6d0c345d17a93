"""Token counts of one request as the server reported them: never added up, never counted by us."""

from collections.abc import Callable

from harness.analysis.latencies import FAILED
from harness.analysis.results.estimates import Value
from harness.analysis.values import known, missing
from harness.model.record import Record, Usage

NO_USAGE = "usage missing"
NOT_REPORTED = "not reported"


def prompt_tokens(record: Record) -> Value:
    """Give usage.prompt_tokens."""
    return _reported(record, lambda usage: usage.prompt_tokens, NO_USAGE)


def completion_tokens(record: Record) -> Value:
    """Give N = usage.completion_tokens."""
    return _reported(record, lambda usage: usage.completion_tokens, NO_USAGE)


def total_tokens(record: Record) -> Value:
    """Give usage.total_tokens."""
    return _reported(record, lambda usage: usage.total_tokens, NO_USAGE)


def cached_tokens(record: Record) -> Value:
    """Give the cached part of the prompt tokens."""
    return _reported(record, lambda usage: usage.cached_tokens, NOT_REPORTED)


def reasoning_tokens(record: Record) -> Value:
    """Give the reasoning part of the completion tokens."""
    return _reported(record, lambda usage: usage.reasoning_tokens, NOT_REPORTED)


def first_chunk_tokens(record: Record) -> Value:
    """Give n1; undefined means that the decode rate assumes one."""
    return _reported(record, lambda usage: usage.first_chunk_tokens, "no running usage: 1 is assumed")


def tokens_per_chunk(record: Record) -> Value:
    """Give N over the events that carried output."""
    tokens, events = completion_tokens(record), len(record.arrivals.at_ns)
    if tokens.value is None:
        return tokens
    return known(tokens.value / events) if events else missing("no output")


def has_hidden_reasoning(record: Record) -> bool:
    """Whether usage counts reasoning tokens that no chunk carried."""
    return bool(record.usage and record.usage.reasoning_tokens) and not sum(record.arrivals.reasoning_chars)


def _reported(record: Record, count: Callable[[Usage], int | None], reason: str) -> Value:
    if record.failure is not None:
        return missing(FAILED)
    if record.usage is None:
        return missing(NO_USAGE)
    found = count(record.usage)
    return missing(reason) if found is None else known(found)

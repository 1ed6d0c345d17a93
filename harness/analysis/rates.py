"""How fast one stream generated, where its tokens and its reads let us say."""

from harness.analysis.buffering import is_buffered
from harness.analysis.gaps import output_instants
from harness.analysis.latencies import FAILED, end_to_end
from harness.analysis.results.estimates import Value
from harness.analysis.tokens import NO_USAGE, completion_tokens, has_hidden_reasoning
from harness.analysis.values import known, missing, quotient
from harness.model.record import Record, Usage
from harness.units import seconds

FEWEST_READS = 5
BUFFERED = "buffered: the stream did not come as it was made"
HIDDEN_REASONING = "hidden reasoning: tokens that no chunk carried"
TOOL_CALL = "a tool call in the answer: parsers withhold its tokens"
NOT_STREAMED = "not streamed"


def decode_rate(record: Record, usual_rate: float | None = None) -> Value:
    """(N − n1) / (token_N − token_1); `usual_rate` is the endpoint's median rate, once a first pass has it."""
    reason = why_no_decode_rate(record, usual_rate)
    if reason is not None:
        return missing(reason)
    return known(_tokens_after_first(record) / _output_span_s(record))


def time_per_output_token(rate: Value) -> Value:
    """1 / decode rate."""
    return quotient(known(1.0), rate)


def visible_characters_rate(record: Record, rate: Value) -> Value:
    """Characters of every channel after the first output event over the time they took; as the decode rate exists."""
    if rate.value is None:
        return rate
    arrivals = record.arrivals
    return known(sum(arrivals.content_chars[1:] + arrivals.reasoning_chars[1:]) / _output_span_s(record))


def normalized_time_per_output_token(record: Record) -> Value:
    """E2E / N, the wait for the first token included."""
    tokens = completion_tokens(record)
    return missing("no completion tokens") if tokens.value == 0 else quotient(end_to_end(record), tokens)


def why_no_decode_rate(record: Record, usual_rate: float | None) -> str | None:
    """Give the first reason against a decode rate; None when there is none."""
    if record.failure is not None:
        return FAILED
    usage = record.usage
    if usage is None or usage.completion_tokens is None:
        return NO_USAGE
    if _tokens_after_first(record) < 1:
        return "no token after the first chunk"
    return _content_reason(record) or _timing_reason(record, usual_rate)


def _content_reason(record: Record) -> str | None:
    if record.answer.tool_calls:
        return TOOL_CALL
    return HIDDEN_REASONING if has_hidden_reasoning(record) else None


def _timing_reason(record: Record, usual_rate: float | None) -> str | None:
    if not record.was_streamed:
        return NOT_STREAMED
    n_reads = len(output_instants(record))
    if n_reads < FEWEST_READS:
        return f"fewer than {FEWEST_READS} distinct reads with output"
    if is_buffered(record, usual_rate):
        return BUFFERED
    return None if _output_span_s(record) > 0 else "no time passed between first and last output"


def _tokens_after_first(record: Record) -> int:
    """N − n1, with one token assumed in the first chunk where no running usage says."""
    usage = record.usage or Usage()
    n1 = 1 if usage.first_chunk_tokens is None else usage.first_chunk_tokens
    return (usage.completion_tokens or 0) - n1


def _output_span_s(record: Record) -> float:
    first, last = record.stamps.token_1_at_ns, record.stamps.token_n_at_ns
    return 0.0 if first is None or last is None else seconds(last - first)

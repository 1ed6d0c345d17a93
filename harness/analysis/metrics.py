"""All metrics of one request, by catalogue id."""

from collections.abc import Callable, Mapping

from harness.analysis import gaps, latencies, rates, tokens
from harness.analysis.catalog import CATALOG, Scope
from harness.analysis.results.estimates import Value
from harness.analysis.values import missing
from harness.model.golden import Prompt
from harness.model.record import Record

NOT_FOR_TTFT = "not measured on this prompt (measure.ttft is false)"
NOT_FOR_DECODE = "not in the throughput class (measure.decode is false)"

_SIMPLE: Mapping[str, Callable[[Record], Value]] = {
    "ttft": latencies.time_to_first_token,
    "ttfat": latencies.time_to_first_answer,
    "ttfe": latencies.time_to_first_event,
    "e2e": latencies.end_to_end,
    "ttlb": latencies.time_to_last_byte,
    "e2e_effective": latencies.effective_end_to_end,
    "ntpot": rates.normalized_time_per_output_token,
    "queue_delay": latencies.queue_delay,
    "admission_wait": latencies.admission_wait,
    "send_lateness": latencies.send_lateness,
    "gap": gaps.median_gap,
    "stall": gaps.stall_seconds,
    "tokens_per_chunk": tokens.tokens_per_chunk,
    "prompt_tokens": tokens.prompt_tokens,
    "completion_tokens": tokens.completion_tokens,
    "total_tokens": tokens.total_tokens,
    "cached_tokens": tokens.cached_tokens,
    "reasoning_tokens": tokens.reasoning_tokens,
    "first_chunk_tokens": tokens.first_chunk_tokens,
}


def request_metrics(
    prompt: Prompt, record: Record, usual_rate: float | None, *, is_open_loop: bool = False
) -> dict[str, Value]:
    """Measure one request; `usual_rate` is the endpoint's median decode rate of a first pass."""
    found = {metric: measure(record) for metric, measure in _SIMPLE.items()}
    found["ttft_from_intended"] = latencies.time_to_first_token_from_intended(record, is_open_loop=is_open_loop)
    rate = rates.decode_rate(record, usual_rate)
    found["decode_rate"] = rate
    found["tpot"] = rates.time_per_output_token(rate)
    found["visible_chars_rate"] = rates.visible_characters_rate(record, rate)
    reasons = {metric: why_unmeasured(prompt, CATALOG[metric].scope) for metric in found}
    return found | {metric: missing(reason) for metric, reason in reasons.items() if reason is not None}


def why_unmeasured(prompt: Prompt, scope: Scope) -> str | None:
    """Give the reason why a metric of this scope is not taken from the prompt; None when it is."""
    if scope is Scope.TTFT and not prompt.measure.ttft:
        return NOT_FOR_TTFT
    return NOT_FOR_DECODE if scope is Scope.DECODE and not prompt.measure.decode else None

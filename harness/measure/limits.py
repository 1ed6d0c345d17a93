"""Derives a request's four time limits from its work."""

from dataclasses import replace

from harness.measure.answerlength import UNPINNED_TOKENS, max_answer_tokens
from harness.measure.wire.player import TimeLimits
from harness.model.endpoint import Endpoint
from harness.model.golden import Prompt


def unstreamed_limits(limits: TimeLimits) -> TimeLimits:
    """Give an answer that comes whole at its end all the time that the whole request has."""
    return replace(limits, first_output_s=limits.total_s, idle_s=limits.total_s)


def time_limits(prompt: Prompt, endpoint: Endpoint) -> TimeLimits:
    """Total = first output + max_tokens / expected rate × safety, unless the file says it."""
    timeouts = endpoint.timeouts
    pinned = max_answer_tokens(prompt, endpoint)
    tokens = UNPINNED_TOKENS if pinned is None else pinned
    derived = timeouts.first_output_s + tokens / timeouts.expected_decode_rate * timeouts.safety_factor
    return TimeLimits(
        connect_s=timeouts.connect_s,
        first_output_s=timeouts.first_output_s,
        idle_s=timeouts.idle_s,
        total_s=timeouts.total_s if timeouts.total_s is not None else derived,
    )

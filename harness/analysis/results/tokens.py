"""Tokens and money, side by side."""

from dataclasses import dataclass, field

from harness.analysis.results.estimates import Interval, Value, unmeasured
from harness.model.record import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Economics:
    """Tokens and money of one side, attempts of every outcome told apart."""

    arm: Arm
    n_requests: int
    n_successes: int
    n_failed: int
    n_truncated: int
    n_empty: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost: Value
    cost_per_success: Value
    currency: str | None
    n_no_usage: int = 0  # answers for which no token count came
    n_zero_usage: int = 0  # answers with output and a count of zero
    cost_per_answer: Value = field(default_factory=unmeasured)
    chunks_per_token: Value = field(default_factory=unmeasured)  # output events over tokens, streamed text only
    n_follow_ups: int = 0  # of n_requests: sent after the measured levels


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTokens:
    """How the token counts of one prompt differ between the sides."""

    prompt_id: str
    prompt_ratio: Value  # candidate / reference
    completion_ratio: Value  # of geometric means over the repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenComparison:
    """Token counts of the same prompts on both sides."""

    prompt_ratio: Value  # of the sums over prompts, each counted once
    lowest: PromptTokens | None  # prompt with the smallest prompt-token ratio
    highest: PromptTokens | None
    completion_ratio: Value  # geometric mean over prompts
    completion_interval: Interval | None  # 90 %, prompts as the unit
    is_length_alike: bool | None  # the interval lies within 0.80 to 1.25; None: no interval
    n_completion_prompts: int
    n_cut_prompts: int  # left out of the completion ratio: both sides' answers mostly end by length
    guard: str  # a context-window guard measured on the reference, in the candidate's tokens; empty: not known
    prompts: tuple[PromptTokens, ...] = ()

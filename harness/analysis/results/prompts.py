"""Each prompt with its answers on both sides."""

from dataclasses import dataclass

from harness.analysis.results.estimates import Value
from harness.model.record import RequestKey


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGroup:
    """A distinct answer with its count."""

    canonical: str
    count: int
    keys: tuple[RequestKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSide:
    """One prompt on one side."""

    n: int
    n_failed: int
    task_successes: int | None
    tool_successes: int | None
    ttft_p50_s: Value
    decode_p50: Value
    e2e_p50_s: Value
    completion_tokens_p50: Value
    prompt_tokens: Value
    answers: tuple[AnswerGroup, ...]
    self_agreement: Value  # share of pairs of its own repeats with the same canonical answer


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRow:
    """One prompt, both sides."""

    prompt_id: str
    category: str
    tags: tuple[str, ...]
    intent: str
    reference: PromptSide
    candidate: PromptSide | None
    cross_agreement: Value  # share of A-B pairs with the same canonical answer
    ttft_ratio: Value
    decode_ratio: Value
    success_difference: Value
    score: float  # worst first

"""Estimates requests, tokens and money before the first request."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from harness.measure.answerlength import UNPINNED_TOKENS, max_answer_tokens
from harness.measure.followups import follow_ups
from harness.measure.remaining import WHOLE_PLAN, Remaining
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Arm, Block, Plan
from harness.model.settings import retry_settings

_CHARACTERS_PER_TOKEN = 4  # English prose
_MESSAGE_TOKENS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a side of the run will ask for; cost is None without a price book."""

    requests: int  # of the plan: warm-up and levels
    follow_ups: int  # after them, at most: a tool loop ends where no tool is called
    prompt_tokens: int  # a guess from characters
    completion_tokens: int  # the most that can be asked for, unless some prompts are unbounded
    cost: float | None
    currency: str | None
    unbounded: tuple[str, ...] = ()  # prompts that pin no max_tokens
    most_retries: int = 0  # beyond the requests: if every measured one failed as often as it may
    retry_cost: float | None = None  # of those, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What one request of a prompt asks for."""

    prompt_id: str
    prompt_tokens: int
    pinned_tokens: int | None  # None when nothing bounds the answer

    @property
    def answer_tokens(self) -> int:
        return UNPINNED_TOKENS if self.pinned_tokens is None else self.pinned_tokens


def estimate(
    golden: GoldenSet,
    endpoint: Endpoint,
    plan: Plan,
    arm: Arm = Arm.REFERENCE,
    remaining: Remaining = WHOLE_PLAN,
) -> Estimate:
    """Count every answer at its max_tokens as sent to this endpoint: the money it can cost, not the money it will.

    A warm-up that lasts for a time instead of a count cannot be counted; its first round is.
    """
    warmup = sum(block.is_warmup for block in plan.blocks)
    left = Counter(block.prompt_id for level in range(len(plan.load)) for block in remaining.blocks(plan, arm, level))
    counted = [(_work(prompt, endpoint), left[prompt.id]) for prompt in golden.prompts]
    planned = follow_ups(golden, plan)
    following = _following(
        golden,
        [block for block in planned.loops if not remaining.has_followed(block, arm, 2)],
        [block for block in planned.unstreamed if not remaining.has_followed(block, arm, 1)],
        {work.prompt_id: work for work, _ in counted},
    )
    everything = [*counted, *((work, 1) for work in following)]
    asked = sum(work.prompt_tokens * count for work, count in everything)
    answered = sum(work.answer_tokens * count for work, count in everything)
    asked += warmup * max((work.prompt_tokens for work, _ in counted), default=0)
    answered += warmup * max((work.answer_tokens for work, _ in counted), default=0)
    requests = sum(count for _, count in counted) + warmup
    again = retry_settings(plan.settings).max_attempts - 1
    retried = [(work, count * again) for work, count in counted]
    return Estimate(
        requests=requests,
        follow_ups=len(following),
        prompt_tokens=asked,
        completion_tokens=answered,
        cost=_cost(endpoint, requests + len(following), asked, answered),
        currency=endpoint.prices.currency if endpoint.prices else None,
        unbounded=tuple(work.prompt_id for work, _ in counted if work.pinned_tokens is None),
        most_retries=sum(count for _, count in retried),
        retry_cost=_cost(
            endpoint,
            sum(count for _, count in retried),
            sum(work.prompt_tokens * count for work, count in retried),
            sum(work.answer_tokens * count for work, count in retried),
        ),
    )


def _following(
    golden: GoldenSet, loops: Sequence[Block], unstreamed: Sequence[Block], works: Mapping[str, _Work]
) -> list[_Work]:
    """Give what follows the levels; a second turn brings the first answer back, with a result for each call."""
    results = {
        prompt.id: len(msgspec.json.encode(prompt.tool_results)) // _CHARACTERS_PER_TOKEN + _MESSAGE_TOKENS
        for prompt in golden.prompts
    }
    first = [works[block.prompt_id] for block in loops]
    second = [
        replace(work, prompt_tokens=work.prompt_tokens + work.answer_tokens + results[work.prompt_id]) for work in first
    ]
    return second + [works[block.prompt_id] for block in unstreamed]


def _work(prompt: Prompt, endpoint: Endpoint) -> _Work:
    return _Work(
        prompt_id=prompt.id,
        prompt_tokens=prompt_tokens(prompt),
        pinned_tokens=max_answer_tokens(prompt, endpoint),
    )


def prompt_tokens(prompt: Prompt) -> int:
    """Guess the prompt's tokens from its characters; only estimates use it, never a result."""
    messages = prompt.request.get("messages") or []
    text = msgspec.json.encode([messages, prompt.request.get("tools") or []])
    return len(text) // _CHARACTERS_PER_TOKEN + _MESSAGE_TOKENS * len(messages)


def _cost(endpoint: Endpoint, requests: int, asked: int, answered: int) -> float | None:
    prices = endpoint.prices
    if prices is None:
        return None
    tokens = asked * prices.input_per_mtok + answered * prices.output_per_mtok
    return tokens / 1_000_000 + requests * prices.per_request

"""Budgets of a run: how much it may spend, and what one request may come to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from harness.measure.answerlength import UNPINNED_TOKENS, max_answer_tokens
from harness.measure.ledger import NANO, Spent
from harness.model.endpoint import Endpoint, Prices
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Arm, Attempt, FailureKind
from harness.model.settings import Settings

_TAIL_BYTES = 16_384  # usage stands in the last event that counts
_CHUNK_LINE = re.compile(rb"\r\n[0-9A-Fa-f]{1,8}\r\n")  # a chunk's border may cut a number
_PROMPT = re.compile(rb'"prompt_tokens"\s*:\s*(\d{1,12})')
_COMPLETION = re.compile(rb'"completion_tokens"\s*:\s*(\d{1,12})')
_SUCCESS_HUNDRED = 2


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """What this command may spend; None: no limit."""

    max_cost: float | None = None
    max_requests: int | None = None
    max_tokens: int | None = None
    max_time_s: float | None = None

    def excess(self, total: Spent) -> str | None:
        """Name the budget that so much would pass; None where all are kept."""
        if self.max_requests is not None and total.requests > self.max_requests:
            return f"--max-requests {self.max_requests} is spent"
        if self.max_tokens is not None and total.tokens > self.max_tokens:
            return f"the next request may pass --max-tokens {self.max_tokens:,}"
        if self.max_cost is not None and total.nanomoney > round(self.max_cost * NANO):
            return f"the next request may pass --max-cost {self.max_cost:g}"
        return None


NO_BUDGETS = Budgets()


def budgets_of(settings: Settings) -> Budgets:
    """Take them from the settings, over which the command line was laid."""
    return Budgets(
        max_cost=settings.max_cost,
        max_requests=settings.max_requests,
        max_tokens=settings.max_tokens,
        max_time_s=settings.max_time_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The most that a request may come to, and at what prices."""

    answers: Mapping[Arm, Mapping[str, int]] = field(default_factory=dict)  # most tokens of each prompt's answer
    prices: Mapping[Arm, Prices | None] = field(default_factory=dict)

    def of(self, arm: Arm, prompt_id: str, request_bytes: int) -> Spent:
        """Give what one request may come to: no token of its text is shorter than a byte of it."""
        return self._spent(arm, request_bytes, self.answers.get(arm, {}).get(prompt_id, 0))

    def used(self, attempt: Attempt, wire: bytes) -> Spent:
        """Give what an attempt used, from its usage; without one, the most that it may have come to."""
        arm = attempt.key.arm
        usage = read_usage(wire)
        if usage is not None:
            return self._spent(arm, *usage)
        if not _may_be_billed(attempt):
            return Spent(requests=1)
        return self.of(arm, attempt.key.prompt_id, attempt.request_bytes)

    def _spent(self, arm: Arm, asked: int, answered: int) -> Spent:
        prices = self.prices.get(arm)
        return Spent(requests=1, tokens=asked + answered, nanomoney=_nanomoney(prices, asked, answered))


def bounds_of(golden: GoldenSet, endpoints: Mapping[Arm, Endpoint]) -> Bounds:
    """Bound every answer of the set at every endpoint."""
    return Bounds(
        answers={
            arm: {prompt.id: _most_tokens(prompt, endpoint) for prompt in golden.prompts}
            for arm, endpoint in endpoints.items()
        },
        prices={arm: endpoint.prices for arm, endpoint in endpoints.items()},
    )


def _most_tokens(prompt: Prompt, endpoint: Endpoint) -> int:
    pinned = max_answer_tokens(prompt, endpoint)
    return UNPINNED_TOKENS if pinned is None else pinned


def read_usage(wire: bytes) -> tuple[int, int] | None:
    """Prompt and completion tokens as the end of a response counts them; None where it counts none.

    A byte search, since decoding has no place beside the clock: it steers a budget and enters no figure.
    """
    tail = _CHUNK_LINE.sub(b"", wire[-_TAIL_BYTES:])
    asked, answered = _PROMPT.findall(tail), _COMPLETION.findall(tail)
    return (int(asked[-1]), int(answered[-1])) if asked and answered else None


def _may_be_billed(attempt: Attempt) -> bool:
    """Whether a server may have worked: a request that was taken and not refused with an error status."""
    if attempt.sent_at_ns is None:
        return False
    if attempt.failure is not None and attempt.failure.kind is FailureKind.RESET_BEFORE_RESPONSE:
        return False
    return attempt.status is None or attempt.status // 100 == _SUCCESS_HUNDRED


def _nanomoney(prices: Prices | None, asked: int, answered: int) -> int:
    """Money of so many tokens: a price per million tokens, per token, in units of 10⁻⁹, is 1,000 times itself."""
    if prices is None:
        return 0
    return round(
        1_000 * (asked * prices.input_per_mtok + answered * prices.output_per_mtok) + prices.per_request * NANO
    )

"""When each side calls tools, beside the reference's agreement with itself.

Trigger agreement follows K2-Vendor-Verifier (github.com/MoonshotAI/K2-Vendor-Verifier, README, "Evaluation Metrics"):
F1 = 2 TP / (2 TP + FP + FN), a true positive being a request that both sides answer with a call. Two departures: an
answer calls when it holds calls, since many servers finish a call with "stop" (the F1 by finish_reason stands beside
it); and with repeats every pair of a reference's and a candidate's answer counts, so that TP = sum p q,
FP = sum (1 - p) q and FN = sum p (1 - q) over prompts, p and q being the shares of requests that the sides answer with
a call. The reference's F1 with itself, over pairs of different repeats, is the ceiling that an equal candidate reaches.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.parity import NO_CANDIDATE_ANSWER, ONE_ENDPOINT, ONE_REFERENCE_ANSWER, excess_disagreement
from harness.analysis.results.answers import Agreement
from harness.analysis.results.estimates import Value
from harness.analysis.values import known, missing
from harness.model.record import Record

TOGETHER = "tool_trigger_pairs"
NO_CALL = "no answer calls a tool"
ONE_REPEAT = "fewer than two repeats of a prompt"
_CALL_FINISH = frozenset({"tool_calls", "function_call"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calling:
    """How many of one prompt's requests were answered with a call; a failed one was not."""

    n: int
    k: int

    @property
    def share(self) -> float:
        return self.k / self.n

    @property
    def of_pairs(self) -> float | None:
        """Share of pairs of different requests that were both answered so: p squared without its bias."""
        return None if self.n == 1 else self.k * (self.k - 1) / (self.n * (self.n - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Together:
    """One prompt's pairs of answers: the share in which both call, and how often each one calls."""

    both: float
    calls: float  # sum of the two shares


def trigger_agreements(sides: Sequence[Sequence[Record]]) -> tuple[Agreement, ...]:
    """Compare requests that offer tools, the reference's first; one side is compared with itself alone."""
    return (
        _agreement("tool_trigger_f1", sides, has_call, _f1),
        _agreement("tool_trigger_f1_by_finish", sides, _finishes_with_call, _f1),
        _agreement(TOGETHER, sides, has_call, _share_of_pairs),
    )


def has_call(record: Record) -> bool:
    """Whether a request was answered with a call."""
    return record.failure is None and bool(record.answer.tool_calls)


def _finishes_with_call(record: Record) -> bool:
    return record.failure is None and record.answer.finish_reason in _CALL_FINISH


def _f1(found: Sequence[_Together]) -> Value:
    """2 TP / (2 TP + FP + FN): the denominator is the sum of both sides' shares."""
    calls = math.fsum(one.calls for one in found)
    return known(2 * math.fsum(one.both for one in found) / calls) if calls else missing(NO_CALL)


def _share_of_pairs(found: Sequence[_Together]) -> Value:
    return known(math.fsum(one.both for one in found) / len(found))


def _agreement(
    metric: str,
    sides: Sequence[Sequence[Record]],
    called: Callable[[Record], bool],
    measure: Callable[[Sequence[_Together]], Value],
) -> Agreement:
    ours, theirs = _calling(sides[0], called), _calling(sides[-1], called)
    prompts = [prompt_id for prompt_id, one in ours.items() if one.n > 1 and prompt_id in theirs]
    is_alone = len(sides) == 1
    if not prompts:
        reason = NO_CANDIDATE_ANSWER if ours and not theirs else ONE_REFERENCE_ANSWER
        own = other = across = missing(reason)
    else:
        own = _within([ours[prompt_id] for prompt_id in prompts], measure)
        other = missing(ONE_ENDPOINT) if is_alone else _within([theirs[one] for one in prompts], measure)
        across = missing(ONE_ENDPOINT) if is_alone else measure([_across(ours[one], theirs[one]) for one in prompts])
    return Agreement(
        metric=metric,
        reference_self=own,
        candidate_self=other,
        cross=across,
        excess=excess_disagreement(own, other, across),
        n_prompts=len(prompts),
    )


def _calling(records: Sequence[Record], called: Callable[[Record], bool]) -> Mapping[str, _Calling]:
    n = Counter(record.key.prompt_id for record in records)
    k = Counter(record.key.prompt_id for record in records if called(record))
    return {prompt_id: _Calling(n=count, k=k[prompt_id]) for prompt_id, count in n.items()}


def _within(found: Sequence[_Calling], measure: Callable[[Sequence[_Together]], Value]) -> Value:
    pairs = [_Together(both=one.of_pairs, calls=2 * one.share) for one in found if one.of_pairs is not None]
    return measure(pairs) if len(pairs) == len(found) else missing(ONE_REPEAT)


def _across(one: _Calling, other: _Calling) -> _Together:
    return _Together(both=one.share * other.share, calls=one.share + other.share)

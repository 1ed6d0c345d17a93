"""Each prompt of the set on both sides, worst first."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.agreement import answer_groups, cross_agreement, self_agreement
from harness.analysis.gatetable import is_unsettled
from harness.analysis.quantiles import quantile
from harness.analysis.results.estimates import Value
from harness.analysis.results.instrument import VOID_FIGURE
from harness.analysis.results.prompts import PromptRow, PromptSide
from harness.analysis.results.trial import Rung, Trial
from harness.analysis.trials import JudgedRecord
from harness.analysis.values import known, missing, quotient
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Arm

ONE_ENDPOINT = "one endpoint measured"
_NO_REQUEST = "no request"
_LOST_WEIGHT = 10.0  # a prompt that lost its success stands before any that only became slower


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effects:
    """What differs between the sides of one prompt."""

    cross_agreement: Value
    ttft_ratio: Value
    decode_ratio: Value
    success_difference: Value


def prompt_rows(
    judged: Sequence[JudgedRecord], golden: GoldenSet, arms: Sequence[Arm], *, is_void: bool = False
) -> tuple[PromptRow, ...]:
    """Give a row per prompt, worst first; only judged trials count, and void timings are not compared."""
    trials: dict[tuple[Arm, str], list[Trial]] = {}
    for item in judged:
        if item.trial.is_judged:
            trials.setdefault((item.trial.key.arm, item.trial.key.prompt_id), []).append(item.trial)
    rows = [
        _row(prompt, [prompt_side(prompt, trials.get((arm, prompt.id), [])) for arm in arms], is_void=is_void)
        for prompt in golden.prompts
    ]
    return tuple(sorted(rows, key=lambda row: (-row.score, row.prompt_id)))


def prompt_side(prompt: Prompt, trials: Sequence[Trial]) -> PromptSide:
    """Count and measure one prompt on one side."""
    groups = answer_groups(trials)
    is_settled = not any(map(is_unsettled, trials))
    return PromptSide(
        n=len(trials),
        n_failed=sum(trial.failure is not None for trial in trials),
        task_successes=_count([trial.task_success for trial in trials]) if prompt.checks and is_settled else None,
        tool_successes=_count([_reached_top(t) for t in trials]) if prompt.is_tool_prompt and is_settled else None,
        ttft_p50_s=_middle(trials, "ttft", counts_failures=prompt.measure.ttft),
        decode_p50=_middle(trials, "decode_rate", counts_failures=False),
        e2e_p50_s=_middle(trials, "e2e", counts_failures=True),
        completion_tokens_p50=_middle(trials, "completion_tokens", counts_failures=False),
        prompt_tokens=_middle(trials, "prompt_tokens", counts_failures=False),
        answers=groups,
        self_agreement=self_agreement(groups),
    )


def prompt_token_ratio(row: PromptRow) -> Value:
    """Candidate's prompt tokens over the reference's: how far the tokenizers differ on this prompt."""
    if row.candidate is None:
        return missing(ONE_ENDPOINT)
    return quotient(row.candidate.prompt_tokens, row.reference.prompt_tokens)


def _count(outcomes: Sequence[bool | None]) -> int:
    return sum(outcome is True for outcome in outcomes)


def _reached_top(trial: Trial) -> bool:
    return trial.tool is not None and trial.tool.rung is Rung.OK


def _middle(trials: Sequence[Trial], metric: str, *, counts_failures: bool) -> Value:
    """Median over a prompt's requests; failures are slower than anything where the metric is a latency."""
    found = [value for trial in trials if (value := trial.metrics[metric].value) is not None]
    n_failed = sum(trial.failure is not None for trial in trials) if counts_failures else 0
    middle = quantile([*found, *[math.inf] * n_failed], 0.5)
    if middle is None:
        reasons = Counter(trial.metrics[metric].reason or _NO_REQUEST for trial in trials)
        return missing(reasons.most_common(1)[0][0] if reasons else _NO_REQUEST)
    if math.isinf(middle):
        return missing(f"unattainable ({n_failed} of {len(found) + n_failed} failed)")
    return known(middle)


def _row(prompt: Prompt, sides: Sequence[PromptSide], *, is_void: bool) -> PromptRow:
    reference, candidate = sides[0], sides[1] if len(sides) > 1 else None
    effects = _alone() if candidate is None else _effects(reference, candidate, is_void=is_void)
    return PromptRow(
        prompt_id=prompt.id,
        category=prompt.category,
        tags=tuple(prompt.tags),
        intent=prompt.intent,
        reference=reference,
        candidate=candidate,
        cross_agreement=effects.cross_agreement,
        ttft_ratio=effects.ttft_ratio,
        decode_ratio=effects.decode_ratio,
        success_difference=effects.success_difference,
        score=_trouble(reference) if candidate is None else _score(reference, candidate, effects),
    )


def _alone() -> _Effects:
    nothing = missing(ONE_ENDPOINT)
    return _Effects(
        cross_agreement=nothing,
        ttft_ratio=nothing,
        decode_ratio=nothing,
        success_difference=nothing,
    )


def _effects(reference: PromptSide, candidate: PromptSide, *, is_void: bool) -> _Effects:
    one, two = _success_fraction(reference), _success_fraction(candidate)
    return _Effects(
        cross_agreement=cross_agreement(reference.answers, candidate.answers),
        ttft_ratio=missing(VOID_FIGURE) if is_void else quotient(candidate.ttft_p50_s, reference.ttft_p50_s),
        decode_ratio=missing(VOID_FIGURE) if is_void else quotient(candidate.decode_p50, reference.decode_p50),
        success_difference=missing("no checks, or no request") if one is None or two is None else known(two - one),
    )


def _success_fraction(side: PromptSide) -> float | None:
    """Task success where the prompt has checks (those on tools included)."""
    return None if side.task_successes is None or not side.n else side.task_successes / side.n


def _score(reference: PromptSide, candidate: PromptSide, effects: _Effects) -> float:
    """Add up what got worse: success lost, requests lost, slowness (in e-folds), disagreement beyond its own."""
    lost = max(0.0, -(effects.success_difference.value or 0.0))
    failed = max(0.0, _failed_fraction(candidate) - _failed_fraction(reference))
    slower = _growth(effects.ttft_ratio) + max(0.0, -_log(effects.decode_ratio))
    own, cross = reference.self_agreement.value, effects.cross_agreement.value
    excess = 0.0 if own is None or cross is None else max(0.0, own - cross)
    return _LOST_WEIGHT * (lost + failed) + slower + excess


def _trouble(side: PromptSide) -> float:
    """Add up what a single side shows: success not reached, requests lost, repeats that disagree."""
    success, agreement = _success_fraction(side), side.self_agreement.value
    unsettled = 0.0 if agreement is None else 1 - agreement
    return _LOST_WEIGHT * ((0.0 if success is None else 1 - success) + _failed_fraction(side)) + unsettled


def _failed_fraction(side: PromptSide) -> float:
    return side.n_failed / side.n if side.n else 0.0


def _growth(ratio: Value) -> float:
    return max(0.0, _log(ratio))


def _log(ratio: Value) -> float:
    return math.log(ratio.value) if ratio.value is not None and ratio.value > 0 else 0.0

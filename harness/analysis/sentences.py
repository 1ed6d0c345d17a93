"""The verdict as one plain sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.analysis.allocation import NEEDED_FOR_PASS
from harness.analysis.gatewords import allowed, interval_words, name_of, size_of, worst_case
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.judgement import ValidityCheck, Verdict
from harness.analysis.validity import INVALID, NO_PASS, why_timing_is_void
from harness.analysis.words import listed, percent, points, ratio

_SHOWN = 2


def verdict_sentence(
    verdict: Verdict,
    gates: Sequence[Gate],
    checks: Sequence[ValidityCheck],
    *,
    n_prompts: int,
    is_screen: bool = False,
) -> str:
    """Say the verdict and the numbers that carry it; of a screen, that it is no more than one."""
    if verdict is Verdict.INVALID:
        return _invalid(checks)
    if not is_screen:
        return _sentence(verdict, gates, checks, n_prompts, _YOURS)
    return f"{SCREEN} {_sentence(verdict, gates, checks, n_prompts, _SCREENS)}"


# It comes first: a terminal folds what is last. The margins are not the user's where they were narrower.
SCREEN = "Quick screen: only rates within wide margins and medians could decide; it certifies nothing."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Margins:
    """Whose margins they are, in words."""

    within: str
    allow: str


_YOURS = _Margins(within="your margins", allow="you allow")
_SCREENS = _Margins(within="the screen's margins", allow="the screen allows")


def _sentence(
    verdict: Verdict, gates: Sequence[Gate], checks: Sequence[ValidityCheck], n_prompts: int, whose: _Margins
) -> str:
    if verdict is Verdict.FAIL:
        return _fail([gate for gate in gates if gate.outcome is Outcome.FAIL and _counts(gate)])
    required = [gate for gate in gates if gate.is_required and gate.outcome is not Outcome.NOT_APPLICABLE]
    if verdict is Verdict.PASS:
        return _pass(required, gates, n_prompts, whose)
    still_open = [gate for gate in required if gate.outcome is not Outcome.PASS]
    if not still_open and (unfinished := _unfinished(checks)):
        return unfinished
    if is_too_small(gates) and not still_open:
        return _too_small(gates)
    return _inconclusive(still_open, why_timing_is_void(checks), whose)


def is_too_small(gates: Sequence[Gate]) -> bool:
    """Whether even request success was demoted: every prompt serves it, so such a run cannot say PASS."""
    return any(gate.id == NEEDED_FOR_PASS and gate.demoted_because for gate in gates)


def _too_small(gates: Sequence[Gate]) -> str:
    found = next(gate for gate in gates if gate.id == NEEDED_FOR_PASS)
    return f"Not settled: this run is too small to pass anything, {found.n_candidate} requests per side."


def _unfinished(checks: Sequence[ValidityCheck]) -> str:
    cut = [check.evidence for check in checks if check.consequence == NO_PASS and not check.is_met]
    return f"Not settled: the run did not go to the end of its plan ({'; '.join(cut)})." if cut else ""


def _counts(gate: Gate) -> bool:
    return gate.is_required or gate.demoted_because is not None


def _invalid(checks: Sequence[ValidityCheck]) -> str:
    broken = [check for check in checks if check.consequence == INVALID and not check.is_met]
    reasons = "; ".join(f"{_WRONG[check.id]} ({check.evidence})" for check in broken)
    return f"No verdict: {reasons}."


_WRONG = {
    "common_prompts": "the sides have no prompt in common",
    "reference_answers": "the reference does not answer this set",
    "reference_lost": "the reference lost too many requests",
    "placebo": "the reference failed against itself",
    "response_cache": "answers came from a response cache",
    "model_field": "the reported model changed during the run",
}


def _pass(required: Sequence[Gate], gates: Sequence[Gate], n_prompts: int, whose: _Margins) -> str:
    nearest = sorted(required, key=margin_used, reverse=True)[:_SHOWN]
    prompts = "this one prompt" if n_prompts == 1 else f"these {n_prompts:,} prompts"
    parts = (
        f"On {prompts} the candidate can replace the reference within {whose.within}.",
        f"Worst case still compatible with the data: {', '.join(worst_case(gate) for gate in nearest)}.",
        _unjudged(gates),
        worse_though_informative(gates),
        "This does not say that the candidate is identical to the reference.",
    )
    return " ".join(part for part in parts if part)


def _unjudged(gates: Sequence[Gate]) -> str:
    """Say what a PASS does not rest on: gates too small to judge, answers that nothing checks."""
    names = [name_of(gate.id) for gate in gates if gate.demoted_because and gate.outcome is not Outcome.PASS]
    small = f"Not judged, because the run is too small for it: {listed(names)}." if names else ""
    outcomes = {gate.id: gate.outcome for gate in gates}
    is_unchecked = outcomes.get("task_success") is Outcome.NOT_APPLICABLE
    unchecked = "No answer was checked: no prompt of the set has a check." if is_unchecked else ""
    return " ".join(part for part in (small, unchecked) if part)


def worse_though_informative(gates: Sequence[Gate]) -> str:
    """Name losses beyond their margins that do not decide; empty when there is none."""
    failed = [gate for gate in gates if gate.outcome is Outcome.FAIL and not _counts(gate)]
    if not failed:
        return ""
    return f"Beyond its margin, though not required: {listed([_change(gate) for gate in failed])}."


def margin_used(gate: Gate) -> float:
    """Share of the margin that the worst case takes; 1 at the margin."""
    if gate.bound is None:
        return math.inf
    if gate.kind is not GateKind.RATIO:
        loss = -gate.bound if gate.higher_is_better else gate.bound
        return loss / gate.margin if gate.margin else math.inf
    if gate.bound <= 0 or math.isinf(gate.bound) or gate.margin == 1:
        return math.inf
    used = math.log(gate.bound) / math.log(gate.margin)
    return abs(used) if gate.is_two_sided else used


# What explains the others comes first (a failed request also fails its task); wrong answers weigh more than late ones.
_CAUSES = ("request_success", "tool_success", "json_validity", "task_success", "refusal", "truncation")


def _fail(failed: Sequence[Gate]) -> str:
    first, *others = sorted(failed, key=lambda gate: _CAUSES.index(gate.id) if gate.id in _CAUSES else len(_CAUSES))
    because = f" {_capital(first.evidence[0])}." if first.evidence else ""
    also = f" Also failed: {listed([name_of(gate.id) for gate in others])}." if others else ""
    return f"Do not cut over: {_change(first)}.{because}{also}"


def _change(gate: Gate) -> str:
    effect = gate.effect.value or 0.0
    if gate.kind is GateKind.RATIO:
        limit = allowed(gate.kind, gate.margin, higher_is_better=gate.higher_is_better)
        return (
            f"{name_of(gate.id)} is {ratio(effect)} the reference's ({interval_words(gate)}; {limit}{_at_worst(gate)})"
        )
    if gate.kind is GateKind.SHARE:
        limit = allowed(gate.kind, gate.margin, higher_is_better=False)
        return f"{name_of(gate.id)}: {percent(effect)} ({interval_words(gate)}; {limit})"
    verb = "fell" if effect < 0 else "rose"
    size = points(effect, signed=False)
    return f"{name_of(gate.id)} {verb} {size} ({interval_words(gate)}; allowed {gate.margin * 100:g}{_at_worst(gate)})"


def _at_worst(gate: Gate) -> str:
    """Where a loss is detected and its estimate lies inside the margin, the worst case is why it fails."""
    if gate.bound is None or gate.effect.value is None or margin_used(replace(gate, bound=gate.effect.value)) >= 1:
        return ""
    worst = ratio(gate.bound) if gate.kind is GateKind.RATIO else points(gate.bound, signed=False)
    return f", but the loss is real and may be {worst}"


def _inconclusive(every: Sequence[Gate], void_timing: str | None, whose: _Margins) -> str:
    if not every:
        return "Not settled: no required gate could be judged, so nothing was shown to be the same."
    still_open = [gate for gate in every if void_timing is None or not gate.is_timing]
    unmeasured = [gate for gate in still_open if gate.bound is None or gate.effect.value is None]
    bounded = sorted((gate for gate in still_open if gate not in unmeasured), key=margin_used, reverse=True)
    parts = [_may(gate, whose.allow) for gate in bounded[:_SHOWN]]
    if len(bounded) > _SHOWN:
        parts.append(f"also open: {listed([name_of(gate.id) for gate in bounded[_SHOWN:]])}")
    if unmeasured:
        parts.append(f"not measurable: {listed([name_of(gate.id) for gate in unmeasured])}")
    if void_timing is not None and len(still_open) < len(every):
        parts.append(f"{void_timing[0].lower()}{void_timing[1:].rstrip('.')}")
    return f"Not settled: {'; '.join(parts)}."


def _may(gate: Gate, allow: str) -> str:
    bound = gate.bound or 0.0
    size = size_of(gate.kind, bound, gate.margin, signed=False)
    if gate.kind is GateKind.RATIO:
        return f"{name_of(gate.id)} may be {size} the reference's and {allow} {gate.margin:g}×"
    if gate.kind is GateKind.SHARE:
        return f"{name_of(gate.id)} may be {size} and {allow} {percent(gate.margin)}"
    verb = "fallen" if gate.higher_is_better else "risen"
    return f"{name_of(gate.id)} may have {verb} by up to {size} and {allow} {gate.margin * 100:g}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

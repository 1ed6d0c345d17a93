"""Judges the reference against itself, a third arm of the same endpoint: in both directions, as one family of tests.

A reference that is worse than its own placebo is as unsteady as one that is better. Each direction is judged as a
candidate's is, its detections adjusted together by Holm's rule, so that an equal pair of arms is convicted in at most
the look's share of runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.analysis.figures import Draws, Figures
from harness.analysis.gates import Scale, case_figures, judge_figures
from harness.analysis.gatetable import Form
from harness.analysis.pairs import Pair
from harness.analysis.results.case import Case
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.likeness import Disagreement
from harness.analysis.results.trial import Trial
from harness.analysis.selfnoise import effect_words, placebo_pairs
from harness.analysis.words import points, ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Placebo:
    """A third arm, judged."""

    gates: tuple[Gate, ...]  # as if it were the candidate
    faults: tuple[str, ...]  # what the reference fails against itself


def judge_placebo(
    case: Case,
    trials: Sequence[Trial],
    void_timing: str | None = None,
    draws: Draws | None = None,
    disagreement: Disagreement | None = None,
) -> Placebo | None:
    """Judge the third arm by the candidate's gates, and the reference as the candidate of the third arm."""
    if case.placebo is None:
        return None
    pairs = placebo_pairs(trials)
    there = case_figures(case, pairs, draws, disagreement)
    known = {found.row.id: found for found in there if _has_no_direction(found)}
    back = [
        found
        for found in case_figures(case, _swapped(pairs), draws, disagreement, known)
        if not _has_no_direction(found)
    ]
    gates = judge_figures(case, there, void_timing, beside=back)
    others = judge_figures(case, back, void_timing, beside=there)
    return Placebo(gates=gates, faults=placebo_faults(gates, others))


def _swapped(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    return tuple(replace(pair, reference=pair.candidate, candidate=pair.reference) for pair in pairs)


def _has_no_direction(found: Figures) -> bool:
    """Whether exchanging the sides asks the same again, or, of a service level, nothing of the difference."""
    return found.row.is_two_sided or found.row.form in {Form.DISAGREEMENT, Form.SHARE}


def placebo_faults(gates: Sequence[Gate], others: Sequence[Gate]) -> tuple[str, ...]:
    """Name the gates that FAIL in either direction, `others` with the sides exchanged; a ratio, if beyond its margin.

    A FAIL is a detection with a loss that excludes none, and a blind gate never FAILs.
    """
    failed = {gate.id for gate in (*gates, *others) if _is_fault(gate)}
    return tuple(f"{_told(gate)}, {_allowed(gate)}" for gate in gates if gate.id in failed)


def _is_fault(gate: Gate) -> bool:
    """A service level that the reference misses too is no difference between it and itself."""
    if gate.outcome is not Outcome.FAIL or gate.kind is GateKind.SHARE:
        return False
    decides = gate.is_required or gate.demoted_because is not None
    return decides and (gate.kind is not GateKind.RATIO or _is_beyond(gate))


def _is_beyond(gate: Gate) -> bool:
    """Whether the estimate itself is a loss of the margin or more."""
    scale = Scale(kind=gate.kind, higher_is_better=gate.higher_is_better, is_two_sided=gate.is_two_sided)
    effect = gate.effect.value
    return effect is not None and scale.gain(effect) <= scale.least_gain(gate.margin)


def _told(gate: Gate) -> str:
    return f"A vs A' {gate.title} {effect_words(gate.kind, gate.effect.value or 0.0)}"


def _allowed(gate: Gate) -> str:
    size = ratio(gate.margin) if gate.kind is GateKind.RATIO else points(gate.margin, signed=False)
    return f"allowed {size}"

"""Judges each gate: PASS, FAIL, INCONCLUSIVE, or not applicable.

With one-sided 95 % bounds L <= U of the effect, better counted positive, and a margin d:
    PASS            L > -d
    FAIL            U < 0 and L <= -d, and a loss is detected (Holm-adjusted p <= 5 %)
    INCONCLUSIVE    otherwise
A loss beyond the margin for sure, U < -d, is the second case too. It needs the detection as well, so that without any
difference at most 5 % of all comparisons FAIL, whatever the number of gates. Required gates and demoted ones are one
family; the others stand alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.allocation import find_demotions
from harness.analysis.gatefigures import Draws, Figures, gate_figures
from harness.analysis.gatetable import GATES
from harness.analysis.gatewords import gate_reason
from harness.analysis.losses import granularity
from harness.analysis.multiplicity import holm
from harness.analysis.pairs import Pair
from harness.analysis.results import Case, Gate, GateKind, Outcome
from harness.model.record import Demotion

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A gate's axis turned so that better is positive and no difference is 0."""

    kind: GateKind
    higher_is_better: bool

    def gain(self, effect: float) -> float:
        """Put an effect on the axis: a difference as it is, a ratio as its logarithm."""
        value = effect if self.kind is GateKind.DIFFERENCE else _log(effect)
        return value if self.higher_is_better else -value

    def least_gain(self, margin: float) -> float:
        """Put a margin on the axis: the gain that must be exceeded."""
        return -margin if self.kind is GateKind.DIFFERENCE else self.gain(margin)


def judge_gates(
    case: Case, pairs: Sequence[Pair], void_timing: str | None, draws: Draws | None = None
) -> tuple[Gate, ...]:
    """Judge every gate of the settings, in their order; `void_timing` says why timings are not to be trusted."""
    seed = case.plan.seed if case.plan else case.settings.plan.seed
    figures = [gate_figures(row, pairs, case.golden, seed, draws or Draws()) for row in GATES]
    demoted = {demotion.gate: demotion for demotion in demotions(case)}
    adjusted = _adjust(case, figures, void_timing)
    return tuple(_judge(case, found, demoted.get(found.row.id), adjusted, void_timing) for found in figures)


def demotions(case: Case) -> tuple[Demotion, ...]:
    """Give the plan's demotions; of its repeats under the margins in use when those were chosen later."""
    if case.plan is None:
        return ()
    if case.margins_are_from_plan:
        return case.plan.demotions
    return find_demotions(case.golden, case.settings.verdict, case.plan.repeats)


def _adjust(case: Case, figures: Sequence[Figures], void_timing: str | None) -> dict[str, float]:
    raw = {
        found.row.id: found.p_value
        for found in figures
        if found.p_value is not None and not _is_blind(found, void_timing)
    }
    required = {gate for gate in raw if _is_in_family(case, gate)}
    return raw | holm({gate: raw[gate] for gate in required})


def _is_in_family(case: Case, gate: str) -> bool:
    """Whether a loss here fails the verdict: required by the settings, demoted or not."""
    return bool(getattr(case.settings.verdict, gate).required)


def _is_blind(found: Figures, void_timing: str | None) -> bool:
    return found.is_blind or (void_timing is not None and found.row.kind is GateKind.RATIO)


def _judge(
    case: Case,
    found: Figures,
    demotion: Demotion | None,
    adjusted: dict[str, float],
    void_timing: str | None,
) -> Gate:
    row = found.row
    settings = row.settings(case.settings.verdict)
    is_void = void_timing is not None and row.kind is GateKind.RATIO
    p_value = adjusted.get(row.id)
    scale = Scale(kind=row.kind, higher_is_better=row.higher_is_better)
    outcome = (
        Outcome.INCONCLUSIVE if is_void and found.is_applicable else decide(found, scale, settings.margin, p_value)
    )
    grain = granularity(found.n, settings.margin) if row.kind is GateKind.DIFFERENCE else None
    return Gate(
        id=row.id,
        title=row.title,
        metric=row.metric,
        kind=row.kind,
        margin=settings.margin,
        higher_is_better=row.higher_is_better,
        is_required=settings.required and demotion is None,
        demoted_because=_demoted_because(demotion),
        outcome=outcome,
        reason=void_timing if is_void and void_timing else gate_reason(found, settings.margin, outcome, p_value),
        effect=found.effect,
        interval=found.interval,
        bound=_bad_end(found),
        traffic_bound=found.traffic_bound,
        p_value=p_value,
        reference=found.reference,
        candidate=found.candidate,
        n_reference=found.n,
        n_candidate=found.n,
        successes_reference=found.successes[0] if found.successes else None,
        successes_candidate=found.successes[1] if found.successes else None,
        is_measurably_worse=outcome is Outcome.PASS and is_worse(found, scale),
        evidence=(*found.evidence, grain) if grain else found.evidence,
    )


def decide(found: Figures, scale: Scale, margin: float, p_value: float | None) -> Outcome:
    """Apply the rule to one gate's figures."""
    if not found.is_applicable:
        return Outcome.NOT_APPLICABLE
    if found.is_blind or found.bounds is None:
        return Outcome.INCONCLUSIVE
    worst, best = sorted(scale.gain(end) for end in found.bounds)
    least = scale.least_gain(margin)
    if worst > least:
        return Outcome.INCONCLUSIVE if found.cannot_pass else Outcome.PASS
    # Few prompts give bounds that may be too narrow: then all of the loss must lie beyond the margin.
    is_loss = best < min(least, 0.0) if found.cannot_pass else best < 0
    is_detected = p_value is not None and p_value <= ALPHA
    return Outcome.FAIL if is_loss and is_detected else Outcome.INCONCLUSIVE


def is_worse(found: Figures, scale: Scale) -> bool:
    """Whether even the better bound is a loss."""
    return found.bounds is not None and max(scale.gain(end) for end in found.bounds) < 0


def _bad_end(found: Figures) -> float | None:
    if found.bounds is None:
        return None
    return found.bounds[0] if found.row.higher_is_better else found.bounds[1]


def _demoted_because(demotion: Demotion | None) -> str | None:
    return None if demotion is None else f"{demotion.reason}; a proven loss still fails"


def _log(effect: float) -> float:
    return -math.inf if effect == 0 else math.log(effect)

"""Judges each gate: PASS, FAIL, INCONCLUSIVE, or not applicable.

With one-sided bounds L <= U of the effect at the level of the look, better counted positive, and a margin d:
    PASS            L > -d
    FAIL            U < 0 and L <= -d, and a loss is detected (Holm-adjusted p <= the look's share, 5 % of a single one)
    INCONCLUSIVE    otherwise
A loss beyond the margin for sure, U < -d, is the second case too. It needs the detection as well, so that without any
difference at most that share of all comparisons FAIL, whatever the number of gates. Required gates and demoted ones are
one family; the others stand alone. A service level has no "no difference": it FAILs only beyond its margin for sure. A
gate on both directions counts any change as a loss.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from harness.analysis.allocation import demotions_at, find_demotions
from harness.analysis.cost import currency_of
from harness.analysis.figures import Draws, Figures, Terms
from harness.analysis.gatefigures import gate_figures
from harness.analysis.gatetable import Form, GateRow, gate_rows
from harness.analysis.gatewords import gate_reason
from harness.analysis.looks import ALPHA, plan_alpha
from harness.analysis.losses import granularity
from harness.analysis.multiplicity import holm
from harness.analysis.pairs import Pair
from harness.analysis.recordedsides import is_set_aside
from harness.analysis.results.case import Case
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.likeness import Disagreement
from harness.model.record import Demotion


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A gate's axis turned so that better is positive and no difference is 0."""

    kind: GateKind
    higher_is_better: bool
    is_two_sided: bool = False

    @classmethod
    def of(cls, row: GateRow) -> "Scale":
        """Give a gate's axis."""
        return cls(kind=row.kind, higher_is_better=row.higher_is_better, is_two_sided=row.is_two_sided)

    def gain(self, effect: float) -> float:
        """Put an effect on the axis: a difference as it is, a ratio as its logarithm."""
        value = _log(effect) if self.kind is GateKind.RATIO else effect
        if self.is_two_sided:
            return -abs(value)
        return value if self.higher_is_better else -value

    def least_gain(self, margin: float) -> float:
        """Put a margin on the axis: the gain that must be exceeded."""
        return self.gain(margin) if self.kind is GateKind.RATIO else -margin

    def ends(self, bounds: tuple[float, float]) -> tuple[float, float]:
        """Give the worst and the best gain between two bounds; in both directions, none at all is the best."""
        worst, best = sorted(self.gain(end) for end in bounds)
        is_around_none = self.is_two_sided and bounds[0] <= 1 <= bounds[1]
        return worst, 0.0 if is_around_none else best


def judge_gates(
    case: Case,
    pairs: Sequence[Pair],
    void_timing: str | None,
    draws: Draws | None = None,
    disagreement: Disagreement | None = None,
) -> tuple[Gate, ...]:
    """Judge every gate of the settings, in their order; `void_timing` says why timings are not to be trusted.

    `disagreement` is what was found of the sides' answers; None: they were not compared.
    """
    return judge_figures(case, case_figures(case, pairs, draws, disagreement), void_timing)


def case_figures(
    case: Case,
    pairs: Sequence[Pair],
    draws: Draws | None = None,
    disagreement: Disagreement | None = None,
    known: Mapping[str, Figures] = MappingProxyType({}),
) -> list[Figures]:
    """Compute the figures of every gate of the settings but of those that are known."""
    seed = case.plan.seed if case.plan else case.settings.plan.seed
    gates, alpha = case.settings.verdict, plan_alpha(case.plan, case.look)
    rows = gate_rows(gates)
    often = draws or _draws_for(alpha, len(rows))
    return [
        known.get(row.id) or gate_figures(row, pairs, case.golden, seed, often, _terms(row, case, alpha, disagreement))
        for row in rows
    ]


def judge_figures(
    case: Case, figures: Sequence[Figures], void_timing: str | None, *, beside: Sequence[Figures] = ()
) -> tuple[Gate, ...]:
    """Judge the gates by their figures; those `beside` belong to the same family of tests."""
    aside = {row.id for row in gate_rows(case.settings.verdict) if is_set_aside(case, row)}
    demoted = {demotion.gate: demotion for demotion in demotions(case) if demotion.gate not in aside}
    adjusted = _adjust(case, figures, void_timing, beside)
    return tuple(_judge(case, found, demoted.get(found.row.id), adjusted, void_timing) for found in figures)


def _terms(row: GateRow, case: Case, alpha: float, disagreement: Disagreement | None) -> Terms:
    settings = row.settings(case.settings.verdict)
    return Terms(
        alpha=alpha,
        margin=settings.margin,
        is_required=settings.required,
        disagreement=disagreement,
        currency=currency_of(case),
    )


def _draws_for(alpha: float, n_gates: int) -> Draws:
    """Permute so often that a p small enough after Holm's correction can come out; early looks have small shares."""
    usual = Draws()
    return Draws(bootstrap=usual.bootstrap, permutation=max(usual.permutation, math.ceil(2 * n_gates / alpha)))


def demotions(case: Case) -> tuple[Demotion, ...]:
    """Give the plan's demotions; afresh of the repeats that there are where margins came later, or further repeats."""
    plan = case.plan
    if plan is None:
        return ()
    if case.look > 1 and not plan.looks.repeats[1:]:
        return demotions_at(case.golden, case.settings.verdict, plan.repeats, plan_alpha(plan, case.look))
    if case.margins_are_from_plan:
        return plan.demotions
    return find_demotions(case.golden, case.settings.verdict, plan.repeats, plan.looks)


def _adjust(
    case: Case, figures: Sequence[Figures], void_timing: str | None, beside: Sequence[Figures]
) -> dict[str, float]:
    raw = _p_values(figures, void_timing)
    # A loss in these fails the verdict: required by the settings, demoted or not.
    rows = [row for row in gate_rows(case.settings.verdict) if not is_set_aside(case, row)]
    required = {row.id for row in rows if row.settings(case.settings.verdict).required}
    family = {gate: raw[gate] for gate in required & raw.keys()}
    others = {f"beside {gate}": p for gate, p in _p_values(beside, void_timing).items() if gate in required}
    adjusted = holm(family | others)
    return raw | {gate: adjusted[gate] for gate in family}


def _p_values(figures: Sequence[Figures], void_timing: str | None) -> dict[str, float]:
    return {
        found.row.id: found.p_value
        for found in figures
        if found.p_value is not None and not _is_blind(found, void_timing)
    }


def _is_blind(found: Figures, void_timing: str | None) -> bool:
    return found.is_blind or (void_timing is not None and found.row.is_timing)


def _judge(
    case: Case,
    found: Figures,
    demotion: Demotion | None,
    adjusted: dict[str, float],
    void_timing: str | None,
) -> Gate:
    row = found.row
    settings = row.settings(case.settings.verdict)
    is_void = void_timing is not None and row.is_timing
    alpha = plan_alpha(case.plan, case.look)
    p_value = adjusted.get(row.id)
    scale = Scale.of(row)
    outcome = decide(found, scale, settings.margin, p_value, alpha)
    is_void = is_void and found.is_applicable
    if is_void:
        outcome = Outcome.INCONCLUSIVE
    return Gate(
        id=row.id,
        title=row.title,
        metric=row.metric,
        kind=row.kind,
        margin=settings.margin,
        higher_is_better=row.higher_is_better,
        is_required=settings.required and demotion is None and not is_set_aside(case, row),
        demoted_because=_demoted_because(demotion),
        outcome=outcome,
        reason=void_timing
        if is_void and void_timing
        else gate_reason(found, settings.margin, outcome, p_value, 1 - alpha),
        effect=found.effect,
        interval=found.interval,
        bound=_bad_end(found, scale),
        traffic_bound=found.traffic_bound,
        p_value=p_value,
        reference=found.reference,
        candidate=found.candidate,
        n_reference=found.n,
        n_candidate=found.n,
        successes_reference=found.successes[0] if found.successes else None,
        successes_candidate=found.successes[1] if found.successes else None,
        is_measurably_worse=outcome is Outcome.PASS and is_worse(found, scale),
        is_beyond_margin=outcome is Outcome.FAIL and is_beyond(found, scale, settings.margin),
        evidence=_evidence(found, settings.margin, outcome),
        level=round(1 - alpha, 12),
        is_timing=row.is_timing,
        is_void=is_void,
        is_two_sided=row.is_two_sided,
        currency=currency_of(case) if row.other is Form.COST else "",
    )


def _evidence(found: Figures, margin: float, outcome: Outcome) -> tuple[str, ...]:
    """Add to a gate's evidence what its numbers cannot resolve, and of a slower one the prompts."""
    is_counted = found.row.kind in {GateKind.DIFFERENCE, GateKind.SHARE}
    grain = granularity(found.n, margin) if is_counted else None
    slowest = found.slowest if outcome is Outcome.FAIL else ()
    return (*found.evidence, *slowest, *([grain] if grain else []))


def decide(found: Figures, scale: Scale, margin: float, p_value: float | None, alpha: float = ALPHA) -> Outcome:
    """Apply the rule to one gate's figures."""
    if not found.is_applicable:
        return Outcome.NOT_APPLICABLE
    if found.is_blind or found.bounds is None:
        return Outcome.INCONCLUSIVE
    worst, best = scale.ends(found.bounds)
    least = scale.least_gain(margin)
    if worst > least:
        return Outcome.INCONCLUSIVE if found.cannot_pass else Outcome.PASS
    # Few prompts give bounds that may be too narrow, and a share knows no "no difference": then all of the loss must
    # lie beyond the margin.
    must_be_beyond = found.cannot_pass is not None or scale.kind is GateKind.SHARE
    is_loss = best < min(least, 0.0) if must_be_beyond else best < 0
    is_detected = p_value is not None and p_value <= alpha
    return Outcome.FAIL if is_loss and is_detected else Outcome.INCONCLUSIVE


def is_worse(found: Figures, scale: Scale) -> bool:
    """Whether even the better bound is a loss."""
    if found.bounds is None or scale.kind is GateKind.SHARE:
        return False
    return scale.ends(found.bounds)[1] < 0


def is_beyond(found: Figures, scale: Scale, margin: float) -> bool:
    """Whether even the better bound is a loss of more than the margin."""
    return found.bounds is not None and scale.ends(found.bounds)[1] < min(scale.least_gain(margin), 0.0)


def _bad_end(found: Figures, scale: Scale) -> float | None:
    if found.bounds is None:
        return None
    if scale.is_two_sided:
        return min(found.bounds, key=scale.gain)
    return found.bounds[0] if found.row.higher_is_better else found.bounds[1]


def _demoted_because(demotion: Demotion | None) -> str | None:
    return None if demotion is None else f"{demotion.reason}; a proven loss still fails"


def _log(effect: float) -> float:
    return -math.inf if effect == 0 else math.log(effect)

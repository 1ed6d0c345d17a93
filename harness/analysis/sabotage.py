"""Asks what a run of this size would have caught: the reference against itself, undamaged and with known damage."""

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.analysis.casecertificate import case_certificate
from harness.analysis.certificatelimits import VOID
from harness.analysis.gatefigures import Draws, Figures
from harness.analysis.gates import case_figures, judge_figures
from harness.analysis.gatetable import Form, GateRow, gate_rows
from harness.analysis.intervals import wilson
from harness.analysis.looks import most_generous_look, plan_alpha
from harness.analysis.pairs import Pair, metric_pairs, rate_pairs
from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Interval
from harness.analysis.results.gate import Gate, Outcome
from harness.analysis.results.judgement import ValidityCheck, Verdict
from harness.analysis.results.likeness import Disagreement
from harness.analysis.results.trial import Trial
from harness.analysis.sabotagedamages import Damage, damages
from harness.analysis.sabotageidentity import Alikeness, alikeness, drawn_disagreement
from harness.analysis.trials import first_attempts, is_judged, judge_side
from harness.analysis.validity import INVALID, Evidence, check_validity, why_timing_is_void
from harness.analysis.verdict import decide_verdict
from harness.analysis.words import percent
from harness.model.record import Arm, FailureKind, Looks, Record, RequestKey

NONE = "none"
CAUGHT_FROM = 0.8  # of the draws: a damage that FAILs less often is not one that the run can be relied on to find
_BOOTSTRAP, _LEAST_PERMUTATIONS = 400, 499


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePower:
    """How often one gate FAILed, and how often it did not PASS."""

    gate: str
    title: str
    is_required: bool
    n_fail: int
    n_pass: int
    is_void: bool = False  # the run's timings are VOID: it could not be judged


@dataclass(frozen=True, slots=True, kw_only=True)
class DamageResult:
    """What became of one damage over all draws."""

    id: str
    title: str
    n_struck: int | None  # requests of the reference that it can strike; None: there is nothing to do to any
    n_requests: int
    draws: int
    verdicts: Mapping[str, int]
    gates: tuple[GatePower, ...]
    n_shifted: int | None = None  # draws in which the answers differ, worse or not; None: not measurable

    @property
    def n_fail(self) -> int:
        """Draws in which the verdict was FAIL."""
        return self.verdicts.get(Verdict.FAIL.value, 0)

    @property
    def n_pass(self) -> int:
        """Draws in which the damage would have passed."""
        return self.verdicts.get(Verdict.PASS.value, 0)

    @property
    def power(self) -> Interval:
        """Wilson's interval of the share of FAIL."""
        return wilson(self.n_fail, self.draws)

    @property
    def is_caught(self) -> bool:
        """Whether the run finds it at least four times in five."""
        return self.is_judged and self.n_fail >= CAUGHT_FROM * self.draws

    @property
    def is_judged(self) -> bool:
        """Whether the reference gave any answer that it can strike."""
        return self.n_struck != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What a damage makes of every answer that it can strike."""

    damage: Damage
    trials: Mapping[RequestKey, Trial]  # of the damaged records, judged anew
    answers: tuple[Alikeness, ...]
    touched: frozenset[str]  # gates that may see it
    changes_answers: bool

    @property
    def is_possible(self) -> bool:
        """Whether there is anything to judge: the undamaged always is."""
        return bool(self.trials) or self.damage is _UNDAMAGED

    def strikes(self, trial: Trial, luck: float) -> bool:
        """Whether a drawn request of this luck is damaged."""
        return luck < self.damage.fraction and trial.key in self.trials


_UNDAMAGED = Damage(id=NONE, title="none", fraction=0.0, apply=lambda _, __, ___: None)


def judged_look(case: Case) -> int:
    """Give the planned look at whose level draws are judged: that with the largest share of the error rate."""
    return most_generous_look(case.plan)


def enough_draws(case: Case) -> Draws:
    """Permute so often that Holm's smallest p can reach the look's level, whatever its share."""
    gates = case.settings.verdict
    n_required = sum(row.settings(gates).required for row in gate_rows(gates))
    needed = math.ceil(2 * n_required / plan_alpha(case.plan, judged_look(case)))
    return Draws(bootstrap=_BOOTSTRAP, permutation=max(_LEAST_PERMUTATIONS, needed))


def sabotage(case: Case, *, draws: int, seed: int, judged_by: Draws | None = None) -> tuple[DamageResult, ...]:
    """Judge the reference against itself, each damage on the same draws; the undamaged comes first."""
    side = case.reference
    void_timing = why_void(case)
    trials = [item.trial for item in judge_side(side, case.golden) if _is_counted(item.trial)]
    ladder = damages([record for record in first_attempts(side.records) if is_judged(record)])
    variants = [_variant(damage, case, trials, seed) for damage in (_UNDAMAGED, *ladder)]
    bare = replace(
        case,
        reference=_bare(side, Arm.REFERENCE),
        candidate=_bare(side, Arm.CANDIDATE),
        placebo=None,
        look=judged_look(case),
    )
    judged_by = judged_by or enough_draws(case)
    tallies = [_Tally(variant) for variant in variants]
    for number in range(draws):
        draw = _Draw.drawn(trials, np.random.default_rng([seed, number]))
        _judge_draw(
            draw, tallies, _Question(case=bare, void_timing=void_timing, judged_by=judged_by, seed=seed + number)
        )
    return tuple(tally.result(len(trials), draws) for tally in tallies)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What every draw is judged by."""

    case: Case
    void_timing: str | None
    judged_by: Draws
    seed: int


def _judge_draw(draw: "_Draw", tallies: Sequence["_Tally"], asked: _Question) -> None:
    """Judge one draw under every damage; figures that a damage does not touch are the undamaged ones."""
    case, alpha = asked.case, plan_alpha(asked.case.plan, asked.case.look)
    plain: dict[str, Figures] = {}
    plain_shift: Disagreement | None = None
    for tally in tallies:
        variant = tally.variant
        if not variant.is_possible:
            continue
        if plain_shift is None or variant.changes_answers:
            shift = draw.disagreement(variant, asked.seed, alpha, asked.judged_by.permutation)
            plain_shift = plain_shift or shift
        else:
            shift = plain_shift
        kept = {gate: figures for gate, figures in plain.items() if gate not in variant.touched}
        figures = case_figures(case, draw.pairs(variant), asked.judged_by, shift, kept)
        plain = plain or {found.row.id: found for found in figures}
        tally.add(judge_figures(case, figures, asked.void_timing), shift, alpha)


def why_void(case: Case) -> str | None:
    """Give the reason why no draw can be judged by its times: the run's own certificate holds for its records."""
    return why_timing_is_void(_checks(case))


def reference_notes(case: Case) -> tuple[str, ...]:
    """Say what of the run itself already speaks against its verdicts."""
    about_candidate = {"common_prompts"}
    broken = [check for check in _checks(case) if not check.is_met and check.consequence in {INVALID, VOID}]
    return tuple(
        f"The run itself is {check.consequence}: {check.title} is not met ({check.evidence})."
        for check in broken
        if check.id not in about_candidate
    )


def look_note(case: Case) -> str:
    """Say at which look's level the draws are judged, and why not at another's."""
    look, n_looks = judged_look(case), len((case.plan.looks if case.plan else Looks()).alphas)
    level = percent(plan_alpha(case.plan, look))
    if n_looks == 1:
        return f"Each draw is judged once, at {level}."
    which = f"look {look} of {n_looks}"
    return f"Each draw is judged once, at the {level} of {which}: no look that was planned has more. Others catch less."


def _checks(case: Case) -> tuple[ValidityCheck, ...]:
    """Ask of the reference alone what is asked of every run; the timings are those of the whole run."""
    alone = replace(case, candidate=None, placebo=None)
    trials = [item.trial for item in judge_side(case.reference, case.golden)]
    return check_validity(Evidence(case=alone, trials=trials, pairs=(), certificate=case_certificate(case)))


def _is_counted(trial: Trial) -> bool:
    return trial.is_judged and trial.failure != FailureKind.CANCELLED.value


def _bare(side: Side, arm: Arm) -> Side:
    """Give the side without its records: a request drawn twice is no response cache."""
    return replace(side, arm=arm, records=(), sdk_views={}, sdk_helper_views={}, twin=None)


def _variant(damage: Damage, case: Case, trials: Sequence[Trial], seed: int) -> Variant:
    """Damage each record once and judge the damaged ones as any answer is judged."""
    side, golden = case.reference, case.golden
    prompts = {prompt.id: prompt for prompt in golden.prompts}
    judged = [record for record in first_attempts(side.records) if is_judged(record)]
    struck: dict[RequestKey, Record] = {}
    for record in judged:
        draws = random.Random(f"{seed} {damage.id} {record.key.id}")  # noqa: S311  # a reproducible choice, no secret
        worse = damage.apply(prompts[record.key.prompt_id], record, draws)
        if worse is not None:
            struck[record.key] = worse
    places = {id(record) for record in judged}
    records = tuple(struck.get(record.key, record) if id(record) in places else record for record in side.records)
    found = judge_side(replace(side, records=records), golden) if struck else ()
    worse_trials = {item.record.key: item.trial for item in found if item.record.key in struck}
    return Variant(
        damage=damage,
        trials=worse_trials,
        answers=alikeness(side, golden, judged, struck),
        changes_answers=any(struck[record.key].answer != record.answer for record in judged if record.key in struck),
        touched=_touched(case, [(trial, worse_trials[trial.key]) for trial in trials if trial.key in worse_trials]),
    )


def _touched(case: Case, struck: Sequence[tuple[Trial, Trial]]) -> frozenset[str]:
    """Name the gates for which any damaged request counts otherwise than before."""
    before = [Pair(prompt_id=old.key.prompt_id, reference=old, candidate=old) for old, _ in struck]
    after = [Pair(prompt_id=old.key.prompt_id, reference=old, candidate=new) for old, new in struck]
    rows = gate_rows(case.settings.verdict)
    return frozenset(row.id for row in rows if _reads(row, before, case) != _reads(row, after, case))


def _reads(row: GateRow, pairs: Sequence[Pair], case: Case) -> object:
    """Give what a gate reads of pairs; itself, which equals nothing, where it reads more than outcomes and times."""
    if row.form is Form.RATES:
        rates = rate_pairs(row, pairs, case.golden)
        return rates.candidate, len(rates.pairs)
    if row.form is Form.QUANTILES:
        found = metric_pairs(row, pairs, case.golden)
        return found.values.candidate.tolist(), found.failed, found.undefined
    return object()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """One draw of both sides, prompt by prompt, and how lucky each request of the candidate is."""

    reference: tuple[Trial, ...]
    candidate: tuple[Trial, ...]
    luck: tuple[float, ...]

    @classmethod
    def drawn(cls, trials: Sequence[Trial], rng: np.random.Generator) -> "_Draw":
        """Draw the repeats of each prompt with replacement, for both sides apart: then their labels mean nothing."""
        members: dict[str, list[Trial]] = {}
        for trial in trials:
            members.setdefault(trial.key.prompt_id, []).append(trial)
        ordered = [members[prompt_id] for prompt_id in sorted(members)]
        one, two = (
            tuple(own[place] for own in ordered for place in rng.integers(len(own), size=len(own))) for _ in range(2)
        )
        return cls(reference=one, candidate=two, luck=tuple(rng.random(len(trials)).tolist()))

    def pairs(self, variant: Variant) -> tuple[Pair, ...]:
        """Pair the drawn trials, the candidate's damaged where they are struck."""
        rows = zip(self.reference, self.candidate, self.luck, strict=True)
        return tuple(
            Pair(
                prompt_id=two.key.prompt_id,
                reference=one,
                candidate=variant.trials[two.key] if variant.strikes(two, luck) else two,
            )
            for one, two, luck in rows
        )

    def disagreement(self, variant: Variant, seed: int, alpha: float, permutations: int) -> Disagreement:
        """Say how far the drawn answers differ beyond the reference's own repeats."""
        ours: dict[str, list[RequestKey]] = {}
        theirs: dict[str, list[tuple[RequestKey, bool]]] = {}
        for one, two, luck in zip(self.reference, self.candidate, self.luck, strict=True):
            ours.setdefault(one.key.prompt_id, []).append(one.key)
            theirs.setdefault(two.key.prompt_id, []).append((two.key, variant.strikes(two, luck)))
        rng = np.random.default_rng(seed)
        return drawn_disagreement(variant.answers, ours, theirs, rng, alpha, permutations)


class _Tally:
    """Counts of one damage as the draws go by."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self._verdicts: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._passed: Counter[str] = Counter()
        self._shifts: list[bool] = []
        self._gates: dict[str, Gate] = {}

    def add(self, gates: Sequence[Gate], shift: Disagreement, alpha: float) -> None:
        """Count one judgement, and whether the answers shifted, where that could be measured."""
        self._verdicts[decide_verdict(gates, ()).value] += 1
        for gate in gates:
            self._gates[gate.id] = gate
            self._failed[gate.id] += gate.outcome is Outcome.FAIL
            self._passed[gate.id] += gate.outcome is Outcome.PASS
        if shift.p_value is not None:
            self._shifts.append(shift.p_value <= alpha)

    def result(self, n_requests: int, draws: int) -> DamageResult:
        """Give what was counted; gates that are not applicable are left out."""
        damage = self.variant.damage
        return DamageResult(
            id=damage.id,
            title=damage.title,
            n_struck=None if damage is _UNDAMAGED else len(self.variant.trials),
            n_requests=n_requests,
            draws=draws,
            verdicts=dict(self._verdicts),
            n_shifted=sum(self._shifts) if len(self._shifts) == draws else None,
            gates=tuple(
                GatePower(
                    gate=gate.id,
                    title=gate.title,
                    is_required=gate.is_required or gate.demoted_because is not None,
                    n_fail=self._failed[gate.id],
                    n_pass=self._passed[gate.id],
                    is_void=gate.is_void,
                )
                for gate in self._gates.values()
                if gate.outcome is not Outcome.NOT_APPLICABLE
            ),
        )

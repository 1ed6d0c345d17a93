"""What a plan can and cannot show, gate by gate, before its first request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.allocation import LEAST_PROMPTS, needed_n
from harness.analysis.gatetable import Form, GateRow, gate_rows
from harness.analysis.power import (
    RATES,
    Rule,
    chance_to_pass,
    smallest_loss_found,
    traffic_margin,
)
from harness.analysis.powerratios import RatioPower, assumed_error, ratio_power, recorded_error
from harness.analysis.results.gate import GateKind
from harness.analysis.results.trial import Trial
from harness.analysis.samplesizes import n_for_power
from harness.analysis.words import count_of, points
from harness.model.golden import GoldenSet
from harness.model.record import Plan
from harness.model.settings import Settings

_COUNTED = frozenset({Form.RATES, Form.QUANTILES, Form.SHARE})
_UNKNOWN = {
    Form.SHARE: "depends on the candidate's own share alone",
    Form.LENGTH: "depends on the answers",
    Form.COST: "depends on the answers",
    Form.DISAGREEMENT: "depends on how far the reference agrees with itself",
}
_TOO_FEW = f"fewer than {LEAST_PROMPTS} prompts"
TYPICAL_RATE = 0.97
_P99_REQUESTS, _P99_PROMPTS = 300, 50
_LEAST_REPEATS_FOR_IDENTITY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOutlook:
    """What a rate gate can show at one assumed rate of the reference."""

    rate: float
    is_measured: bool
    chance_to_pass: float  # if the candidate is truly equal
    smallest_loss: float | None  # that FAILs with 80 % chance


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOutlook:
    """What one gate of a plan can show."""

    gate: str
    title: str
    kind: GateKind
    margin: float
    is_required: bool  # as the settings say
    demoted_because: str | None
    n: int  # per side
    needed: int | None  # fewest with which it can PASS
    needed_for_power: int | None  # per side, for equal sides at 97 % to PASS with 80 % chance
    n_prompts: int
    rates: tuple[RateOutlook, ...] = ()
    ratio: RatioPower | None = None
    missing: str | None = None  # why nothing is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a run on record says of the reference: its judged trials and the set that they answer."""

    golden: GoldenSet
    trials: Sequence[Trial]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A plan with what is known beforehand."""

    golden: GoldenSet
    settings: Settings
    plan: Plan
    recorded: Recorded | None
    n_gates: int

    @property
    def alpha(self) -> float:
        return self.plan.looks.alphas[0]


def outlooks(
    golden: GoldenSet, settings: Settings, plan: Plan, recorded: Recorded | None = None
) -> tuple[GateOutlook, ...]:
    """Say gate by gate what the first look at this plan's data can show."""
    rows = gate_rows(settings.verdict)
    served = [row for row in rows if any(map(row.counts, golden.prompts))]
    required = sum(row.settings(settings.verdict).required for row in served)
    question = _Question(golden=golden, settings=settings, plan=plan, recorded=recorded, n_gates=max(required, 1))
    return tuple(_outlook(row, question) for row in rows)


def _outlook(row: GateRow, asked: _Question) -> GateOutlook:
    settings = row.settings(asked.settings.verdict)
    prompts = [prompt for prompt in asked.golden.prompts if row.counts(prompt)]
    n = sum(asked.plan.repeats[prompt.id] for prompt in prompts)
    demotions = {demotion.gate: demotion.reason for demotion in asked.plan.demotions}
    is_rate = row.form is Form.RATES
    has_spread = row.q is not None and len(prompts) >= LEAST_PROMPTS
    ratio = _ratio(row, asked, len(prompts)) if has_spread else None
    missing = row.nothing if not prompts else None if is_rate or ratio else _UNKNOWN.get(row.form, _TOO_FEW)
    return GateOutlook(
        gate=row.id,
        title=row.title,
        kind=row.kind,
        margin=settings.margin,
        is_required=settings.required,
        demoted_because=demotions.get(row.id),
        n=n,
        needed=needed_n(row, asked.settings.verdict, asked.alpha) if prompts and row.form in _COUNTED else None,
        needed_for_power=_needed_for_power(settings.margin, asked.alpha) if prompts and is_rate else None,
        n_prompts=len(prompts),
        rates=_rates(row, asked, n) if prompts and is_rate else (),
        ratio=ratio,
        missing=missing,
    )


def _needed_for_power(margin: float, alpha: float) -> int | None:
    return n_for_power(TYPICAL_RATE, margin, alpha) if 0 < margin < 1 else None


def _rates(row: GateRow, asked: _Question, n: int) -> tuple[RateOutlook, ...]:
    margin = row.settings(asked.settings.verdict).margin
    rule = Rule(n=n, margin=margin, alpha=asked.alpha, n_gates=asked.n_gates)
    measured = _measured_rate(row, asked.recorded)
    known = [(1.0, False)] if measured is None else [(measured, True)]
    rates = [*known, *((rate, False) for rate in RATES[1:])]
    return tuple(
        RateOutlook(
            rate=rate,
            is_measured=is_measured,
            chance_to_pass=chance_to_pass(rule, rate, rate),
            smallest_loss=smallest_loss_found(rule, rate),
        )
        for rate, is_measured in rates
    )


def _measured_rate(row: GateRow, recorded: Recorded | None) -> float | None:
    """Give the reference's rate of good outcomes; None where the run holds none."""
    if recorded is None:
        return None
    counted = {prompt.id for prompt in recorded.golden.prompts if row.counts(prompt)}
    found = [_outcome(row, trial) for trial in recorded.trials if trial.key.prompt_id in counted]
    outcomes = [outcome for outcome in found if outcome is not None]
    if not outcomes:
        return None
    rate = sum(outcomes) / len(outcomes)
    return rate if row.higher_is_better else 1 - rate


def _outcome(row: GateRow, trial: Trial) -> bool | None:
    if trial.failure is not None:
        return row.failure_is
    return row.outcome(trial) if row.outcome else None


def _ratio(row: GateRow, asked: _Question, n_prompts: int) -> RatioPower:
    repeats, recorded = asked.plan.repeats, asked.recorded
    error = None if recorded is None else recorded_error(row, recorded.trials, recorded.golden, repeats, asked.golden)
    is_assumed = error is None
    if error is None:
        error = assumed_error(row, repeats, asked.golden, asked.plan.seed)
    margin = row.settings(asked.settings.verdict).margin
    alphas = (asked.alpha, asked.alpha / asked.n_gates)
    return ratio_power(error, row, margin, n_prompts=n_prompts, alphas=alphas, is_assumed=is_assumed)


def never_shown(golden: GoldenSet, plan: Plan, found: Sequence[GateOutlook]) -> tuple[str, ...]:
    """Say what no outcome of this plan can show."""
    n_prompts = len(golden.prompts)
    least = points(traffic_margin(n_prompts, plan.looks.alphas[0]), signed=False)
    traffic = (
        f"A set of {count_of(n_prompts, 'prompt')} can never support a claim about traffic under {least}, however "
        "often it is repeated: it speaks for these prompts."
    )
    idle = [f"{gate.title}: {gate.missing}." for gate in found if not gate.n_prompts and gate.missing]
    return (traffic, *_tails(golden, plan.repeats), *_identity(plan.repeats), *idle)


def _tails(golden: GoldenSet, repeats: Mapping[str, int]) -> tuple[str, ...]:
    n = sum(repeats[prompt.id] for prompt in golden.prompts)
    if n >= _P99_REQUESTS and len(golden.prompts) >= _P99_PROMPTS:
        return ()
    needed = f"{_P99_REQUESTS} requests per side on {_P99_PROMPTS} prompts"
    return (f"No p99: it needs {needed}; this plan has {n} on {len(golden.prompts)}.",)


def _identity(repeats: Mapping[str, int]) -> tuple[str, ...]:
    fewest = min(repeats.values(), default=0)
    if fewest >= _LEAST_REPEATS_FOR_IDENTITY:
        return ()
    needed = f"{_LEAST_REPEATS_FOR_IDENTITY} repeats of every prompt"
    return (f"Not whether the sides answer alike: that needs {needed}; some have {fewest}.",)

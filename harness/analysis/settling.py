"""What would settle an open gate: further repeats with their price, or other prompts, or neither."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from zlib import crc32

import msgspec
import numpy as np

from harness.analysis.allocation import LEAST_PROMPTS, NEEDED_FOR_PASS, allocate
from harness.analysis.gatefigures import mostly_undefined
from harness.analysis.gatetable import GATES, GateRow
from harness.analysis.gatewords import NAMES
from harness.analysis.pairs import MetricPairs, Pair, metric_pairs
from harness.analysis.resampling import PairedValues, log_ratios, prompt_draws, repeat_draws
from harness.analysis.results import Case, Gate, GateKind, Outcome, Trial
from harness.analysis.samplesizes import POWER, n_for_power, smallest_n
from harness.analysis.words import count_of, listed, percent
from harness.model.record import Arm

_MOST_REPEATS = 1_000  # what the settings accept
_DRAWS = 1_000
_TO_ITS_END = "Run it again to the end of its plan: what was cut short can fail the candidate, not pass it."
_QUIETER = "Timings: measure from a machine with less other work on it, or at a lower load (`--load`)."
_MOST_TIMES = 10  # as many repeats as now: beyond that, prompts are the cheaper way


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What one open gate needs: so many repeats of each of its prompts, or so many more prompts, or words."""

    gate: str
    repeats: int | None = None
    prompts: int | None = None
    between: float | None = None  # share of the uncertainty that repeats cannot remove
    words: str | None = None


def what_would_settle(
    case: Case, gates: Sequence[Gate], pairs: Sequence[Pair], trials: Sequence[Trial], *, void_timing: str | None
) -> tuple[str, ...]:
    """Say for the open required gates what would settle them, if the candidate is truly equal."""
    if any(side is not None and side.unfinished is not None for side in (case.reference, case.candidate)):
        return (_TO_ITS_END,)  # what its gates lack is the rest of the plan
    rows = {row.id: row for row in GATES}
    held = [gate for gate in gates if _holds_up(gate) and gate.outcome is not Outcome.PASS]
    open_gates = [gate for gate in held if void_timing is None or gate.kind is not GateKind.RATIO]
    remedies = [remedy_for(case, rows[gate.id], gate, pairs) for gate in open_gates]
    quieter = () if len(open_gates) == len(held) else (_QUIETER,)
    return (*quieter, *_repeats_line(case, remedies, pairs, trials), *_prompt_lines(remedies), *_word_lines(remedies))


def _holds_up(gate: Gate) -> bool:
    """Whether a PASS waits for this gate."""
    if gate.outcome is Outcome.NOT_APPLICABLE:
        return False
    return gate.is_required or (gate.id == NEEDED_FOR_PASS and gate.demoted_because is not None)


def remedy_for(case: Case, row: GateRow, gate: Gate, pairs: Sequence[Pair]) -> Remedy:
    """Find what one open gate needs."""
    if gate.kind is GateKind.RATIO:
        return _ratio_remedy(case, row, gate, pairs)
    if gate.effect.value is None or gate.bound is None:
        return Remedy(gate=gate.id, words=gate.reason)
    return _rate_remedy(case, row, gate, pairs)


def _rate_remedy(case: Case, row: GateRow, gate: Gate, pairs: Sequence[Pair]) -> Remedy:
    """Trials of fixed prompts: repeats always help."""
    if not 0 < gate.margin < 1:
        return Remedy(gate=gate.id, words=f"{gate.title}: no number of requests excludes a loss of that size.")
    successes = (gate.successes_reference or 0) + (gate.successes_candidate or 0)
    needed = n_for_power(successes / (gate.n_reference + gate.n_candidate), gate.margin)
    if needed <= gate.n_reference:
        return Remedy(gate=gate.id, words=_already_enough(gate, pairs))
    return _more_repeats(case, row, gate, needed / gate.n_reference)


def _more_repeats(case: Case, row: GateRow, gate: Gate, times: float) -> Remedy:
    """Find the repeats that give so many times the trials, were as many lost as now; a prompt's own number stands."""
    prompts = [prompt for prompt in case.golden.prompts if row.counts(prompt)]
    free = [prompt for prompt in prompts if prompt.repeats is None]
    if not free:
        return Remedy(gate=gate.id, words=f"{NAMES[gate.id]}: raise the `repeats` that its prompts set themselves.")
    planned = case.plan.repeats if case.plan else {}
    n_planned = sum(planned.get(prompt.id, 0) for prompt in prompts) or gate.n_reference
    n_fixed = sum(prompt.repeats for prompt in prompts if prompt.repeats is not None)
    wanted = math.ceil(round(times * n_planned, 6))
    return Remedy(gate=gate.id, repeats=max(math.ceil((wanted - n_fixed) / len(free)), 1))


def _already_enough(gate: Gate, pairs: Sequence[Pair]) -> str:
    """An equal candidate would have passed with 80 % chance: say so, and how to look again."""
    twice = 2 * math.ceil(len(pairs) / len({pair.prompt_id for pair in pairs}))
    return (
        f"{NAMES[gate.id]}: this run gave an equal candidate at least {percent(POWER)} chance to pass, so this is bad "
        f"luck or a real loss near the margin. Read the losses, then look again with `--repeats {twice}`."
    )


def _ratio_remedy(case: Case, row: GateRow, gate: Gate, pairs: Sequence[Pair]) -> Remedy:
    """Split the variance of the log ratio: V = between / K + within / (K R); only the second falls with repeats."""
    found = metric_pairs(row, pairs, case.golden)
    if gate.effect.value is None or gate.bound is None or mostly_undefined(found, row.q or 0.5) is not None:
        return _unmeasured_remedy(case, row, gate, found)
    values = found.values
    if values.n_prompts < LEAST_PROMPTS:
        return Remedy(gate=gate.id, prompts=LEAST_PROMPTS - values.n_prompts)
    split = split_variance(values, row.q or 0.5, case.plan.seed if case.plan else 0)
    if split is None or gate.margin == 1:
        return Remedy(gate=gate.id, words=gate.reason)
    normal = NormalDist()
    allowed = (abs(math.log(gate.margin)) / (normal.inv_cdf(0.95) + normal.inv_cdf(POWER))) ** 2
    if split.total <= allowed:
        return Remedy(gate=gate.id, words=_already_enough(gate, pairs))
    times = split.within / (allowed - split.between) if split.between < allowed else math.inf
    if times > _MOST_TIMES:
        more = math.ceil(values.n_prompts * (split.total / allowed - 1))
        return Remedy(gate=gate.id, prompts=more, between=split.between / split.total)
    return _more_repeats(case, row, gate, times)


def _unmeasured_remedy(case: Case, row: GateRow, gate: Gate, found: MetricPairs) -> Remedy:
    """More requests help where only their number is too small, not where values are missing or failures are many."""
    q, n = row.q or 0.5, len(found.values.prompts)
    if n == 0 or mostly_undefined(found, q) is not None:
        return Remedy(gate=gate.id, words=gate.reason)
    if found.values.n_prompts < LEAST_PROMPTS:
        return Remedy(gate=gate.id, prompts=LEAST_PROMPTS - found.values.n_prompts)
    if n >= smallest_n(q):
        return Remedy(gate=gate.id, words=gate.reason)
    more = _more_repeats(case, row, gate, smallest_n(q) / n)
    words = more.words or f"{gate.reason} With `--repeats {more.repeats}` it could be judged."
    return Remedy(gate=gate.id, words=words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The variance of a log ratio, and its two parts."""

    total: float
    within: float  # falls with repeats

    @property
    def between(self) -> float:
        """Stays, whatever the repeats."""
        return max(0.0, self.total - self.within)


def split_variance(values: PairedValues, q: float, seed: int) -> Split | None:
    """Resample prompts, then repeats within prompts; None where failures leave no variance."""
    rng = np.random.default_rng([seed, crc32(b"split")])
    whole = log_ratios(values, q, prompt_draws(values, rng, _DRAWS))
    within = log_ratios(values, q, repeat_draws(values, rng, _DRAWS))
    if not (np.isfinite(whole).all() and np.isfinite(within).all()):
        return None
    few = values.n_prompts / (values.n_prompts - 1)  # resampling K prompts sees only K - 1 of their variance
    return Split(total=float(whole.var()) * few, within=min(float(within.var()), float(whole.var()) * few))


def _repeats_line(
    case: Case, remedies: Sequence[Remedy], pairs: Sequence[Pair], trials: Sequence[Trial]
) -> tuple[str, ...]:
    """One command for all gates that repeats can settle: the largest number asked for."""
    asked = {remedy.gate: remedy.repeats for remedy in remedies if remedy.repeats is not None}
    if not asked:
        return ()
    repeats = max(asked.values())
    names = listed([NAMES[gate] for gate in asked])
    if repeats > _MOST_REPEATS:
        return (f"No sensible number of repeats settles {names}: it would take {repeats:,} of every prompt.",)
    levels = 1 if case.plan is None else max(1, len(case.plan.load))
    per_side = levels * _requests_with(case, repeats, {pair.prompt_id for pair in pairs})
    spread = f" over {levels} levels of load" if levels > 1 else ""
    line = (
        f"A run with `--repeats {repeats}` asks {2 * per_side:,} requests{spread}{_money(case, trials, per_side)}: "
        f"{percent(POWER)} chance{' each' if len(asked) > 1 else ''} to settle {names} if the candidate is truly equal."
    )
    return (line,)


def _requests_with(case: Case, repeats: int, prompts: Collection[str]) -> int:
    """Requests per side of a plan with so many repeats: other gates' prompts may get more, and some set their own."""
    plan = case.settings.plan
    raised = msgspec.structs.replace(plan, repeats=repeats, max_repeats=max(repeats, plan.max_repeats))
    allocation = allocate(case.golden, msgspec.structs.replace(case.settings, plan=raised))
    return sum(count for prompt_id, count in allocation.repeats.items() if prompt_id in prompts)


def _money(case: Case, trials: Sequence[Trial], per_side: int) -> str:
    """Price the run from what this one cost; nothing where a side has no price."""
    total = 0.0
    for arm in (Arm.REFERENCE, Arm.CANDIDATE):
        costs = [trial.cost.value for trial in trials if trial.key.arm is arm and trial.cost.value is not None]
        if not costs:
            return ""
        total += per_side * math.fsum(costs) / len(costs)
    return f", about {total:.2f} {_currency(case)}".rstrip()


def _currency(case: Case) -> str:
    prices = case.reference.endpoint.get("prices")
    return str(prices.get("currency", "")) if isinstance(prices, dict) else ""


def _prompt_lines(remedies: Sequence[Remedy]) -> tuple[str, ...]:
    return tuple(_prompt_line(remedy) for remedy in remedies if remedy.prompts is not None)


def _prompt_line(remedy: Remedy) -> str:
    more = count_of(remedy.prompts or 0, "prompt")
    if remedy.between is None:
        return f"{NAMES[remedy.gate]}: the set has too few prompts for it; add at least {more}."
    share = f"{remedy.between * 100:.0f} %"
    return (
        f"{NAMES[remedy.gate]}: more repetitions will not help, {share} of the uncertainty is between prompts. "
        f"Add about {more}."
    )


def _word_lines(remedies: Sequence[Remedy]) -> tuple[str, ...]:
    return tuple(remedy.words for remedy in remedies if remedy.words is not None)

"""What would settle an open gate: further repeats with their price, or other prompts, or neither."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.analysis.allocation import LEAST_PROMPTS, NEEDED_FOR_PASS, allocate
from harness.analysis.figures import mostly_undefined
from harness.analysis.gatetable import Form, GateRow, gate_rows
from harness.analysis.gatewords import NAMES, name_of
from harness.analysis.lengthcost import money_of
from harness.analysis.looks import is_planned, looks_of, next_repeats, plan_alpha
from harness.analysis.pairs import MetricPairs, Pair, metric_pairs
from harness.analysis.resampling import PairedValues, log_ratios, prompt_draws, repeat_draws
from harness.analysis.results.case import Case
from harness.analysis.results.gate import Gate, Outcome
from harness.analysis.results.trial import Trial
from harness.analysis.samplesizes import POWER, n_for_power, n_for_share, smallest_n
from harness.analysis.settleprice import compare_words, price_words, run_folder
from harness.analysis.words import count_of, listed, percent
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import LookScheme, Plan

_MOST_REPEATS = 1_000  # what the settings accept
_DRAWS = 1_000
_ORIGINAL = "ORIGINAL-RUN"
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
    is_repeating_vain: bool = False  # that share alone is more than the margin allows
    words: str | None = None


def what_would_settle(
    case: Case, gates: Sequence[Gate], pairs: Sequence[Pair], trials: Sequence[Trial], *, void_timing: str | None
) -> tuple[str, ...]:
    """Say for the open required gates what would settle them, if the candidate is truly equal."""
    if any(side is not None and side.unfinished is not None for side in (case.reference, case.candidate)):
        return (_TO_ITS_END,)  # what its gates lack is the rest of the plan
    rows = {row.id: row for row in gate_rows(case.settings.verdict)}
    held = [gate for gate in gates if _holds_up(gate) and gate.outcome is not Outcome.PASS]
    open_gates = [gate for gate in held if void_timing is None or not gate.is_timing]
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
    if row.form is Form.QUANTILES:
        return _quantile_remedy(case, row, gate, pairs)
    if gate.effect.value is None or gate.bound is None:
        return Remedy(gate=gate.id, words=gate.reason)
    if row.form is Form.RATES:
        return _rate_remedy(case, row, gate, pairs)
    if row.form is Form.SHARE:
        return _share_remedy(case, row, gate, pairs)
    if row.form is Form.DISAGREEMENT:
        return Remedy(gate=gate.id, words=f"{gate.reason} Its bound rests on the spread between prompts: add prompts.")
    split = length_split(row, pairs, case.golden) if row.form is Form.LENGTH else _cost_split(case, row, pairs)
    n_prompts = len({pair.prompt_id for pair in pairs if row.counts(_prompts(case)[pair.prompt_id])})
    return _split_remedy(case, row, gate, pairs, split, n_prompts)


def _prompts(case: Case) -> dict[str, Prompt]:
    return {prompt.id: prompt for prompt in case.golden.prompts}


def _rate_remedy(case: Case, row: GateRow, gate: Gate, pairs: Sequence[Pair]) -> Remedy:
    """Trials of fixed prompts: repeats always help."""
    if not 0 < gate.margin < 1:
        return Remedy(gate=gate.id, words=f"{gate.title}: no number of requests excludes a loss of that size.")
    successes = (gate.successes_reference or 0) + (gate.successes_candidate or 0)
    needed = n_for_power(successes / (gate.n_reference + gate.n_candidate), gate.margin, _next_alpha(case))
    if needed <= gate.n_reference:
        return Remedy(gate=gate.id, words=_already_enough(case, gate, pairs))
    return _more_repeats(case, row, gate, needed / gate.n_reference)


def _next_alpha(case: Case) -> float:
    """Share of the look that comes next: the following one of this run, or the first of a new one."""
    if has_further_look(case):
        return plan_alpha(case.plan, case.look + 1)
    return looks_of(LookScheme.TWO, 1).alphas[0] if _is_sequence(case) else plan_alpha(case.plan)


def _is_sequence(case: Case) -> bool:
    """Whether the repeats were fixed by the scheme: a new run with other repeats is then one of two looks."""
    return case.plan is not None and case.plan.looks.scheme is LookScheme.SEQUENTIAL


def _share_remedy(case: Case, row: GateRow, gate: Gate, pairs: Sequence[Pair]) -> Remedy:
    """The candidate alone: where its own share is at the budget, no number of requests shows that it is below."""
    share = gate.candidate.value or 0.0
    if share >= gate.margin:
        limit = percent(gate.margin)
        words = f"{name_of(gate.id)}: more requests will not help a share of {percent(share)}; {limit} is allowed."
        return Remedy(gate=gate.id, words=words)
    needed = n_for_share(share, gate.margin, _next_alpha(case))
    if needed is None:
        limit = percent(gate.margin)
        words = f"{name_of(gate.id)}: {percent(share)} is too near the {limit} that you allow to be told apart."
        return Remedy(gate=gate.id, words=words)
    if needed <= gate.n_candidate:
        return Remedy(gate=gate.id, words=_already_enough(case, gate, pairs))
    return _more_repeats(case, row, gate, needed / gate.n_candidate)


def _more_repeats(case: Case, row: GateRow, gate: Gate, times: float) -> Remedy:
    """Find the repeats that give so many times the trials, were as many lost as now; a prompt's own number stands."""
    prompts = [prompt for prompt in case.golden.prompts if row.counts(prompt)]
    free = [prompt for prompt in prompts if prompt.repeats is None]
    if not free:
        return Remedy(gate=gate.id, words=f"{name_of(gate.id)}: raise the `repeats` that its prompts set themselves.")
    planned = case.plan.repeats if case.plan else {}
    n_planned = sum(planned.get(prompt.id, 0) for prompt in prompts) or gate.n_reference
    n_fixed = sum(prompt.repeats for prompt in prompts if prompt.repeats is not None)
    wanted = math.ceil(round(times * n_planned, 6))
    return Remedy(gate=gate.id, repeats=max(math.ceil((wanted - n_fixed) / len(free)), 1))


def _already_enough(case: Case, gate: Gate, pairs: Sequence[Pair]) -> str:
    """An equal candidate would have passed with 80 % chance: say so, and how to look again."""
    twice = 2 * math.ceil(len(pairs) / len({pair.prompt_id for pair in pairs}))
    return (
        f"{name_of(gate.id)}: this run gave an equal candidate at least {percent(POWER)} chance to pass, so this is "
        f"bad luck or a real loss near the margin. Read the losses, then look again with `{_command(case, twice)}`."
    )


def _quantile_remedy(case: Case, row: GateRow, gate: Gate, pairs: Sequence[Pair]) -> Remedy:
    """Split the variance of the log ratio: V = between / K + within / (K R); only the second falls with repeats."""
    found = metric_pairs(row, pairs, case.golden)
    if gate.effect.value is None or gate.bound is None or mostly_undefined(found, row.q or 0.5) is not None:
        return _unmeasured_remedy(case, row, gate, found)
    values = found.values
    if values.n_prompts < LEAST_PROMPTS:
        return Remedy(gate=gate.id, prompts=LEAST_PROMPTS - values.n_prompts)
    split = split_variance(values, row.q or 0.5, case.plan.seed if case.plan else 0)
    return _split_remedy(case, row, gate, pairs, split, values.n_prompts)


def _split_remedy(  # one case after the other
    case: Case, row: GateRow, gate: Gate, pairs: Sequence[Pair], split: "Split | None", n_prompts: int
) -> Remedy:
    """Ask for repeats where they remove enough of the variance, else for prompts."""
    if n_prompts < LEAST_PROMPTS:
        return Remedy(gate=gate.id, prompts=LEAST_PROMPTS - n_prompts)
    if split is None or gate.margin == 1:
        return Remedy(gate=gate.id, words=gate.reason)
    normal = NormalDist()
    power = (1 + POWER) / 2 if gate.is_two_sided else POWER  # both of two bounds must hold
    allowed = (abs(math.log(gate.margin)) / (normal.inv_cdf(1 - _next_alpha(case)) + normal.inv_cdf(power))) ** 2
    if split.total <= allowed:
        return Remedy(gate=gate.id, words=_already_enough(case, gate, pairs))
    times = split.within / (allowed - split.between) if split.between < allowed else math.inf
    share = split.between / split.total
    if times > _MOST_TIMES:
        more = math.ceil(n_prompts * (split.total / allowed - 1))
        return Remedy(gate=gate.id, prompts=more, between=share, is_repeating_vain=split.between >= allowed)
    return replace(_more_repeats(case, row, gate, times), between=share)


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
    words = more.words or f"{gate.reason} With `{_command(case, more.repeats or 1)}` it could be judged."
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
    return _split_of(values, rng, lambda counts: log_ratios(values, q, counts))


def _split_of(
    values: PairedValues, rng: np.random.Generator, log_ratios_of: Callable[[NDArray[np.int64]], NDArray[np.float64]]
) -> Split | None:
    whole = log_ratios_of(prompt_draws(values, rng, _DRAWS))
    within = log_ratios_of(repeat_draws(values, rng, _DRAWS))
    if values.n_prompts < LEAST_PROMPTS or not (np.isfinite(whole).all() and np.isfinite(within).all()):
        return None
    few = values.n_prompts / (values.n_prompts - 1)  # resampling K prompts sees only K - 1 of their variance
    return Split(total=float(whole.var()) * few, within=min(float(within.var()), float(whole.var()) * few))


def length_split(row: GateRow, pairs: Sequence[Pair], golden: GoldenSet) -> "Split | None":
    """Variance of the mean log ratio of lengths, and the part of it that comes from repeats."""
    values = metric_pairs(row, pairs, golden).values
    if values.n_prompts < LEAST_PROMPTS or min(values.reference.min(), values.candidate.min()) <= 0:
        return None
    clusters, logs = values.clusters, np.log(values.candidate / values.reference)
    means = np.array([logs[clusters == i].mean() for i in range(values.n_prompts)])
    own = [logs[clusters == i] for i in range(values.n_prompts)]
    within = [part.var(ddof=1) / part.size if part.size > 1 else 0.0 for part in own]
    total = float(means.var(ddof=1)) / values.n_prompts
    return Split(total=total, within=min(float(np.mean(within)) / values.n_prompts, total))


def _cost_split(case: Case, row: GateRow, pairs: Sequence[Pair]) -> "Split | None":
    """Resample the costs as the ratio of quantiles is resampled."""
    money = money_of(row, pairs, case.golden)
    if money is None:
        return None
    rng = np.random.default_rng([case.plan.seed if case.plan else 0, crc32(b"split")])
    return _split_of(money.places, rng, money.log_ratios)


def _repeats_line(
    case: Case, remedies: Sequence[Remedy], pairs: Sequence[Pair], trials: Sequence[Trial]
) -> tuple[str, ...]:
    """One command for all gates that repeats can settle: the largest number asked for."""
    asked = {remedy.gate: remedy for remedy in remedies if remedy.repeats is not None}
    if not asked:
        return ()
    repeats = wanted = max(remedy.repeats or 0 for remedy in asked.values())
    if case.plan is not None and has_further_look(case):
        repeats = next_repeats(case.plan, case.look, wanted)
    names = listed([name_of(gate) for gate in asked])
    if repeats > _MOST_REPEATS:
        return (f"No sensible number of repeats settles {names}: it would take {repeats:,} of every prompt.",)
    levels = 1 if case.plan is None else max(1, len(case.plan.load))
    per_side = levels * _requests_with(case, repeats, {pair.prompt_id for pair in pairs})
    further = per_side
    if case.plan is not None and has_further_look(case):
        further = levels * _further_requests(case, case.plan, repeats)
    spread = f" over {levels} levels of load" if levels > 1 else ""
    verb = "adds" if has_further_look(case) else "asks"
    if case.redaction and has_further_look(case):
        verb = f"({_ORIGINAL}: the run that this redacted copy was made from) adds"
    price = price_words(case, trials, further)
    chance = f"{percent(POWER)} chance{' each' if len(asked) > 1 else ''} to settle {names} {_if_true(list(asked))}."
    if repeats < wanted:
        chance = f"the next look that the plan fixed; {percent(POWER)} chance to settle {names} asks for {wanted:,}."
    line = f"`{_command(case, repeats)}` {verb} {2 * further:,} requests{spread}{price}: {chance}"
    return (line, *(_between_line(remedy) for remedy in asked.values() if remedy.between is not None))


def _if_true(gates: Sequence[str]) -> str:
    """A share rests on the candidate's own rate, which no likeness of the sides makes small."""
    shares = [gate for gate in gates if gate not in NAMES]
    seen = f"{'its true share is' if len(shares) == 1 else 'their true shares are'} as seen"
    if len(shares) == len(gates):
        return f"if {seen}"
    return f"if the candidate is truly equal and {seen}" if shares else "if the candidate is truly equal"


def _between_line(remedy: Remedy) -> str:
    between = remedy.between or 0.0
    return (
        f"{name_of(remedy.gate)}: {between * 100:.0f} % of the uncertainty is between prompts, the rest between "
        "repeats, which more of them reduce."
    )


def _command(case: Case, repeats: int) -> str:
    """Write the command: on with this run where its plan has a further look, else a new one."""
    folder = _ORIGINAL if case.redaction else run_folder(case.command, case.reference.run_id)
    resume = f"--resume {folder} " if has_further_look(case) else ""
    return f"{compare_words(case.command)} {resume}--repeats {repeats}"


def has_further_look(case: Case) -> bool:
    """Whether the plan of one run, both of whose sides it measured, has a look left."""
    sides = [side for side in (case.reference, case.candidate) if side is not None]
    is_one_run = len({side.run_id for side in sides}) == 1 and not any(side.was_recorded_earlier for side in sides)
    return case.plan is not None and is_one_run and case.margins_are_from_plan and is_planned(case.plan, case.look + 1)


def _further_requests(case: Case, plan: Plan, repeats: int) -> int:
    """Requests per side that a run goes on with: what each prompt lacks, but for those with a number of their own."""
    free = [prompt.id for prompt in case.golden.prompts if prompt.repeats is None]
    return sum(max(repeats - plan.repeats.get(prompt_id, repeats), 0) for prompt_id in free)


def _requests_with(case: Case, repeats: int, prompts: Collection[str]) -> int:
    """Requests per side of a plan with so many repeats: other gates' prompts may get more, and some set their own."""
    plan = case.settings.plan
    looks = LookScheme.TWO if _is_sequence(case) else plan.looks
    raised = msgspec.structs.replace(plan, repeats=repeats, max_repeats=max(repeats, plan.max_repeats), looks=looks)
    allocation = allocate(case.golden, msgspec.structs.replace(case.settings, plan=raised))
    return sum(count for prompt_id, count in allocation.repeats.items() if prompt_id in prompts)


def _prompt_lines(remedies: Sequence[Remedy]) -> tuple[str, ...]:
    return tuple(_prompt_line(remedy) for remedy in remedies if remedy.prompts is not None)


def _prompt_line(remedy: Remedy) -> str:
    more = count_of(remedy.prompts or 0, "prompt")
    if remedy.between is None:
        return f"{name_of(remedy.gate)}: the set has too few prompts for it; add at least {more}."
    share = f"{remedy.between * 100:.0f} % of the uncertainty is between prompts"
    if remedy.is_repeating_vain:
        return (
            f"{name_of(remedy.gate)}: more repetitions cannot settle it, {share} and that alone exceeds what the "
            f"margin allows. Add about {more}."
        )
    return f"{name_of(remedy.gate)}: it would take more than ten times the repeats, {share}. Add about {more}."


def _word_lines(remedies: Sequence[Remedy]) -> tuple[str, ...]:
    return tuple(remedy.words for remedy in remedies if remedy.words is not None)

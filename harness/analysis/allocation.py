"""Allocates repeats before the first request, so that a gate's n is no accident.

A gate can PASS only from the n at which equal sides that never fail exclude a loss of its margin. Its prompts get more
repeats until they reach that n, up to the plan's ceiling; a gate that cannot reach it is demoted, aloud: not reaching
PASS then no longer blocks the verdict, while a proven loss still fails it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.gatetable import Form, GateRow, gate_rows
from harness.analysis.looks import ALPHA, final_look, looks_of
from harness.analysis.samplesizes import smallest_n, smallest_n_for_rate, smallest_n_for_share
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Demotion, Looks, LookScheme
from harness.model.settings import Gates, PlanSettings, Settings

# Resampling K prompts says nothing below five: the chance that all K err to the same side, 1 in 2^K, exceeds 5 %.
LEAST_PROMPTS = 5
_LEAST_ANSWERS = 3  # of each side to a prompt whose answers are compared; that module loads arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Repeats by prompt, and the required gates that cannot PASS with them."""

    repeats: dict[str, int]
    demotions: tuple[Demotion, ...] = ()


def allocate(golden: GoldenSet, settings: Settings) -> Allocation:
    """Raise repeats gate by gate, those with the fewest prompts first, so that no prompt is raised twice over.

    Where the repeats of every look are fixed beforehand, nothing is raised: later looks bring the repeats.
    """
    plan = settings.plan
    looks = looks_of(plan.looks, plan.repeats)
    first = looks.repeats[0] if looks.repeats else plan.repeats
    repeats = {prompt.id: prompt.repeats or first for prompt in golden.prompts}
    if plan.allocate and plan.looks is not LookScheme.SEQUENTIAL:
        of_trials = [row for row in _required(settings.verdict) if not _resamples_prompts(row)]
        for row in sorted(of_trials, key=lambda row: len(_counted(row, golden))):
            _raise_repeats(repeats, _counted(row, golden), needed_n(row, settings.verdict, looks.alphas[0]), plan)
    return Allocation(repeats=repeats, demotions=find_demotions(golden, settings.verdict, repeats, looks))


def find_demotions(
    golden: GoldenSet, gates: Gates, repeats: Mapping[str, int], looks: Looks | None = None
) -> tuple[Demotion, ...]:
    """Name the required gates that cannot PASS with these repeats; gates without a prompt are not applicable.

    Of several looks with fixed repeats the last one counts: a gate that reaches its n then is not demoted.
    """
    alpha, last = final_look(looks or Looks())
    own = {prompt.id: prompt.repeats for prompt in golden.prompts}
    final = {
        prompt_id: count if last is None or own.get(prompt_id) else max(count, last)
        for prompt_id, count in repeats.items()
    }
    return demotions_at(golden, gates, final, alpha)


def demotions_at(golden: GoldenSet, gates: Gates, repeats: Mapping[str, int], alpha: float) -> tuple[Demotion, ...]:
    """Name the required gates that cannot PASS with these repeats at this level."""
    found = (_demotion(row, _counted(row, golden), gates, repeats, alpha) for row in _required(gates))
    return tuple(demotion for demotion in found if demotion is not None)


def needed_n(row: GateRow, gates: Gates, alpha: float = ALPHA) -> int:
    """Fewest trials per side with which a gate can PASS; of gates that resample prompts, fewest prompts."""
    if row.q is not None:
        return smallest_n(row.q)
    margin = row.settings(gates).margin
    if row.form is Form.DISAGREEMENT:
        return smallest_prompts_without_disagreement(margin, alpha)
    if _resamples_prompts(row):
        return LEAST_PROMPTS
    if margin >= 1:
        return 1
    if row.form is Form.SHARE:
        return smallest_n_for_share(margin, alpha)
    return smallest_n_for_rate(margin, alpha) if margin > 0 else _NEVER


def smallest_prompts_without_disagreement(margin: float, alpha: float) -> int:
    """Fewest prompts, none with any excess, that exclude one of the margin: 1 - alpha^(1 / K) < margin.

    A share of the margin of all prompts may differ wholly and be missed by K draws with chance (1 - margin)^K.
    """
    if margin >= 1:
        return LEAST_PROMPTS
    if margin <= 0:
        return _NEVER
    n = max(math.floor(math.log(alpha) / math.log1p(-margin)), LEAST_PROMPTS)
    return n if 1 - alpha ** (1 / n) < margin else n + 1


# Every prompt serves it: where even this gate is out of reach, the whole run is too small for a PASS.
NEEDED_FOR_PASS = "request_success"  # noqa: S105  # a gate
_NEVER = 10**9  # no number of trials excludes a loss of nothing


def _required(gates: Gates) -> list[GateRow]:
    return [row for row in gate_rows(gates) if row.settings(gates).required]


def _resamples_prompts(row: GateRow) -> bool:
    """Whether its unit is the prompt and its n is not a number of trials."""
    return row.form in {Form.LENGTH, Form.COST, Form.DISAGREEMENT}


def _counted(row: GateRow, golden: GoldenSet) -> list[Prompt]:
    return [prompt for prompt in golden.prompts if row.counts(prompt)]


def _raise_repeats(repeats: dict[str, int], prompts: Sequence[Prompt], needed: int, plan: PlanSettings) -> None:
    """Lift the lowest repeats to one level at which the sum is reached; a prompt's own number stands."""
    free = [prompt.id for prompt in prompts if prompt.repeats is None]
    fixed = sum(repeats[prompt.id] for prompt in prompts if prompt.repeats is not None)
    for level in range(plan.repeats, plan.max_repeats + 1):
        raised = {prompt_id: max(repeats[prompt_id], level) for prompt_id in free}
        if fixed + sum(raised.values()) >= needed:
            repeats.update(raised)
            return


def _demotion(
    row: GateRow, prompts: Sequence[Prompt], gates: Gates, repeats: Mapping[str, int], alpha: float
) -> Demotion | None:
    if not prompts:
        return None
    if row.form is Form.DISAGREEMENT:
        return _disagreement_demotion(row, [repeats[prompt.id] for prompt in prompts], gates, alpha)
    n = sum(repeats[prompt.id] for prompt in prompts)
    if row.form not in {Form.RATES, Form.SHARE} and len(prompts) < LEAST_PROMPTS:
        reason = f"{row.title} has {len(prompts)} prompts; resampling prompts needs {LEAST_PROMPTS}"
        return Demotion(gate=row.id, n=len(prompts), needed=LEAST_PROMPTS, reason=reason)
    needed = needed_n(row, gates, alpha)
    if n >= needed:
        return None
    return Demotion(gate=row.id, n=n, needed=needed, reason=_shortfall(row, gates, n, needed))


def _disagreement_demotion(row: GateRow, repeats: Sequence[int], gates: Gates, alpha: float) -> Demotion | None:
    n, needed = sum(count >= _LEAST_ANSWERS for count in repeats), needed_n(row, gates, alpha)
    if n >= needed:
        return None
    reason = f"{row.title} allows no excess at all, which no number of prompts can show"
    if needed != _NEVER:
        reason = (
            f"{row.title} has {n} prompts with {_LEAST_ANSWERS} answers or more of each side; excluding an excess of "
            f"{row.settings(gates).margin * 100:g} points needs {needed} even if no answer differs"
        )
    return Demotion(gate=row.id, n=n, needed=needed, reason=reason)


def _shortfall(row: GateRow, gates: Gates, n: int, needed: int) -> str:
    if row.q is not None:
        return f"{row.title} has {n} requests per side; an interval of this quantile needs {needed}"
    margin = row.settings(gates).margin
    if row.form is Form.SHARE:
        return f"{row.title}: {n} requests; showing at most {margin * 100:g} % needs {needed} even if none is beyond"
    if needed == _NEVER:
        return f"{row.title} allows no loss at all, which no number of trials can show"
    points = f"{margin * 100:g} points"
    reason = f"{row.title} has {n} trials per side; excluding a loss of {points} needs {needed} even if none fails"
    return f"{reason}; without it no run can PASS" if row.id == NEEDED_FOR_PASS else reason

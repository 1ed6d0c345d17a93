"""Allocates repeats before the first request, so that a gate's n is no accident.

A gate can PASS only from the n at which equal sides that never fail exclude a loss of its margin. Its prompts get more
repeats until they reach that n, up to the plan's ceiling; a gate that cannot reach it is demoted, aloud: not reaching
PASS then no longer blocks the verdict, while a proven loss still fails it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.gatetable import GATES, GateRow
from harness.analysis.samplesizes import smallest_n, smallest_n_for_rate
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Demotion
from harness.model.settings import Gates, PlanSettings, Settings

# Resampling K prompts says nothing below five: the chance that all K err to the same side, 1 in 2^K, exceeds 5 %.
LEAST_PROMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Repeats by prompt, and the required gates that cannot PASS with them."""

    repeats: dict[str, int]
    demotions: tuple[Demotion, ...] = ()


def allocate(golden: GoldenSet, settings: Settings) -> Allocation:
    """Raise repeats gate by gate, those with the fewest prompts first, so that no prompt is raised twice over."""
    plan = settings.plan
    repeats = {prompt.id: prompt.repeats or plan.repeats for prompt in golden.prompts}
    if plan.allocate:
        for row in sorted(_required(settings.verdict), key=lambda row: len(_counted(row, golden))):
            _raise_repeats(repeats, _counted(row, golden), needed_n(row, settings.verdict), plan)
    return Allocation(repeats=repeats, demotions=find_demotions(golden, settings.verdict, repeats))


def find_demotions(golden: GoldenSet, gates: Gates, repeats: Mapping[str, int]) -> tuple[Demotion, ...]:
    """Name the required gates that cannot PASS with these repeats; gates without a prompt are not applicable."""
    found = (_demotion(row, _counted(row, golden), gates, repeats) for row in _required(gates))
    return tuple(demotion for demotion in found if demotion is not None)


def needed_n(row: GateRow, gates: Gates) -> int:
    """Fewest trials per side with which a gate can PASS."""
    if row.q is not None:
        return smallest_n(row.q)
    margin = row.settings(gates).margin
    if margin >= 1:
        return 1
    return smallest_n_for_rate(margin) if margin > 0 else _NEVER


# Every prompt serves it: where even this gate is out of reach, the whole run is too small for a PASS.
NEEDED_FOR_PASS = "request_success"  # noqa: S105  # a gate
_NEVER = 10**9  # no number of trials excludes a loss of nothing


def _required(gates: Gates) -> list[GateRow]:
    return [row for row in GATES if row.settings(gates).required]


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


def _demotion(row: GateRow, prompts: Sequence[Prompt], gates: Gates, repeats: Mapping[str, int]) -> Demotion | None:
    if not prompts:
        return None
    n = sum(repeats[prompt.id] for prompt in prompts)
    if row.q is not None and len(prompts) < LEAST_PROMPTS:
        reason = f"{row.title} has {len(prompts)} prompts; resampling prompts needs {LEAST_PROMPTS}"
        return Demotion(gate=row.id, n=len(prompts), needed=LEAST_PROMPTS, reason=reason)
    needed = needed_n(row, gates)
    if n >= needed:
        return None
    return Demotion(gate=row.id, n=n, needed=needed, reason=_shortfall(row, gates, n, needed))


def _shortfall(row: GateRow, gates: Gates, n: int, needed: int) -> str:
    if row.q is not None:
        return f"{row.title} has {n} requests per side; an interval of this quantile needs {needed}"
    points = f"{row.settings(gates).margin * 100:g} points"
    if needed == _NEVER:
        return f"{row.title} allows no loss at all, which no number of trials can show"
    reason = f"{row.title} has {n} trials per side; excluding a loss of {points} needs {needed} even if none fails"
    return f"{reason}; without it no run can PASS" if row.id == NEEDED_FOR_PASS else reason

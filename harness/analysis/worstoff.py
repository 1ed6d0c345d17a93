"""Where the candidate got worse: single prompts and a group of them, in words that say how sure that is."""

from collections.abc import Sequence

import numpy as np

from harness.analysis.cohorts import worst_cohort
from harness.analysis.pairs import Pair
from harness.analysis.regressions import Q, Screen, screen_prompts
from harness.analysis.results.case import Case
from harness.analysis.results.worstoff import Cohort, WorstOff
from harness.analysis.words import count_of, listed, percent, points, ratio

_STREAM = 5_203  # of the run's seed, so that no gate shares its draws
_DRAWS = 1_999
_SHOWN = 3
_VOID = "Timings are void and left out."
_SURE = 0.05
_NOUNS = {"task_success": "success", "ttft": "TTFT", "decode_rate": "decode rate"}


def find_worst_off(case: Case, pairs: Sequence[Pair], *, void_timing: str | None) -> WorstOff:
    """Screen prompts and groups; void timings are left out of both."""
    metrics = ("task_success",) if void_timing else tuple(_NOUNS)
    seed = case.plan.seed if case.plan else case.settings.plan.seed
    screen = screen_prompts(pairs, metrics=metrics)
    cohort = worst_cohort(case.golden, pairs, np.random.default_rng([seed, _STREAM]), metrics=metrics, draws=_DRAWS)
    return WorstOff(
        regressions=screen.flagged,
        n_tests=screen.n_tests,
        smallest_p=screen.smallest_p,
        cohort=cohort,
        sentence=" ".join(
            [*_shift_words(screen), _screen_words(screen), _cohort_words(cohort), *([_VOID] if void_timing else [])]
        ),
    )


def _shift_words(screen: Screen) -> list[str]:
    """Say what all prompts share: it makes none of them stand out."""
    told = {_NOUNS[metric]: ratio(shift) for metric, shift in screen.shifts.items()}
    parts = [f"{noun} is {size}" for noun, size in told.items() if size != ratio(1.0)]
    return [f"On the median prompt {listed(parts)} the reference's; what stands out is beyond that."] if parts else []


def _screen_words(screen: Screen) -> str:
    if screen.n_tests == 0:
        return "No single prompt can stand out: nothing differed within a prompt, or repeats are too few."
    told = f"{count_of(screen.n_tests, 'test')} of single prompts, Benjamini-Hochberg at {percent(Q)}"
    if not screen.flagged:
        return f"No single prompt stands out ({told})."
    names = list(dict.fromkeys(one.prompt_id for one in screen.flagged))
    shown = [f"`{name}`" for name in names[:_SHOWN]]
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    stand = count_of(len(names), "prompt stands", "prompts stand")
    return f"{stand} out, exploratory: {listed([*shown, *more])} ({told})."


def _cohort_words(cohort: Cohort | None) -> str:
    if cohort is None:
        return "No groups of prompts could be compared: there are no two, or nothing differed within them."
    name = f"{cohort.kind} `{cohort.name}`"
    paid = f"p {_p_words(cohort.p_value)} after looking at {count_of(cohort.n_cohorts, 'group')}"
    if cohort.p_value > _SURE or not _differs(cohort):
        return f"No group of prompts stands out: the largest difference from the others is in {name}, {paid}."
    size = f"{effect_words(cohort)} on {count_of(cohort.n_prompts, 'prompt')}"
    return f"Worst off is {name}: {size}{_elsewhere(cohort)}; {paid}."


def _differs(cohort: Cohort) -> bool:
    """Whether its size, as it is written, is another than that of the other prompts."""
    inside, outside = cohort.effect.value, cohort.elsewhere.value
    if inside is None:
        return False
    return outside is None or _size(cohort.metric, inside) != _size(cohort.metric, outside)


def effect_words(cohort: Cohort) -> str:
    """Name a group's regression with its size."""
    return f"{_NOUNS[cohort.metric]} {_size(cohort.metric, cohort.effect.value or 0.0)}"


def _elsewhere(cohort: Cohort) -> str:
    other = cohort.elsewhere.value
    return "" if other is None else f" ({_size(cohort.metric, other)} elsewhere)"


def _size(metric: str, effect: float) -> str:
    return points(effect) if metric == "task_success" else ratio(effect)


def _p_words(p_value: float) -> str:
    return f"{p_value:.3f}" if p_value >= 0.001 else "below 0.001"  # noqa: PLR2004  # three decimals

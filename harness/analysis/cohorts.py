"""The group of prompts that lost most against the others, and whether that is more than the largest of many would show.

Groups: category, tag, tool offered, thirds of prompt length. In each, and for each metric, the candidate's losses are
added up over the prompts (success: 0 and 1; times and rates: ranks within the prompt, after what the median prompt lost
was taken from them), less the group's share of the losses of all prompts, by requests: what all groups have in common
makes none of them stand out. The sums are standardised by their exact variance under permuted labels. Labels are
permuted inside the prompts, the same draw for all groups and metrics, and the observed maximum is compared with the
maxima of the draws (P. H. Westfall and S. S. Young, Resampling-Based Multiple Testing, Wiley, 1993): looking at many
groups is paid for.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from harness.analysis.pairs import Pair
from harness.analysis.permutation import DRAWS
from harness.analysis.regressions import METRICS, Losses, common_shift, prompt_losses
from harness.analysis.results.estimates import Value
from harness.analysis.results.worstoff import Cohort
from harness.analysis.tools import offered_tools
from harness.analysis.values import known, missing
from harness.model.golden import GoldenSet, Prompt

_FEWEST_PROMPTS = 2  # of a group: one prompt is on the list of single prompts
_FEWEST_GROUPS = 2
_THIRDS = ("short", "middle", "long")
_LEAST_FOR_THIRDS = 6
_MOST_LABELLINGS = 1_000
_TIE = 1e-9
_NO_EFFECT = "no prompt has a figure on both sides"
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Prompts with something in common."""

    kind: str
    name: str
    prompts: frozenset[str]


def prompt_groups(golden: GoldenSet) -> tuple[Group, ...]:
    """Give every group of at least two prompts that is not the whole set; groups of the same prompts are one."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    thirds = _thirds(golden.prompts)
    for prompt in golden.prompts:
        for label in _labels(prompt, thirds):
            found[label].add(prompt.id)
    groups = {
        frozenset(prompts): label
        for label, prompts in reversed(found.items())
        if _FEWEST_PROMPTS <= len(prompts) < len(golden.prompts)
    }
    return tuple(Group(kind=kind, name=name, prompts=prompts) for prompts, (kind, name) in groups.items())


def _labels(prompt: Prompt, thirds: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        ("category", prompt.category),
        *(("tag", tag) for tag in prompt.tags),
        *(("tool", tool) for tool in offered_tools(prompt.request)),
        *([("prompt length", thirds[prompt.id])] if prompt.id in thirds else []),
    ]


def _thirds(prompts: Sequence[Prompt]) -> dict[str, str]:
    """Sort by the length of the messages, in characters; a small set has no thirds."""
    if len(prompts) < _LEAST_FOR_THIRDS:
        return {}
    ordered = sorted(prompts, key=lambda prompt: (len(str(prompt.request.get("messages"))), prompt.id))
    return {prompt.id: _THIRDS[3 * place // len(ordered)] for place, prompt in enumerate(ordered)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scores:
    """One prompt and metric under its labellings: centred sums of the candidate's losses, observed and drawn."""

    losses: Losses
    observed: float
    drawn: _Floats
    variance: float


def worst_cohort(
    golden: GoldenSet,
    pairs: Sequence[Pair],
    rng: np.random.Generator,
    *,
    metrics: Sequence[str] = METRICS,
    draws: int = DRAWS,
) -> Cohort | None:
    """Find the group and metric with the largest loss against the others; None where there are no two groups."""
    groups = prompt_groups(golden)
    if len(groups) < _FEWEST_GROUPS:
        return None
    scored = _scores(pairs, metrics, rng, draws)
    tried = [
        (group, metric, found)
        for group in groups
        for metric in metrics
        if (found := _contrast(group, scored[metric])) is not None
    ]
    if not tried:
        return None
    maxima = np.max([drawn for _, _, (_, drawn) in tried], axis=0)
    # Of groups that differ alike the smallest says most.
    group, metric, (largest, _) = max(tried, key=lambda one: (round(one[2][0], 9), -len(one[0].prompts)))
    inside = [one.losses for one in _of(group, scored[metric])]
    outside = [one.losses for one in scored[metric] if one.losses.prompt_id not in group.prompts]
    return Cohort(
        kind=group.kind,
        name=group.name,
        metric=metric,
        effect=_effect(metric, inside),
        elsewhere=_effect(metric, outside),
        p_value=float((1 + np.count_nonzero(maxima >= largest - _TIE)) / (1 + draws)),
        n_prompts=len(inside),
        n_cohorts=len(groups),
        prompts=tuple(losses.prompt_id for losses in inside),
    )


def _of(group: Group, scores: Sequence[_Scores]) -> list[_Scores]:
    return [one for one in scores if one.losses.prompt_id in group.prompts]


def _contrast(group: Group, scores: Sequence[_Scores]) -> tuple[float, _Floats] | None:
    """Give the observed and the drawn contrasts in standard deviations; None where nothing could vary."""
    inside = _of(group, scores)
    if not _FEWEST_PROMPTS <= len(inside) < len(scores):
        return None
    share = sum(one.losses.candidate.size for one in inside) / sum(one.losses.candidate.size for one in scores)
    weights = [1 - share if one.losses.prompt_id in group.prompts else -share for one in scores]
    variance = sum(weight**2 * one.variance for weight, one in zip(weights, scores, strict=True))
    if variance <= 0:
        return None
    scale = 1 / math.sqrt(variance)
    observed = sum(weight * one.observed for weight, one in zip(weights, scores, strict=True))
    drawn: _Floats = np.tensordot(weights, [one.drawn for one in scores], axes=1)
    return scale * observed, scale * drawn


def _scores(
    pairs: Sequence[Pair], metrics: Sequence[str], rng: np.random.Generator, draws: int
) -> dict[str, list[_Scores]]:
    """Permute each prompt's labels once for all metrics that its pairs have in common."""
    by_prompt: dict[str, list[Losses]] = defaultdict(list)
    shifts: dict[str, float] = {}
    for metric in metrics:
        of_metric = prompt_losses(pairs, metric)
        shifts[metric] = common_shift(of_metric)
        for losses in of_metric:
            by_prompt[losses.prompt_id].append(losses)
    found: dict[str, list[_Scores]] = {metric: [] for metric in metrics}
    for of_prompt in by_prompt.values():
        labels: dict[int, NDArray[np.bool_]] = {}
        for losses in of_prompt:
            n = losses.candidate.size
            if n not in labels:
                labels[n] = _labellings(n, rng, draws)
            found[losses.metric].append(_score(losses, shifts[losses.metric], labels[n]))
    return found


def _labellings(n: int, rng: np.random.Generator, draws: int) -> NDArray[np.bool_]:
    """Draw which of 2n requests are called the candidate's: n of them, every choice as likely."""
    if math.comb(2 * n, n) > _MOST_LABELLINGS:
        return rng.permuted(np.broadcast_to(np.arange(2 * n) < n, (draws, 2 * n)), axis=1)
    chosen = np.array(list(itertools.combinations(range(2 * n), n)))
    table = np.zeros((len(chosen), 2 * n), dtype=bool)
    np.put_along_axis(table, chosen, values=True, axis=1)
    drawn: NDArray[np.bool_] = table[rng.integers(len(table), size=draws)]
    return drawn


def _score(losses: Losses, shift: float, labels: NDArray[np.bool_]) -> _Scores:
    pooled = np.concatenate([losses.reference, losses.beyond(shift).candidate])
    n = losses.candidate.size
    scores = pooled if losses.metric == "task_success" else rankdata(pooled) / pooled.size
    centred = scores - scores.mean()
    # Variance of the sum of n of 2n values drawn without replacement.
    variance = float(n * n / (2 * n * (2 * n - 1)) * np.sum(centred**2)) if n else 0.0
    return _Scores(losses=losses, observed=float(centred[n:].sum()), drawn=labels @ centred, variance=variance)


def _effect(metric: str, losses: Sequence[Losses]) -> Value:
    """Difference of the rates over all requests, or geometric mean over prompts of the ratio of medians."""
    if not losses:
        return missing("no other prompt")
    if metric == "task_success":
        reference = np.concatenate([one.reference for one in losses])
        candidate = np.concatenate([one.candidate for one in losses])
        return known(float(reference.mean() - candidate.mean()))
    logs = [math.log(ratio) for one in losses if (ratio := one.ratio)]
    return known(math.exp(math.fsum(logs) / len(logs))) if logs else missing(_NO_EFFECT)

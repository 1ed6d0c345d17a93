"""Which prompts to read first: those that the candidate lost most, then those that it slowed most."""

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from harness.analysis.gatetable import GATES
from harness.analysis.pairs import Pair, rate_pairs
from harness.analysis.results import GateKind, Trial
from harness.model.golden import GoldenSet

SHOWN = 3
_WORTH_READING = math.log(1.1)  # below it a slower prompt is noise more often than not


def prompts_to_read(golden: GoldenSet, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Give up to three prompt ids, worst first; a prompt that lost nothing and is not slower is not worth it."""
    losses = _losses(golden, pairs)
    slowdown = _slowdowns(pairs)
    ordered = sorted(losses.keys() | slowdown.keys(), key=lambda prompt: (-losses[prompt], -slowdown[prompt], prompt))
    return tuple(prompt for prompt in ordered if losses[prompt] > 0 or slowdown[prompt] > _WORTH_READING)[:SHOWN]


def _losses(golden: GoldenSet, pairs: Sequence[Pair]) -> dict[str, float]:
    """Net losses over all rate gates, per pair of the prompt: equal noise on both sides cancels."""
    net: dict[str, float] = defaultdict(float)
    for row in GATES:
        if row.kind is GateKind.DIFFERENCE:
            for prompt_id, counts in rate_pairs(row, pairs, golden).by_prompt().items():
                net[prompt_id] += counts.difference if not row.higher_is_better else -counts.difference
    return net


def _slowdowns(pairs: Sequence[Pair]) -> dict[str, float]:
    """Log ratio of the medians, of TTFT or E2E, whichever is worse."""
    found: dict[str, float] = defaultdict(float)
    for metric in ("ttft", "e2e"):
        for prompt_id, rows in _times(pairs, metric).items():
            ratio = median(two for _, two in rows) / median(one for one, _ in rows)
            found[prompt_id] = max(found[prompt_id], math.log(ratio))
    return found


def _times(pairs: Sequence[Pair], metric: str) -> dict[str, list[tuple[float, float]]]:
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for pair in pairs:
        one, two = _positive(pair.reference, metric), _positive(pair.candidate, metric)
        if one is not None and two is not None:
            times[pair.prompt_id].append((one, two))
    return times


def _positive(trial: Trial, metric: str) -> float | None:
    found = trial.metrics.get(metric)
    return found.value if found is not None and found.value else None

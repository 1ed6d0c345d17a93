"""Which prompts to read first: those that the candidate lost most, then those whose own test stands out."""

from collections import defaultdict
from collections.abc import Sequence

from harness.analysis.gatetable import GATES
from harness.analysis.pairs import Pair, rate_pairs
from harness.analysis.results.gate import GateKind
from harness.analysis.results.worstoff import Regression
from harness.model.golden import GoldenSet

SHOWN = 3


def prompts_to_read(golden: GoldenSet, pairs: Sequence[Pair], flagged: Sequence[Regression] = ()) -> tuple[str, ...]:
    """Give up to three prompt ids, worst first; a prompt that lost nothing and does not stand out is not named."""
    losses = _losses(golden, pairs)
    smallest: dict[str, float] = {}
    for one in flagged:
        smallest[one.prompt_id] = min(one.adjusted_p, smallest.get(one.prompt_id, 1.0))
    named = {prompt for prompt, lost in losses.items() if lost > 0} | smallest.keys()
    return tuple(sorted(named, key=lambda prompt: (-losses[prompt], smallest.get(prompt, 1.0), prompt)))[:SHOWN]


def _losses(golden: GoldenSet, pairs: Sequence[Pair]) -> dict[str, float]:
    """Net losses over all rate gates, per pair of the prompt: equal noise on both sides cancels."""
    net: dict[str, float] = defaultdict(float)
    for row in GATES:
        if row.kind is GateKind.DIFFERENCE:
            for prompt_id, counts in rate_pairs(row, pairs, golden).by_prompt().items():
                net[prompt_id] += counts.difference if not row.higher_is_better else -counts.difference
    return net

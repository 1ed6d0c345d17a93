"""Curves from tails: where they step, to which share, and where they end."""

from collections.abc import Mapping, Sequence

from harness.analysis.results.estimates import Tail
from harness.analysis.sharebands import share_bands
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.definitions import Catalog, is_latency
from harness.report.plotdata import Curve, Step
from harness.report.untrusted import one_line

GAP = "gap"
LABEL = 36  # characters of a name beside a plot
MOST_STEPS = 240  # of a drawn curve
EVERY_STEP_OF = 60  # slowest and fastest values: a tail is not thinned


def curve_of(
    tail: Tail, scale: fmt.Scale, names: Mapping[Arm, str], catalog: Catalog, cold: Sequence[float] = ()
) -> Curve:
    """Give one side's curve; it ends at the share of requests that arrived."""
    n, never = n_counted(tail, catalog), n_never(tail, catalog)
    failed = f", {fmt.plural(never, 'failure')}" if never else ""
    return Curve(
        arm=tail.arm.value,
        label=f"{one_line(names.get(tail.arm, tail.arm.value), LABEL)} (n {fmt.count(n)}{failed})",
        n=n,
        n_never=never,
        steps=steps_of(tail, n, scale, most=MOST_STEPS),
        edge=None if tail.metric == GAP else _edge(n),
        cold=tuple(sorted(value * scale.factor for value in cold)),
    )


def n_counted(tail: Tail, catalog: Catalog) -> int:
    """Count what a curve is made of: values, and failures where they are infinitely late."""
    return len(tail.values) + n_never(tail, catalog)


def n_never(tail: Tail, catalog: Catalog) -> int:
    """Count the steps that never arrive."""
    return tail.n_failed if is_latency(catalog, tail.metric) else 0


def steps_of(tail: Tail, n: int, scale: fmt.Scale, *, most: int) -> tuple[Step, ...]:
    """Give the steps: the value of rank k is where k of n are at or below it, and n - k + 1 of n at least as large."""
    ranks = kept_ranks(len(tail.values), most)
    if tail.metric == GAP:  # the gaps of one stream depend on each other: a share of them has no interval
        return tuple(Step(value=tail.values[rank - 1] * scale.factor, share=(n - rank + 1) / n) for rank in ranks)
    bands = share_bands(ranks, n) if ranks else ()
    return tuple(
        Step(value=tail.values[rank - 1] * scale.factor, share=rank / n, low=band.low, high=band.high)
        for rank, band in zip(ranks, bands, strict=True)
    )


def _edge(n: int) -> Step:
    """Give the interval of the share before the first value: none of n."""
    band = share_bands([0], n)[0]
    return Step(value=0.0, share=0.0, low=band.low, high=band.high)


def kept_ranks(n: int, most: int) -> list[int]:
    """Choose the ranks that are kept: all of a few; of many both ends whole, and evenly between them."""
    if n <= most:
        return list(range(1, n + 1))
    ends = min(EVERY_STEP_OF, most // 4)
    between = most - 2 * ends
    middle = (ends + round((n - 2 * ends) * place / (between + 1)) for place in range(1, between + 1))
    return sorted({*range(1, ends + 1), *middle, *range(n - ends + 1, n + 1)})

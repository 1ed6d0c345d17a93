"""Candidate over reference, prompt by prompt: one plot per metric."""

import math
from collections.abc import Iterable, Sequence

from harness.analysis.promptratios import PromptRatio, PromptRatios, prompt_ratios
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.gate import Gate
from harness.analysis.results.instrument import VOID_FIGURE
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of
from harness.report.page import Figure, Withheld
from harness.report.plotdata import PairedPlot, PairedPoint
from harness.report.untrusted import one_line, visible
from harness.report.view_curves import LABEL
from harness.report.view_figures import csv_text

_GATES = {"ttft": "ttft_p50", "decode_rate": "decode_p50", "e2e": "e2e_p50"}
_HIGHER_IS_BETTER = frozenset({"decode_rate"})
MOST_PROMPTS = 60  # drawn


def paired_figures(analysis: Analysis, catalog: Catalog) -> tuple[Figure, ...]:
    """Give each metric's ratios, the worst prompt first; none for one endpoint, or of void timings."""
    if analysis.judgement is None or analysis.certificate.is_void:
        return ()
    found = {metric: prompt_ratios(analysis.prompts, metric) for metric in _GATES}
    return tuple(
        _figure(metric, ratios, _title(metric, catalog), _margin(analysis.judgement.gates, metric))
        for metric, ratios in found.items()
        if ratios.ratios
    )


def withheld_pairs(analysis: Analysis, catalog: Catalog) -> tuple[Withheld, ...]:
    """Say why a metric has no ratio on any prompt."""
    if analysis.judgement is None:
        return ()
    if analysis.certificate.is_void:
        return tuple(Withheld(id=_id(one), title=_title(one, catalog), reasons=(VOID_FIGURE,)) for one in _GATES)
    found = {metric: prompt_ratios(analysis.prompts, metric) for metric in _GATES}
    return tuple(
        Withheld(id=_id(metric), title=_title(metric, catalog), reasons=tuple(_without(ratios)) or ("no prompt",))
        for metric, ratios in found.items()
        if not ratios.ratios
    )


def _id(metric: str) -> str:
    return f"paired-{metric.replace('_', '-')}"


def _title(metric: str, catalog: Catalog) -> str:
    return f"{title_of(catalog, metric)} of each prompt: candidate over reference"


def _without(found: PromptRatios) -> Iterable[str]:
    return (f"{visible(reason)} ({n:,})" for reason, n in found.without.items())


def _margin(gates: Iterable[Gate], metric: str) -> float | None:
    return next((gate.margin for gate in gates if gate.id == _GATES[metric]), None)


def _figure(metric: str, found: PromptRatios, title: str, margin: float | None) -> Figure:
    is_rate = metric in _HIGHER_IS_BETTER
    ordered = found.ratios if is_rate else found.ratios[::-1]
    kept = worst_and_best(ordered)
    return Figure(
        id=_id(metric),
        title=title,
        description=_describe(found, ordered, is_rate=is_rate),
        plot=PairedPlot(
            x_label="ratio of the prompt's two medians, log axis",
            margin=margin,
            points=tuple(PairedPoint(label=one_line(one.prompt_id, LABEL), ratio=one.ratio) for one in kept),
            n_between=len(ordered) - len(kept),
            median=_finite(found.median.value),
            low=None if found.interval is None else _finite(found.interval.low),
            high=None if found.interval is None else _finite(found.interval.high),
            median_label=_median(found),
        ),
        csv=csv_text(("prompt", f"{metric}_ratio"), ((one_line(one.prompt_id), one.ratio) for one in ordered)),
        caption=" ".join(_caption(found, len(ordered) - len(kept))),
    )


def worst_and_best(ordered: Sequence[PromptRatio]) -> Sequence[PromptRatio]:
    """Keep both ends of very many prompts."""
    half = MOST_PROMPTS // 2
    return ordered if len(ordered) <= MOST_PROMPTS else [*ordered[:half], *ordered[-half:]]


def _finite(value: float | None) -> float | None:
    return value if value is not None and 0 < value < math.inf else None


def _median(found: PromptRatios) -> str:
    if found.median.value is None:
        return ""
    middle = f"median {_ratio(found.median.value)}"
    if found.interval is None:
        return f"{middle} (no interval below {found.n_for_interval} prompts)"
    ends = " to ".join("no bound" if end is None else _ratio(end) for end in (found.interval.low, found.interval.high))
    return f"{middle} (95\u00a0%: {ends})"


def _ratio(value: float) -> str:
    """Write a ratio; what falls among failures in words."""
    return fmt.ratio(value) if 0 < value < math.inf else fmt.UNATTAINABLE


def _describe(found: PromptRatios, ordered: Sequence[PromptRatio], *, is_rate: bool) -> str:
    slower = sum(one.ratio < 1 if is_rate else one.ratio > 1 for one in ordered)
    first, last = ordered[0], ordered[-1]
    without = sum(found.without.values())
    return (
        f"{slower} of {fmt.plural(len(ordered), 'prompt')} {'is' if slower == 1 else 'are'} slower on the candidate; "
        f"{_median(found)}; from {one_line(last.prompt_id, LABEL)} {_told(last)} to {one_line(first.prompt_id, LABEL)} "
        f"{_told(first)}" + (f"; {fmt.plural(without, 'prompt')} without a ratio" if without else "")
    )


def _told(one: PromptRatio) -> str:
    if math.isinf(one.ratio):
        return "(the candidate's median falls among failures)"
    return fmt.ratio(one.ratio) if one.ratio else "(the reference's median falls among failures)"


def _caption(found: PromptRatios, n_between: int) -> Iterable[str]:
    yield "Line and band: the median over prompts with its interval, the prompts being a sample of prompts like these."
    if n_between:
        yield f"{n_between:,} prompts of the middle are not drawn; the data have all."
    if found.without:
        yield f"Without a ratio: {'; '.join(_without(found))}."
    if any(not 0 < one.ratio < math.inf for one in found.ratios):
        yield "An arrow at an edge: one side's median falls among failures."

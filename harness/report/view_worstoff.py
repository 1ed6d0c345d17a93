"""Prompts and a group of them that got worse: as text."""

from harness.analysis.results.judgement import Judgement
from harness.analysis.results.worstoff import Regression, WorstOff
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of, unit_of
from harness.report.page import Cell, Column, Table, WorstOffView
from harness.report.untrusted import one_line, visible

_SHOWN = 20
_NAME = 60  # characters of a prompt's id
_SMALL = 0.001


def worst_off_view(judgement: Judgement | None, catalog: Catalog) -> WorstOffView | None:
    """Say what stands out; None for one endpoint alone."""
    found = judgement.worst_off if judgement else None
    if found is None:
        return None
    return WorstOffView(sentence=visible(found.sentence), note=_note(found), prompts=_table(found, catalog))


def _note(found: WorstOff) -> str:
    """Say what tests of this size can show: few repeats reach no small p; where they do, there is nothing to say."""
    if found.smallest_p is None or found.smallest_p < _SMALL:
        return ""
    return f"With this many repeats the smallest p of a single prompt is {p_text(found.smallest_p)}."


def _table(found: WorstOff, catalog: Catalog) -> Table | None:
    if not found.regressions:
        return None
    more = len(found.regressions) - _SHOWN
    return Table(
        caption="Prompts that stand out, by their own permutation test",
        columns=(
            Column(title="prompt", is_number=False),
            Column(title="metric", is_number=False),
            Column(title="reference"),
            Column(title="candidate"),
            Column(title="p"),
            Column(title="p, adjusted", hint="Benjamini-Hochberg among the prompts of the metric"),
        ),
        rows=tuple(_row(one, catalog) for one in found.regressions[:_SHOWN]),
        notes=(f"{fmt.plural(more, 'more row')} in verdict.json.",) if more > 0 else (),
    )


def _row(one: Regression, catalog: Catalog) -> tuple[Cell, ...]:
    values = [value.value for value in (one.reference, one.candidate) if value.value is not None]
    scale = fmt.scale_for(unit_of(catalog, one.metric), values)
    sides = ((one.reference, one.n_reference), (one.candidate, one.n_candidate))
    return (
        Cell(text=one_line(one.prompt_id, _NAME)),
        Cell(text=title_of(catalog, one.metric)),
        *(
            Cell(text=fmt.value_text(value, scale), detail=value.reason or f"n {n:,}", tone="plain")
            for value, n in sides
        ),
        Cell(text=p_text(one.p_value)),
        Cell(text=p_text(one.adjusted_p)),
    )


def p_text(p_value: float) -> str:
    """Write a p, small ones as a bound."""
    return f"{p_value:.3f}" if p_value >= _SMALL else f"below {_SMALL}"

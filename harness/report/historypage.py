"""Says how a figure went over the runs of a ledger: the page's view, and the page."""

from collections.abc import Iterator, Sequence
from datetime import UTC

from harness.analysis.series import Point, Series, instant, side_called
from harness.analysis.steps import Step
from harness.model.baseline import Baseline, Baselines, baseline_of
from harness.model.ledger import Ledger, LedgerEntry
from harness.report import format as fmt
from harness.report.historytext import TITLES, UNITS, point_text
from harness.report.historyview import HistoryPlot, HistoryView, Level, PlottedRun
from harness.report.html import render_simple
from harness.report.page import Cell, Column, Fact, Table, Tone
from harness.report.plot_history import draw_history
from harness.report.untrusted import one_line

LEAST_RUNS = 10  # with a value, for a step to be looked for
_TONES: dict[str | None, Tone] = {"PASS": "good", "FAIL": "bad", "INCONCLUSIVE": "warn", "INVALID": "void"}
_RUN_COLUMNS = (
    Column(title="Started, UTC", is_number=False),
    Column(title="Run", is_number=False),
    Column(title="Value", hint="with its own 95 % interval"),
    Column(title="n"),
    Column(title="Verdict", is_number=False),
    Column(title="Timings", is_number=False),
    Column(title="Remarks", is_number=False),
)


def history_view(ledger: Ledger, series: Series, steps: Sequence[Step], baselines: Baselines) -> HistoryView:
    """Say all of it; the series holds only runs that may be compared."""
    newest = series.points[-1].entry
    title = f"{TITLES[series.figure]} of {one_line(series.endpoint)}"
    baseline = baselines.of(newest.comparable)
    return HistoryView(
        title=title,
        sentence=_sentence(series, steps),
        facts=tuple(_facts(ledger, newest, baseline)),
        plot=_plot(ledger, series, steps, baseline),
        description=_description(series, steps),
        steps=_steps_table(series, steps) if steps else None,
        no_steps=_no_steps(series),
        runs=_runs_table(series, baseline),
    )


def render_history(view: HistoryView) -> str:
    """Render the page; the same view gives the same bytes, and it has no script."""
    drawing = draw_history(view.plot, "fig-history", view.title, view.description)
    return render_simple("history.html.j2", view, drawing)


def _sentence(series: Series, steps: Sequence[Step]) -> str:
    n, n_gaps = len(series.counted), len(series.points) - len(series.counted)
    if not n:
        return f"No run has a value; {fmt.plural(n_gaps, 'gap')}."
    last = series.counted[-1]
    gaps = f" and {fmt.plural(n_gaps, 'gap')}" if n_gaps else ""
    found = _last_step(steps) if steps else "no step was found"
    said = f"{point_text(series.figure, last)} in the last of {fmt.plural(n, 'run')}{gaps}"
    return f"{said}, {fmt.moment(last.entry.started_at)}; {found}."


def _last_step(steps: Sequence[Step]) -> str:
    before = f"the last of {len(steps)} steps" if len(steps) > 1 else "one step"
    return f"{before}, {steps[-1].words}"


def _facts(ledger: Ledger, newest: LedgerEntry, baseline: Baseline | None) -> Iterator[Fact]:
    yield Fact(label="Golden set", value=one_line(newest.golden_name), detail=newest.golden_sha256[:12])
    for side in newest.sides:
        label = side.arm.value.capitalize() if len(newest.sides) > 1 else "Endpoint"
        yield Fact(label=label, value=one_line(side.name), detail=f"{one_line(side.model)} at {one_line(side.address)}")
    yield Fact(label="Definitions", value=newest.definitions)
    yield Fact(label="Series", value=newest.comparable[:8], detail=f"of {one_line(str(ledger.file))}")
    if baseline is None:
        yield Fact(label="Baseline", value="none is set")
    else:
        detail = f"by {baseline.set_by}, {baseline.set_at[:10]}: {baseline.reason}"
        yield Fact(label="Baseline", value=one_line(baseline.run_id), detail=one_line(detail))


def _plot(ledger: Ledger, series: Series, steps: Sequence[Step], baseline: Baseline | None) -> HistoryPlot:
    factor, unit = _scale(series)
    runs = tuple(_plotted(point, factor) for point in series.points)
    return HistoryPlot(
        y_label=f"{TITLES[series.figure]}, {unit}" if unit else TITLES[series.figure],
        runs=runs,
        levels=tuple(_levels(runs, steps, factor)),
        baseline=None if baseline is None else _baseline_value(ledger, series, baseline, factor),
    )


def _scale(series: Series) -> tuple[float, str]:
    unit = UNITS[series.figure]
    scale = fmt.scale_for(unit, series.values)
    return (scale.factor, scale.symbol) if unit else (1.0, "")


def _plotted(point: Point, factor: float) -> PlottedRun:
    figure = point.figure
    ends = [None, None, None] if figure is None else [figure.value, figure.low, figure.high]
    value, low, high = (None if end is None else end * factor for end in ends)
    at = instant(point.entry.started_at).astimezone(UTC)
    return PlottedRun(started_at=at, value=value, low=low, high=high)


def _levels(runs: Sequence[PlottedRun], steps: Sequence[Step], factor: float) -> Iterator[Level]:
    """Give the means that a step stands between; nothing where there is none."""
    if not steps:
        return
    starts = [0, *(step.index for step in steps)]
    ends = [*(step.index - 1 for step in steps), len(runs) - 1]
    means = [steps[0].before, *(step.after for step in steps)]
    for start, end, mean in zip(starts, ends, means, strict=True):
        yield Level(since=runs[start].started_at, until=runs[end].started_at, mean=mean * factor)


def _baseline_value(ledger: Ledger, series: Series, baseline: Baseline, factor: float) -> float | None:
    found = baseline_of(ledger, baseline.comparable)
    side = side_called(found[1], series.endpoint) if found else None
    figure = side.figures.get(series.figure) if side else None
    return None if figure is None or figure.value is None else figure.value * factor


def _description(series: Series, steps: Sequence[Step]) -> str:
    if not series.counted:
        return "No run has a value."
    values = series.values
    scale = fmt.scale_for(UNITS[series.figure], values)
    ends = f"between {scale.full(min(values))} and {scale.full(max(values))}"
    found = "; ".join(step.words for step in steps) or "none was found"
    return f"{fmt.plural(len(values), 'run')} {ends}, each at its start. Steps: {found}."


def _no_steps(series: Series) -> str:
    n = len(series.counted)
    if n < LEAST_RUNS:
        return f"Steps are looked for from {LEAST_RUNS} runs with a value; there are {n}."
    return f"No step was found in {n} runs."


def _steps_table(series: Series, steps: Sequence[Step]) -> Table:
    heads = ("First run after it", "Started", "Before", "After", "Change", "Runs")
    unit = UNITS[series.figure]
    scale = fmt.scale_for(unit, series.values)
    return Table(
        caption="Where the figure steps: means of the runs between steps",
        columns=tuple(Column(title=head, is_number=place > 1) for place, head in enumerate(heads)),
        rows=tuple(
            (
                Cell(text=one_line(step.run_id)),
                Cell(text=fmt.moment(step.started_at)),
                Cell(text=scale.full(step.before)),
                Cell(text=scale.full(step.after)),
                Cell(text=_change(step)),
                Cell(text=f"{step.n_before}, {step.n_after}"),
            )
            for step in steps
        ),
        notes=("A step says when the figure changed, not why. Whether it is a regression, bench regress says.",),
    )


def _moment(stamp: str) -> str:
    return f"{instant(stamp).astimezone(UTC):%Y-%m-%d %H:%M}"


def _change(step: Step) -> str:
    return f"{fmt.signed(100 * (step.after / step.before - 1))}{fmt.GAP}%" if step.before > 0 else fmt.DASH


def _runs_table(series: Series, baseline: Baseline | None) -> Table:
    return Table(
        caption="The runs, the newest first; a star marks the baseline",
        columns=_RUN_COLUMNS,
        rows=tuple(_run_row(series, point, baseline) for point in reversed(series.points)),
    )


def _run_row(series: Series, point: Point, baseline: Baseline | None) -> tuple[Cell, ...]:
    entry = point.entry
    star = "*" if baseline is not None and baseline.run_id == entry.run_id else ""
    remarks = "; ".join((*point.labels, *point.notes))
    return (
        Cell(text=_moment(entry.started_at)),
        Cell(text=one_line(entry.run_id) + star),
        Cell(text=point_text(series.figure, point), detail=one_line(point.gap or "", 160)),
        Cell(text=fmt.count(point.figure.n) if point.figure else fmt.DASH),
        Cell(text=entry.verdict or fmt.DASH, tone=_TONES.get(entry.verdict, "plain")),
        Cell(text=entry.timing, tone="void" if entry.timing == "VOID" else "plain"),
        Cell(text=one_line(remarks) or fmt.DASH),
    )

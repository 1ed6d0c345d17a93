"""The ledger as text: a table of runs, a series in a few lines."""

from collections.abc import Iterator, Sequence

from harness.analysis.series import Point, Series, usual_endpoint
from harness.model.ledger import Ledger, LedgerEntry, LedgerFigure, differences
from harness.report import format as fmt
from harness.report.sparkline import sparkline
from harness.report.untrusted import one_line

UNITS = {
    "ttft_p50": "s",
    "ttft_p95": "s",
    "e2e_p50": "s",
    "decode_p50": "tok/s",
    "request_success": "fraction",
    "task_success": "fraction",
    "tool_success": "fraction",
    "json_validity": "fraction",
    "cost_per_request": "",
    "cost_per_success": "",
}
TITLES = {
    "ttft_p50": "TTFT p50",
    "ttft_p95": "TTFT p95",
    "e2e_p50": "E2E p50",
    "decode_p50": "Decode rate p50",
    "request_success": "Request success",
    "task_success": "Task success",
    "tool_success": "Tool-call success",
    "json_validity": "Valid JSON",
    "cost_per_request": "Cost per request",
    "cost_per_success": "Cost per success",
}
HEADS = ("started", "run", "series", "kind", "endpoints", "verdict", "timing", "TTFT p50", "decode p50", "labels")
_LEAST_NEEDED = ("kind", "timing", "labels", "TTFT p50", "endpoints", "started")  # left out first to last, for width
_BETWEEN = 2  # blanks between columns
_GAPS_SHOWN = 3


def figure_text(name: str, figure: LedgerFigure | None) -> str:
    """Write a figure with its unit, or a dash."""
    if figure is None or figure.value is None:
        return fmt.DASH
    if not UNITS[name]:
        return f"{figure.value:.4g}"
    return fmt.scale_for(UNITS[name], [figure.value]).full(figure.value)


def run_rows(ledger: Ledger, entries: Sequence[LedgerEntry], baselines: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Give a row for each run; a star marks a baseline, a letter the runs that may be compared."""
    letters = series_letters(ledger)
    return [_row(ledger, entry, letters[entry.comparable], is_baseline=entry.run_id in baselines) for entry in entries]


def fitting(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[tuple[str, ...]]:
    """Leave out the columns least needed until the table, its heads first, is no wider; None: as wide as it is."""
    table = [tuple(heads), *map(tuple, rows)]
    for name in _LEAST_NEEDED:
        if width is None or _width(table) <= width:
            break
        place = table[0].index(name)
        table = [(*row[:place], *row[place + 1 :]) for row in table]
    return table


def _width(table: Sequence[Sequence[str]]) -> int:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return sum(widths) + _BETWEEN * (len(widths) - 1)


def series_letters(ledger: Ledger) -> dict[str, str]:
    """Name each series by a letter, the oldest first: whatever is looked at, and whatever joins, it keeps its own."""
    found = dict.fromkeys(entry.comparable for entry in ledger.entries)
    return {comparable: _letter(place) for place, comparable in enumerate(found)}


def _letter(place: int) -> str:
    """Count A to Z, then AA."""
    head, tail = divmod(place, 26)
    return (_letter(head - 1) if head else "") + chr(ord("A") + tail)


def _row(ledger: Ledger, entry: LedgerEntry, letter: str, *, is_baseline: bool) -> tuple[str, ...]:
    watched = next(side for side in reversed(entry.sides) if side.name == usual_endpoint(entry))
    is_void = entry.timing == "VOID"
    return (
        fmt.moment(entry.started_at).removesuffix(" UTC"),
        one_line(entry.run_id) + ("*" if is_baseline else ""),
        letter,
        entry.kind,
        one_line(" > ".join(side.name for side in entry.sides), 40),
        entry.verdict or ("-" if entry.is_valid else "not valid"),
        entry.timing,
        *("void" if is_void else figure_text(name, watched.figures.get(name)) for name in ("ttft_p50", "decode_p50")),
        one_line(", ".join(ledger.labels_of(entry.run_id)), 40) or "-",
    )


def series_notes(ledger: Ledger, entries: Sequence[LedgerEntry]) -> Iterator[str]:
    """Say what tells the series apart: each against the newest."""
    letters = series_letters(ledger)
    firsts: dict[str, LedgerEntry] = {}
    for entry in reversed(entries):
        firsts.setdefault(letters[entry.comparable], entry)
    newest = next(iter(firsts), None)
    for letter, entry in firsts.items():
        if letter != newest and newest is not None:
            parts = [difference.part for difference in differences([firsts[newest], entry])]
            yield f"series {letter} is not comparable with {newest}: {', '.join(parts)}"


def note_lines(ledger: Ledger, entries: Sequence[LedgerEntry]) -> Iterator[str]:
    """Give the notes on runs."""
    for entry in entries:
        yield from (f"{entry.run_id}: {one_line(note)}" for note in ledger.notes_of(entry.run_id))


def series_lines(series: Series, width: int, steps: Sequence[str] = ()) -> Iterator[str]:
    """Draw a series in a line, then say its ends, its gaps and where it steps."""
    title = f"{TITLES[series.figure]} of {one_line(series.endpoint)}"
    n = len(series.values)
    yield f"{title}, {fmt.plural(n, 'run')}" + (
        f", {fmt.plural(len(series.points) - n, 'gap')}" * (n < len(series.points))
    )
    yield sparkline([point.figure.value if point.figure else None for point in series.points], width)
    if series.counted:
        yield from _ends(series)
    yield from (f"step: {step}" for step in steps)
    gaps = [point for point in series.points if point.figure is None]
    yield from (f"gap: {_said(point)}" for point in gaps[-_GAPS_SHOWN:])
    if len(gaps) > _GAPS_SHOWN:
        yield f"and {fmt.plural(len(gaps) - _GAPS_SHOWN, 'gap')} before"


def _ends(series: Series) -> Iterator[str]:
    first, last = series.counted[0], series.counted[-1]
    low = min(series.counted, key=_value)
    high = max(series.counted, key=_value)
    for word, point in (("first", first), ("last", last), ("least", low), ("most", high)):
        told = point_text(series.figure, point)
        yield f"{word:<6}{told:<32}{fmt.moment(point.entry.started_at)}  {point.entry.run_id}"


def _value(point: Point) -> float:
    value = point.figure.value if point.figure else None
    return 0.0 if value is None else value


def point_text(name: str, point: Point) -> str:
    """Write a run's figure with its interval."""
    figure = point.figure
    if figure is None or figure.value is None:
        return fmt.DASH
    if figure.low is None and figure.high is None:
        return figure_text(name, figure)
    scale = fmt.scale_for(UNITS[name], [figure.value])
    ends = ("no bound" if end is None else scale.number(end) for end in (figure.low, figure.high))
    return f"{scale.full(figure.value)} ({' to '.join(ends)})"


def _said(point: Point) -> str:
    return f"{fmt.moment(point.entry.started_at)}  {point.entry.run_id}: {one_line(point.gap or '')}"

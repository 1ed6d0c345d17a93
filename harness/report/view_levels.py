"""The levels of load: tables of them, readings, lines for the terminal."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Value
from harness.analysis.results.levels import LevelRow
from harness.model.record import Arm, Arrival
from harness.report import format as fmt
from harness.report.definitions import Catalog
from harness.report.page import Cell, Column, Fact, LevelsView, Table
from harness.report.untrusted import one_line, visible
from harness.report.view_evidence import kind_words
from harness.report.view_levelcurves import level_curves
from harness.report.view_leveltails import level_tail_tables
from harness.report.view_load import LEVEL_HEADS, arrival_words, is_leveled, level_head, level_name, unit_words
from harness.report.view_saturation import level_figure, shown_throughput
from harness.report.view_tails import side_cell

_AT_FULL_LOAD = "Large: at full load. Small: over the whole level, whose beginning and end have less of it."
_ACHIEVED = {
    True: "Achieved: requests sent per second, after the ramp; small, how many the seed's instants ask for.",
    False: "Achieved: the mean number in flight, weighted by time, after the ramp and until the last was sent.",
}
_ARROW = " \N{RIGHTWARDS ARROW} "


def levels_view(analysis: Analysis, names: dict[Arm, str], catalog: Catalog) -> LevelsView | None:
    """Say how each side fared at each level; None where there is one level of a closed loop."""
    if not is_leveled(analysis):
        return None
    rows = in_order(analysis.levels)
    return LevelsView(
        lede=arrival_words(analysis.case),
        tables=(_load_table(rows, names), *level_tail_tables(rows, names, catalog)),
        readings=tuple(
            Fact(label=names.get(knee.arm, knee.arm.value), value=knee.words, detail=knee.arm.value)
            for knee in (analysis.knees if len({row.asked for row in rows}) > 1 else ())
        ),
        figure=level_figure(rows, names, catalog),
        tails=level_curves(rows, names, catalog),
        is_paired=_are_pairs(rows),
        lines=tuple(_lines(rows)),
    )


def in_order(rows: Sequence[LevelRow]) -> list[LevelRow]:
    """Put the sides of a load beside each other, also where two runs differ in their levels."""
    places = {asked: place for place, asked in enumerate(dict.fromkeys(row.asked for row in rows))}
    arms = list(dict.fromkeys(row.arm for row in rows))
    seen: Counter[tuple[Arm, float]] = Counter()
    keys = []
    for row in rows:
        keys.append((places[row.asked], seen[row.arm, row.asked], arms.index(row.arm)))
        seen[row.arm, row.asked] += 1
    return [row for _, row in sorted(zip(keys, rows, strict=True), key=lambda pair: pair[0])]


def _are_pairs(rows: Sequence[LevelRow]) -> bool:
    """Whether every level has a row of each of two sides, one after the other."""
    return len({row.arm for row in rows}) > 1 and all(
        one.asked == two.asked and one.arm is not two.arm for one, two in zip(rows[::2], rows[1::2], strict=False)
    )


def _load_table(rows: Sequence[LevelRow], names: Mapping[Arm, str]) -> Table:
    """Give what was asked, what was there, what failed, what it moved."""
    is_open = any(row.arrival is not Arrival.CLOSED for row in rows)
    lines: tuple[tuple[str, Callable[[LevelRow], Cell]], ...] = (
        ("achieved", _achieved),
        ("requests", lambda row: Cell(text=fmt.count(row.n))),
        ("failed", _failed),
        ("output tok/s", lambda row: _rate(row, "output_tokens_per_s", rows)),
        ("requests/s", lambda row: _rate(row, "requests_per_s", rows)),
        ("send lateness p99", lambda row: _duration(row.instrument.send_lateness_p99_s)),
    )
    return Table(
        caption="Load, failures, throughput",
        columns=(*LEVEL_HEADS, *(Column(title=title) for title, _ in lines)),
        rows=tuple((level_head(row), side_cell(row.arm, names), *(write(row) for _, write in lines)) for row in rows),
        notes=(_ACHIEVED[is_open], _AT_FULL_LOAD, *_never_full(rows, names), *_doubts(rows, names)),
    )


def _achieved(row: LevelRow) -> Cell:
    if row.achieved.value is None:
        return Cell(text=fmt.DASH, detail=row.achieved.reason or "", tone="muted")
    decimals = 1 if row.achieved.value >= 10 else 2  # noqa: PLR2004  # two digits before the point
    scheduled = "" if row.scheduled.value is None else f"of {fmt.decimal(row.scheduled.value, decimals)} due"
    return Cell(text=fmt.decimal(row.achieved.value, decimals), detail=scheduled)


def _failed(row: LevelRow) -> Cell:
    kinds = ", ".join(f"{fmt.count(n)} {_lower(kind_words(kind))}" for kind, n in row.failures.items())
    return Cell(text=fmt.count(row.n_failed), detail=kinds, tone="bad" if row.n_failed else "plain")


def _lower(words: str) -> str:
    """Begin with a small letter, but leave an abbreviation alone."""
    return words if words[1:2].isupper() else f"{words[:1].lower()}{words[1:]}"


def _rate(row: LevelRow, name: str, rows: Sequence[LevelRow]) -> Cell:
    """Write a throughput at full load, with that of the whole level in small type."""
    unit = "tok/s" if name == "output_tokens_per_s" else "requests/s"
    scale = fmt.scale_for(unit, [value for other in rows for value in _both(other, name) if value is not None])
    steady, whole = _both(row, name)
    under = getattr(row.throughput, name).reason or "" if whole is None else scale.number(whole)
    if steady is not None:
        return Cell(text=scale.number(steady), detail=under)
    return Cell(text=fmt.DASH, detail=under, tone="muted")


def _both(row: LevelRow, name: str) -> tuple[float | None, float | None]:
    steady: Value = getattr(row.throughput, f"steady_{name}")
    whole: Value = getattr(row.throughput, name)
    return steady.value, whole.value


def _duration(value: Value) -> Cell:
    if value.value is None:
        return Cell(text=fmt.DASH, detail=value.reason or "", tone="muted")
    return Cell(text=fmt.duration(value.value))


def _never_full(rows: Sequence[LevelRow], names: Mapping[Arm, str]) -> Iterator[str]:
    """Say why a row has no throughput at full load, where it has one at all."""
    for row in rows:
        steady, whole = row.throughput.steady_output_tokens_per_s, row.throughput.output_tokens_per_s
        if steady.reason is not None and whole.value is not None:
            yield f"{level_name(row, names)}: no throughput at full load: {visible(steady.reason)}."


def _doubts(rows: Sequence[LevelRow], names: Mapping[Arm, str]) -> Iterator[str]:
    for row in rows:
        if row.n_set_aside:
            aside = fmt.plural(row.n_set_aside, "request")
            yield f"{level_name(row, names)}: {aside} set aside, possibly cold or cancelled."
        for note in row.notes:
            yield f"{level_name(row, names)}: {visible(note)}."


def _lines(rows: Sequence[LevelRow]) -> Iterator[str]:
    """Give the levels with their throughput, in words that become fewer."""
    loads = " ".join(f"{row.asked:g}" for row in rows if row.arm is rows[0].arm)
    what = f"{loads} {unit_words(rows[0].arrival)}"
    moved: dict[Arm, list[str]] = {}
    for row, value in zip(rows, shown_throughput(rows), strict=True):
        moved.setdefault(row.arm, []).append(fmt.DASH if value.value is None else f"{value.value:,.0f}")
    for between in (_ARROW, " "):
        yield one_line(f"{what}: {' / '.join(between.join(found) for found in moved.values())} tok/s", 400)
    yield what

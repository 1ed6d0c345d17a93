"""Tool calls and structured output of both sides: as text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from harness.analysis.parity import ONE_ENDPOINT
from harness.analysis.results.answers import Agreement
from harness.analysis.results.estimates import Value
from harness.analysis.results.tools import StructuredSide, ToolComparison, ToolSide
from harness.analysis.results.trial import Rung
from harness.analysis.values import quotient
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of
from harness.report.page import Cell, Column, Table
from harness.report.view_answers import percent_cell, undefined_notes

_Side = TypeVar("_Side", ToolSide, StructuredSide)
_HEAD = Column(title="", is_number=False)
_FALLS = {  # in the order of the ladder
    Rung.TRANSPORT: "no answer (transport)",
    Rung.LEAKED_MARKUP: "call written into the text (LeakedMarkup)",
    Rung.DECISION: "called or not, how often, which tool (decision)",
    Rung.INVALID_JSON: "arguments do not parse (InvalidJson)",
    Rung.UNKNOWN_NAME: "a tool that is not offered (UnknownName)",
    Rung.SCHEMA_MISMATCH: "arguments against the schema (SchemaMismatch)",
    Rung.ARGUMENT_MISMATCH: "other arguments than expected (ArgumentMismatch)",
    Rung.PROTOCOL: "an id given twice and the like (protocol)",
    Rung.LOOP: "the answer after the tool's result (loop)",
    Rung.LOOP: "second answer of the tool loop (loop)",
}


_PAIRS = (
    "Pairs are of two answers to one prompt that offers tools. Where a prompt is best answered without a call, neither "
    "calls: read a share beside the reference's with itself, not against 100 %."
)


def tool_tables(found: ToolComparison | None, names: Mapping[Arm, str], catalog: Catalog) -> tuple[Table, ...]:
    """Give when tools are called, and how the calls hold up; nothing where no prompt offers tools."""
    return () if found is None else (_trigger_table(found.triggers, catalog), _side_table(found.sides, names))


def _trigger_table(rows: Sequence[Agreement], catalog: Catalog) -> Table:
    """Show when sides call beside the ceiling: what the reference reaches with its own repeats."""
    is_alone = all(row.cross.reason == ONE_ENDPOINT for row in rows)
    across = () if is_alone else ("candidate with itself", "reference with candidate", "of the ceiling")
    return Table(
        caption="When a tool is called",
        columns=(
            Column(title="compared", is_number=False),
            Column(
                title="with itself" if is_alone else "reference with itself", hint="the ceiling of an equal candidate"
            ),
            *(Column(title=head) for head in (*across, "prompts")),
        ),
        rows=tuple(_trigger_row(row, catalog, is_alone=is_alone) for row in rows),
        notes=(_PAIRS, *undefined_notes(rows, is_alone=is_alone)),
    )


def _trigger_row(row: Agreement, catalog: Catalog, *, is_alone: bool) -> tuple[Cell, ...]:
    head, count = Cell(text=title_of(catalog, row.metric)), Cell(text=fmt.count(row.n_prompts))
    if is_alone:
        return (head, percent_cell(row.reference_self), count)
    of_ceiling = percent_cell(quotient(row.cross, row.reference_self))
    return (head, *map(percent_cell, (row.reference_self, row.candidate_self, row.cross)), of_ceiling, count)


def _side_table(sides: Sequence[ToolSide], names: Mapping[Arm, str]) -> Table:
    repeats = "" if sides[0].k is None else f", k = {sides[0].k}"
    lines: list[tuple[Cell, ...]] = [
        _line("trials that expect a decision", sides, lambda side: Cell(text=fmt.count(side.n_trials))),
        _line("reached the top of the ladder", sides, lambda side: _share(side.rungs.get(Rung.OK, 0), side.n_trials)),
        *_falls(sides),
        _line("schema accuracy of the answers that call", sides, _schema_accuracy),
        _line(f"at least one repeat succeeds (pass@k{repeats})", sides, lambda side: _percent(side.pass_at_k)),
        _line(f"all repeats succeed (pass^k{repeats})", sides, lambda side: _percent(side.pass_all_k)),
    ]
    return Table(caption="How the calls hold up", columns=(_HEAD, *_columns(sides, names)), rows=tuple(lines))


def _schema_accuracy(side: ToolSide) -> Cell:
    if side.schema_accuracy.value is None:
        return _percent(side.schema_accuracy)
    return _share(side.n_schema_valid, side.n_calling, is_bad_low=True)


def _falls(sides: Sequence[ToolSide]) -> Iterator[tuple[Cell, ...]]:
    """Give the rungs on which a trial of either side fell."""
    for rung, words in _FALLS.items():
        if any(side.rungs.get(rung) for side in sides):
            cells = (_count(side.rungs.get(rung, 0)) for side in sides)
            yield (Cell(text=f"fell: {words}"), *cells)
    if any(side.rungs.get(Rung.NOT_RUN) for side in sides):
        counts = (fmt.count(side.rungs.get(Rung.NOT_RUN, 0)) for side in sides)
        yield (Cell(text="loops that were not run, not counted"), *(Cell(text=text, tone="muted") for text in counts))


def structured_table(sides: Sequence[StructuredSide], names: Mapping[Arm, str]) -> Table | None:
    """Count the answers of prompts that ask for JSON by what they are; nothing without such prompts."""
    if not sides:
        return None
    flaws: tuple[tuple[str, Callable[[StructuredSide], int]], ...] = (
        ("inside a ``` fence", lambda side: side.n_fenced),
        ("text before or after it", lambda side: side.n_wrapped),
        ("prose without JSON", lambda side: side.n_prose),
        ("cut off inside it", lambda side: side.n_cut),
        ("empty", lambda side: side.n_empty),
        ("not JSON otherwise", lambda side: side.n_malformed),
        ("no answer: the request failed", lambda side: side.n_failed),
    )
    return Table(
        caption="Answers of prompts that ask for JSON",
        columns=(_HEAD, *_columns(sides, names)),
        rows=(
            _line("valid under the stated schema", sides, _schema_valid),
            _line("JSON as a whole", sides, lambda side: _share(side.n_valid, side.n, is_bad_low=True)),
            *(
                (Cell(text=words), *(_count(count(side)) for side in sides))
                for words, count in flaws
                if any(map(count, sides))
            ),
            (Cell(text="truncated (finish_reason length)"), *(_count(side.n_length) for side in sides)),
        ),
    )


def _schema_valid(side: StructuredSide) -> Cell:
    if side.schema_valid.value is None:
        return _percent(side.schema_valid)
    return _share(side.n_schema_valid, side.n_with_schema, is_bad_low=True)


def _columns(sides: Sequence[ToolSide] | Sequence[StructuredSide], names: Mapping[Arm, str]) -> tuple[Column, ...]:
    return tuple(Column(title=names.get(side.arm, side.arm.value)) for side in sides)


def _line(label: str, sides: Sequence[_Side], write: Callable[[_Side], Cell]) -> tuple[Cell, ...]:
    return (Cell(text=label), *map(write, sides))


def _share(part: int, whole: int, *, is_bad_low: bool = False) -> Cell:
    return Cell(text=fmt.share(part, whole), tone="warn" if is_bad_low and part < whole else "plain")


def _count(number: int) -> Cell:
    return Cell(text=fmt.count(number), tone="warn" if number else "plain")


def _percent(value: Value) -> Cell:
    if value.value is None:
        return Cell(text=fmt.DASH, detail=value.reason or "", tone="muted")
    return Cell(text=fmt.percent(value.value))

"""Every attempt of a case as a row of a table: CSV or Parquet."""

import csv
import io
from collections.abc import Iterable, Iterator

from harness.analysis.load import side_loads
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Case, Side
from harness.analysis.results.trial import Trial
from harness.analysis.trials import judge_side
from harness.model.record import Record
from harness.report.requestcolumns import COLUMNS, Attempted, Column, Kind, Scalar

# A spreadsheet takes a cell that begins so for a formula; OWASP, "CSV Injection".
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
Row = tuple[Scalar, ...]


def request_rows(analysis: Analysis) -> tuple[Row, ...]:
    """Give one row per attempt, side by side, in the order in which requests were due."""
    return tuple(tuple(column.give(one) for column in COLUMNS) for one in _attempted(analysis))


def render_csv(rows: Iterable[Row]) -> bytes:
    """Write RFC 4180 with a head, UTF-8; an undefined cell is empty, a text that looks like a formula is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(column.name for column in COLUMNS)
    writer.writerows([_cell(column, value) for column, value in zip(COLUMNS, row, strict=True)] for row in rows)
    return text.getvalue().encode()


def render_parquet(rows: Iterable[Row]) -> bytes:
    """Write Parquet; each column has its type, and its meaning and unit as metadata."""
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  # an optional extra without types
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    types = {Kind.TEXT: pa.string(), Kind.INTEGER: pa.int64(), Kind.NUMBER: pa.float64(), Kind.TRUTH: pa.bool_()}
    fields = [
        pa.field(column.name, types[column.kind], metadata={"meaning": column.meaning, "unit": column.unit})
        for column in COLUMNS
    ]
    values = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    arrays = [pa.array(column, type=field.type) for column, field in zip(values, fields, strict=True)]
    file = io.BytesIO()
    pq.write_table(pa.table(arrays, schema=pa.schema(fields)), file)
    return bytes(file.getvalue())


def _cell(column: Column, value: Scalar) -> str:
    if value is None:
        return ""
    if column.kind is Kind.TRUTH:
        return "true" if value else "false"
    if column.kind is not Kind.TEXT:
        return repr(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _attempted(analysis: Analysis) -> Iterator[Attempted]:
    case = analysis.case
    prompts = {prompt.id: prompt for prompt in case.golden.prompts}
    trials = {trial.key: trial for trial in (*analysis.trials, *_placebo_trials(case))}
    for side in (case.reference, case.candidate, case.placebo):
        if side is None or not side.records:
            continue
        start_at_ns = min(record.stamps.intended_at_ns for record in _of_run(case, side))
        for record in sorted(side.records, key=lambda one: (one.stamps.intended_at_ns, one.key.id, one.attempt)):
            is_trial = record.attempt == 1 and not record.key.is_follow_up
            yield Attempted(
                side=side,
                record=record,
                prompt=prompts[record.key.prompt_id],
                trial=trials.get(record.key) if is_trial else None,
                start_at_ns=start_at_ns,
            )


def _of_run(case: Case, side: Side) -> Iterator[Record]:
    """Give the records that share a clock with a side's."""
    for other in (case.reference, case.candidate, case.placebo):
        if other is not None and other.run_id == side.run_id:
            yield from other.records


def _placebo_trials(case: Case) -> tuple[Trial, ...]:
    side = case.placebo
    if side is None:
        return ()
    judged = judge_side(side, case.golden, is_open_loop=side_loads(case, side)[0].is_open_loop)
    return tuple(item.trial for item in judged)

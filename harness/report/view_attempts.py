"""Attempts and rate limits: as tables."""

from collections.abc import Sequence

from harness.analysis.results.attempts import Attempts, RetriedKind
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.page import Cell, Column, Table
from harness.report.untrusted import one_line
from harness.report.view_evidence import kind_words


def attempt_tables(rows: Sequence[Attempts], names: dict[Arm, str]) -> tuple[Table, ...]:
    """Show them where a request failed; what succeeded at once needs no table."""
    if not any(row.kinds for row in rows):
        return ()
    found = (_attempts(rows, names), _kinds(rows, names), _limits(rows, names))
    return tuple(table for table in found if table is not None)


def _attempts(rows: Sequence[Attempts], names: dict[Arm, str]) -> Table:
    columns = (
        Column(title="Side", is_number=False),
        Column(title="Requests"),
        Column(title="Succeeded at first", hint="The trial: what the verdict is about"),
        Column(title="Succeeded in the end", hint="At the first attempt or a later one"),
        Column(title="Attempts", hint="All that was sent for these requests"),
        Column(title="Per request"),
        Column(title="Most"),
    )
    return Table(
        caption="Attempts",
        columns=columns,
        rows=tuple(_attempt_row(row, names) for row in rows),
        notes=_notes(rows, names),
    )


def _attempt_row(row: Attempts, names: dict[Arm, str]) -> tuple[Cell, ...]:
    texts = (
        names.get(row.arm, row.arm.value),
        fmt.count(row.n_requests),
        f"{fmt.count(row.n_first)} ({fmt.percent(row.n_first / row.n_requests)})",
        f"{fmt.count(row.n_eventually)} ({fmt.percent(row.n_eventually / row.n_requests)})",
        fmt.count(row.n_attempts),
        f"{row.per_request:.2f}",
        f"{row.most_attempts} of {row.allowed}",
    )
    return tuple(Cell(text=text) for text in texts)


def _notes(rows: Sequence[Attempts], names: dict[Arm, str]) -> tuple[str, ...]:
    """Say what counts, whether retries were on, and what was probably paid for nothing."""
    notes = ["First attempts are judged; a retry mends no trial, and its latency stands in no tail."]
    if all(row.allowed == 1 for row in rows):
        notes.append("Retries were off: each request was sent once. With --retries 2, what an application gets.")
    notes += [
        f"{names.get(row.arm, row.arm.value)}: {fmt.plural(row.n_cut_with_output, 'attempt')} failed after output had "
        "come; what came is kept, and it is probably billed."
        for row in rows
        if row.n_cut_with_output
    ]
    return tuple(notes)


def _kinds(rows: Sequence[Attempts], names: dict[Arm, str]) -> Table | None:
    if all(row.allowed == 1 for row in rows):
        return None
    columns = (
        Column(title="Failure", is_number=False),
        Column(title="Side", is_number=False),
        Column(title="Attempts"),
        Column(title="Sent again"),
        Column(title="Then succeeded"),
        Column(title="Not sent again", is_number=False),
    )
    found = tuple(_kind_row(row, kind, names) for row in rows for kind in row.kinds)
    return Table(caption="What followed a failure", columns=columns, rows=found)


def _kind_row(row: Attempts, kind: RetriedKind, names: dict[Arm, str]) -> tuple[Cell, ...]:
    texts = (
        kind_words(kind.kind),
        names.get(row.arm, row.arm.value),
        fmt.count(kind.n),
        fmt.count(kind.n_retried),
        fmt.count(kind.n_recovered),
        "; ".join(f"{count}: {reason}" for reason, count in kind.not_retried.items()),
    )
    return tuple(Cell(text=text) for text in texts)


def _limits(rows: Sequence[Attempts], names: dict[Arm, str]) -> Table | None:
    columns = (
        Column(title="Whose limit", is_number=False),
        Column(title="Side", is_number=False),
        Column(title="429 answers"),
        Column(title="Shown by", is_number=False),
    )
    found = tuple(
        tuple(
            Cell(text=text)
            for text in (
                limit.cause.capitalize(),
                names.get(row.arm, row.arm.value),
                fmt.count(limit.n),
                one_line(limit.evidence),
            )
        )
        for row in rows
        for limit in row.limits
    )
    return Table(caption="Rate limits", columns=columns, rows=found) if found else None

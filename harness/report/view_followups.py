"""What followed the measured levels, as text: tool loops, and answers with and without a stream."""

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.results.judgement import Holds, Validity
from harness.analysis.results.streams import Aspect, StreamDifferences, StreamParity
from harness.analysis.results.tools import ToolLoops
from harness.analysis.results.trial import LoopOutcome
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.page import Cell, Column, Table

_HEAD = Column(title="", is_number=False)
_OUTCOMES = {
    LoopOutcome.ANSWERED: "second answer uses what the tool returned",
    LoopOutcome.LACKS_VALUE: "second answer lacks the value",
    LoopOutcome.FAILED: "second request failed",
    LoopOutcome.ENDED: "no second request: nothing to answer",
    LoopOutcome.NOT_RUN: "not run",
}
_HOLDS = {
    Holds.TOOL_CALLS: "tool calls as expected",
    Holds.JSON: "JSON as a whole",
    Holds.SCHEMA: "valid under the stated schema",
}
_ASPECTS = {
    Aspect.ANSWER: "no answer, where every stream has one",
    Aspect.TOOL_CALLS: "tool calls: number, names, arguments' types, rung",
    Aspect.JSON: "JSON and its schema",
    Aspect.FINISH_REASON: "finish_reason of the same answer",
    Aspect.PROMPT_TOKENS: "prompt tokens",
    Aspect.COMPLETION_TOKENS: "completion tokens of the same text",
    Aspect.USAGE: "whether usage is reported",
    Aspect.MODEL: "reported model",
}


def loop_table(found: Sequence[ToolLoops], names: Mapping[Arm, str]) -> Table | None:
    """Count how tool loops ended, a column per side; nothing where no prompt says what a tool returns."""
    if not found:
        return None
    rows = [(Cell(text="tool loops"), *(Cell(text=fmt.count(side.n)) for side in found))]
    rows += [
        (Cell(text=words), *(_of_loops(outcome, side) for side in found))
        for outcome, words in _OUTCOMES.items()
        if outcome is LoopOutcome.ANSWERED or any(side.outcomes.get(outcome) for side in found)
    ]
    return Table(caption="How tool loops ended", columns=(_HEAD, *_columns(found, names)), rows=tuple(rows))


def _of_loops(outcome: LoopOutcome, side: ToolLoops) -> Cell:
    count = side.outcomes.get(outcome, 0)
    if outcome is LoopOutcome.NOT_RUN:
        return Cell(text=fmt.count(count), tone="muted")
    is_bad = count < side.n if outcome is LoopOutcome.ANSWERED else count > 0
    return Cell(text=fmt.share(count, side.n), tone="warn" if is_bad else "plain")


def streaming_tables(found: Sequence[StreamParity], names: Mapping[Arm, str]) -> tuple[Table, ...]:
    """Give whether validity held in both forms, and in what the forms differ."""
    compared = [side for side in found if side.n_unstreamed]
    tables = (_validity_table(compared, names), _difference_table(compared, found, names)) if compared else ()
    return tuple(table for table in tables if table is not None)


def _validity_table(found: Sequence[StreamParity], names: Mapping[Arm, str]) -> Table | None:
    held = {side.arm: {one.of: one for one in side.validity} for side in found}
    kinds = [of for of in Holds if any(of in rows for rows in held.values())]
    columns = [
        Column(title=f"{names.get(side.arm, side.arm.value)}, {form}")
        for side in found
        for form in ("streamed", "unstreamed")
    ]
    rows = []
    for of in kinds:
        forms = [
            (held[side.arm][of].streamed, held[side.arm][of].unstreamed) if of in held[side.arm] else None
            for side in found
        ]
        cells = [cell for pair in forms for cell in ((Cell(text=fmt.DASH),) * 2 if pair is None else map(_valid, pair))]
        rows.append((Cell(text=_HOLDS[of]), *cells))
    if not rows:
        return None
    return Table(caption="What holds, streamed and unstreamed", columns=(_HEAD, *columns), rows=tuple(rows))


def _valid(found: Validity) -> Cell:
    return Cell(text=fmt.share(found.n_valid, found.n), tone="warn" if found.n_valid < found.n else "plain")


def _difference_table(
    compared: Sequence[StreamParity], everything: Sequence[StreamParity], names: Mapping[Arm, str]
) -> Table:
    differences = {side.arm: {one.aspect: one for one in side.differences} for side in compared}
    rows = []
    for aspect, words in _ASPECTS.items():
        found = [differences[side.arm].get(aspect) for side in compared]
        if any(found):
            cells = (Cell(text=fmt.DASH, tone="muted") if one is None else _differing(one) for one in found)
            rows.append((Cell(text=words), *cells))
    return Table(
        caption="Unstreamed answers unlike every streamed one to their prompt",
        columns=(_HEAD, *_columns(compared, names)),
        rows=tuple(rows),
        notes=tuple(note for side in everything for note in _notes(side, names)),
    )


def _differing(one: StreamDifferences) -> Cell:
    return Cell(
        text=f"{one.n_differing:,} of {one.n_compared:,}",
        detail=f"of streams: {one.n_streamed_differing:,} of {one.n_streamed:,}" if one.n_streamed else "",
        tone="warn" if one.is_beyond_variation else "plain",
    )


def _notes(side: StreamParity, names: Mapping[Arm, str]) -> Iterator[str]:
    name, n_answers = names.get(side.arm, side.arm.value), side.n_unstreamed - side.n_failed
    if side.nothing:
        yield f"{name}: nothing was asked for unstreamed ({side.nothing})"
    elif side.n_texts_differ:
        yield (
            f"{name}: {side.n_texts_differ} of {n_answers} unstreamed answers have words or values that no stream has; "
            "these vary from one repeat to the next as well, so that is no finding"
        )
    for one in side.differences:
        if one.n_differing and not one.is_beyond_variation:
            yield f"{name}: {_ASPECTS[one.aspect]}: {_untold(one)}"


def _untold(one: StreamDifferences) -> str:
    """Say why a difference is no finding."""
    counts = f"{one.n_differing:,} of {one.n_compared:,} unstreamed answers"
    among = f"{one.n_streamed_differing:,} of {one.n_streamed:,} streams, each against the others to its prompt"
    if not one.n_streamed:
        among = "no streams to hold against each other"
    return f"{counts} beside {among}: cannot be told from variation ({one.example})"


def _columns(found: Sequence[ToolLoops] | Sequence[StreamParity], names: Mapping[Arm, str]) -> tuple[Column, ...]:
    return tuple(Column(title=names.get(side.arm, side.arm.value)) for side in found)

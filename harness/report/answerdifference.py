"""Both sides' answers to one prompt: counted, aligned at the first divergence, JSON by path."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.canonical import canonical_answer
from harness.analysis.jsonpaths import path_table
from harness.analysis.results.answers import PathRow, ValueCount
from harness.analysis.structured import expects_json
from harness.model.golden import Prompt
from harness.model.record import Answer, Arm, Record
from harness.report import format as fmt
from harness.report.difference import Change, Difference, difference
from harness.report.untrusted import one_line, visible

_LINE = 160
_BRACKETS = {Change.SAME: ("", ""), Change.DELETED: ("[-", "-]"), Change.INSERTED: ("{+", "+}")}


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedAnswer:
    """A distinct answer, as it was first given, and how many repeats gave it."""

    count: int
    text: str
    form: str  # canonical: equal answers have the same


@dataclass(frozen=True, slots=True, kw_only=True)
class SideOfDifference:
    """One side's judged requests of the prompt."""

    arm: Arm
    name: str
    n: int
    n_failed: int
    answers: tuple[CountedAnswer, ...]  # most frequent first


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDifference:
    """How the sides' answers to one prompt differ."""

    prompt_id: str
    reference: SideOfDifference
    candidate: SideOfDifference
    aligned: tuple[CountedAnswer, CountedAnswer] | None  # the answers held against each other; None: a side has none
    difference: Difference | None  # of them; None: they are equal
    paths: tuple[PathRow, ...]  # where JSON answers and tool arguments differ


def answer_difference(prompt: Prompt, sides: Sequence[tuple[Arm, str, Sequence[Record]]]) -> AnswerDifference:
    """Compare judged requests of a reference and a candidate: the most frequent answer of each is aligned."""
    one, other = (_side(*side) for side in sides)
    ours, theirs = ([record.answer for record in records if record.failure is None] for _, _, records in sides)
    pair = _pair(one.answers, other.answers)
    found = difference(pair[0].text, pair[1].text) if pair else None
    return AnswerDifference(
        prompt_id=prompt.id,
        reference=one,
        candidate=other,
        aligned=pair,
        difference=found,
        paths=path_table(ours, theirs, is_json=expects_json(prompt)).rows,
    )


def _pair(ours: Sequence[CountedAnswer], theirs: Sequence[CountedAnswer]) -> tuple[CountedAnswer, CountedAnswer] | None:
    """Take the most frequent answer of each side; where they agree, the most frequent one that the other never gave."""
    if not (ours and theirs):
        return None
    if ours[0].form != theirs[0].form:
        return ours[0], theirs[0]
    known, others = {one.form for one in ours}, {one.form for one in theirs}
    new = next((one for one in theirs if one.form not in known), None)
    gone = next((one for one in ours if one.form not in others), None)
    return (ours[0], new or theirs[0]) if new or gone is None else (gone, theirs[0])


def _side(arm: Arm, name: str, records: Sequence[Record]) -> SideOfDifference:
    answers = [record.answer for record in records if record.failure is None]
    counts = Counter(map(canonical_answer, answers))
    first = {canonical_answer(answer): _whole(answer) for answer in reversed(answers)}
    return SideOfDifference(
        arm=arm,
        name=name,
        n=len(records),
        n_failed=len(records) - len(answers),
        answers=tuple(CountedAnswer(count=count, text=first[form], form=form) for form, count in counts.most_common()),
    )


def _whole(answer: Answer) -> str:
    """Give an answer as one text: what was said, then the calls."""
    calls = (f"{call.name or '?'}({call.arguments})" for call in answer.tool_calls)
    return "\n".join(part for part in (answer.text or answer.refusal, *calls) if part)


def difference_lines(found: AnswerDifference) -> Iterator[str]:
    """Lay it out for a terminal."""
    yield f"answers to {one_line(found.prompt_id)}"
    for side in (found.reference, found.candidate):
        yield ""
        failed = f", {side.n_failed} failed" if side.n_failed else ""
        n, distinct = fmt.plural(side.n, "request"), fmt.plural(len(side.answers), "distinct answer")
        yield one_line(f"{side.name} ({side.arm}): {n}{failed}, {distinct}")
        yield from (f"  {answer.count}× {one_line(answer.text, _LINE)}" for answer in side.answers)
    yield ""
    yield from _aligned(found)
    if found.paths:
        yield ""
        yield "by path, reference → candidate"
        yield from (
            f"  {one_line(row.path)}: {_values(row.reference)} → {_values(row.candidate)}" for row in found.paths
        )


def _aligned(found: AnswerDifference) -> Iterator[str]:
    if found.aligned is None:
        yield "nothing to align: a side has no answer"
    elif found.difference is None:
        yield "the answers are equal, letter by letter"
    else:
        told, (ours, theirs) = found.difference, found.aligned
        counts = f"the reference's {ours.count}× and the candidate's {theirs.count}×"
        yield f"{counts} part after {told.diverges_at} characters: [-reference-] {{+candidate+}}"
        head = f"(… {told.n_same_before} equal characters) " if told.n_same_before else ""
        tail = f" (… {told.n_cut} characters more)" if told.n_cut else ""
        yield from f"{head}{''.join(_piece(piece.change, piece.text) for piece in told.pieces)}{tail}".split("\n")


def _piece(change: Change, text: str) -> str:
    before, after = _BRACKETS[change]
    return f"{before}{visible(text)}{after}"


def _values(counted: Sequence[ValueCount]) -> str:
    return ", ".join(f"{one_line(value.value, 60)} {value.count}×" for value in counted)

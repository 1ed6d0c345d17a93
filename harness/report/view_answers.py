"""How far the sides' answers agree, each figure beside the sides' agreement with themselves: as text."""

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.parity import ONE_ENDPOINT
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.answers import Acceptance, Agreement, PathRow, PromptAnswers, SdkRow, ValueCount
from harness.analysis.results.estimates import Value
from harness.analysis.results.prompts import AnswerGroup, PromptRow
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of
from harness.report.page import Cell, Column, Table
from harness.report.untrusted import one_line
from harness.report.view_tails import side_cell

_CLUSTERS = 4  # distinct answers of one side in a line
_ANSWER = 48  # characters of one answer in a line
_LEAD = 12  # characters before the first difference
_PROMPTS = 8
_PATHS = 12  # rows of a prompt's path table
_NOTICEABLE = 0.005  # excess disagreement, below which a prompt is not listed
_MANY = 0.10  # excess disagreement from which a cell is coloured
_BETWEEN = " \N{MIDDLE DOT} "
_OUTCOMES = {"answer": "an answer", "empty": "an empty answer", "exception": "its own error", "crash": "a crash"}


def agreement_table(
    rows: Sequence[Agreement], catalog: Catalog, *, caption: str, counts_prompts: bool = True
) -> Table | None:
    """Give a row per way of comparing; a side alone has its agreement with itself only."""
    if not rows:
        return None
    is_alone = all(row.cross.reason == ONE_ENDPOINT for row in rows)
    heads = (
        ("with itself",) if is_alone else ("reference with itself", "candidate with itself", "reference with candidate")
    )
    return Table(
        caption=caption,
        columns=(
            Column(title="compared", is_number=False),
            *(Column(title=head) for head in heads),
            *(() if is_alone else (Column(title="beyond their own", hint="excess disagreement, in points"),)),
            *((Column(title="prompts"),) if counts_prompts else ()),
        ),
        rows=tuple(
            (*_agreement_row(row, catalog, is_alone=is_alone), *(_n_prompts(row) if counts_prompts else ()))
            for row in rows
        ),
        notes=undefined_notes(rows, is_alone=is_alone),
    )


def _agreement_row(row: Agreement, catalog: Catalog, *, is_alone: bool) -> tuple[Cell, ...]:
    head = Cell(text=title_of(catalog, row.metric))
    if is_alone:
        return (head, percent_cell(row.reference_self))
    sides = (row.reference_self, row.candidate_self, row.cross)
    return (head, *map(percent_cell, sides), excess_cell(row.excess))


def _n_prompts(row: Agreement) -> tuple[Cell, ...]:
    return (Cell(text=fmt.count(row.n_prompts)),)


def percent_cell(value: Value) -> Cell:
    """Write a share, or a dash whose reason stands under the table."""
    return Cell(text=fmt.DASH, tone="muted") if value.value is None else Cell(text=fmt.percent(value.value))


def excess_cell(value: Value) -> Cell:
    """Write an excess disagreement in points."""
    if value.value is None:
        return Cell(text=fmt.DASH, tone="muted")
    return Cell(text=fmt.points(value.value), tone="warn" if value.value >= _MANY else "plain")


def undefined_notes(rows: Sequence[Agreement], *, is_alone: bool) -> tuple[str, ...]:
    """Say once why a cell has no value."""
    found: dict[str, None] = {}
    for row in rows:
        values = (row.reference_self,) if is_alone else (row.reference_self, row.candidate_self, row.cross, row.excess)
        found |= dict.fromkeys(value.reason for value in values if value.reason is not None)
    return tuple(found)


def answer_tables(analysis: Analysis, names: Mapping[Arm, str], catalog: Catalog) -> tuple[Table, ...]:
    """Give what is said about answers: in total, the prompts that differ most, what the SDK shows."""
    answers = analysis.answers
    found = (
        agreement_table(answers.agreements, catalog, caption="Mean over prompts of how alike two answers are"),
        _clusters_table(answers.prompts, {row.prompt_id: row for row in analysis.prompts}),
        sdk_table(answers.sdk, names),
    )
    return tuple(table for table in found if table is not None)


def acceptance_words(found: Acceptance | None) -> str:
    """Say how often answers are the reference's own, where no check says what is right; empty without such prompts."""
    if found is None:
        return ""
    if found.reference.value is None:
        return f"Prompts without checks: {found.reference.reason}."
    of_prompts = fmt.plural(found.n_prompts, "prompt") + " without checks"
    own = f"{fmt.percent(found.reference.value)} of the reference's answers are among its other answers"
    if found.candidate.value is None:
        whose = "answers are" if found.candidate.reason == ONE_ENDPOINT else "the reference's answers are"
        return f"{of_prompts}: {fmt.percent(found.reference.value)} of {whose} among its other answers."
    if found.difference.value is None:
        theirs = f"{fmt.percent(found.candidate.value)} of the candidate's"
        return f"{of_prompts}: {own}, and {theirs}: {found.difference.reason}."
    worst = (
        "" if found.traffic_bound is None else f"; at worst {fmt.points(found.traffic_bound)} for prompts like these"
    )
    return (
        f"{of_prompts}: {own}, and {fmt.percent(found.candidate.value)} of the candidate's "
        f"({fmt.points(found.difference.value)}{worst}). Information, not a gate."
    )


def _clusters_table(prompts: Sequence[PromptAnswers], rows: Mapping[str, PromptRow]) -> Table | None:
    """List the prompts whose answers differ most beyond the sides' own disagreement, with the distinct answers."""
    listed = [(found, most) for found in prompts if (most := _most_excess(found)) is not None][:_PROMPTS]
    lines = tuple(
        _cluster_line(found.prompt_id, most, row)
        for found, most in listed
        if (row := rows.get(found.prompt_id)) is not None and row.candidate is not None
    )
    if not lines:
        return None
    return Table(
        caption="Most disagreement beyond their own: distinct answers with their counts",
        columns=(
            Column(title="prompt", is_number=False),
            Column(title="reference", is_number=False),
            Column(title="candidate", is_number=False),
            Column(title="beyond their own"),
        ),
        rows=lines,
    )


def _most_excess(found: PromptAnswers) -> float | None:
    """Give the largest excess by any way but letter by letter; None where there is none to speak of."""
    values = [
        row.excess.value for row in found.agreements if row.metric != "same_exactly" and row.excess.value is not None
    ]
    most = max(values, default=0.0)
    return most if most >= _NOTICEABLE else None


def _cluster_line(prompt_id: str, most: float, row: PromptRow) -> tuple[Cell, ...]:
    ours, theirs = row.reference.answers, row.candidate.answers if row.candidate else ()
    main = next((group.canonical for group in (*ours, *theirs)), "")
    return (
        Cell(text=prompt_id),
        Cell(text=clusters(ours, main)),
        Cell(text=clusters(theirs, main)),
        excess_cell(Value(value=most)),
    )


def clusters(groups: Sequence[AnswerGroup], main: str) -> str:
    """Write distinct answers with their counts, `4× 42 · 1× 41`: each from where it leaves the main one."""
    shown = [f"{group.count}{fmt.TIMES} {_from_divergence(group.canonical, main)}" for group in groups[:_CLUSTERS]]
    rest = len(groups) - len(shown)
    return _BETWEEN.join([*shown, f"{rest} more"] if rest else shown) or "no answer"


def _from_divergence(text: str, main: str) -> str:
    start = 0 if text == main else max(0, _shared(text, main) - _LEAD)
    left_out = "\N{HORIZONTAL ELLIPSIS}" if start else ""
    return left_out + one_line(text[start:], _ANSWER) or "(empty)"


def _shared(one: str, other: str) -> int:
    """Count the characters that two texts share from their start."""
    apart = (i for i, (ours, theirs) in enumerate(zip(one, other, strict=False)) if ours != theirs)
    return next(apart, min(len(one), len(other)))


def sdk_table(rows: Sequence[SdkRow], names: Mapping[Arm, str]) -> Table | None:
    """Count what an application on the SDK would have seen of the replayed responses."""
    if not rows:
        return None
    return Table(
        caption="The first response to each prompt through OpenAI's SDK",
        columns=(
            Column(title="side", is_number=False),
            Column(title="read with", is_number=False),
            *(Column(title=title) for title in _OUTCOMES.values()),
            Column(title="not what was sent"),
        ),
        rows=tuple(_sdk_row(row, names) for row in rows),
    )


def _sdk_row(row: SdkRow, names: Mapping[Arm, str]) -> tuple[Cell, ...]:
    counts = (
        Cell(
            text=fmt.count(row.outcomes[outcome]),
            tone="bad" if outcome == "crash" and row.outcomes[outcome] else "plain",
        )
        for outcome in _OUTCOMES
    )
    differing = Cell(text=fmt.count(row.n_differing), tone="warn" if row.n_differing else "plain")
    return (side_cell(row.arm, names), Cell(text=row.way), *counts, differing)


def path_table(found: PromptAnswers, names: Mapping[Arm, str]) -> Table | None:
    """Show where JSON answers or tool arguments differ, each side's values with their counts."""
    if not found.paths:
        return None
    shown = found.paths[:_PATHS]
    n_cut = len(found.paths) - len(shown) + found.n_paths_cut
    n_same = found.n_paths - len(found.paths) - found.n_paths_cut
    return Table(
        caption="Values by path, where the sides differ",
        columns=(
            Column(title="path", is_number=False),
            *(Column(title=names.get(arm, arm.value), is_number=False) for arm in (Arm.REFERENCE, Arm.CANDIDATE)),
        ),
        rows=tuple(_path_row(row) for row in shown),
        notes=tuple(_path_notes(n_same, n_cut)),
    )


def _path_row(row: PathRow) -> tuple[Cell, ...]:
    return (Cell(text=one_line(row.path, 120)), Cell(text=_values(row.reference)), Cell(text=_values(row.candidate)))


def _values(found: Sequence[ValueCount]) -> str:
    return _BETWEEN.join(f"{one.count}{fmt.TIMES} {one_line(one.value, 80)}" for one in found)


def _path_notes(n_same: int, n_cut: int) -> Iterator[str]:
    if n_cut:
        yield f"{fmt.plural(n_cut, 'path')} more that differ, not shown"
    if n_same:
        yield f"The sides agree at {fmt.plural(n_same, 'path')}."

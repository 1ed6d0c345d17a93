"""Tool loops and the two forms of an answer, on the page and in Markdown."""

from collections.abc import Sequence
from dataclasses import replace

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.evidence import FailureRow
from harness.analysis.results.judgement import FormValidity, Holds, Validity
from harness.analysis.results.streams import Aspect, StreamDifferences, StreamParity
from harness.analysis.results.tools import ToolLoops
from harness.analysis.results.trial import LoopOutcome
from harness.model.record import Arm
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.page import Table
from harness.report.view_followups import loop_table, streaming_tables
from tests.report.pages import squeezed, view_of
from tests.report.sample import NAMES, sample, single

BOTH = (Arm.REFERENCE, Arm.CANDIDATE)


def loops(arm: Arm, **counts: int) -> ToolLoops:
    outcomes = {outcome: counts.get(outcome.value, 0) for outcome in LoopOutcome}
    return ToolLoops(arm=arm, n=sum(outcomes.values()), outcomes=outcomes)


def parity(arm: Arm, n_differing: int = 0, **changes: object) -> StreamParity:
    found = StreamParity(
        arm=arm,
        n_prompts=5,
        n_unstreamed=6,
        n_failed=1,
        n_texts_differ=0,
        differences=(
            StreamDifferences(
                aspect=Aspect.TOOL_CALLS,
                n_compared=4,
                n_differing=n_differing,
                n_streamed=20,
                n_streamed_differing=n_differing - 1 if n_differing else 0,
                is_beyond_variation=n_differing > 1,
                example="p: one, other",
            ),
            StreamDifferences(aspect=Aspect.MODEL, n_compared=5, n_differing=0, n_streamed=20),
        ),
        validity=(
            FormValidity(
                of=Holds.TOOL_CALLS,
                streamed=Validity(n=20, n_valid=20),
                unstreamed=Validity(n=4, n_valid=4 - n_differing),
            ),
        ),
    )
    return replace(found, **changes)  # type: ignore[arg-type]  # changes are its fields


def texts(table: Table) -> list[list[str]]:
    return [[squeezed(cell.text) for cell in row] for row in table.rows]


def tones(table: Table) -> list[list[str]]:
    return [[cell.tone for cell in row[1:]] for row in table.rows]


def test_loops_are_told_by_how_they_ended_and_only_what_happened() -> None:
    table = loop_table([loops(Arm.REFERENCE, answered=6), loops(Arm.CANDIDATE, answered=4, lacks_value=2)], NAMES)
    assert table is not None
    assert [column.title for column in table.columns[1:]] == [NAMES[arm] for arm in BOTH]
    assert texts(table) == [
        ["tool loops", "6", "6"],
        ["second answer uses what the tool returned", "6 of 6 (100.0 %)", "4 of 6 (66.7 %)"],
        ["second answer lacks the value", "0 of 6 (0.0 %)", "2 of 6 (33.3 %)"],
    ]
    assert tones(table)[1:] == [["plain", "warn"], ["plain", "warn"]]


def test_loops_that_were_not_run_are_no_warning() -> None:
    table = loop_table([loops(Arm.REFERENCE, not_run=6)], NAMES)
    assert table is not None
    assert texts(table)[-1] == ["not run", "6"]
    assert tones(table)[-1] == ["muted"]
    assert loop_table([], NAMES) is None


def test_both_forms_stand_beside_each_other() -> None:
    validity, differences = streaming_tables([parity(Arm.REFERENCE), parity(Arm.CANDIDATE, 3, n_texts_differ=2)], NAMES)
    assert [column.title for column in validity.columns[1:]] == [
        f"{NAMES[arm]}, {form}" for arm in BOTH for form in ("streamed", "unstreamed")
    ]
    assert texts(validity) == [
        [
            "tool calls as expected",
            *("20 of 20 (100.0 %)", "4 of 4 (100.0 %)", "20 of 20 (100.0 %)", "1 of 4 (25.0 %)"),
        ]
    ]
    assert texts(differences) == [
        ["tool calls: number, names, arguments' types, rung", "0 of 4", "3 of 4"],
        ["reported model", "0 of 5", "0 of 5"],
    ]
    assert tones(differences)[0] == ["plain", "warn"]
    assert [[cell.detail for cell in row[1:]] for row in differences.rows] == [
        ["of streams: 0 of 20", "of streams: 2 of 20"],
        ["of streams: 0 of 20"] * 2,
    ]
    (note,) = differences.notes
    assert note.startswith(f"{NAMES[Arm.CANDIDATE]}: 2 of 5 unstreamed answers have words or values")


def test_a_difference_that_may_be_variation_is_no_warning_and_says_so() -> None:
    *_, differences = streaming_tables([parity(Arm.REFERENCE), parity(Arm.CANDIDATE, 1)], NAMES)
    assert texts(differences)[0][1:] == ["0 of 4", "1 of 4"]
    assert tones(differences)[0] == ["plain", "plain"]
    (note,) = differences.notes
    assert note == (
        f"{NAMES[Arm.CANDIDATE]}: tool calls: number, names, arguments' types, rung: 1 of 4 unstreamed answers beside "
        "0 of 20 streams, each against the others to its prompt: cannot be told from variation (p: one, other)"
    )


def test_a_side_that_was_not_asked_unstreamed_says_why() -> None:
    nothing = StreamParity(
        arm=Arm.CANDIDATE, n_prompts=0, n_unstreamed=0, n_failed=0, n_texts_differ=0, nothing="not run"
    )
    *_, differences = streaming_tables([parity(Arm.REFERENCE), nothing], NAMES)
    assert [column.title for column in differences.columns] == ["", NAMES[Arm.REFERENCE]]
    assert differences.notes == (f"{NAMES[Arm.CANDIDATE]}: nothing was asked for unstreamed (not run)",)
    assert streaming_tables([nothing], NAMES) == ()


def with_follow_ups(analysis: Analysis, arms: Sequence[Arm] = BOTH) -> Analysis:
    return replace(
        analysis,
        loops=tuple(loops(arm, answered=3, failed=1) for arm in arms),
        streaming=tuple(parity(arm, 1) for arm in arms),
        economics=tuple(replace(side, n_follow_ups=7) for side in analysis.economics),
        failures=(
            FailureRow(
                arm=Arm.REFERENCE, kind="bad_request", n=3, prompts=("p",), example="no", advice="see", n_follow_ups=2
            ),
        ),
    )


def test_the_page_and_markdown_hold_what_followed() -> None:
    for analysis, arms in ((sample(), BOTH), (single(), BOTH[:1])):
        view = view_of(with_follow_ups(analysis, arms))
        page, markdown = render_html(view), render_markdown(view)
        assert "followups" in [section.id for section in view.sections]
        for text in ("How tool loops ended", "What holds, streamed and unstreamed", "second request failed"):
            assert text in page
            assert text in markdown
        assert ("followed up", "after the levels, untimed") in [(fact.label, fact.detail) for fact in view.facts]
        assert view.failures[0].count == "3 requests, 2 after the levels"
        assert "2 after the levels" in view.failure_line


def test_a_page_without_follow_ups_says_nothing_of_them() -> None:
    view = view_of(replace(sample(), loops=(), streaming=()))
    assert "followups" not in [section.id for section in view.sections]
    assert (view.loops, view.streaming) == (None, ())
    assert "followed up" not in [fact.label for fact in view.facts]
    assert "Loops and streaming" not in render_html(view)

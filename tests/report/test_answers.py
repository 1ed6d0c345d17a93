"""What a page says about answers, tools, structured output and tokens."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.analysis.catalog import CATALOG
from harness.analysis.results.answers import Acceptance, PathRow, PromptAnswers, ValueCount
from harness.analysis.results.estimates import Value
from harness.analysis.results.prompts import AnswerGroup
from harness.analysis.results.trial import Rung
from harness.model.record import Arm
from harness.report.page import Cell, PromptView, Table
from harness.report.view_answers import acceptance_words, clusters, path_table
from harness.report.view_tokens import economics_table, token_table
from tests.analysis.cases import a_key
from tests.analysis.test_tokenparity import compared as tokens_of
from tests.report.pages import Parsed, page, view, view_of
from tests.report.sample import known, missing, sample

if TYPE_CHECKING:
    from harness.analysis.results.tokens import Economics

DASH = Cell(text="–", tone="muted")


def table(tables: tuple[Table, ...], caption: str) -> Table:
    return next(found for found in tables if found.caption == caption)


def cells(found: Table, label: str) -> list[str]:
    return next([cell.text for cell in row[1:]] for row in found.rows if row[0].text == label)


def prompt_of(case: str, prompt_id: str) -> PromptView:
    return next(found for found in view(case).prompts if found.id == prompt_id)


def test_agreement_between_the_sides_stands_beside_that_of_each_with_itself() -> None:
    found = table(view("sample").answers, "Mean over prompts of how alike two answers are")
    assert [column.title for column in found.columns] == [
        "compared",
        "reference with itself",
        "candidate with itself",
        "reference with candidate",
        "beyond their own",
        "prompts",
    ]
    # Four tool prompts, of which three vary on the candidate only: 2 of 5, 2 of 5 and 3 of 5 calls as the reference's.
    assert cells(found, "Same tool calls") == ["100.0\u00a0%", "60.0\u00a0%", "65.0\u00a0%", "+15.0\u00a0points", "4"]
    assert [row[0].text for row in found.rows] == [
        CATALOG[metric].title
        for metric in (
            "same_exactly",
            "same_canonical",
            "same_calls",
            "json_similarity",
            "text_similarity",
            "word_overlap",
            "shared_prefix",
        )
    ]


def test_one_endpoint_is_compared_with_itself_only() -> None:
    found = view("single").answers[0]
    assert [column.title for column in found.columns] == ["compared", "with itself", "prompts"]
    assert cells(found, "Same tool calls") == ["100.0\u00a0%", "4"]
    assert [column.title for column in view("single").tools[0].columns] == [
        "compared",
        "with itself",
        "prompts",
    ]


def test_what_cannot_be_measured_is_a_dash_with_one_reason_for_all() -> None:
    found = view("both_failed").answers[0]
    assert all(row[1:5] == (DASH,) * 4 for row in found.rows)
    assert found.notes[0] == "not measurable: the reference has fewer than two answers to compare with each other"
    assert view("both_failed").answers_note.startswith("Prompts without checks: not measurable: the reference has")


def test_distinct_answers_are_written_with_their_counts() -> None:
    def group(text: str, count: int) -> AnswerGroup:
        return AnswerGroup(canonical=text, count=count, keys=(a_key(),))

    assert clusters([group("42", 4), group("41", 1)], "42") == "4× 42 · 1× 41"
    assert clusters([group("42", 5)], "42") == "5× 42"
    assert clusters([], "42") == "no answer"
    assert clusters([group("", 2)], "42") == "2× (empty)"
    five = [group(letter, 1) for letter in "abcde"]
    assert clusters(five, "a") == "1× a · 1× b · 1× c · 1× d · 1 more"
    long = "The beginning is the same in both; "
    assert clusters([group(f"{long}yes", 3), group(f"{long}no", 2)], f"{long}yes") == (
        "3× The beginning is the same in both; yes · 2× …me in both; no"
    )


def test_the_prompts_that_differ_most_come_first_with_their_answers() -> None:
    found = table(view("sample").answers, "Most disagreement beyond their own: distinct answers with their counts")
    assert found.rows[0][0].text == "decode-list"
    assert found.rows[0][3] == Cell(text="+80.0\u00a0points", tone="warn")
    excess = [float(row[3].text.split("\u00a0")[0]) for row in found.rows]
    assert excess == sorted(excess, reverse=True)
    assert len(found.rows) == 8


def test_a_page_without_a_difference_has_no_such_table() -> None:
    both = sample()
    twin = replace(both, answers=replace(both.answers, prompts=()))
    captions = [found.caption for found in view_of(twin).answers]
    assert captions == [
        "Mean over prompts of how alike two answers are",
        "The first response to each prompt through OpenAI's SDK",
    ]


def test_the_sdks_view_is_counted_by_side_and_way() -> None:
    found = table(view("sample").answers, "The first response to each prompt through OpenAI's SDK")
    assert [[cell.text for cell in row] for row in found.rows][3] == [
        "a100-serverless",
        "stream()",
        "26",
        "0",
        "0",
        "2",
        "2",
    ]
    assert found.rows[3][5].tone == "bad"


def test_prompts_without_checks_are_held_against_the_references_own_answers() -> None:
    given = Acceptance(
        reference=known(0.95), candidate=known(0.92), difference=known(-0.03), traffic_bound=-0.11, n_prompts=12
    )
    assert acceptance_words(given) == (
        "12 prompts without checks: 95.0\u00a0% of the reference's answers are among its other answers, and "
        "92.0\u00a0% of the candidate's (−3.0\u00a0points; at worst −11.0\u00a0points for prompts like these). "
        "Information, not a gate."
    )
    assert acceptance_words(None) == ""
    withheld = replace(given, difference=missing("not measurable: hardly ever"), traffic_bound=None)
    assert acceptance_words(withheld).endswith("92.0\u00a0% of the candidate's: not measurable: hardly ever.")
    alone = replace(given, candidate=missing("one endpoint measured"), difference=missing("one endpoint measured"))
    assert acceptance_words(alone).endswith("are among its other answers.")


def test_a_prompts_line_says_how_often_the_sides_agree_beside_the_references_own() -> None:
    both = sample()
    row = replace(
        both.prompts[0],
        reference=replace(both.prompts[0].reference, self_agreement=known(0.83)),
        cross_agreement=known(0.5),
    )
    (cell,) = (cell for cell in view_of(replace(both, prompts=(row,))).prompts[0].cells if cell.key == "same")
    assert (cell.label, cell.text, cell.tone) == ("same / own", "50 of 83\u00a0%", "warn")
    assert cell.sort == pytest.approx(0.5 - 0.83)
    once = replace(row, reference=replace(row.reference, self_agreement=missing("fewer than two answers")))
    (cell,) = (cell for cell in view_of(replace(both, prompts=(once,))).prompts[0].cells if cell.key == "same")
    assert (cell.text, cell.sort) == ("–", None)


def test_a_json_prompt_opens_to_a_table_of_paths() -> None:
    found = prompt_of("sample", "json-invoice").paths
    assert found is not None
    assert [column.title for column in found.columns] == ["path", "h100-gateway", "a100-serverless"]
    assert [cell.text for cell in found.rows[0]] == ["$.total", "5× 118.9", '4× 118.9 · 1× "118.90"']
    assert found.notes == ("The sides agree at 4 paths.",)
    assert prompt_of("sample", "text-emoji").paths is None


def test_paths_that_are_left_out_are_counted() -> None:
    rows = tuple(
        PathRow(
            path=f"$.a{i}", reference=(ValueCount(value="1", count=2),), candidate=(ValueCount(value="2", count=2),)
        )
        for i in range(40)
    )
    given = PromptAnswers(
        prompt_id="p",
        agreements=(),
        acceptance=sample().answers.prompts[0].acceptance,
        paths=rows,
        n_paths=50,
        n_paths_cut=5,
    )
    found = path_table(given, {})
    assert found is not None
    assert len(found.rows) == 12
    assert found.notes == ("33 paths more that differ, not shown", "The sides agree at 5 paths.")


def test_each_prompt_has_its_own_agreement_beside_its_answers() -> None:
    found = prompt_of("sample", "tool-nested").agreements
    assert found is not None
    assert [row[0].text for row in found.rows] == [
        "Same, letter by letter",
        "Same in canonical form",
        "Same tool calls",
    ]
    assert "prompts" not in [column.title for column in found.columns]


def test_triggers_stand_beside_their_ceiling() -> None:
    found = table(view("sample").tools, "When a tool is called")
    assert cells(found, "Pairs in which both call, of all pairs") == [
        "75.0\u00a0%",
        "75.0\u00a0%",
        "75.0\u00a0%",
        "100.0\u00a0%",
        "4",
    ]


def test_the_ladder_shows_the_rungs_on_which_a_trial_fell() -> None:
    found = table(view("sample").tools, "How the calls hold up")
    labels = [row[0].text for row in found.rows]
    assert labels == [
        "trials that expect a decision",
        "reached the top of the ladder",
        "fell: no answer (transport)",
        "fell: arguments against the schema (SchemaMismatch)",
        "schema accuracy of the answers that call",
        "at least one repeat succeeds (pass@k, k = 5)",
        "all repeats succeed (pass^k, k = 5)",
    ]
    assert cells(found, labels[3]) == ["0", "7"]
    assert cells(found, labels[4]) == ["15 of 15 (100.0\u00a0%)", "8 of 15 (53.3\u00a0%)"]


def test_every_rung_has_its_words() -> None:
    both = sample()
    assert both.tools is not None
    everywhere = tuple(replace(side, rungs=dict.fromkeys(Rung, 1)) for side in both.tools.sides)
    found = table(view_of(replace(both, tools=replace(both.tools, sides=everywhere))).tools, "How the calls hold up")
    fell = [row[0].text for row in found.rows if row[0].text.startswith("fell: ")]
    assert len(fell) == len(Rung) - 2  # the top, and a loop that was not run
    assert cells(found, "loops that were not run, not counted") == ["1", "1"]


def test_structured_output_counts_answers_by_what_they_are() -> None:
    found = view("sample").structured
    assert found is not None
    assert cells(found, "valid under the stated schema") == ["20 of 20 (100.0\u00a0%)", "18 of 20 (90.0\u00a0%)"]
    assert cells(found, "JSON as a whole") == ["20 of 20 (100.0\u00a0%)"] * 2
    assert cells(found, "truncated (finish_reason length)") == ["0", "0"]


def test_tokens_are_compared_with_their_interval_and_their_extremes() -> None:
    found = token_table(tokens_of({"a": [(900, 100)], "b": [(100, 100)]}, {"a": [(1_100, 150)], "b": [(110, 150)]}))
    assert found is not None
    prompt, completion = found.rows
    assert prompt == (
        Cell(text="prompt tokens"),
        Cell(text="1.21×"),
        Cell(text="1.10×", detail="b"),
        Cell(text="1.22×", detail="a"),
        Cell(text="the tokenizers differ"),
    )
    assert completion[1] == Cell(text="1.50×", detail="90\u00a0%: 1.50 to 1.50")
    assert completion[4] == Cell(text="not within 0.80× to 1.25×; 1.21× of it may be the tokenizer")
    assert token_table(None) is None


def test_prompts_that_the_limit_cuts_on_both_sides_are_counted_beside_the_ratio() -> None:
    cut = (9, 100, "length")
    found = token_table(tokens_of({"a": [cut], "b": [(9, 100)]}, {"a": [cut], "b": [(9, 150)]}))
    assert found is not None
    _, completion = found.rows
    assert completion[0].detail == "geometric mean over 1 prompt; 1 left out: max_tokens cuts both sides"
    assert completion[1].text == "1.50×"


def test_money_and_usage_have_their_lines() -> None:
    side = replace(
        sample().economics[0],
        n_no_usage=3,
        n_zero_usage=1,
        cost_per_answer=known(0.003),
        chunks_per_token=known(0.4),
    )
    found = economics_table([side], {Arm.REFERENCE: "a"})
    assert found is not None
    assert cells(found, "answers without usage") == ["3 of 140 (2.1\u00a0%)"]
    assert cells(found, "answers whose usage says zero") == ["1 of 140 (0.7\u00a0%)"]
    assert cells(found, "cost per answer") == ["$0.00300"]
    assert cells(found, "chunks per token, streamed text") == ["0.40"]
    assert found.notes[0].startswith("a sends 0.40 chunks per token: its gaps are not times between tokens, and a")
    assert len(found.notes) == 1
    whole: Economics = replace(side, chunks_per_token=Value(value=0.97))
    found = economics_table([whole], {})
    assert found is not None
    assert found.notes == ()


def test_the_page_has_the_sections_where_they_mean_something() -> None:
    ids = set(Parsed(page("sample")).attributes("id"))
    assert {"answers", "tools", "structured", "economics"} <= ids
    bare = replace(sample(), tools=None, structured=())
    assert {"tools", "structured"}.isdisjoint(section.id for section in view_of(bare).sections)

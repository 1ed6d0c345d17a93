"""What an opened prompt says: single requests, their timelines and bytes, causes, the SDK's view."""

from dataclasses import replace

import pytest

from harness.analysis.results.prompts import PromptRow
from harness.analysis.results.trial import CheckResult, Rung, ToolResult, Trial
from harness.decode.sdk_view import SdkView
from harness.model.record import Answer, Arm, Arrivals, FailureKind, Record, RequestKey, Stamps
from harness.report.attribution import ATTRIBUTION, whose_words
from harness.report.chosen import chosen_requests
from harness.report.exhibits import HEAD_BYTES, TAIL_BYTES, FieldDifference, cut_response
from harness.report.html import render_html
from harness.report.promptpage import Mark
from harness.report.view_bodies import bodies_table
from harness.report.view_flags import RUNG_REMEDIES, prompt_flags
from harness.report.view_prompts import answer_outcome, as_json
from harness.report.view_requests import as_text
from harness.report.view_sdk import sdk_tables
from harness.report.view_timeline import length_s, timeline
from tests.report.exhibited import exhibited_view, largest_view
from tests.report.sample import RUN_ID, known, missing, sample

MS = 1_000_000
KEY = RequestKey(arm=Arm.CANDIDATE, prompt_id="tool-single", repeat=0)
NAMES = {Arm.REFERENCE: "a", Arm.CANDIDATE: "b"}


def record(at_ms: tuple[int, ...] = (), characters: tuple[int, ...] = (), **stamps: int) -> Record:
    zeros = (0,) * len(at_ms)
    return Record(
        key=KEY,
        attempt=1,
        block=0,
        stamps=Stamps(intended_at_ns=0, **{f"{name}_at_ns": value * MS for name, value in stamps.items()}),
        arrivals=Arrivals(
            at_ns=tuple(one * MS for one in at_ms),
            read=zeros,
            content_chars=characters,
            reasoning_chars=zeros,
            tool_chars=zeros,
        ),
    )


def trial(arm: Arm = Arm.CANDIDATE, repeat: int = 0, e2e: float | None = 1.0, **given: object) -> Trial:
    made = Trial(
        key=RequestKey(arm=arm, prompt_id="tool-single", repeat=repeat),
        block=0,
        run_id=RUN_ID,
        is_judged=True,
        failure=None,
        task_success=None,
        metrics={"e2e": missing("failed") if e2e is None else known(e2e)},
    )
    return replace(made, **given)  # type: ignore[arg-type]  # fields of a trial


def test_a_timeline_counts_from_sent_and_falls_on_its_places() -> None:
    """Sent at 10 ms; the axis is 100 ms wide, so a millisecond is 3 units; heights are shares of 40."""
    found = timeline(record((60, 85, 110), (1, 1, 2), sent=10, headers=20, token_1=60, ended=110), 0.1)
    assert found is not None
    assert found.steps == ((150, 30), (225, 20), (300, 0))
    assert found.events == (150, 225, 300)
    assert found.marks == (Mark(x=30, label="head"), Mark(x=150, label="first output"), Mark(x=300, label="end"))
    assert [mark.label for mark in found.ticks] == [f"{ms}\u00a0ms" for ms in (0, 20, 40, 60, 80, 100)]
    assert found.description == (
        "head after 10.0\u00a0ms, first output after 50.0\u00a0ms, end after 100\u00a0ms, 3 events with output, "
        "longest gap 25.0\u00a0ms"
    )


def test_events_at_one_place_are_drawn_once() -> None:
    found = timeline(record((100, 100, 100, 200), (1, 1, 1, 1), sent=0, ended=200), 0.2)
    assert found is not None
    assert found.events == (150, 300)
    assert found.steps[-1] == (300, 0)


@pytest.mark.parametrize("unsent", [record(), record(sent=5), record((9,), (1,), ended=9)])
def test_nothing_is_drawn_of_a_request_that_was_not_sent_or_not_answered(unsent: Record) -> None:
    assert timeline(unsent, length_s(unsent)) is None


def test_a_failed_request_is_chosen_before_the_median() -> None:
    trials = tuple(trial(repeat=n, e2e=value) for n, value in enumerate((5.0, 1.0, 3.0, 2.0)))
    found = chosen_requests(replace(sample(), trials=trials))["tool-single", Arm.CANDIDATE]
    assert (found.key.repeat, found.why) == (3, "the median of 4")  # the lower of the two in the middle
    lost = trial(repeat=4, e2e=None, failure="rate_limited")
    found = chosen_requests(replace(sample(), trials=(*trials, lost)))["tool-single", Arm.CANDIDATE]
    assert (found.key.repeat, found.why) == (4, "it failed")
    warm_up = replace(lost, is_judged=False)
    assert chosen_requests(replace(sample(), trials=(warm_up,))) == {}


def row(own: float = 1.0, across: float = 1.0, ttft: float = 1.0, decode: float = 1.0) -> PromptRow:
    one = next(found for found in sample().prompts if found.prompt_id == "tool-single")
    return replace(
        one,
        reference=replace(one.reference, self_agreement=known(own)),
        cross_agreement=known(across),
        ttft_ratio=known(ttft),
        decode_ratio=known(decode),
    )


def codes(*trials: Trial, of: PromptRow | None = None) -> list[str]:
    return [flag.code for flag in prompt_flags(of or row(), trials, NAMES)]


def test_a_prompt_without_trouble_has_no_flag() -> None:
    assert codes(trial(), trial(Arm.REFERENCE)) == []


def test_every_cause_has_its_code() -> None:
    fallen = trial(tool=ToolResult(rung=Rung.SCHEMA_MISMATCH))
    wrong = trial(checks=(CheckResult(check="contains: 42", passed=False, expected="42", came="41"),))
    assert codes(trial(failure="rate_limited")) == ["failure/rate_limited"]
    assert codes(fallen) == ["tool/SchemaMismatch"]
    assert codes(wrong) == ["check/contains"]
    assert codes(trial(was_truncated=True), trial(was_refused=True)) == ["answer/cut", "answer/refused"]
    assert codes(trial(), of=row(own=1.0, across=0.74)) == ["answers/differ"]
    assert codes(trial(), of=row(own=1.0, across=0.76)) == []
    assert codes(trial(), of=row(ttft=1.3, decode=0.7)) == ["slower/ttft", "slower/decode"]


def test_a_check_that_only_repeats_the_rung_is_no_second_cause() -> None:
    check = CheckResult(check="calls: x", passed=False, expected="x", came="y", where="rung SchemaMismatch")
    assert codes(trial(tool=ToolResult(rung=Rung.SCHEMA_MISMATCH), checks=(check,))) == ["tool/SchemaMismatch"]


def test_a_flag_says_how_often_on_which_side_and_what_to_do() -> None:
    (flag,) = prompt_flags(row(), (trial(failure="dns"), trial(repeat=1), trial(Arm.REFERENCE)), NAMES)
    assert (flag.side, flag.arm, flag.group) == ("b", "candidate", "failed")
    assert flag.words == "1 of 2 requests failed: Host name not found"
    assert flag.remedy.startswith("Points at the configuration or the network. The host name of base_url")


def test_every_kind_of_failure_points_somewhere_and_every_rung_has_a_remedy() -> None:
    assert set(ATTRIBUTION) == set(FailureKind)
    assert all(whose_words(kind) for kind in FailureKind)
    assert whose_words("of a later version") == ""
    assert set(Rung) - set(RUNG_REMEDIES) == {Rung.OK, Rung.TRANSPORT, Rung.NOT_RUN}


def test_a_long_response_keeps_its_beginning_and_its_end() -> None:
    wire = bytes(range(256)) * 100
    head, tail = cut_response(wire)
    assert (head, tail) == (wire[:HEAD_BYTES], wire[-TAIL_BYTES:])
    assert cut_response(wire[: HEAD_BYTES + TAIL_BYTES]) == (wire[: HEAD_BYTES + TAIL_BYTES], b"")


def test_bytes_that_are_no_text_are_written_as_bytes() -> None:
    assert as_text(b"a\r\nb\xff\x00").text == "a\nb\\xff␀"


def test_what_the_sdk_gives_is_said_where_it_differs() -> None:
    side = sample().case.reference
    seen = SdkView(outcome="crash", exception_type="TypeError", exception_message="index")
    plain = SdkView(outcome="answer", text="42")
    key = RequestKey(arm=Arm.REFERENCE, prompt_id="p", repeat=0)
    answered = replace(record(), key=key, answer=Answer(text="42"))
    alike = replace(side, records=(answered,), sdk_views={key: plain}, sdk_helper_views={key: plain})
    assert [[cell.text for cell in line] for line in sdk_tables([alike], NAMES)["p"].rows] == [
        ["a", "create(stream=True) and stream()", "answer", "the answer as it came"]
    ]
    unlike = replace(alike, sdk_helper_views={key: seen})
    assert [[cell.text for cell in line] for line in sdk_tables([unlike], NAMES)["p"].rows] == [
        ["a", "create(stream=True)", "answer", "the answer as it came"],
        ["a", "stream()", "crash", "TypeError: index"],
    ]


def test_a_field_that_nothing_explains_is_marked() -> None:
    case = sample().case
    found = bodies_table(
        [FieldDifference(path="seed", reference="1", candidate="not sent", is_declared=False, prompts=("x", "y"))], case
    )
    assert found is not None
    assert [cell.text for cell in found.rows[0]] == ["seed", "undeclared", "1", "not sent", "x, y"]
    assert found.rows[0][1].tone == "bad"
    same = bodies_table([], case)
    assert same is not None
    assert same.notes == ("None: both sides are asked the same, byte for byte of JSON.",)
    assert bodies_table(None, case) is None


def test_json_is_laid_out_and_nothing_else_is() -> None:
    assert as_json('{"b": 1, "a": [2]}') == '{\n "a": [\n  2\n ],\n "b": 1\n}'
    assert [as_json(text) for text in ("42", "null", '"a"', "{", "[" * 100_000)] == [None] * 5


def test_an_answer_carries_what_its_checks_made_of_it() -> None:
    assert answer_outcome([]) == ("", "plain")
    assert answer_outcome([trial(task_success=True)]) == ("passes its checks", "good")
    assert answer_outcome([trial(task_success=False)]) == ("fails its checks", "bad")
    assert answer_outcome([trial(tool=ToolResult(rung=Rung.LOOP), task_success=False)]) == ("rung loop", "bad")


def test_the_command_that_judges_again_names_the_folder_as_it_was_given() -> None:
    told = exhibited_view("sample").reproduce[-1]
    assert told.value == f"bench report 'elsewhere/my runs/{RUN_ID}'"


def test_the_largest_usual_page_with_all_its_evidence_stays_under_five_megabytes() -> None:
    found = largest_view()
    assert all(len(prompt.requests) == 2 and prompt.requests[0].response for prompt in found.prompts)
    assert len(render_html(found).encode()) < 5_000_000

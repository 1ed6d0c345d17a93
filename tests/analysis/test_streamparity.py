"""Streamed against unstreamed answers of one endpoint: what is a difference, what is only another wording."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from harness.analysis.results.judgement import Holds, Validity
from harness.analysis.results.streams import Aspect, StreamDifferences, StreamParity
from harness.analysis.streamparity import parity_findings, stream_parity
from harness.analysis.trials import judge_side
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Answer, Failure, FailureKind, Record, Usage
from tests.analysis.cases import a_key, a_plan, a_record, a_side
from tests.analysis.replies import a_call, a_check
from tests.analysis.replies import a_prompt as a_checked_prompt

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = a_checked_prompt(a_check("tool_called", {"name": "f", "arguments": {"city": "Oslo"}}), tools={"f": CITY})
FREE = a_checked_prompt(tools={"f": None})
JSON = a_checked_prompt(a_check("json_schema", {"type": "object", "required": ["n"]}))
OSLO = Answer(tool_calls=(a_call("f", {"city": "Oslo"}, "c1"),), finish_reason="tool_calls")


def said(text: str, finish_reason: str = "stop") -> Answer:
    return Answer(text=text, finish_reason=finish_reason)


def calls(*arguments: Any, finish_reason: str = "tool_calls") -> Answer:
    made = tuple(a_call("f", given, f"c{i}") for i, given in enumerate(arguments))
    return Answer(tool_calls=made, finish_reason=finish_reason)


def a_form(answer: Answer, repeat: int = 0, *, is_streamed: bool = True, **changes: Any) -> Record:
    key = replace(a_key(repeat), is_streamed=is_streamed)
    changes.setdefault("model_reported", "m")
    return a_record(key=key, block=repeat + 1, answer=answer, was_streamed=is_streamed, **changes)


def parity(
    prompt: Prompt, streamed: Sequence[Record | Answer], whole: Sequence[Record | Answer], **endpoint: Any
) -> StreamParity:
    """Compare these answers, or records, to one prompt."""
    records = [
        one if isinstance(one, Record) else a_form(one, repeat, is_streamed=is_streamed)
        for is_streamed, answers in ((True, streamed), (False, whole))
        for repeat, one in enumerate(answers)
    ]
    golden, side = GoldenSet(name="g", prompts=[prompt]), a_side(records, **endpoint)
    return stream_parity(side, judge_side(side, golden), golden)


def of(found: StreamParity, aspect: Aspect) -> StreamDifferences:
    return next(one for one in found.differences if one.aspect is aspect)


def differing(found: StreamParity) -> set[Aspect]:
    return {one.aspect for one in found.differences if one.n_differing}


def variation(found: StreamParity, aspect: Aspect) -> tuple[int, int, int, int]:
    one = of(found, aspect)
    return one.n_differing, one.n_compared, one.n_streamed_differing, one.n_streamed


def test_the_same_answers_differ_in_nothing() -> None:
    found = parity(TOOL, [OSLO] * 3, [OSLO])
    assert differing(found) == set()
    assert parity_findings(found) == ()
    assert (found.n_prompts, found.n_unstreamed, found.n_failed, found.n_texts_differ) == (1, 1, 0, 0)
    assert {one.aspect for one in found.differences} == set(Aspect) - {Aspect.JSON}
    assert all(one.n_compared == 1 for one in found.differences)


@pytest.mark.parametrize(
    ("prompt", "streamed", "whole"),
    [
        pytest.param(TOOL, [OSLO] * 3, calls({"town": "Oslo"}), id="another argument"),
        pytest.param(TOOL, [OSLO] * 3, calls({"city": 7}), id="another type"),
        pytest.param(TOOL, [OSLO] * 3, calls('{"city": "Os'), id="arguments that do not parse"),
        pytest.param(TOOL, [OSLO] * 3, calls({"city": "Oslo"}, {"city": "Oslo"}), id="a call too many"),
        pytest.param(TOOL, [OSLO] * 3, said('<tool_call>{"name": "f"}</tool_call>'), id="the call as markup"),
        pytest.param(TOOL, [OSLO] * 3, calls({"city": "Bergen"}), id="a value that the checks refuse"),
        pytest.param(FREE, [calls({"a": [{"b": 1}]})] * 2, calls({"a": [{"b": "1"}]}), id="a type deep inside"),
        pytest.param(TOOL, [calls({"town": "Oslo"})] * 3, OSLO, id="valid unstreamed only"),
    ],
)
def test_other_calls_are_a_finding(prompt: Prompt, streamed: list[Answer], whole: Answer) -> None:
    found = parity(prompt, streamed, [whole] * 2)
    assert variation(found, Aspect.TOOL_CALLS) == (2, 2, 0, len(streamed))
    row = next(row for row in parity_findings(found) if row.kind == "unstreamed_tool_calls")
    assert row.n_responses == 2
    assert row.example.startswith("p: streamed ")
    assert f"({len(streamed)} of {len(streamed)}), unstreamed " in row.example


@pytest.mark.parametrize(
    ("prompt", "streamed", "whole"),
    [
        pytest.param(FREE, [calls({"q": "cold"})] * 3, calls({"q": "the cold"}), id="another value"),
        pytest.param(FREE, [calls({"q": 1})] * 3, calls({"q": 1.5}), id="another number"),
        pytest.param(TOOL, [OSLO, calls({"town": "Oslo"})], calls({"town": "Oslo"}), id="what one stream does as well"),
        pytest.param(TOOL, [said("No."), OSLO], said("No, thanks."), id="words where a stream had words"),
    ],
)
def test_what_varies_by_itself_is_none(prompt: Prompt, streamed: list[Answer], whole: Answer) -> None:
    found = parity(prompt, streamed, [whole])
    assert differing(found) == set()


FELL = [calls({"city": n}) for n in ("Bergen", 7, [1])]  # each falls otherwise: no two of them are alike


def test_a_single_difference_cannot_be_told_from_variation() -> None:
    """One odd answer of seven is the unstreamed one once in seven times, whatever the server does."""
    found = parity(TOOL, [OSLO] * 6, [FELL[0]])
    assert variation(found, Aspect.TOOL_CALLS) == (1, 1, 0, 6)
    assert parity_findings(found) == ()


def test_faults_that_streams_have_as_often_are_no_finding() -> None:
    """Three of six streams are unlike their peers; of two unstreamed answers one is."""
    found = parity(TOOL, [OSLO] * 3 + FELL, [OSLO, said("No.")])
    assert variation(found, Aspect.TOOL_CALLS) == (1, 2, 3, 6)
    assert parity_findings(found) == ()


@pytest.mark.parametrize(
    ("n_unlike", "is_beyond"),
    [
        (4, False),  # beside 1 of 8 streams: (C(6,4) C(8,1) + C(6,5)) / C(14,5) = 126 / 2002
        (5, True),  # (C(6,5) C(8,1) + C(6,6)) / C(14,6) = 49 / 3003
    ],
)
def test_differences_beyond_the_streams_own_are_a_finding(n_unlike: int, *, is_beyond: bool) -> None:
    found = parity(TOOL, [OSLO] * 7 + FELL[:1], [said("No.")] * n_unlike + [OSLO] * (6 - n_unlike))
    assert variation(found, Aspect.TOOL_CALLS) == (n_unlike, 6, 1, 8)
    assert of(found, Aspect.TOOL_CALLS).is_beyond_variation is is_beyond
    assert [row.kind for row in parity_findings(found)].count("unstreamed_tool_calls") == is_beyond


def test_one_stream_alone_tells_no_variation() -> None:
    found = parity(TOOL, [OSLO], [said("No.")] * 3)
    assert variation(found, Aspect.TOOL_CALLS) == (3, 3, 0, 0)
    assert parity_findings(found) == ()


def test_another_wording_is_counted_and_is_no_finding() -> None:
    found = parity(JSON, [said('{"n": 1}')] * 3, [said('{"n": 2}'), said('{"n":1}')])
    assert found.n_texts_differ == 1
    assert parity_findings(found) == ()


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        ('```json\n{"n": 1}\n```', "no JSON (fenced)"),
        ("Sure!", "no JSON (prose)"),
        ('{"m": 1}', "JSON against its schema"),
    ],
)
def test_json_that_holds_in_one_form_only_is_a_finding(whole: str, told: str) -> None:
    found = parity(JSON, [said('{"n": 1}')] * 3, [said(whole)] * 2)
    assert of(found, Aspect.JSON).example == f"p: streamed valid (3 of 3), unstreamed {told}"
    assert {row.kind for row in parity_findings(found)} == {"unstreamed_json"}


def test_validity_is_counted_in_both_forms_on_the_same_prompts() -> None:
    found = parity(JSON, [said('{"n": 1}'), said('{"n": 1}'), said("{")], [said('{"m": 1}'), said('{"n": 1}')])
    assert {one.of: (one.streamed, one.unstreamed) for one in found.validity} == {
        Holds.JSON: (Validity(n=3, n_valid=2), Validity(n=2, n_valid=2)),
        Holds.SCHEMA: (Validity(n=3, n_valid=2), Validity(n=2, n_valid=1)),
    }
    tools = parity(TOOL, [OSLO, calls({"city": "Bergen"})], [OSLO])
    assert [(one.of, one.streamed.n_valid, one.unstreamed.n_valid) for one in tools.validity] == [
        (Holds.TOOL_CALLS, 1, 1)
    ]


def test_a_finish_reason_is_compared_where_the_answer_is_the_same() -> None:
    differs = parity(TOOL, [OSLO] * 3, [replace(OSLO, finish_reason="stop")])
    assert of(differs, Aspect.FINISH_REASON).example == "p: streamed tool_calls (3 of 3), unstreamed stop"
    other = parity(TOOL, [OSLO] * 3, [said("No.")])
    assert Aspect.FINISH_REASON not in {one.aspect for one in other.differences}


def counted(prompt: int | None = 100, completion: int | None = 40, reasoning: int | None = None) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, reasoning_tokens=reasoning)


@pytest.mark.parametrize(
    ("usage", "aspects"),
    [
        (counted(), set()),
        (counted(prompt=101), {Aspect.PROMPT_TOKENS}),
        (counted(completion=42), set()),
        (counted(completion=43), {Aspect.COMPLETION_TOKENS}),
        (counted(completion=90, reasoning=50), set()),
        (None, {Aspect.USAGE}),
        (counted(prompt=None), set()),
    ],
)
def test_the_same_answer_has_the_same_counts(usage: Usage | None, aspects: set[Aspect]) -> None:
    streams = [a_form(OSLO, repeat, usage=counted()) for repeat in range(3)]
    found = parity(TOOL, streams, [a_form(OSLO, is_streamed=False, usage=usage)])
    assert differing(found) == aspects


def test_another_answer_may_have_other_counts() -> None:
    streams = [a_form(said('{"n": 1}'), usage=counted())]
    found = parity(JSON, streams, [a_form(said('{"n": 1, "m": 2}'), is_streamed=False, usage=counted(completion=60))])
    assert differing(found) == set()


def test_usage_that_no_stream_was_asked_for_is_not_missed() -> None:
    streams = [a_form(OSLO, usage=None)]
    whole = [a_form(OSLO, is_streamed=False, usage=counted())]
    assert differing(parity(TOOL, streams, whole)) == {Aspect.USAGE}
    assert differing(parity(TOOL, streams, whole, stream_usage=False)) == set()


def test_another_model_is_a_finding() -> None:
    found = parity(TOOL, [OSLO], [a_form(OSLO, is_streamed=False, model_reported="m-small")])
    assert of(found, Aspect.MODEL).example == "p: streamed m (1 of 1), unstreamed m-small"
    nameless = parity(TOOL, [OSLO], [a_form(OSLO, is_streamed=False, model_reported=None)])
    assert differing(nameless) == set()


REFUSED = Failure(kind=FailureKind.BAD_REQUEST, message="only stream: true is supported")


def test_an_unstreamed_request_that_fails_is_a_finding_where_streams_are_answered() -> None:
    refused = a_form(Answer(), is_streamed=False, failure=REFUSED)
    found = parity(TOOL, [OSLO] * 3, [refused] * 2)
    assert of(found, Aspect.ANSWER).example == "p: bad_request: only stream: true is supported"
    assert (found.n_prompts, found.n_unstreamed, found.n_failed) == (0, 2, 2)
    (row,) = parity_findings(found)
    assert row.kind == "unstreamed_answer"
    flaky = parity(TOOL, [a_form(OSLO), a_form(Answer(), 1, failure=REFUSED)], [refused])
    assert differing(flaky) == set()


def test_a_request_that_failed_once_is_no_finding_at_an_endpoint_that_fails_anyway() -> None:
    """Prompt p has whole streams and a failure without; of prompt q one stream fails of four."""
    golden = GoldenSet(name="g", prompts=[TOOL, msgspec.structs.replace(TOOL, id="q")])
    other = [
        *(a_form(OSLO, repeat, is_streamed=repeat > 0) for repeat in range(4)),
        a_form(Answer(), 4, failure=REFUSED),
    ]
    records = [
        *(a_form(OSLO, repeat) for repeat in range(4)),
        a_form(Answer(), 5, is_streamed=False, failure=REFUSED),
        *(replace(one, key=replace(one.key, prompt_id="q")) for one in other),
    ]
    side = a_side(records)
    found = stream_parity(side, judge_side(side, golden), golden)
    assert variation(found, Aspect.ANSWER) == (1, 1, 1, 8)
    assert parity_findings(found) == ()


def test_what_was_not_run_is_nothing_and_says_why() -> None:
    text = a_checked_prompt(a_check("contains", "x"))
    assert parity(text, [said("x")], []).nothing == "no prompt of the set has tools or JSON"
    cancelled = a_form(Answer(), is_streamed=False, failure=Failure(kind=FailureKind.CANCELLED, message=""))
    for whole in ([], [cancelled]):
        found = parity(TOOL, [OSLO], whole)
        assert (found.nothing, found.n_unstreamed, found.differences, found.validity) == ("not run", 0, (), ())
    plan = a_plan(1)
    plan.settings["plan"]["unstreamed"] = 0
    side = replace(a_side([a_form(OSLO)]), plan=plan)
    golden = GoldenSet(name="g", prompts=[TOOL])
    assert stream_parity(side, judge_side(side, golden), golden).nothing == "plan.unstreamed is 0"

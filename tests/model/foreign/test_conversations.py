"""Fine-tuning examples and ShareGPT conversations: what is sent, and what becomes of the answers."""

from pathlib import Path
from typing import Any

import pytest

from harness.model.foreign.formats import Format
from harness.model.golden import Example, ExampleCall
from tests.model.foreign.reading import DATA, USER, lines_file, read

KEPT = "last answer kept as example, not sent"


def call(name: Any, arguments: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": name, "arguments": arguments}}]}


def test_the_last_answer_of_a_fine_tuning_example_is_kept_and_not_sent() -> None:
    drafts, skipped = read(DATA / "finetune.jsonl", Format.FINETUNE)
    assert skipped == []
    assert [message["role"] for message in drafts[0].request["messages"]] == ["system", "user"]
    assert drafts[0].example == Example(text="Prague")
    assert drafts[0].changes == ("weight dropped", KEPT)
    assert drafts[1].request["tools"] == [{"type": "function", "function": {"name": "get_weather"}}]
    assert drafts[1].request["parallel_tool_calls"] is False
    assert drafts[1].example == Example(tool_calls=[ExampleCall(name="get_weather", arguments={"city": "Oslo"})])
    assert len(drafts[2].request["messages"]) == 1
    assert (drafts[2].example, drafts[2].changes) == (None, ("no answer at the end, sent whole",))


def test_weights_inside_the_conversation_are_not_sent(tmp_path: Path) -> None:
    first = {"role": "assistant", "content": "a", "weight": 0}
    line = {"messages": [USER, first, USER, {"role": "assistant", "content": "b"}], "id": 7}
    (draft,), _ = read(lines_file(tmp_path, line), Format.FINETUNE)
    assert draft.request == {"messages": [USER, {"role": "assistant", "content": "a"}, USER]}
    assert draft.changes == ("id dropped", "weight dropped", KEPT)


def test_an_answer_in_parts_is_one_text(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    line = {"messages": [USER, {"role": "assistant", "content": parts}]}
    assert read(lines_file(tmp_path, line), Format.FINETUNE)[0][0].example == Example(text="one\ntwo")


@pytest.mark.parametrize(
    "answer",
    [
        call("f", "{not json"),
        call("f", "[1]"),
        call("f", '{"a": NaN}'),
        call(None, "{}"),
        {"role": "assistant", "tool_calls": "f"},
        {"role": "assistant", "content": None},
        {"role": "assistant"},
    ],
)
def test_an_answer_that_cannot_be_an_example_is_left_out_and_said(tmp_path: Path, answer: Any) -> None:
    (draft,), _ = read(lines_file(tmp_path, {"messages": [USER, answer]}), Format.FINETUNE)
    assert draft.request == {"messages": [USER]}
    assert draft.example is None
    assert draft.changes == ("last answer left out, it cannot be an example",)


def test_a_call_without_arguments_is_kept(tmp_path: Path) -> None:
    (draft,), _ = read(lines_file(tmp_path, {"messages": [USER, call("f", "")]}), Format.FINETUNE)
    assert draft.example == Example(tool_calls=[ExampleCall(name="f")])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"messages": [{"role": "assistant", "content": "x"}]}, "nothing but an answer"),
        ({"messages": []}, "no messages"),
        ({"prompt": "a", "completion": "b"}, "no messages"),
        ({"messages": [USER, {"role": "assistant", "content": "\ud800"}]}, "half a character (a lone surrogate)"),
        ({"messages": ["a", USER]}, "a message without a role"),
        (5, "no messages"),
    ],
)
def test_a_line_without_a_question_is_skipped(tmp_path: Path, line: Any, reason: str) -> None:
    drafts, skipped = read(lines_file(tmp_path, line), Format.FINETUNE)
    assert (drafts, [one.reason for one in skipped]) == ([], [reason])


def test_a_sharegpt_conversation_goes_from_the_person_to_the_person() -> None:
    (draft,), skipped = read(DATA / "sharegpt.json", Format.SHAREGPT)
    assert draft.name == "AbC_1"
    assert [(m["role"], m["content"]) for m in draft.request["messages"]] == [
        ("user", "And then?"),
        ("assistant", "Then this."),
        ("user", "Why?"),
    ]
    assert draft.changes == ("answers at the start or end left out",)
    assert [(one.reason, one.where.rpartition(":")[2]) for one in skipped] == [
        ("a turn that is neither the person's, the model's nor the system's", "8"),
        ("nothing that a person said", "9"),
    ]


def test_a_system_turn_is_kept_and_nothing_to_leave_out_is_not_said(tmp_path: Path) -> None:
    turns = [{"from": "System", "value": "s"}, {"from": "user", "value": "u"}]
    (draft,), _ = read(lines_file(tmp_path, {"conversations": turns}), Format.SHAREGPT)
    assert [message["role"] for message in draft.request["messages"]] == ["system", "user"]
    assert (draft.name, draft.changes) == (None, ())


@pytest.mark.parametrize("line", [{}, {"conversations": []}, {"conversations": "x"}, 5, None])
def test_what_is_no_conversation_is_skipped(tmp_path: Path, line: Any) -> None:
    assert [one.reason for one in read(lines_file(tmp_path, line), Format.SHAREGPT)[1]] == ["no conversation"]

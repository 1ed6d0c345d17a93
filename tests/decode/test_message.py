"""The assistant message as an application keeps it, for the second request of a tool loop."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.message import received_message
from tests.decode.strategies import as_json, bodies, strange_objects
from tests.decode.wires import DONE, END, HI, TOOL_END, a_wire, data, decoded, delta, finish, reads_of, tool

Json = dict[str, Any]
SIGNED = {"google": {"thought_signature": "CpcB=="}}


def received(*events: bytes) -> Json | None:
    wire = a_wire(b"".join(events))
    return received_message(wire, reads_of([wire]))


def whole(message: object) -> Json | None:
    wire = a_wire(as_json({"choices": [{"index": 0, "message": message}]}), 200, "application/json")
    return received_message(wire, reads_of([wire]))


def a_call(call_id: str, name: str, arguments: str, **more: Any) -> Json:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def test_a_call_comes_back_with_the_servers_id_and_its_arguments_letter_by_letter() -> None:
    pieces = ['{"city" :', ' "Z\\u00fcrich",\n', '"n":1.0 }']
    opened = tool(index=0, id="chatcmpl-tool-1", type="function", function={"name": "weather", "arguments": ""})
    rest = [tool(index=0, function={"arguments": piece}) for piece in pieces]
    message = received(delta(role="assistant", content=None), opened, *rest, TOOL_END)
    assert message == {
        "role": "assistant",
        "content": None,
        "tool_calls": [a_call("chatcmpl-tool-1", "weather", "".join(pieces))],
    }


def test_parallel_calls_keep_their_order_and_their_ids() -> None:
    opened = [
        tool(index=n, id=f"functions.f:{n}", type="function", function={"name": "f", "arguments": "{"}) for n in (0, 1)
    ]
    closed = [tool(index=n, function={"arguments": f'"n":{n}}}'}) for n in (1, 0)]
    message = received(*opened, *closed, TOOL_END)
    assert message is not None
    assert message["tool_calls"] == [a_call(f"functions.f:{n}", "f", f'{{"n":{n}}}') for n in (0, 1)]


def test_calls_without_index_are_told_apart() -> None:
    calls = [a_call(call_id, "f", "{}", extra_content=SIGNED) for call_id in ("a", "b")]
    message = received(*(tool(**call) for call in calls), TOOL_END)
    assert message is not None
    assert message["tool_calls"] == calls


def test_what_a_server_adds_is_kept_and_joined() -> None:
    details = [
        {"type": "reasoning.text", "index": 0, "text": "It is ", "format": "f1"},
        {"type": "reasoning.text", "index": 0, "text": "cold.", "format": "f1"},
        {"type": "reasoning.text", "index": 0, "signature": "sig", "format": "f1"},
        {"type": "reasoning.encrypted", "index": 1, "data": "xyz"},
    ]
    message = received(
        delta(role="assistant", content="", reasoning_content=None),
        delta(role="assistant", reasoning_content="First "),
        delta(role="assistant", reasoning_content="this."),
        *(delta(reasoning_details=[part]) for part in details),
        tool(index=0, id="c", type="function", function={"name": "f", "arguments": "{}"}, extra_content=SIGNED),
        TOOL_END,
    )
    assert message == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "First this.",
        "reasoning_details": [
            {"type": "reasoning.text", "index": 0, "text": "It is cold.", "format": "f1", "signature": "sig"},
            details[3],
        ],
        "tool_calls": [a_call("c", "f", "{}", extra_content=SIGNED)],
    }


def test_the_same_message_streamed_and_whole_comes_back_alike() -> None:
    call = a_call("call_1", "f", '{"a": [1, 2]}')
    message = {"role": "assistant", "content": "Let me look.", "reasoning_content": "Hm", "tool_calls": [call]}
    half = len(call["function"]["arguments"]) // 2
    opened = {**call, "function": {"name": "f", "arguments": call["function"]["arguments"][:half]}}
    streamed = received(
        delta(role="assistant", reasoning_content="H"),
        delta(reasoning_content="m"),
        delta(content="Let me "),
        delta(content="look."),
        tool(index=0, **opened),
        tool(index=0, function={"arguments": call["function"]["arguments"][half:]}),
        TOOL_END,
    )
    assert streamed == whole(message) == message


@pytest.mark.parametrize(
    ("fragment", "truth"),
    [
        ({"id": "", "function": {"name": "f", "arguments": "{}"}}, {"id": "", "type": "function"}),
        ({"id": None, "function": {"name": "f", "arguments": "{}"}}, {"type": "function"}),
        ({"function": {"name": "f", "arguments": {"a": 1}}, "id": "x"}, {"id": "x", "type": "function"}),
        ({"id": 7, "function": {"name": "f", "arguments": "{}"}}, {"id": 7, "type": "function"}),
    ],
)
def test_an_odd_id_stays_as_it_came(fragment: Json, truth: Json) -> None:
    message = whole({"content": None, "tool_calls": [fragment]})
    assert message is not None
    (call,) = message["tool_calls"]
    assert {key: value for key, value in call.items() if key != "function"} == truth
    assert json.loads(call["function"]["arguments"]) in ({}, {"a": 1})


def test_a_custom_tool_and_the_old_function_call_keep_their_forms() -> None:
    custom = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}
    message = whole({"content": None, "tool_calls": [custom]})
    assert message == {"role": "assistant", "content": None, "tool_calls": [custom]}
    legacy = received(delta(function_call={"name": "f", "arguments": "{"}), delta(function_call={"arguments": "}"}))
    assert legacy == {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}


def test_content_in_parts_stays_in_parts() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    message = received(delta(content=[thought]), delta(content="Yes"), END)
    assert message == {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes"}]}


def test_only_the_first_choice_counts_and_a_repeated_message_is_not_added() -> None:
    other = data({"choices": [{"index": 1, "delta": {"content": "other"}}]})
    repeated = data({"choices": [{"index": 0, "message": {"content": "Hi"}}]})
    assert received(HI, other, repeated, finish(), DONE, HI) == {"role": "assistant", "content": "Hi"}


def test_a_whole_message_behind_a_role_is_the_message() -> None:
    call = a_call("a", "f", "{}")
    said = data({"choices": [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [call]}}]})
    truth = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert received(delta(role="assistant"), said, TOOL_END) == truth
    assert received(delta(role="assistant"), said, said, TOOL_END) == truth


def test_labels_that_every_chunk_repeats_are_not_joined() -> None:
    message = received(
        delta(channel="analysis", status="in_progress", reasoning="Cold"),
        delta(channel="analysis", status="in_progress", reasoning=" is"),
        delta(channel="final", status="completed", content="It is "),
        delta(channel="final", status="completed", content="cold."),
        delta(audio={"id": "u", "data": "UklG", "transcript": "It "}),
        delta(audio={"id": "u", "data": "Rg==", "transcript": "is."}),
        END,
    )
    assert message == {
        "role": "assistant",
        "content": "It is cold.",
        "channel": "final",
        "status": "completed",
        "reasoning": "Cold is",
        "audio": {"id": "u", "data": "UklGRg==", "transcript": "It is."},
    }


def test_a_call_in_both_forms_is_sent_back_once_and_two_calls_twice() -> None:
    call = a_call("a", "f", "{}")
    twice = whole({"content": None, "tool_calls": [call], "function_call": {"name": "f", "arguments": "{}"}})
    assert twice == {"role": "assistant", "content": None, "tool_calls": [call]}
    other = {"name": "g", "arguments": "{}"}
    message = {"role": "assistant", "content": None, "tool_calls": [call], "function_call": other}
    assert whole(message) == message


def test_a_choice_numbered_in_digits_is_that_choice() -> None:
    events = [data({"choices": [{"index": number, "delta": {"content": number}}]}) for number in ("0", "1")]
    assert received(*events, END) == {"role": "assistant", "content": "0"}


@pytest.mark.parametrize("events", [(DONE,), (data({"error": {"message": "no"}}),), (data({"choices": []}),), (b"{",)])
def test_no_message_is_none(events: tuple[bytes, ...]) -> None:
    assert received(*events) is None


def test_what_no_request_can_hold_is_replaced() -> None:
    body = b'{"choices": [{"message": {"content": "a\\ud800b", "x": NaN, "y": {"\\ud800": 1e999}}}]}'
    wire = a_wire(body, 200, "application/json")
    message = received_message(wire, reads_of([wire]))
    assert message == {"role": "assistant", "content": "a\ufffdb", "x": None, "y": {"\ufffd": None}}


@given(events=st.lists(strange_objects, max_size=6))
def test_any_objects_give_a_message_that_json_can_hold(events: list[Any]) -> None:
    deltas = [data({"choices": [{"index": 0, "delta": event}]}) for event in events]
    message = received(*deltas)
    if message is not None:
        assert json.loads(json.dumps(message, allow_nan=False)) == message
        json.dumps(message, ensure_ascii=False).encode()


@given(body=bodies())
def test_any_bytes_are_survived(body: bytes) -> None:
    wire = a_wire(body)
    message = received_message(wire, reads_of([wire]))
    assert message is None or message["role"]


pieces: st.SearchStrategy[Any] = st.sampled_from(("", "{", "}", "{}", '{"a":1}', {}, None))
fragments = st.fixed_dictionaries(
    {"function": st.fixed_dictionaries({}, optional={"name": st.sampled_from(("f", "g", "fg")), "arguments": pieces})},
    optional={"index": st.sampled_from((0, 1, "0", "1", None)), "id": st.sampled_from(("", "a", "b", None))},
)
said = st.fixed_dictionaries(
    {},
    optional={
        "role": st.just("assistant"),
        "content": st.sampled_from(("", "Hi", None)),
        "tool_calls": st.lists(fragments, max_size=2),
        "function_call": st.fixed_dictionaries({}, optional={"name": st.just("f"), "arguments": pieces}),
    },
)
choices = st.sampled_from(("delta", "message")).flatmap(
    lambda key: st.fixed_dictionaries({"index": st.sampled_from((0, "0", None, 1)), key: said})
)


@given(chunks=st.lists(st.lists(choices, max_size=2), max_size=6))
def test_the_calls_that_are_sent_back_are_those_that_are_judged(chunks: list[list[Json]]) -> None:
    wire = a_wire(b"".join(data({"choices": chunk}) for chunk in chunks) + TOOL_END)
    judged = decoded([wire]).answer.tool_calls
    message = received_message(wire, reads_of([wire])) or {}
    bodies_sent = [call["function"] for call in message.get("tool_calls", ())]
    bodies_sent += [message["function_call"]] if "function_call" in message else []
    assert sorted((body["name"] or "", body["arguments"]) for body in bodies_sent) == sorted(
        (call.name or "", call.arguments) for call in judged
    )

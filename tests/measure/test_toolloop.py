"""The second request of a tool loop, from a first answer to the bytes that the SDK writes."""

import json
from typing import Any

import pytest
from hypothesis import given

from harness.decode.message import received_message
from harness.measure.body import request_parameters
from harness.measure.compose import Composer
from harness.measure.toolloop import second_turn
from harness.model.endpoint import Endpoint
from harness.model.golden import Check, CheckKind, Prompt
from tests.decode.strategies import strange_objects
from tests.decode.wires import a_wire, data, reads_of

Json = dict[str, Any]
RESULTS: Json = {"get_weather": {"temp": 7, "canary": "heron-42"}, "get_time": "12:30, za okamžik"}


def a_prompt(**request: Any) -> Prompt:
    tools = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in RESULTS]
    return Prompt(
        id="p",
        category="c",
        intent="i",
        request={"messages": [{"role": "user", "content": "Hi"}], "tools": tools, "max_tokens": 9, **request},
        tool_results=RESULTS,
        final=[Check(kind=CheckKind.CONTAINS, argument="heron-42")],
    )


def a_call(call_id: str, name: str, arguments: str = "{}") -> Json:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def an_answer(*calls: Json, **more: Any) -> Json:
    return {"role": "assistant", "content": None, **more, "tool_calls": list(calls)}


def messages_after(answer: Json, **request: Any) -> list[Json]:
    prompt = second_turn(a_prompt(**request), answer)
    assert prompt is not None
    messages: list[Json] = prompt.request["messages"]
    return messages


def test_each_call_is_answered_under_its_own_id_in_order() -> None:
    answer = an_answer(a_call("b9", "get_time"), a_call("functions.get_weather:1", "get_weather"))
    user, assistant, *results = messages_after(answer)
    assert user == {"role": "user", "content": "Hi"}
    assert assistant == answer
    assert results == [
        {"role": "tool", "tool_call_id": "b9", "content": "12:30, za okamžik"},
        {"role": "tool", "tool_call_id": "functions.get_weather:1", "content": '{"temp": 7, "canary": "heron-42"}'},
    ]


def test_two_calls_of_one_tool_get_its_result_each() -> None:
    results = messages_after(an_answer(a_call("a", "get_weather"), a_call("b", "get_weather")))[2:]
    assert [result["tool_call_id"] for result in results] == ["a", "b"]
    assert len({result["content"] for result in results}) == 1


def test_the_answer_is_not_touched() -> None:
    answer = an_answer(
        a_call("a", "get_time", '{"x" : 1.0,\n"y": "\\u00e9"}'), reasoning_content="Hm", x_trace={"k": 1}
    )
    before = json.dumps(answer)
    assert json.dumps(messages_after(answer)[1]) == before


def test_everything_else_of_the_request_stays() -> None:
    first = a_prompt(response_format={"type": "json_object"})
    second = second_turn(first, an_answer(a_call("a", "get_time")))
    assert second is not None
    assert {**second.request, "messages": []} == {**first.request, "messages": []}
    assert len(first.request["messages"]) == 1


@pytest.mark.parametrize(
    ("choice", "then"),
    [
        ("required", "auto"),
        ({"type": "function", "function": {"name": "get_time"}}, "auto"),
        ({"type": "custom", "custom": {"name": "get_time"}}, "auto"),
        ("auto", "auto"),
        ("none", "none"),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}},
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
        ),
    ],
)
def test_a_forced_choice_is_left_to_the_model_the_second_time(choice: Any, then: Any) -> None:
    second = second_turn(a_prompt(tool_choice=choice), an_answer(a_call("a", "get_time")))
    assert second is not None
    assert second.request["tool_choice"] == then


def test_without_a_choice_none_is_added() -> None:
    second = second_turn(a_prompt(), an_answer(a_call("a", "get_time")))
    assert second is not None
    assert "tool_choice" not in second.request


@pytest.mark.parametrize(
    "answer",
    [
        {"role": "assistant", "content": "It is cold."},
        an_answer(),
        an_answer(a_call("a", "get_news")),
        an_answer(a_call("a", "get_time"), a_call("b", "get_news")),
        {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"arguments": "{}"}}]},
    ],
)
def test_the_loop_ends_where_there_is_nothing_to_answer_with(answer: Json) -> None:
    assert second_turn(a_prompt(), answer) is None


@pytest.mark.parametrize(("given_id", "answered"), [("", {"tool_call_id": ""}), (None, {})])
def test_an_id_that_is_empty_or_missing_goes_back_so(given_id: str | None, answered: Json) -> None:
    call = {
        key: value for key, value in a_call(given_id or "", "get_time").items() if key != "id" or given_id is not None
    }
    result = messages_after(an_answer(call))[-1]
    assert {key: value for key, value in result.items() if key not in ("role", "content")} == answered


def test_the_old_function_call_is_answered_in_its_own_form() -> None:
    legacy = {"role": "assistant", "content": None, "function_call": {"name": "get_time", "arguments": "{}"}}
    assert messages_after(legacy)[-1] == {"role": "function", "name": "get_time", "content": "12:30, za okamžik"}


def test_a_call_of_the_old_kind_beside_another_one_is_answered_too() -> None:
    both = an_answer(a_call("a", "get_time"), function_call={"name": "get_time", "arguments": "{}"})
    assert [message["role"] for message in messages_after(both)[-2:]] == ["tool", "function"]


def test_a_custom_tool_is_answered_by_its_id() -> None:
    custom = {"id": "c", "type": "custom", "custom": {"name": "get_time", "input": "now"}}
    assert messages_after(an_answer(custom))[-1]["tool_call_id"] == "c"


COMPOSER = Composer(Endpoint(name="e", base_url="http://h/v1", model="m", extra_body={"x": 1}), {})


def body_of(answer: Json) -> Json:
    prompt = second_turn(a_prompt(tool_choice="required"), answer)
    assert prompt is not None
    body: Json = json.loads(COMPOSER.compose(prompt).body)
    return body


def test_the_sdk_writes_the_history_as_it_was_given() -> None:
    signed = a_call("call_1", "get_weather", '{"city" :"Z\\u00fcrich"}') | {"extra_content": {"google": {"s": "C=="}}}
    answer = an_answer(signed, reasoning_content="Hm", reasoning_details=[{"type": "reasoning.text", "text": "Hm"}])
    body = body_of(answer)
    assert body["messages"][1] == answer
    assert body["messages"][2]["tool_call_id"] == "call_1"
    assert (body["tool_choice"], body["stream"], body["x"], body["model"]) == ("auto", True, 1, "m")
    assert body["stream_options"] == {"include_usage": True}


@given(strange=strange_objects)
def test_any_answer_can_be_sent_back(strange: Any) -> None:
    """Whatever a server puts beside its calls, the second request can be written."""
    delta = strange if isinstance(strange, dict) else {"content": strange, "audio": strange, "refusal": strange}
    events = [data({"choices": [{"index": 0, "delta": {**delta, "role": "assistant"}}]})]
    call = {"index": 0, **a_call("a", "get_time"), "extra": strange}
    events.append(data({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}))
    wire = a_wire(b"".join(events))
    answer = received_message(wire, reads_of([wire]))
    assert answer is not None
    prompt = second_turn(a_prompt(), answer)
    if prompt is not None:
        assert json.loads(COMPOSER.compose(prompt).body)["messages"][1]["role"] == answer["role"]


def test_an_unstreamed_request_is_the_same_without_what_only_a_stream_may_ask_for() -> None:
    endpoint = Endpoint(
        name="e",
        base_url="http://h/v1",
        model="m",
        extra_body={"stream_options": {"include_obfuscation": False}, "y": 2},
    )
    composer = Composer(endpoint, {})
    streamed, whole = (json.loads(composer.compose(a_prompt(), is_streamed=form).body) for form in (True, False))
    assert streamed["stream_options"] == {"include_obfuscation": False}
    assert whole == {key: value for key, value in streamed.items() if key != "stream_options"} | {"stream": False}
    assert request_parameters(a_prompt(), endpoint, is_streamed=False)["stream"] is False

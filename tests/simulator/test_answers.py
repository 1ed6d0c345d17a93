"""What is answered: examples, tool results, seeded words; limits and stops."""

import json
from typing import Any

import msgspec
import pytest

from harness.model.golden import Check, CheckKind, GoldenSet
from harness.simulator.endpoint import SimulatedEndpoint
from harness.simulator.profile import Reasoning
from harness.simulator.tokens import count_tokens
from tests.simulator.client import Raw
from tests.simulator.deciding import (
    CAPITAL,
    CAPITAL_TEXT,
    GOLDEN,
    INVOICE,
    TWO_CITIES,
    WEATHER,
    a_profile,
    an_endpoint,
    answer,
    decide,
)

TOOL = {
    "type": "function",
    "function": {
        "name": "book",
        "parameters": {
            "type": "object",
            "properties": {"seats": {"type": "integer"}, "class": {"enum": ["first"]}, "names": {"type": "array"}},
        },
    },
}


def test_a_golden_prompt_gets_its_example_streamed_or_not() -> None:
    assert answer(an_endpoint(), CAPITAL).text == CAPITAL_TEXT
    message = answer(an_endpoint(), CAPITAL, stream=False).json["choices"][0]["message"]
    assert message == {"role": "assistant", "content": CAPITAL_TEXT, "refusal": None}


def test_model_and_parameters_do_not_hide_a_golden_prompt() -> None:
    decision = decide(an_endpoint(), CAPITAL, model="other", max_completion_tokens=500, seed=3)
    assert decision.said is not None
    assert (decision.said.prompt_id, decision.said.text) == ("capital", CAPITAL_TEXT)


def test_prompts_with_the_same_messages_are_told_apart_by_their_parameters() -> None:
    plain = decide(an_endpoint(), INVOICE["messages"], max_tokens=64, top_p=1)
    formatted = decide(an_endpoint(), **INVOICE)
    assert plain.said is not None
    assert formatted.said is not None
    assert (plain.said.prompt_id, formatted.said.prompt_id) == ("invoice-fence", "invoice-json")


def test_a_tool_call_comes_in_fragments_that_join_to_the_arguments() -> None:
    raw = answer(an_endpoint(), **WEATHER)
    assert raw.fragments[0]["function"]["name"] == "get_weather"
    assert len(raw.fragments) > 3
    assert json.loads(raw.arguments) == {"city": "Brno", "unit": "celsius"}
    assert raw.finish_reasons == ["tool_calls"]
    assert raw.text == ""


def test_parallel_calls_have_an_index_and_an_id_each() -> None:
    fragments = answer(an_endpoint(), **TWO_CITIES).fragments
    opened = [(f["index"], f["id"]) for f in fragments if "id" in f]
    assert [index for index, _ in opened] == [0, 1]
    assert len({call_id for _, call_id in opened}) == 2


def test_the_second_request_of_a_loop_tells_the_tools_result() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    turns = [
        *WEATHER["messages"],
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": '{"canary": "heron-42"}'},
    ]
    raw = answer(an_endpoint(), turns, tools=WEATHER["tools"])
    assert raw.text == 'It is cold in Brno.\nThe tool returned: {"canary": "heron-42"}'
    assert raw.finish_reasons == ["stop"]


def test_unknown_prompts_get_the_same_words_again_when_greedy() -> None:
    endpoint = an_endpoint()
    first, second, other = (answer(endpoint, text).text for text in ("Hm?", "Hm?", "Oh?"))
    assert first == second != other
    assert count_tokens(first) >= 24


def test_unknown_prompts_vary_at_a_temperature_unless_seeded() -> None:
    endpoint = an_endpoint()
    assert answer(endpoint, "Hm?", temperature=1).text != answer(endpoint, "Hm?", temperature=1).text
    assert answer(endpoint, "Hm?", temperature=1, seed=5).text == answer(endpoint, "Hm?", temperature=1, seed=5).text


def test_the_same_profile_says_and_paces_the_same_in_another_process_of_requests() -> None:
    def facts(order: list[str]) -> dict[str, Any]:
        endpoint = an_endpoint(seed=9)
        said = {text: decide(endpoint, text).said for text in order}
        return {text: (s.text, s.ttft_ns, s.tokens_per_s) for text, s in said.items() if s}

    assert facts(["a", "b", "c"]) == facts(["c", "a", "b"])


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_max_tokens_cuts_with_length(limit: int) -> None:
    raw = answer(an_endpoint(), CAPITAL, max_tokens=limit)
    assert CAPITAL_TEXT.startswith(raw.text)
    assert count_tokens(raw.text) == limit == raw.usages[-1]["completion_tokens"]
    assert raw.finish_reasons == ["length"]


def test_max_tokens_cuts_tool_arguments_too() -> None:
    raw = answer(an_endpoint(), WEATHER["messages"], tools=WEATHER["tools"], max_tokens=5)
    assert raw.arguments == '{"city":'
    assert raw.finish_reasons == ["length"]


def test_an_answer_of_exactly_max_tokens_is_whole() -> None:
    raw = answer(an_endpoint(), CAPITAL, max_tokens=count_tokens(CAPITAL_TEXT))
    assert (raw.text, raw.finish_reasons) == (CAPITAL_TEXT, ["stop"])


def test_the_first_stop_sequence_ends_the_text_before_it() -> None:
    raw = answer(an_endpoint(), CAPITAL, stop=["million", ", with"])
    assert (raw.text, raw.finish_reasons) == ("The capital is Prague, on the river Vltava", ["stop"])


def test_a_required_or_named_tool_is_called_with_what_its_schema_allows() -> None:
    for choice in ("required", {"type": "function", "function": {"name": "book"}}):
        raw = answer(an_endpoint(), "Book it.", tools=[TOOL], tool_choice=choice)
        assert raw.fragments[0]["function"]["name"] == "book"
        assert json.loads(raw.arguments) == {"seats": 7, "class": "first", "names": ["value"]}


def test_a_response_format_is_obeyed() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert json.loads(answer(an_endpoint(), "Go", response_format=wanted).text) == {"n": 7}
    assert json.loads(answer(an_endpoint(), "Go", response_format={"type": "json_object"}).text) == {"answer": "value"}


def test_a_number_of_tokens_can_be_asked_for() -> None:
    assert count_tokens(answer(an_endpoint(), "Go [[tokens:33]]").text) == 33
    assert count_tokens(answer(an_endpoint(), "Go", headers={"x-sim-tokens": "44"}).text) == 44


def test_reasoning_comes_first_in_its_field_and_is_counted() -> None:
    raw = answer(an_endpoint(reasoning=Reasoning(tokens=12, field="reasoning")), CAPITAL)
    names = [name for delta in raw.deltas for name in delta if name in ("reasoning", "content") and delta[name]]
    assert names == ["reasoning"] * 12 + ["content"] * count_tokens(CAPITAL_TEXT)
    usage = raw.usages[-1]
    assert usage["completion_tokens"] == 12 + count_tokens(CAPITAL_TEXT)
    assert usage["completion_tokens_details"] == {"reasoning_tokens": 12}


def test_hidden_reasoning_takes_its_time_and_is_counted_but_not_sent() -> None:
    decision = decide(an_endpoint(reasoning=Reasoning(tokens=12, hidden=True)), CAPITAL)
    first = next(event for event in decision.script.events if event.n_tokens)
    assert first.at_ns == (100 + 12 * 10) * 1_000_000
    assert decision.said is not None
    assert decision.said.usage["completion_tokens"] == 12 + count_tokens(CAPITAL_TEXT)
    assert b"reasoning_content" not in b"".join(bytes(str(e.data), "utf-8") for e in decision.script.events)


def second_turn(*messages: dict[str, object]) -> Raw:
    call = {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    asked = [*WEATHER["messages"], {"role": "assistant", "content": None, "tool_calls": [call]}, *messages]
    return answer(an_endpoint(), asked, tools=WEATHER["tools"])


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([], id="no tool message"),
        pytest.param([{"role": "user", "content": "And?"}], id="a user's instead"),
        pytest.param([{"role": "tool", "tool_call_id": "d", "content": "7"}], id="another id"),
        pytest.param([{"role": "tool", "content": "7"}], id="no id"),
        pytest.param([{"role": "tool", "tool_call_id": "c", "content": "7"}] * 2, id="twice"),
    ],
)
def test_a_call_without_its_result_is_refused(messages: list[dict[str, object]]) -> None:
    assert second_turn(*messages).status == 400


def test_with_checks_on_the_second_answer_the_example_has_it() -> None:
    weather = GOLDEN.prompt("weather")
    final = [Check(kind=CheckKind.CONTAINS, argument="cold")]
    told = msgspec.structs.replace(weather, final=final)
    endpoint = SimulatedEndpoint(a_profile(), GoldenSet(name="g", prompts=[told]))
    call = {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    asked = [*WEATHER["messages"], {"role": "assistant", "content": None, "tool_calls": [call]}]
    texts = [
        answer(endpoint, [*asked, {"role": "tool", "tool_call_id": "c", "content": json.dumps(result)}]).text
        for result in (weather.tool_results["get_weather"], {"temperature": 8})
    ]
    assert texts == ["It is cold in Brno.", 'It is cold in Brno.\nThe tool returned: {"temperature": 8}']

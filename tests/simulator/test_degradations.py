"""Each degradation, and how often they strike."""

import json
import random
from typing import Any

import pytest

from harness.simulator.degradations import DEGRADATIONS, degrade
from harness.simulator.paraphrase import paraphrased
from harness.simulator.profile import DegradationRule
from harness.simulator.request import parse_chat_request
from harness.simulator.utterance import Call, Utterance
from tests.simulator.client import chat
from tests.simulator.deciding import CAPITAL, INVOICE, WEATHER, an_endpoint, answer, decide

CALL = Utterance(
    calls=(Call(name="get_weather", arguments='{"city":"Brno","unit":"celsius"}'),), finish_reason="tool_calls"
)
TEXT = Utterance(text="There are 12 apples and many pears with leaves in the big basket.")
JSON = Utterance(text='{"total": 120.5}')
REQUEST = parse_chat_request(chat(WEATHER["messages"], tools=WEATHER["tools"]), {})
SECOND_TURN = [
    *WEATHER["messages"],
    {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "function": {"name": "get_weather"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": '{"temperature": 7, "canary": "heron-42"}'},
]
SECOND_REQUEST = parse_chat_request(chat(SECOND_TURN, tools=WEATHER["tools"]), {})


def degraded(name: str, utterance: Utterance, seed: int = 0) -> Utterance:
    worse, applied = degrade(utterance, [name], REQUEST, random.Random(seed))
    assert applied == [name]
    return worse


def arguments(utterance: Utterance) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(utterance.calls[0].arguments)
    return given


def test_drop_argument_leaves_each_one_out_in_turn() -> None:
    left = [arguments(degraded("drop_argument", CALL, seed)) for seed in range(20)]
    assert {tuple(given) for given in left} == {("city",), ("unit",)}


def test_rename_argument_keeps_the_value() -> None:
    renamed = [arguments(degraded("rename_argument", CALL, seed)) for seed in range(20)]
    assert {tuple(given) for given in renamed} == {("city_value", "unit"), ("city", "unit_value")}
    assert {tuple(given.values()) for given in renamed} == {("Brno", "celsius")}


def test_wrong_argument_type_keeps_names_and_changes_one_type() -> None:
    changed = [arguments(degraded("wrong_argument_type", CALL, seed)) for seed in range(20)]
    assert {tuple(given.items()) for given in changed} == {
        (("city", 0), ("unit", "celsius")),
        (("city", "Brno"), ("unit", 0)),
    }


def test_prose_for_json_says_every_value_and_is_no_json() -> None:
    worse = degraded("prose_for_json", Utterance(text='{"total": 120.5, "lines": [{"item": "tea"}]}'))
    assert worse.text == "Here is what you asked for: the total is 120.5, the lines 0 item is tea."
    assert degraded("prose_for_json", Utterance(text="[]")).text == "Here is what you asked for: nothing."


def test_broken_arguments_are_no_json() -> None:
    assert degraded("broken_arguments", CALL).calls[0].arguments == '{"city":"Brno","unit":"celsius"'


def test_wrong_tool_calls_another_that_was_offered() -> None:
    assert degraded("wrong_tool", CALL).calls[0].name == "get_time"


def test_call_as_text_leaks_the_markup() -> None:
    worse = degraded("call_as_text", CALL)
    assert worse.text.startswith('<tool_call>\n{"name": "get_weather", "arguments": {"city":"Brno"')
    assert (worse.calls, worse.finish_reason) == ((), "stop")


def test_no_call_answers_in_words() -> None:
    worse = degraded("no_call", CALL)
    assert (worse.calls, worse.text, worse.finish_reason) == ((), "I would need to look that up.", "stop")


def test_truncate_keeps_half_and_says_length() -> None:
    worse = degraded("truncate", TEXT)
    assert TEXT.text.startswith(worse.text)
    assert 0 < len(worse.text) < len(TEXT.text) * 0.6
    assert worse.finish_reason == "length"


def test_wrong_answer_changes_a_number_a_value_or_everything() -> None:
    assert degraded("wrong_answer", TEXT).text == TEXT.text.replace("12", "13")
    assert json.loads(degraded("wrong_answer", JSON).text) == {"total": 121.5}
    assert degraded("wrong_answer", Utterance(text="Prague")).text == "Something else entirely."


def test_refuse_refuses_tools_and_texts() -> None:
    assert {degraded("refuse", given).text for given in (CALL, TEXT)} == {"I'm sorry, but I can't help with that."}


def test_break_json_loses_the_last_bracket() -> None:
    assert degraded("break_json", JSON).text == '{"total": 120.5'


def test_wrong_type_stays_json() -> None:
    assert json.loads(degraded("wrong_type", JSON).text) == {"total": "120.5"}
    assert json.loads(degraded("wrong_type", Utterance(text='{"a": "x"}')).text) == {"a": 0}


def test_ignore_result_strikes_the_second_turn_alone() -> None:
    worse, applied = degrade(TEXT, ["ignore_result"], SECOND_REQUEST, random.Random(0))
    assert applied == ["ignore_result"]
    assert worse.text == "That is done. Is there anything else?"
    assert degrade(TEXT, ["ignore_result"], REQUEST, random.Random(0)) == (TEXT, [])


def test_garbage_is_zzz() -> None:
    assert {degraded("garbage", given).text for given in (CALL, TEXT, JSON)} == {"zzz"}


def test_paraphrase_changes_words_and_no_number() -> None:
    worse = degraded("paraphrase", TEXT).text
    assert worse != TEXT.text
    assert "12 apples" in worse


def test_slow_multiplies_the_time_to_first_token() -> None:
    assert degraded("slow", TEXT).ttft_factor == 8


@pytest.mark.parametrize(
    ("name", "utterance"),
    [
        *((name, TEXT) for name in ("drop_argument", "rename_argument", "broken_arguments", "wrong_tool")),
        *((name, TEXT) for name in ("call_as_text", "no_call", "break_json", "wrong_type", "prose_for_json")),
        ("wrong_argument_type", TEXT),
        ("prose_for_json", CALL),
        *((name, CALL) for name in ("truncate", "wrong_answer", "break_json", "paraphrase")),
        ("drop_argument", Utterance(calls=(Call(name="now", arguments="{}"),))),
    ],
)
def test_where_it_does_not_apply_nothing_is_claimed(name: str, utterance: Utterance) -> None:
    assert degrade(utterance, [name], REQUEST, random.Random(0)) == (utterance, [])


@pytest.mark.parametrize(
    "text", ["Prague", "```python\nthe big one with many lines of code here\n```", '{"a": "b c d e f g h i"}']
)
def test_labels_code_and_json_are_not_paraphrased(text: str) -> None:
    assert paraphrased(text, random.Random(0)) is None


def test_every_degradation_changes_one_of_the_examples() -> None:
    unchanged = [
        name
        for name in DEGRADATIONS
        if not any(
            degrade(given, [name], request, random.Random(0))[1]
            for given in (CALL, TEXT, JSON)
            for request in (REQUEST, SECOND_REQUEST)
        )
    ]
    assert unchanged == []


@pytest.mark.parametrize("name", sorted(DEGRADATIONS))
def test_every_degradation_can_be_asked_for(name: str) -> None:
    endpoint = an_endpoint()
    headers = {"x-sim-degrade": name}
    found = [
        decision.said.degradations
        for decision in (
            decide(endpoint, **WEATHER, headers=headers),
            decide(endpoint, "Go [[tokens:50]]", headers=headers),
            decide(endpoint, **INVOICE, headers=headers),
            decide(endpoint, **{**WEATHER, "messages": SECOND_TURN}, headers=headers),
        )
        if decision.said
    ]
    assert len(found) == 4
    assert [name] in found


def test_a_rule_strikes_at_its_rate_and_only_where_it_applies() -> None:
    rule = DegradationRule(one_of=["drop_argument", "rename_argument"], rate=0.3)
    endpoint = an_endpoint(degradations=[rule])
    found = [d for _ in range(1000) if (said := decide(endpoint, **WEATHER).said) for d in said.degradations]
    assert len(found) == pytest.approx(300, abs=44)  # three standard deviations
    assert found.count("drop_argument") == pytest.approx(len(found) / 2, abs=27)
    texts = [said.degradations for _ in range(50) if (said := decide(endpoint, CAPITAL).said)]
    assert texts == [[]] * 50


def test_the_paraphrase_rate_is_a_rule_of_its_own() -> None:
    endpoint = an_endpoint(paraphrase_rate=1.0)
    assert (
        answer(endpoint, CAPITAL).text == "The capital is Prague, on the river Vltava, along with 1.3 million people."
    )


def test_an_unknown_degradation_is_refused() -> None:
    raw = answer(an_endpoint(), CAPITAL, headers={"x-sim-degrade": "drop_it"})
    assert (raw.status, raw.json["error"]["code"]) == (400, "unknown_wish")


@pytest.mark.parametrize(("only", "is_struck"), [("streamed", True), ("unstreamed", False), (None, True)])
def test_a_rule_for_streams_leaves_the_others_alone(only: str | None, is_struck: bool) -> None:
    rule = DegradationRule(one_of=["rename_argument"], rate=1, only=only)  # type: ignore[arg-type]  # one of its words
    endpoint = an_endpoint(degradations=[rule])
    streamed, whole = decide(endpoint, **WEATHER).said, decide(endpoint, **WEATHER, stream=False).said
    assert streamed is not None
    assert whole is not None
    assert bool(streamed.degradations) is is_struck
    assert bool(whole.degradations) is (only in ("unstreamed", None))

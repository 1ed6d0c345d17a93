"""The simulator answers every shipped prompt with its example, so that an undisturbed run passes every check."""

import json
from typing import Any

import pytest

from harness.model.golden import GoldenSet, Prompt
from harness.model.goldenfile import load_golden_set
from harness.model.record import Answer
from harness.model.shipped import GOLDEN_SETS, shipped_golden_set
from harness.simulator.endpoint import SimulatedEndpoint
from tests.analysis.replies import a_call
from tests.prompts.test_golden import judge, judge_second
from tests.simulator.client import Raw
from tests.simulator.deciding import a_profile, answer

SETS = [load_golden_set(shipped_golden_set(name)) for name in GOLDEN_SETS]
SHIPPED = [(golden, prompt) for golden in SETS for prompt in golden.prompts]
LOOPS = [(golden, prompt) for golden, prompt in SHIPPED if prompt.has_loop]


def ask(golden: GoldenSet, prompt: Prompt, *more_messages: dict[str, Any]) -> Raw:
    request = {**prompt.request, "messages": [*prompt.request["messages"], *more_messages]}
    return answer(SimulatedEndpoint(a_profile(), golden), **request)


def as_answer(raw: Raw) -> Answer:
    """Assemble what was said, calls by their index, without the harness's own decoder."""
    names = {part["index"]: part["function"]["name"] for part in raw.fragments if "name" in part["function"]}
    arguments = dict.fromkeys(names, "")
    for part in raw.fragments:
        arguments[part["index"]] += part["function"].get("arguments", "")
    calls = tuple(a_call(name, arguments[index], f"call_{index}") for index, name in names.items())
    return Answer(text=raw.text, tool_calls=calls, finish_reason=raw.finish_reasons[-1])


@pytest.mark.parametrize(("golden", "prompt"), SHIPPED, ids=lambda value: getattr(value, "id", ""))
def test_what_the_simulator_says_is_the_example_and_passes(golden: GoldenSet, prompt: Prompt) -> None:
    assert prompt.example is not None
    said = as_answer(ask(golden, prompt))
    called = [(call.name, json.loads(call.arguments)) for call in said.tool_calls]
    assert called == [(call.name, call.arguments) for call in prompt.example.tool_calls]
    assert prompt.has_loop or (prompt.example.text or "").startswith(said.text)  # obey-max-tokens is cut
    assert judge(prompt, said).task_success is True


@pytest.mark.parametrize(("golden", "prompt"), LOOPS, ids=lambda value: getattr(value, "id", ""))
def test_what_it_says_in_the_second_turn_of_a_loop_passes_too(golden: GoldenSet, prompt: Prompt) -> None:
    first = as_answer(ask(golden, prompt))
    asked = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in first.tool_calls
    ]
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps(prompt.tool_results[call.name or ""])}
        for call in first.tool_calls
    ]
    second = as_answer(ask(golden, prompt, {"role": "assistant", "content": None, "tool_calls": asked}, *results))
    assert second.text == (prompt.example.text if prompt.example else None)
    assert judge_second(prompt, second) is True

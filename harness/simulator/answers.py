"""What to answer: the golden set's examples, tool results told back, else seeded words."""

import json
from typing import Any

import msgspec

from harness.model.golden import Example, GoldenSet, Prompt
from harness.simulator.chance import Chance
from harness.simulator.request import ChatRequest, message_text
from harness.simulator.samples import sample_of
from harness.simulator.utterance import Call, Utterance
from harness.simulator.words import seeded_text

_LEAST_WORDS, _MOST_WORDS = 24, 96  # tokens of an answer that nothing else determines


class AnswerBook:
    """Finds the example that a golden set gives for a request."""

    def __init__(self, golden: GoldenSet | None) -> None:
        """Index the set's prompts by their messages."""
        self._prompts: dict[bytes, list[Prompt]] = {}
        for prompt in golden.prompts if golden else []:
            self._prompts.setdefault(_canonical(prompt.request["messages"]), []).append(prompt)

    def find(self, request: ChatRequest, messages: list[dict[str, Any]] | None = None) -> Prompt | None:
        """Give the prompt with these messages; among several the one whose other parameters agree most."""
        candidates = self._prompts.get(_canonical(messages or request.messages), [])
        return max(candidates, key=lambda prompt: _agreement(prompt, request), default=None)

    def utter(self, request: ChatRequest, chance: Chance) -> Utterance:
        """Give the answer, before reasoning, limits and degradations."""
        known = self.find(request)
        if known and known.example:
            return _from_example(known.example, is_loop=bool(known.tool_results))
        if request.is_second_turn:
            return self._tell_results(request)
        return _unknown(request, chance)

    def _tell_results(self, request: ChatRequest) -> Utterance:
        """Answer the second request of a tool loop with what the tools returned."""
        asked = _before_the_calls(request.messages)
        known = self.find(request, asked) if asked else None
        told = [message_text(m) for m in request.messages[len(asked) :] if m.get("role") == "tool"]
        if known and known.final and known.example and set(told) <= set(map(_as_told, known.tool_results.values())):
            return Utterance(text=known.example.text or "")
        opening = [known.example.text] if known and known.example and known.example.text else []
        return Utterance(text="\n".join([*opening, *(f"The tool returned: {result}" for result in told)]))


def _as_told(result: Any) -> str:
    """Give a canned result as a tool message brings it."""
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


def _canonical(messages: Any) -> bytes:
    return msgspec.json.encode(messages, order="sorted")


def _agreement(prompt: Prompt, request: ChatRequest) -> int:
    names = (prompt.request.keys() | request.body.keys()) - {"messages", "model", "stream", "stream_options"}
    return sum(1 for name in names if prompt.request.get(name) == request.body.get(name)) - len(names)


def _from_example(example: Example, *, is_loop: bool) -> Utterance:
    calls = tuple(
        Call(name=call.name, arguments=msgspec.json.encode(call.arguments).decode()) for call in example.tool_calls
    )
    text = "" if calls and is_loop else example.text or ""  # in a loop the text is the second answer's
    return Utterance(text=text, calls=calls, finish_reason="tool_calls" if calls else "stop")


def _before_the_calls(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the messages before the assistant's last turn with tool calls."""
    last = max((i for i, m in enumerate(messages) if m.get("tool_calls")), default=0)
    return messages[:last]


def _unknown(request: ChatRequest, chance: Chance) -> Utterance:
    draws = _answer_chance(request, chance).draws("answer")
    if request.wishes.tokens is not None:
        return Utterance(text=seeded_text(draws, request.wishes.tokens))
    forced = _forced_tool(request)
    if forced is not None:
        arguments = sample_of(forced.get("parameters") or {"type": "object"}, draws)
        call = Call(name=str(forced.get("name")), arguments=msgspec.json.encode(arguments).decode())
        return Utterance(calls=(call,), finish_reason="tool_calls")
    structured = _structured(request)
    if structured is not None:
        return Utterance(text=msgspec.json.encode(sample_of(structured, draws)).decode())
    return Utterance(text=seeded_text(draws, draws.randint(_LEAST_WORDS, _MOST_WORDS)))


def _answer_chance(request: ChatRequest, chance: Chance) -> Chance:
    """Greedy or seeded requests get the same words each time; others vary from one to the next."""
    if request.temperature == 0 or request.seed is not None:
        return Chance(seed=chance.seed, content=chance.content, nth=0)
    return chance


def _forced_tool(request: ChatRequest) -> dict[str, Any] | None:
    """Give the function that tool_choice insists on."""
    choice = request.body.get("tool_choice")
    if choice == "required" and request.tools:
        return request.tools[0]
    if isinstance(choice, dict):
        name = (choice.get("function") or {}).get("name")
        return next((tool for tool in request.tools if tool.get("name") == name), None)
    return None


def _structured(request: ChatRequest) -> dict[str, Any] | None:
    """Give the schema that response_format asks for."""
    wanted = request.body.get("response_format")
    if not isinstance(wanted, dict):
        return None
    if wanted.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    schema = (wanted.get("json_schema") or {}).get("schema")
    return schema if wanted.get("type") == "json_schema" and isinstance(schema, dict) else None

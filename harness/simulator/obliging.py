"""A model that does as it is told, so that what an endpoint makes of a feature shows."""

import itertools
import random
import re
from typing import Any

import msgspec

from harness.simulator.features import Body, Switches, all_text, schema_of

_WORDS = ("river", "copper", "lantern", "velvet", "harbor", "meadow", "cinder", "willow", "marble", "falcon", "ember")
_CITIES = ("Oslo", "Rome")
_SEA = "The sea is wide and blue. It moves with wind and moon."
_SAID = (  # what a prompt holds, what is said to it
    ("Count from", " ".join(map(str, range(1, 121)))),
    ("a b c d", "a b c d"),
    ("forty times", " ".join(["apple"] * 40)),
    ("Describe the sea", _SEA),
    ("Which colour", "Red."),
    ("bat and a ball", "It costs 0.05."),
    ("JSON only", "Certainly, here it comes: code zq7, n 1."),
    ("single word: ready", "ready"),
)


class Said(msgspec.Struct, kw_only=True):
    """One choice."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()  # name, arguments
    reasoning_tokens: int = 0
    finish: str = "stop"


class ObligingModel:
    """Answers by the wording of a prompt and the fields beside it."""

    def __init__(self, switches: Switches) -> None:
        """Start a count, which stands in for chance where no seed is given."""
        self._switches = switches
        self._numbers = itertools.count()

    def say(self, body: Body) -> list[Said]:
        """Give the choices."""
        n = body.get("n")
        return [
            self._limited(self._stopped(self._one(body), body), body) for _ in range(n if isinstance(n, int) else 1)
        ]

    def _one(self, body: Body) -> Said:
        calls = self._calls(body)
        if calls:
            return Said(calls=calls, finish="tool_calls")
        schema = schema_of(body)
        if schema is not None:
            return Said(text=self._structured(schema))
        if (body.get("response_format") or {}).get("type") == "json_object":
            return Said(text='{"code": "zq7", "n": 1}')
        return Said(text=self._text(body), reasoning_tokens=self._thought(body))

    def _structured(self, schema: dict[str, Any]) -> str:
        text = msgspec.json.encode(instance_of(schema, schema)).decode()
        return f"```json\n{text}\n```" if self._switches.of("json_schema_enforced") == "broken" else text

    def _thought(self, body: Body) -> int:
        if self._switches.of("reasoning") == "accepted":
            return 0
        return {"low": 10, "high": 40}.get(str(body.get("reasoning_effort")), 20 if "bat and" in all_text(body) else 0)

    def _text(self, body: Body) -> str:
        text = all_text(body)
        if "ten random" in text:
            return self._random_words(body)
        if "PELICAN" in text:
            return "Hello PELICAN" if self._switches.of("messages") != "ignored" else "Hello"
        if body["messages"][-1].get("role") == "tool":
            return "It is done." if self._switches.of("tool_result") == "ignored" else text.rpartition("\n")[2]
        if "Marker one" in text:
            return " ".join(re.findall(r"[A-Z]{5}-\d{4}", text)[:2])
        said = next((said for words, said in _SAID if words in text), "All right.")
        return self._swayed(said, body)

    def _swayed(self, said: str, body: Body) -> str:
        """Change what was said as a field or a switch would."""
        if "frequency_penalty" in body or "presence_penalty" in body:
            return " ".join(_WORDS)
        if said == _SEA and self._switches.of("greedy_repeat") == "accepted":
            return f"{said} {next(self._numbers)}"
        if said == "Red." and self._switches.of("image") == "ignored":
            return "I cannot see it."
        is_thinking_aloud = "reasoning_effort" in body and self._switches.of("reasoning") == "broken"
        return f"<think>Hm.</think>{said}" if is_thinking_aloud else said

    def _random_words(self, body: Body) -> str:
        """Draw by the seed, else by the count; without temperature or with a narrow top_p always the same."""
        is_deaf = self._switches.of("temperature") == "ignored"
        is_varied = not is_deaf and body.get("temperature", 1) > 0 and body.get("top_p", 1) > 0.5  # noqa: PLR2004  # either narrows
        seed = body.get("seed", next(self._numbers)) if is_varied else 0
        return " ".join(random.Random(seed).sample(_WORDS, 10))  # noqa: S311  # no secret

    def _calls(self, body: Body) -> tuple[tuple[str, str], ...]:
        """Call what the prompt and tool_choice want called."""
        tools, choice = body.get("tools") or [], body.get("tool_choice", "auto")
        if not tools or choice == "none" or body["messages"][-1].get("role") == "tool":
            return ()
        function = tools[0]["function"]
        if isinstance(choice, dict):
            function = next(
                tool["function"] for tool in tools if tool["function"]["name"] == choice["function"]["name"]
            )
        cities = [city for city in _CITIES if city in all_text(body)]
        if not cities and choice == "auto" and function["name"] != "order":
            return ()
        arguments = [self._arguments(function, city, body) for city in cities or ["Oslo"]]
        return tuple(
            (function["name"], text) for text in arguments[: 1 if body.get("parallel_tool_calls") is False else 2]
        )

    def _arguments(self, function: dict[str, Any], city: str, body: Body) -> str:
        made = instance_of(function["parameters"], function["parameters"])
        if "city" in made:
            made["city"] = city
        if self._switches.is_("tool_strict", "ignored", body):
            made["item"]["count"] = "three"
        text = msgspec.json.encode(made).decode()
        is_cut = self._switches.is_("tool_auto", "broken", body) or self._switches.is_("tool_stream", "broken", body)
        is_other = self._switches.is_("tool_stream_parity", "broken", body)
        return text[:-2] if is_cut else text.replace("Oslo", "Rome") if is_other else text

    def _stopped(self, said: Said, body: Body) -> Said:
        stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop") or []
        found = [at for at in (said.text.find(stop) for stop in stops) if at >= 0]
        if found:
            is_kept = self._switches.of("stop_string") == "broken"
            said.text = said.text[: min(found) + is_kept]
        return said

    def _limited(self, said: Said, body: Body) -> Said:
        limit = body.get("max_completion_tokens") or body.get("max_tokens") or 4096
        tokens = tokens_of(said.text)
        if self._switches.is_("budget_overflow", "ignored", body):
            said.finish = "length"  # as where a budget was lowered to what is left
        if len(tokens) <= limit:
            return said
        says_stop = self._switches.of("max_tokens") == "broken" or self._switches.is_("json_truncated", "broken", body)
        said.text, said.finish = "".join(tokens[:limit]), "stop" if says_stop else "length"
        return said


def tokens_of(text: str) -> list[str]:
    """Cut a text into words with the blank before them, and marks."""
    return re.findall(r" ?\w+| ?[^\w\s]|\s+", text)


def instance_of(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """Make a value that a schema of the few keywords known here allows."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    schema = schema["anyOf"][0] if "anyOf" in schema else schema
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: instance_of(inner, root) for name, inner in schema["properties"].items()}
    if kind == "array":
        return [instance_of(schema["items"], root)] * schema.get("minItems", 1)
    if kind == "integer":
        return schema.get("minimum", 3)
    text = {"date": "2026-11-25"}.get(schema.get("format", ""), "apples")
    return "1234-x" if "pattern" in schema else text

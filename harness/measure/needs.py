"""Which probes a golden set needs: every feature that its bodies use on this endpoint."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.measure.body import request_body
from harness.model.chatrequest import response_kind
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet, Prompt
from harness.model.requirements import REQUIREMENTS

CORE = ("models", "chat", "stream")
_MOST_STOPS = 4  # OpenAI's limit
_LENGTHS = ("max_tokens", "max_completion_tokens")
_PARAMETERS = {
    "seed": "seed",
    "logprobs": "logprobs",
    "logit_bias": "logit_bias",
    "reasoning_effort": "reasoning",
    "parallel_tool_calls": "parallel",
}


def needed_probes(golden: GoldenSet, endpoint: Endpoint) -> dict[str, tuple[str, ...]]:
    """Give each probe that the set needs on this endpoint, with the prompts that need it."""
    needing: dict[str, list[str]] = {probe: [] for probe in CORE}
    for prompt in golden.prompts:
        for probe in dict.fromkeys((*CORE, *_of_body(prompt, endpoint), *_of_words(prompt, endpoint))):
            needing.setdefault(probe, []).append(prompt.id)
    return {probe: tuple(ids) for probe, ids in needing.items()}


def _of_words(prompt: Prompt, endpoint: Endpoint) -> Iterator[str]:
    """What the author says beyond the body; a feature that the endpoint file drops is not needed there."""
    for word in prompt.requires:
        if word in endpoint.params.drop or (word == "tool_choice" and "tool_choice" in prompt.request):
            continue  # the body says which form of it
        if not (word in ("json_schema", "json_object") and "response_format" in endpoint.params.drop):
            yield from REQUIREMENTS.get(word, (word,))


def _of_body(prompt: Prompt, endpoint: Endpoint) -> Iterator[str]:
    body = request_body(prompt, endpoint)
    if isinstance(body.get("stream_options"), dict):
        yield "stream_usage"
    yield from (name for name in _LENGTHS if body.get(name) is not None)
    yield from (probe for name, probe in _PARAMETERS.items() if body.get(name) is not None)
    yield from _of_sampling(body)
    yield from _of_tools(prompt, body)
    kind = response_kind(body)
    if kind == "json_schema":
        yield from REQUIREMENTS["json_schema"]
    elif kind is not None:
        yield kind


def _of_sampling(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("top_p") not in (None, 1):
        yield "top_p"
    if body.get("frequency_penalty") or body.get("presence_penalty"):
        yield "penalties"
    if isinstance(body.get("n"), int) and body["n"] > 1:
        yield "n"
    stop = body.get("stop")
    if stop is not None:
        yield "stop_array5" if isinstance(stop, list) and len(stop) > _MOST_STOPS else "stop_string"


def _of_tools(prompt: Prompt, body: Mapping[str, Any]) -> Iterator[str]:
    tools = body.get("tools")
    if not isinstance(tools, list) or not tools:
        return
    yield from REQUIREMENTS["tools"]
    if prompt.has_loop:
        yield "tool_result"
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        yield "tool_named"
    elif choice in ("required", "none"):
        yield f"tool_{choice}"
    functions = (tool.get("function") for tool in tools if isinstance(tool, dict))
    if any(isinstance(function, dict) and function.get("strict") is True for function in functions):
        yield "tool_strict"

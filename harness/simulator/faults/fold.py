"""Folds a stream of our own into the JSON body that says the same."""

from typing import Any

import msgspec

from harness.simulator.bodies import json_script
from harness.simulator.script import Payload, Script


def folded_body(script: Script) -> Script:
    """Give one JSON body with the stream's answer, due when the stream would have ended."""
    payloads = [event.data for event in script.events if isinstance(event.data, dict)]
    body = msgspec.json.encode(_folded(payloads))
    headers = tuple((k, v) for k, v in script.headers if k not in ("Content-Type", "Cache-Control"))
    n_tokens = sum(event.n_tokens for event in script.events)
    return json_script(200, body, headers, at_ns=script.events[-1].at_ns, n_tokens=n_tokens)


def _folded(payloads: list[Payload]) -> Payload:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    calls: dict[int, dict[str, Any]] = {}
    reason, usage = None, None
    for payload in payloads:
        usage = payload.get("usage") or usage
        for choice in payload["choices"]:
            reason = choice["finish_reason"] or reason
            _add_delta(message, calls, choice["delta"])
    if calls:
        message["tool_calls"] = list(calls.values())
    choices = [{"index": 0, "message": message, "finish_reason": reason}]
    return payloads[0] | {"object": "chat.completion", "choices": choices, "usage": usage}


def _add_delta(message: dict[str, Any], calls: dict[int, dict[str, Any]], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            for fragment in value:
                _add_fragment(calls, fragment)
        elif name != "role" and value:
            message[name] = (message.get(name) or "") + value


def _add_fragment(calls: dict[int, dict[str, Any]], fragment: dict[str, Any]) -> None:
    function = fragment["function"]
    if "id" in fragment:
        calls[fragment["index"]] = {"id": fragment["id"], "type": "function", "function": dict(function)}
    else:
        calls[fragment["index"]]["function"]["arguments"] += function["arguments"]

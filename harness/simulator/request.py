"""What a chat request asks for."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from harness.simulator.apierror import bad_request

_MARK = re.compile(r"\[\[(fault|degrade|tokens|seed):([a-z0-9_,]+)\]\]")
_WISHES = ("fault", "degrade", "tokens", "seed")
_NOT_CONTENT = ("model", "stream", "stream_options", "user", "metadata")
MAX_STOPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a request asks of the simulator itself: x-sim-* headers, or [[fault:name]] in the last user message."""

    fault: str | None = None
    degradations: tuple[str, ...] = ()
    tokens: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """A parsed body of /chat/completions."""

    body: dict[str, Any]
    content: str  # digest of all that bears on the answer
    model: str
    messages: list[dict[str, Any]]
    stream: bool
    include_usage: bool
    max_tokens: int | None
    stop: tuple[str, ...]
    temperature: float
    seed: int | None
    wishes: Wishes

    @property
    def is_second_turn(self) -> bool:
        """Whether it brings what a tool returned."""
        return self.messages[-1].get("role") == "tool"

    @property
    def tools(self) -> list[dict[str, Any]]:
        """Give the functions offered."""
        return [tool["function"] for tool in self.body.get("tools") or [] if isinstance(tool.get("function"), dict)]


def parse_chat_request(raw: bytes, headers: Mapping[str, str]) -> ChatRequest:
    """Read a body; RefusedRequest (400) for one that the contract does not allow."""
    body = _json_object(raw)
    messages = _messages(body)
    options = body.get("stream_options")
    is_stream = body.get("stream") is True
    if options is not None and not is_stream:
        raise bad_request("stream_options is only allowed when stream is true", param="stream_options")
    return ChatRequest(
        body=body,
        content=_content_digest(body),
        model=_model(body),
        messages=messages,
        stream=is_stream,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        max_tokens=_max_tokens(body),
        stop=_stop(body),
        temperature=_temperature(body),
        seed=body["seed"] if isinstance(body.get("seed"), int) else None,
        wishes=_wishes(headers, last_user_text(messages)),
    )


def message_text(message: dict[str, Any]) -> str:
    """Give a message's text, whichever way it is written."""
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text", "") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def last_user_text(messages: list[dict[str, Any]]) -> str:
    """Give the text of the last message of a user."""
    return next((message_text(m) for m in reversed(messages) if m.get("role") == "user"), "")


def prompt_text(request: ChatRequest) -> str:
    """Give the prompt as one text, for counting and for the prefix cache."""
    tools = msgspec.json.encode(request.tools).decode() if request.tools else ""
    turns = [f"<{m.get('role')}>{message_text(m)}{_calls_text(m)}" for m in request.messages]
    return tools + "\n".join(turns)


def _calls_text(message: dict[str, Any]) -> str:
    calls = message.get("tool_calls")
    return msgspec.json.encode(calls).decode() if calls else ""


def _wishes(headers: Mapping[str, str], text: str) -> Wishes:
    asked: dict[str, str] = dict(_MARK.findall(text))
    asked |= {key: headers[f"x-sim-{key}"] for key in _WISHES if f"x-sim-{key}" in headers}
    names = tuple(name.strip() for name in asked.get("degrade", "").split(",") if name.strip())
    return Wishes(
        fault=asked.get("fault"),
        degradations=names,
        tokens=_whole(asked.get("tokens")),
        seed=_whole(asked.get("seed")),
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise bad_request(f"We could not parse the JSON body of your request: {error}") from None
    if not isinstance(body, dict):
        raise bad_request("The body must be a JSON object")
    return body


def _content_digest(body: dict[str, Any]) -> str:
    asked = {key: value for key, value in body.items() if key not in _NOT_CONTENT}
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


def _model(body: dict[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise bad_request("you must provide a model parameter", param="model")
    return model


def _messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad_request("messages must be a list with at least one message", param="messages")
    for position, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise bad_request("a message is an object with a role", param=f"messages.[{position}]")
    _refuse_unanswered_calls(messages)
    tools = body.get("tools")
    if tools is not None and not (isinstance(tools, list) and all(isinstance(tool, dict) for tool in tools)):
        raise bad_request("tools must be a list of objects", param="tools")
    return messages


def _refuse_unanswered_calls(messages: list[dict[str, Any]]) -> None:
    """Refuse what the contract refuses: a call without a tool message, and a tool message without a call."""
    open_ids: list[Any] = []
    for position, message in enumerate(messages):
        where = f"messages.[{position}]"
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_ids:
                raise bad_request("a tool message must answer a call of the assistant message before it", param=where)
            open_ids.remove(message["tool_call_id"])
            continue
        if open_ids:
            raise bad_request(f"these tool_call_ids got no tool message: {open_ids}", param=where)
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list) or not all(isinstance(call, dict) and call.get("id") for call in calls):
            raise bad_request("tool_calls is a list of objects with an id", param=f"{where}.tool_calls")
        open_ids = [call["id"] for call in calls]
    if open_ids:
        raise bad_request(f"these tool_call_ids got no tool message: {open_ids}", param="messages")


def _max_tokens(body: dict[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise bad_request(f"{name} must be an integer of at least 1", param=name)
        return value
    return None


def _stop(body: dict[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop")
    found = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(found, list) or len(found) > MAX_STOPS or not all(isinstance(s, str) and s for s in found):
        raise bad_request("stop is a text or a list of up to four texts", param="stop")
    return tuple(found)


def _temperature(body: dict[str, Any]) -> float:
    value = body.get("temperature")
    if value is None:
        return 1.0
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 2:  # noqa: PLR2004  # the contract's range
        raise bad_request("temperature is a number from 0 to 2", param="temperature")
    return float(value)

"""What a chat request's body says about itself: features, sampling, texts, kind."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

_LENGTHS = ("max_tokens", "max_completion_tokens")
_PLAIN_FORMAT = "text"
_PARAMETERS = frozenset(  # of POST /v1/chat/completions in OpenAI's reference
    {
        *("messages", "model", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs"),
        *("max_completion_tokens", "max_tokens", "metadata", "modalities", "n", "parallel_tool_calls", "prediction"),
        *("presence_penalty", "prompt_cache_key", "prompt_cache_retention", "reasoning_effort", "response_format"),
        *("safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options", "temperature"),
        *("tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options"),
    }
)
_OF_PARTS = {"image_url": "vision", "input_audio": "audio", "file": "files"}


def required_features(request: Mapping[str, Any]) -> list[str]:
    """Name what the request needs beyond plain chat, in the words of a golden prompt's `requires`."""
    wanted = response_kind(request)
    used = {
        "tools": bool(request.get("tools")),
        "tool_choice": request.get("tool_choice") is not None,
        "parallel_tool_calls": request.get("parallel_tool_calls") is True,
        "json_schema": wanted == "json_schema",
        "json_object": wanted == "json_object",
        "stop": request.get("stop") is not None,
        "logprobs": request.get("logprobs") is True,
    }
    parts = {_OF_PARTS[kind] for message in messages_of(request) for kind in _kinds_of_parts(message)}
    return [name for name, is_used in used.items() if is_used] + sorted(parts)


def response_kind(request: Mapping[str, Any]) -> str | None:
    """Give the type of response_format, None for plain text."""
    wanted = request.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    return kind if isinstance(kind, str) and kind != _PLAIN_FORMAT else None


def response_schema(request: Mapping[str, Any]) -> Any:
    """Give the JSON Schema that response_format asks for, None where there is none."""
    wanted = request.get("response_format")
    named = wanted.get("json_schema") if isinstance(wanted, dict) else None
    return named.get("schema") if isinstance(named, dict) else None


def unpinned_sampling(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the parameters that leave the answer to chance or its length to the server."""
    missing = [
        name
        for name, pinned in (("temperature", 0), ("top_p", 1))
        if isinstance(request.get(name), bool) or request.get(name) != pinned
    ]
    has_length = any(request.get(name) is not None for name in _LENGTHS)
    return (*missing, *(() if has_length else ("max_tokens",)))


def unknown_parameters(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the keys that the contract does not know: extensions of a vendor, or slips of the pen."""
    return tuple(key for key in request if key not in _PARAMETERS)


def parameter_like(name: str) -> str | None:
    """Give the parameter that may have been meant."""
    return next(iter(get_close_matches(name, sorted(_PARAMETERS), n=1, cutoff=0.82)), None)


def pinned(request: Mapping[str, Any], *, max_tokens: int) -> dict[str, Any]:
    """Give the request with temperature 0 and top_p 1, and a length where it has none."""
    length = {} if any(request.get(name) is not None for name in _LENGTHS) else {"max_tokens": max_tokens}
    return {**request, "temperature": 0, "top_p": 1, **length}


def kind_of_request(request: Mapping[str, Any]) -> str:
    """Give a category: what an application would ask such a request for."""
    is_structured = response_kind(request) is not None
    if request.get("tools"):
        return "tools, structured" if is_structured else "tools"
    if is_structured:
        return "structured"
    return "multi-turn" if n_user_turns(request) > 1 else "chat"


def n_user_turns(request: Mapping[str, Any]) -> int:
    """Count the user's messages."""
    return sum(message.get("role") == "user" for message in messages_of(request))


def messages_of(request: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """Give the messages that are mappings; none where there are none."""
    messages = request.get("messages")
    return [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []


def message_text(message: Mapping[str, Any]) -> str:
    """Give a message's text, that of its parts joined; empty where it has none."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    texts = (part.get("text") for part in content if isinstance(part, dict)) if isinstance(content, list) else ()
    return "\n".join(text for text in texts if isinstance(text, str))


def _kinds_of_parts(message: Mapping[str, Any]) -> Iterator[str]:
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(kind, str) and kind in _OF_PARTS:
            yield kind

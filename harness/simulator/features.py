"""Switches of single features: which requests use one, and what becomes of them."""

from collections.abc import Callable, Mapping
from typing import Any

from harness.simulator.apierror import ApiError, RefusedRequest, bad_request
from harness.simulator.profile import FeatureClass

Body = dict[str, Any]
WINDOW = 2000  # tokens that the model of these answers holds
BUSY = ApiError(status=429, message="Busy", kind="requests", code="rate_limit_exceeded", headers={"Retry-After": "1"})
_DOWN = ApiError(status=500, message="Internal error", kind="server_error")
FIVE, THREE = 5, 3


def all_text(body: Body) -> str:
    """Give every text of the messages."""
    messages = body.get("messages")
    return (
        "\n".join(_text(message) for message in messages if isinstance(message, dict))
        if isinstance(messages, list)
        else ""
    )


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def schema_of(body: Body) -> dict[str, Any] | None:
    """Give the JSON Schema asked for."""
    wanted = body.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        return None
    schema: dict[str, Any] = wanted["json_schema"]["schema"]
    return schema


def _has(name: str) -> Callable[[Body], bool]:
    return lambda body: name in body


def _says(words: str) -> Callable[[Body], bool]:
    return lambda body: words in all_text(body)


def _is_strict(body: Body) -> bool:
    return any(tool["function"].get("strict") for tool in body.get("tools") or [])


def _is_second_turn(body: Body) -> bool:
    return any(message.get("role") == "tool" for message in body["messages"])


def n_prompt_tokens(body: Body) -> int:
    """Count words, roughly as tokens."""
    return len(all_text(body).split()) + 1


USES: dict[str, Callable[[Body], bool]] = {
    "chat": lambda _: True,
    "stream": lambda body: body.get("stream") is True,
    "stream_usage": _has("stream_options"),
    "usage_agreement": _has("stream_options"),
    "true_streaming": _says("Count from"),
    "compression": _has("x_gzip"),
    "max_tokens": lambda body: body.get("max_tokens") == FIVE,
    "max_completion_tokens": _has("max_completion_tokens"),
    "budget_overflow": lambda body: (body.get("max_tokens") or 0) > WINDOW,
    "context_overflow": lambda body: n_prompt_tokens(body) > WINDOW,
    "error_over_long": lambda body: n_prompt_tokens(body) > WINDOW,
    "stop_string": lambda body: isinstance(body.get("stop"), str),
    "stop_array5": lambda body: isinstance(body.get("stop"), list) and len(body["stop"]) == FIVE,
    "greedy_repeat": _says("Describe the sea in two"),
    "seed": _has("seed"),
    "temperature": lambda body: (body.get("temperature") or 0) > 1,
    "top_p": _has("top_p"),
    "penalties": lambda body: "frequency_penalty" in body or "presence_penalty" in body,
    "n": _has("n"),
    "logprobs": _has("logprobs"),
    "logit_bias": _has("logit_bias"),
    "json_object": lambda body: (body.get("response_format") or {}).get("type") == "json_object",
    "json_schema_enforced": lambda body: schema_of(body) is not None,
    "json_schema_stream": lambda body: schema_of(body) is not None and "JSON only" in all_text(body),
    "schema_keywords": lambda body: "minItems" in str(schema_of(body)),
    "json_truncated": lambda body: schema_of(body) is not None and body.get("max_tokens") == THREE,
    "tool_auto": _has("tools"),
    "tool_stream": lambda body: "tools" in body and body.get("stream") is True,
    "tool_stream_parity": lambda body: "tools" in body and body.get("stream") is True,
    "tool_required": lambda body: body.get("tool_choice") == "required",
    "tool_named": lambda body: isinstance(body.get("tool_choice"), dict),
    "tool_none": lambda body: body.get("tool_choice") == "none",
    "parallel": _has("parallel_tool_calls"),
    "tool_strict": _is_strict,
    "tool_result": _is_second_turn,
    "reasoning": _has("reasoning_effort"),
    "messages": lambda body: body["messages"][0].get("role") == "developer",
    "image": lambda body: "image_url" in str(body["messages"]),
    "unknown_field": _has("x_bench_unknown"),
    "headers_cache_responses": _says("quick brown fox"),
}
ELSEWHERE = ("models", "error_unknown_model", "error_bad_key", "error_bad_json", "error_wrong_type", "error_in_stream")
NAMES = (*USES, *ELSEWHERE, "error_rate_limit")
_FIELDS: dict[str, tuple[str, ...]] = {  # what is left out where a feature is ignored
    "stream": ("stream",),
    "stream_usage": ("stream_options",),
    "max_tokens": ("max_tokens",),
    "max_completion_tokens": ("max_completion_tokens",),
    "stop_string": ("stop",),
    "stop_array5": ("stop",),
    "seed": ("seed",),
    "top_p": ("top_p",),
    "penalties": ("frequency_penalty", "presence_penalty"),
    "n": ("n",),
    "logprobs": ("logprobs",),
    "json_object": ("response_format",),
    "json_schema_enforced": ("response_format",),
    "json_schema_stream": ("response_format",),
    "tool_stream": ("stream",),
    "schema_keywords": ("response_format",),
    "tool_auto": ("tools",),
    "tool_required": ("tool_choice",),
    "tool_named": ("tool_choice",),
    "tool_none": ("tool_choice",),
    "parallel": ("parallel_tool_calls",),
    "reasoning": ("reasoning_effort",),
    "compression": ("x_gzip",),
}


class Switches:
    """What becomes of a request under a profile's features."""

    def __init__(self, features: Mapping[str, FeatureClass]) -> None:
        """Keep them; the count makes a will of its own where a feature is inconclusive."""
        self._features = features

    def of(self, name: str) -> FeatureClass:
        """Give a feature's class."""
        return self._features.get(name, "supported")

    def has(self, name: str) -> bool:
        """Say whether a feature has a switch of its own here."""
        return name in self._features

    def is_(self, name: str, kind: FeatureClass, body: Body) -> bool:
        """Say whether a request uses a feature that is of this class."""
        return self.of(name) == kind and USES[name](body)

    def refuse(self, body: Body) -> None:
        """Raise the refusal of a request that uses what is rejected, down or busy."""
        for name in USES:
            if self.is_(name, "rejected", body):
                param = next(iter(_FIELDS.get(name, (name,))))
                raise bad_request(f"Unsupported parameter: '{param}'", param=param, code="unsupported_parameter")
            if self.is_(name, "broken", body) and name not in SUBTLY_BROKEN:
                raise RefusedRequest(_DOWN)
            if self.is_(name, "inconclusive", body):
                raise RefusedRequest(BUSY)

    def stripped(self, body: Body) -> Body:
        """Give a request without the fields of what is ignored."""
        passed = [name for name in _FIELDS if self.of(name) in ("ignored", "accepted") and USES[name](body)]
        gone = {field for name in passed for field in _FIELDS[name]}
        return {name: value for name, value in body.items() if name not in gone}


SUBTLY_BROKEN = frozenset(  # wrong in the answer, with status 200
    {
        "stream",
        "usage_agreement",
        "compression",
        "max_tokens",
        "stop_string",
        "logprobs",
        "json_schema_enforced",
        "json_truncated",
        "tool_auto",
        "tool_stream",
        "tool_stream_parity",
        "tool_none",
        "reasoning",
    }
)

"""What an item of a foreign file becomes: a draft of a golden prompt, or a reason why not."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.model.golden import Check, Example

_NOT_SENT = ("model", "stream", "stream_options")
_CREDENTIALS = ("api_key", "api_base", "api_version", "base_url", "headers", "extra_headers", "authorization")
_OF_RESPONSES = ("id", "object", "created", "choices", "finish_reason", "system_fingerprint", "hash")  # in logs
_K2_SYSTEM = "_input"
_OF_EMBEDDINGS = frozenset({"model", "input", "encoding_format", "dimensions", "user"})
RESPONSES = "a request of /v1/responses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A chat request with what the file says about it; it has no id yet."""

    where: str
    request: dict[str, Any]
    name: str | None = None  # what the file calls it
    intent: str | None = None
    checks: tuple[Check, ...] = ()
    example: Example | None = None
    changes: tuple[str, ...] = ()  # what is not as it stood in the file
    unsupported: tuple[str, ...] = ()  # assertions that were not taken, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """An item that is no golden prompt."""

    where: str
    reason: str
    is_responses: bool = False  # of the Responses API: a whole file of another kind
    unsupported: tuple[str, ...] = ()  # assertions that went with it


Item = Draft | Skipped


def draft_of_body(body: object, *, where: str, name: str | None = None) -> Item:
    """Make a draft of a request body, without what the harness sets itself."""
    if not isinstance(body, dict):
        return Skipped(where=where, reason="not a mapping")
    if "messages" not in body and "input" in body:
        return _without_messages(body, where)
    dropped = [key for key in (*_NOT_SENT, *_CREDENTIALS, *_OF_RESPONSES) if key in body]
    request = {key: value for key, value in body.items() if key not in dropped}
    reason = _shape_problem(request) or unsendable(request)
    if reason:
        return Skipped(where=where, reason=reason)
    request, renamed = _without_k2_role(request)
    changes = (*(f"{key} dropped" for key in dropped), *renamed)
    return Draft(where=where, request=request, name=name, changes=changes)


def _without_messages(body: Mapping[str, Any], where: str) -> Skipped:
    """Tell the two requests that have an `input` apart: an embeddings request has little else."""
    if set(body) <= _OF_EMBEDDINGS:
        return Skipped(where=where, reason="no messages, as in a request of /v1/embeddings")
    return Skipped(where=where, reason=RESPONSES, is_responses=True)


def refused_url(url: str, *, where: str) -> Skipped | None:
    """Say why a request to this URL is none for us; None for chat completions."""
    path = url.partition("?")[0].rstrip("/")
    if path.endswith("/chat/completions"):
        return None
    if path.endswith("/responses"):
        return Skipped(where=where, reason=RESPONSES, is_responses=True)
    return Skipped(where=where, reason=f"a request of {path:.60}")


def _shape_problem(request: Mapping[str, Any]) -> str | None:
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        return "no messages"
    if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in messages):
        return "a message without a role"
    return None if isinstance(request.get("tools"), (list, type(None))) else "tools that are no list"


def _without_k2_role(request: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """K2-Vendor-Verifier writes `_input` for a system message."""
    messages = request["messages"]
    if all(message["role"] != _K2_SYSTEM for message in messages):
        return request, ()
    renamed = [{**message, "role": "system"} if message["role"] == _K2_SYSTEM else message for message in messages]
    return {**request, "messages": renamed}, ("role _input read as system",)


def unsendable(value: object) -> str | None:
    """Say what no JSON body in UTF-8 can carry: half a surrogate pair, a number without end."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack += [*item, *item.values()]
        elif isinstance(item, list):
            stack += item
        elif isinstance(item, str):
            try:
                item.encode()
            except UnicodeEncodeError:
                return "half a character (a lone surrogate)"
        elif isinstance(item, float) and not math.isfinite(item):
            return "a number that is not finite"
    return None


def canonical_json(value: object) -> str:
    """Give the text that equal values share."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

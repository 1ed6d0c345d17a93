"""How long an answer may get by its own request."""

from collections.abc import Mapping
from typing import Any

from harness.errors import ConfigError
from harness.measure.body import request_body
from harness.model.endpoint import Endpoint
from harness.model.golden import Prompt

_NAMES = ("max_completion_tokens", "max_tokens")
UNPINNED_TOKENS = 4096  # assumed where a request pins none


def max_answer_tokens(prompt: Prompt, endpoint: Endpoint) -> int | None:
    """Tokens of all choices together, as this endpoint is asked; None when nothing pins them."""
    body = request_body(prompt, endpoint)
    where = f"{endpoint.name}, prompt {prompt.id}"
    names = {*_NAMES, *(endpoint.params.rename.get(name, name) for name in _NAMES)}
    pinned = [_count(body, name, where) for name in sorted(names) if body.get(name) is not None]
    choices = 1 if body.get("n") is None else _count(body, "n", where)
    return max(pinned) * choices if pinned else None


def _count(body: Mapping[str, Any], name: str, where: str) -> int:
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{name} is not a count of at least 1 (found {value!r:.60})", where=where)
    return value

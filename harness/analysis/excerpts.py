"""Shortens what an endpoint said to one line for a message."""

import json
from typing import Any

from harness.analysis.normaltext import encodable

LIMIT = 160
LONGEST_CAME = 400  # of what came, with the words around it
_SHORT = 12  # no room for two ends


def excerpt(value: Any, limit: int = LIMIT) -> str:
    """Give text as it stands, anything else as JSON; one line, at most `limit` characters, both ends kept."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    line = encodable(text).replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
    if len(line) <= limit:
        return line
    if limit < _SHORT:
        return line[: limit - 1] + "…"
    n_last = limit // 3
    return f"{line[: limit - n_last - 3]} … {line[-n_last:]}"

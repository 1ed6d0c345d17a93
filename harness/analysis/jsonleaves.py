"""A JSON value as its leaves: where each stands, and what it is."""

import re
from collections.abc import Iterator
from typing import Any

from harness.analysis.canonical import canonical_json

_PLAIN_KEY = re.compile(r"[^.\[\]'\"\s]+")


def json_leaves(value: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    """Give path and canonical JSON of every value that holds no others; an empty object or list is one."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from json_leaves(item, f"{path}{_step(key)}")
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from json_leaves(item, f"{path}[{index}]")
    else:
        yield path, canonical_json(value)


def _step(key: str) -> str:
    """Write a key so that it cannot be read as two."""
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{canonical_json(key)}]"

"""Reads JSON in which no key stands twice: readers differ in which of two they take."""

import json
from typing import Any


def plain_json(content: bytes) -> Any:
    """Read JSON as plain values; ValueError where it is none, or says two things under one key."""
    return json.loads(content, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r:.80} stands twice")
    return found

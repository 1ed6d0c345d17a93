"""A value that a JSON Schema allows, for tools and formats that no golden set answers."""

import random
from typing import Any

_DEPTH = 8
_BY_TYPE: dict[str, Any] = {"integer": 7, "number": 1.5, "boolean": True, "null": None}


def sample_of(schema: Any, draws: random.Random, depth: int = _DEPTH) -> Any:
    """Give a small value; what it does not know of a schema it leaves out of account."""
    if not isinstance(schema, dict):
        return "value"
    if "const" in schema:
        return schema["const"]
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return draws.choice(schema["enum"])
    for alternatives in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(alternatives), list) and schema[alternatives]:
            return sample_of(schema[alternatives][0], draws, depth - 1)
    return _of_type(schema, draws, depth)


def _of_type(schema: dict[str, Any], draws: random.Random, depth: int) -> Any:
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if (kind == "object" or "properties" in schema) and depth > 0:
        properties = schema.get("properties") or {}
        return {name: sample_of(part, draws, depth - 1) for name, part in properties.items()}
    if kind == "array" and depth > 0:
        return [sample_of(schema.get("items"), draws, depth - 1)] * max(1, int(schema.get("minItems") or 1))
    if kind in ("integer", "number") and isinstance(schema.get("minimum"), int | float):
        return schema["minimum"]
    return _BY_TYPE.get(str(kind), "value")

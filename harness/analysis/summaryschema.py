"""The summary's JSON Schema, made from its type: `bench schema summary`, docs/schemas/summary.schema.json."""

from typing import Any

import msgspec

from harness.analysis.results.summary import Summary
from harness.analysis.summary import INFINITE, LEFT_OUT, MINUS_INFINITE, SUMMARY_VERSION
from harness.analysis.summaryfields import ANYWHERE, FIELDS

_NUMBER = "Number"


def summary_schema() -> dict[str, Any]:
    """Give the schema: every key is there and no other is, and a number may be infinite as text."""
    schema = msgspec.json.schema(Summary)
    types = {name: _exact(name, found) for name, found in schema["$defs"].items()}
    types["Summary"]["properties"]["format_version"]["const"] = SUMMARY_VERSION
    types[_NUMBER] = {
        "description": "A finite number, or the text of an infinite one, set by failures.",
        "anyOf": [{"type": "number"}, {"enum": [INFINITE, MINUS_INFINITE]}],
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bench summary"}
    return {**head, "$ref": schema["$ref"], "$defs": dict(sorted(types.items()))}


def _exact(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Close an object: what is written always has every key, defaults or not."""
    if "properties" not in found:
        return found
    kept = {key: part for key, part in found["properties"].items() if key not in LEFT_OUT.get(name, ())}
    described = {key: _described(name, key, part) for key, part in kept.items()}
    return {**found, "properties": described, "required": sorted(kept), "additionalProperties": False}


def _described(name: str, key: str, part: dict[str, Any]) -> dict[str, Any]:
    words = FIELDS.get(name, {}).get(key) or ANYWHERE.get(key)
    plain = {word: item for word, item in part.items() if word != "default"}
    return {**({"description": words} if words else {}), **_numbers(plain)}


def _numbers(part: Any) -> Any:
    """Let every float be infinite."""
    if isinstance(part, list | tuple):
        return [_numbers(item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") == "number":
        return {"$ref": f"#/$defs/{_NUMBER}"}
    return {key: _numbers(item) for key, item in part.items()}

"""The configuration reference as Markdown, from the schemas of the three files."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from harness.model.endpointfile import endpoint_schema
from harness.model.goldenfile import golden_schema
from harness.model.settingsfile import settings_schema
from harness.model.suite import suite_schema

_INTRODUCTION = """# Configuration reference

Written from the types of the four files by `configuration_markdown()`; a test compares. Do not edit. `bench schema
endpoint` (or `settings`, `golden`, `suite`) prints the same as JSON Schema for an editor. Unknown keys and wrong types
are errors that name file, line, value and remedy, before anything is sent.
"""
_FILES = (
    ("The endpoint file", "One per endpoint: [how to write it](endpoint-file.md).", endpoint_schema),
    ("The settings file", "`--settings FILE`: how to run, what to call the same.", settings_schema),
    ("The golden set", "`--golden FILE`: [how to write it](golden-set.md); its checks stand there.", golden_schema),
    ("The suite file", "`bench suite FILE`: [what one scheduled run measures](scheduled.md).", suite_schema),
)
_ELSEWHERE = frozenset({"Check", "CheckKind"})  # the golden set's page explains them one by one
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
}
_MOST_SHOWN = 2  # keys of a section's default: those of a gate

_Schema = Mapping[str, Any]


def configuration_markdown() -> str:
    """Write docs/configuration.md."""
    parts = [_INTRODUCTION]
    for title, words, schema in _FILES:
        parts.append(f"## {title}\n\n{words}\n")
        parts.extend(_sections(schema()))
    return "\n".join(parts)


def _sections(schema: _Schema) -> Iterator[str]:
    """Give the file's own keys, then each section's, in the order in which the file holds them."""
    definitions = schema["$defs"]
    waiting, seen = [("", _name(schema["$ref"]))], set()
    while waiting:
        path, name = waiting.pop(0)
        if name in seen or name in _ELSEWHERE or "properties" not in definitions[name]:
            continue
        seen.add(name)
        yield _section(path, definitions[name], definitions)
        for key, field in definitions[name]["properties"].items():
            waiting.extend((f"{path}.{key}".strip("."), _name(found)) for found in _references(field))


def _section(path: str, definition: _Schema, definitions: _Schema) -> str:
    required = set(definition.get("required", ()))
    rows = [_row(key, field, key in required, definitions) for key, field in definition["properties"].items()]
    heading = f"### `{path}`\n\n{definition.get('description', '')}\n\n" if path else ""
    return f"{heading}| key | value | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _row(key: str, field: _Schema, is_required: bool, definitions: _Schema) -> str:  # noqa: FBT001  # of the schema
    default = "required" if is_required else _default(field)
    meaning = field.get("description") or _described(field, definitions)
    return f"| `{key}` | {_escaped(_kind(field, definitions))} | {_escaped(default)} | {_escaped(meaning)} |"


def _default(field: _Schema) -> str:
    default = field.get("default")
    if default in (None, {}, [], "") or (isinstance(default, Mapping) and len(default) > _MOST_SHOWN):
        return ""
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _described(field: _Schema, definitions: _Schema) -> str:
    found = _references(field)
    return definitions[_name(found[0])].get("description", "") if found else ""


def _kind(field: _Schema, definitions: _Schema) -> str:
    if "$ref" in field:
        return _referred(_name(field["$ref"]), definitions)
    if "anyOf" in field:
        return " or ".join(_kind(one, definitions) for one in field["anyOf"] if one.get("type") != "null")
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_kind(field.get('items', {}), definitions)}"
    bounds = [words.format(f"{field[key]:g}") for key, words in _BOUNDS.items() if key in field]
    return ", ".join([_plain(field), *bounds])


def _referred(name: str, definitions: _Schema) -> str:
    found = definitions[name]
    if name == "Check":
        return "[check](golden-set.md#the-checks)"
    return "section" if "properties" in found else _kind(found, definitions)


def _plain(field: _Schema) -> str:
    words = {"string": "text", "integer": "whole number", "boolean": "`true`, `false`", "object": "mapping"}
    kind = field.get("type", "anything")
    return words.get(kind, kind) if isinstance(kind, str) else "anything"


def _references(field: _Schema) -> list[str]:
    """Give the sections that a key may hold, directly, in a list or among alternatives."""
    inside = [field, field.get("items", {}), field.get("additionalProperties", {}), *field.get("anyOf", ())]
    return [one["$ref"] for one in inside if isinstance(one, Mapping) and "$ref" in one]


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _escaped(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())

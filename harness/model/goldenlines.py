"""Reads the JSONL twin of a golden set: a line with its name, then one prompt per line."""

from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.model.jsonitems import JsonItem, read_json_lines
from harness.model.yamlfile import MAX_FILE_BYTES, YamlDocument

_OF_A_PROMPT = frozenset({"id", "request"})
_OF_OTHER_TOOLS = frozenset({"custom_id", "body", "messages", "conversations"})


def read_golden_lines(file: Path) -> YamlDocument:
    """Give the value that the YAML twin holds; without a first line of its own, the set is named after the file."""
    items = _items(file)
    if not items:
        raise ConfigError(
            "the file is empty", where=str(file), remedy="`bench golden export --to jsonl` prints one to start from"
        )
    _refuse_other_tools(file, items[0])
    header = items.pop(0) if _is_header(items[0].value) else None
    value: dict[str, Any] = {"name": file.stem} if header is None else dict(header.value)
    if "prompts" in value:
        raise ConfigError("the prompts of a .jsonl file stand on lines of their own", where=f"{file}:1")
    lines = {"$": 1, **dict.fromkeys((f"$.{name}" for name in value), header.line if header else 1)}
    lines |= {f"$.prompts[{i}]": item.line for i, item in enumerate(items)}
    return YamlDocument(file=file, value={**value, "prompts": [item.value for item in items]}, lines=lines)


def _items(file: Path) -> list[JsonItem]:
    if file.is_file() and file.stat().st_size > MAX_FILE_BYTES:
        raise ConfigError(
            f"larger than {MAX_FILE_BYTES} bytes", where=str(file), remedy="bench golden sample picks some of many"
        )
    return list(read_json_lines(file, refuse_repeated_keys=True))


def _is_header(value: Any) -> bool:
    return isinstance(value, dict) and "name" in value and _OF_A_PROMPT.isdisjoint(value)


def _refuse_other_tools(file: Path, first: JsonItem) -> None:
    if isinstance(first.value, dict) and "request" not in first.value and _OF_OTHER_TOOLS & first.value.keys():
        raise ConfigError(
            "this is no golden set but a file of another tool",
            where=f"{file}:{first.line}",
            remedy=f"bench golden import {file} -o set.yml makes one of it",
        )

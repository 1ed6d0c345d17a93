"""The foreign formats by name, and which one a file has."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.model.foreign.batch import read_batch
from harness.model.foreign.bodies import read_bodies
from harness.model.foreign.draft import Item
from harness.model.foreign.finetune import KEYS, read_finetune
from harness.model.foreign.promptfoo import read_promptfoo
from harness.model.foreign.sharegpt import read_sharegpt
from harness.model.jsonitems import JsonItem, read_json_items
from harness.model.yamlfile import read_yaml


class Format(StrEnum):
    """Where a file comes from."""

    BATCH = "batch"
    BODIES = "bodies"
    FINETUNE = "finetune"
    PROMPTFOO = "promptfoo"
    SHAREGPT = "sharegpt"


TITLES = {
    Format.BATCH: "OpenAI Batch requests",
    Format.BODIES: "bare request bodies",
    Format.FINETUNE: "fine-tuning examples",
    Format.PROMPTFOO: "a promptfoo configuration",
    Format.SHAREGPT: "ShareGPT conversations",
}
_READERS: dict[Format, Callable[[Path], Iterator[Item]]] = {
    Format.BATCH: read_batch,
    Format.BODIES: read_bodies,
    Format.FINETUNE: read_finetune,
    Format.PROMPTFOO: read_promptfoo,
    Format.SHAREGPT: read_sharegpt,
}
_YAML = frozenset({".yml", ".yaml"})
_NAME_IT = f"Say which it is: --from {'|'.join(Format)}"


def read_foreign(file: Path, kind: Format) -> Iterator[Item]:
    """Give the items of a file one by one: drafts, and what is skipped."""
    return _READERS[kind](file)


def detect_format(file: Path) -> Format:
    """Tell the format by the file's first item; ConfigError where it could be none or is a golden set."""
    if file.suffix.lower() in _YAML:
        return _detect_config(file, read_yaml(file).value)
    first: JsonItem | None = next(iter(read_json_items(file)), None)
    if first is None:
        raise ConfigError("the file is empty", where=str(file))
    found = _by_keys(first.value) if isinstance(first.value, dict) else None
    if found is not None:
        return found
    return _detect_config(file, first.value)


def _detect_config(file: Path, value: Any) -> Format:
    keys = value.keys() if isinstance(value, dict) else set()
    if "prompts" in keys and not _is_golden(value["prompts"]):
        return Format.PROMPTFOO
    if "prompts" in keys or "request" in keys or {"name", "version"} == set(keys):
        raise ConfigError(
            "this is a golden set already", where=str(file), remedy="bench golden export turns it into another format"
        )
    raise ConfigError("no format that is known", where=str(file), remedy=_NAME_IT)


def _is_golden(prompts: Any) -> bool:
    return isinstance(prompts, list) and bool(prompts) and isinstance(prompts[0], dict) and "request" in prompts[0]


def _by_keys(first: dict[str, Any]) -> Format | None:
    if "body" in first or "custom_id" in first:
        return Format.BATCH
    if "conversations" in first:
        return Format.SHAREGPT
    if isinstance(first.get("messages"), list):
        is_example = set(first) <= set(KEYS) and _role(first["messages"]) == "assistant"
        return Format.FINETUNE if is_example else Format.BODIES
    return Format.BODIES if "input" in first and "prompts" not in first else None


def _role(messages: list[Any]) -> Any:
    return messages[-1].get("role") if messages and isinstance(messages[-1], dict) else None

"""Small endpoint, golden and settings files for whole-command tests."""

from pathlib import Path
from typing import Any

import yaml

PROMPT: dict[str, Any] = {
    "id": "capital",
    "category": "facts",
    "intent": "A fact is known.",
    "request": {"messages": [{"role": "user", "content": "Capital of Czechia?"}], "max_tokens": 16},
    "checks": [{"contains": "Prague"}],
    "example": {"text": "It is Prague."},
}


def write_yaml(file: Path, content: object) -> Path:
    """Write a file; give its path."""
    file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file


def endpoint_file(folder: Path, name: str, base_url: str, **more: Any) -> Path:
    """Write an endpoint file called after its endpoint."""
    return write_yaml(folder / f"{name}.yml", {"name": name, "base_url": base_url, "model": "sim-model", **more})


def golden_file(folder: Path, *prompts: dict[str, Any]) -> Path:
    """Write a golden set of these prompts, or of one."""
    return write_yaml(folder / "golden.yml", {"name": "small", "prompts": list(prompts or (PROMPT,))})


def measuring_failures(folder: Path) -> Path:
    """Write settings under which a side that never succeeds is measured to the end of the plan."""
    return write_yaml(folder / "failures.yml", {"breaker": {"from_the_start": 0}})


def exact_repeats(folder: Path) -> Path:
    """Write settings under which no prompt gets more repeats than asked for, and nothing follows the levels."""
    return write_yaml(folder / "exact.yml", {"plan": {"allocate": False, "unstreamed": 0}})

"""Reads a foreign file for a test and parts what was taken from what was not."""

import json
from pathlib import Path
from typing import Any

from harness.model.foreign.draft import Draft, Skipped
from harness.model.foreign.formats import Format, read_foreign

DATA = Path(__file__).resolve().parents[1] / "data"
USER = {"role": "user", "content": "hi"}


def read(file: Path, kind: Format) -> tuple[list[Draft], list[Skipped]]:
    """Give the drafts and what was skipped."""
    items = list(read_foreign(file, kind))
    return [i for i in items if isinstance(i, Draft)], [i for i in items if isinstance(i, Skipped)]


def lines_file(folder: Path, *values: Any) -> Path:
    """Write JSON lines; give their file."""
    file = folder / "f.jsonl"
    file.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return file

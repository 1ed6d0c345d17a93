"""The committed run of two simulated tiers, copied, and what `bench` says of it."""

import json
import shutil
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from harness.cli import main

ROOT = Path(__file__).resolve().parents[2]
(RECORDED,) = (file.parent for file in (ROOT / "examples" / "throughput").glob("*/run.json"))


def bench(*words: str | Path) -> Result:
    """Run a command; a crash of ours fails the test."""
    shown = CliRunner().invoke(main, [*map(str, words)])
    assert shown.exit_code in {0, 1, 2}, shown.output
    return shown


def refused(*words: str | Path) -> str:
    """Run what must be refused with exit code 2; give its one paragraph."""
    shown = bench(*words)
    assert (shown.exit_code, shown.stdout) == (2, ""), shown.output
    return " ".join(shown.stderr.split())


def copied(folder: Path) -> Path:
    """Copy the run into `folder/results/`."""
    return Path(shutil.copytree(RECORDED, folder / "results" / RECORDED.name))


def edit(file: Path, *path: str | int, to: Any) -> None:
    """Change one value of a JSON file."""
    content = json.loads(file.read_bytes())
    *way, last = path
    place = content
    for step in way:
        place = place[step]
    assert place[last] != to
    place[last] = to
    file.write_text(json.dumps(content), encoding="utf-8")


def replace_text(file: Path, old: str, new: str) -> None:
    """Change a text of a page."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def files(folder: Path) -> dict[str, bytes]:
    """Give every file of a folder, but for those of run folders."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

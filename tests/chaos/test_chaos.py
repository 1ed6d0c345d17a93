"""Runs that are killed at random instants lose, double and tear nothing; `python -m benchmarks.chaos` plays more."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from benchmarks.chaos.stories import Arena, Whole, an_arena, held_against
from harness.model.storage import ATTEMPTS, StoredRun, load_run
from tests.cli.processes import needs_proc


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with an_arena(tmp_path_factory.mktemp("chaos")) as arena:
        yield arena


@needs_proc
@pytest.mark.parametrize("seed", range(20))
def test_a_run_that_was_killed_ends_as_one_that_was_not(arena: Arena, seed: int) -> None:
    story = arena.play(seed)
    assert story.broken == [], story


def _damaged(whole: Whole, folder: Path, damage: str) -> StoredRun:
    run = load_run(shutil.copytree(whole.folder, folder))
    lines = (folder / ATTEMPTS).read_bytes().splitlines(keepends=True)
    one = [n for n, attempt in enumerate(run.attempts) if attempt.key.prompt_id == "capital"][-1]
    other = [n for n, attempt in enumerate(run.attempts) if attempt.key.prompt_id == "river"][-1]
    if damage == "lost":
        del lines[one]
    elif damage == "times":
        lines.append(lines[one])
    else:
        at = {n: run.attempts[n] for n in (one, other)}
        places = {"offset": at[other].offset, "length": at[other].length, "crc32": at[other].crc32}
        lines[one] = msgspec.json.encode({**msgspec.json.decode(lines[one]), **places}) + b"\n"
    (folder / ATTEMPTS).write_bytes(b"".join(lines))
    return load_run(folder)


@needs_proc
@pytest.mark.parametrize("damage", ["lost", "times", "torn"])
def test_what_a_kill_might_do_would_be_found(arena: Arena, tmp_path: Path, damage: str) -> None:
    whole = arena.whole("run")
    assert list(held_against(whole, load_run(whole.folder))) == []
    (found,) = held_against(whole, _damaged(whole, tmp_path / "r", damage))
    assert damage in found

"""Judgements that the plan did not register: each is labelled and leaves the planned one's files alone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.cli.parts import new_part, resumed_header
from harness.cli.resuming import go_on
from harness.clock import SystemClock
from harness.model.digest import matches_digest
from harness.model.looks import Looked, note_look, read_looks
from tests.cli.files import exact_repeats, write_yaml
from tests.cli.simulated import Bench, Outcome


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A quick screen: its plan has one look."""
    here = Bench(folder=tmp_path_factory.mktemp("departures"))
    with here.pair({}, {}) as (a, b):
        return here.compare(a, b, "--quick", "--settings", str(exact_repeats(here.folder)))


def edited(folder: Path, copy: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy a run and change its header, without the looks at the original."""
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("looks.jsonl"))
    header = json.loads((copy / "run.json").read_bytes())
    change(header)
    (copy / "run.json").write_text(json.dumps(header), encoding="utf-8")
    return copy


def judged(reports: Path, *words: str | Path) -> tuple[dict[str, Any], str, str]:
    """Judge offline; give the summary, what standard error says, and the memo."""
    shown = CliRunner().invoke(main, [*map(str, words), "--reports", str(reports), "--json"])
    assert shown.exit_code in {0, 1, 3, 4}, shown.output
    memo = max(reports.glob("*.memo.md"), key=lambda file: file.stat().st_mtime_ns)
    return json.loads(shown.stdout.splitlines()[-1]), shown.stderr, f"{memo.name}\n{memo.read_text(encoding='utf-8')}"


def unlike(section: str, name: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(settings: dict[str, Any]) -> None:
        settings[section][name] = value

    return change


@pytest.mark.parametrize(
    "change",
    [unlike("validity", "reference_lost_fraction", 1.0), unlike("plan", "screen", False)],
    ids=["validity", "screen"],
)
def test_looser_validity_and_a_screen_that_denies_it_are_labelled(
    change: Callable[[dict[str, Any]], None], tmp_path: Path, screened: Outcome
) -> None:
    settings = json.loads((screened.run / "run.json").read_bytes())["plan"]["settings"]
    change(settings)
    before = (screened.run / "verdict.json").read_bytes()
    file = write_yaml(tmp_path / "settings.yml", settings)
    summary, said, memo = judged(tmp_path / "reports", "report", screened.run, "--settings", file)
    assert summary["margins_are_from_plan"] is False
    assert summary["sentence"].startswith("Exploratory (the margins were chosen after the data): ")
    assert "screen" in summary["sentence"].lower()
    assert "the margins were chosen after the data: this verdict is exploratory" in said
    assert memo.startswith(f"{screened.run.name}-other-margins.memo.md")
    assert "exploratory: the margins were chosen after the data" in memo
    assert (screened.run / "verdict.json").read_bytes() == before


def test_the_planned_settings_given_again_are_no_departure(tmp_path: Path, screened: Outcome) -> None:
    settings = json.loads((screened.run / "run.json").read_bytes())["plan"]["settings"]
    file = write_yaml(tmp_path / "settings.yml", settings)
    summary, said, memo = judged(tmp_path / "reports", "report", screened.run, "--settings", file)
    assert summary["margins_are_from_plan"] is True
    assert "xploratory" not in f"{summary['sentence']} {said} {memo}"


def test_margins_edited_in_the_header_do_not_match_the_plans_digest(tmp_path: Path, screened: Outcome) -> None:
    def lax(header: dict[str, Any]) -> None:
        header["plan"]["settings"]["verdict"]["tool_success"]["margin"] = 0.9

    copy = edited(screened.run, tmp_path / "copy", lax)
    before = (copy / "verdict.json").read_bytes()
    summary, said, memo = judged(tmp_path / "reports", "report", copy)
    assert summary["margins_are_from_plan"] is False
    assert summary["sentence"].startswith("Exploratory (the plan does not match its digest): ")
    assert "the plan does not match its digest: this verdict is exploratory" in said
    assert memo.startswith(f"{screened.run.name}-other-plan.memo.md")
    assert (copy / "verdict.json").read_bytes() == before


@pytest.mark.parametrize("is_edited", [False, True])
def test_going_on_does_not_register_an_edited_plan(is_edited: bool, tmp_path: Path, screened: Outcome) -> None:
    def change(header: dict[str, Any]) -> None:
        header["plan"]["settings"]["verdict"]["tool_success"]["margin"] = 0.9 if is_edited else 0.1

    resumed = go_on(edited(screened.run, tmp_path / "copy", change), repeats=4)
    assert matches_digest(resumed_header(resumed, new_part(resumed.plan, SystemClock()))) is not is_edited


def test_an_unplanned_look_is_labelled_everywhere(tmp_path: Path, screened: Outcome) -> None:
    copy = edited(screened.run, tmp_path / "copy", lambda header: header.update())
    note_look(copy, Looked(at="t", n_attempts=1, verdict="INCONCLUSIVE"))
    summary, said, memo = judged(tmp_path / "reports", "report", copy)
    label = "this is look 2 at the data and the plan has 1"
    assert summary["sentence"].startswith(f"Exploratory ({label}): ")
    assert f"note: {label}" in said
    assert f"exploratory: {label}" in memo
    assert any(note.startswith(f"T{label[1:]}") for note in summary["notes"])


def test_each_new_run_of_the_reference_is_a_further_look_at_the_candidates(tmp_path: Path, screened: Outcome) -> None:
    def renamed(name: str) -> Callable[[dict[str, Any]], None]:
        return lambda header: header.update(run_id=name)

    candidate = edited(screened.run, tmp_path / "candidate", renamed("candidate"))
    first, second = (edited(screened.run, tmp_path / name, renamed(name)) for name in ("first", "second"))
    sentences = [
        judged(tmp_path / "reports", "compare", f"{reference}:reference", f"{candidate}:candidate")[0]["sentence"]
        for reference in (first, second, first)
    ]
    assert ["look 2 at the data" in sentence for sentence in sentences] == [False, True, False]
    assert [looked.other and looked.other.run_id for looked in read_looks(candidate)] == ["first", "second"]
    assert [looked.other and looked.other.run_id for looked in read_looks(second)] == ["candidate"]

"""`bench history`, `baseline`, and what the measuring commands append to a ledger."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.cli.ledgering import ledger_of
from harness.errors import ConfigError
from harness.model.digest import plan_sha256
from harness.model.ledger import LEDGER, append_line, read_ledger
from harness.model.record import Arm, RunStatus
from harness.model.storage import encode_header, load_header, write_atomically
from tests.cli.files import exact_repeats
from tests.cli.recordedrun import write_run
from tests.cli.simulated import Bench
from tests.model.ledgers import PARTS, an_entry, decoding


def bench(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    file = tmp_path / "history" / "ledger.jsonl"
    for day in range(1, 25):
        wave = (0.4, -0.6, 0.1, -0.2, 0.5, -0.4)[day % 6]
        append_line(file, decoding(f"run-{day:02d}", day, (120 if day < 13 else 100) + wave))
    return file


def test_the_list_names_runs_series_and_what_tells_them_apart(ledger: Path) -> None:
    append_line(ledger, an_entry("upgraded", 30, parts={**PARTS, "definitions": "4"}))
    shown = bench("history", "list", "--ledger", ledger)
    assert shown.exit_code == 0, shown.output
    assert "2026-01-24 00:00  run-24    A" in shown.output
    assert "series A is not comparable with B: definitions" in shown.output


def test_a_series_keeps_its_letter_and_a_mixture_says_what_separates_it(ledger: Path) -> None:
    append_line(ledger, an_entry("upgraded", 30, parts={**PARTS, "definitions": "4"}))
    alone = bench("history", "list", "--ledger", ledger, "--like", "upgraded")
    assert "2026-01-30 00:00  upgraded  B" in alone.output  # as in the whole list
    mixed = bench("history", "plot", "decode_p50", "--ledger", ledger, "--endpoint", "a")
    assert mixed.exit_code == 2
    assert "Choose one series: --like upgraded (1 run) or --like run-24 (24 runs)" in " ".join(mixed.output.split())
    assert bench("history", "plot", "--ledger", ledger, "--endpoint", "a", "--like", "run-24").exit_code == 0


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_narrow_list_leaves_out_what_is_needed_least(ledger: Path, width: int) -> None:
    shown = CliRunner().invoke(main, ["history", "list", "--ledger", str(ledger)], env={"COLUMNS": str(width)})
    assert max(map(len, shown.output.splitlines())) <= width
    assert "run-24" in shown.output
    assert "verdict" in shown.output
    whole = bench("history", "list", "--ledger", ledger).output
    assert all(head in whole for head in ("kind", "timing", "labels", "endpoints"))


def test_the_usual_ledger_is_appended_to_only_where_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ledger_of({"ledger": None}) is None
    append_line(LEDGER, an_entry())
    assert ledger_of({"ledger": None}) == LEDGER
    assert ledger_of({"ledger": Path("other.jsonl")}) == Path("other.jsonl")
    assert ledger_of({}) is None  # a command that measures nothing
    LEDGER.write_bytes(b"nonsense\n")
    with pytest.raises(ConfigError, match="no line of a ledger"):
        ledger_of({"ledger": None})


def test_a_series_is_a_line_of_bars_with_its_step(ledger: Path) -> None:
    shown = bench("history", "plot", "--ledger", ledger)
    assert shown.exit_code == 0, shown.output
    title, bars, *rest = shown.stdout.splitlines()
    assert title == "Decode rate p50 of a, 24 runs"
    assert len(bars) == 24
    assert set(bars[:12]) <= set("▇█")
    assert set(bars[12:]) <= set("▁▂")
    assert any(line.startswith("step: from 120 to 99.9") and "run-13" in line for line in rest)


def test_what_must_not_be_mixed_is_refused_by_its_field(ledger: Path) -> None:
    append_line(ledger, an_entry("upgraded", 30, parts={**PARTS, "definitions": "4"}))
    shown = bench("history", "plot", "--ledger", ledger)
    assert shown.exit_code == 2
    assert "definitions: 3 (24 runs), 4 (1 run)" in shown.output
    assert bench("history", "plot", "--ledger", ledger, "--like", "run-01").exit_code == 0


def test_json_is_one_line(ledger: Path) -> None:
    listed = json.loads(bench("history", "list", "--ledger", ledger, "--since", "2026-01-20", "--json").stdout)
    assert [run["run_id"] for run in listed["runs"]] == ["run-20", "run-21", "run-22", "run-23", "run-24"]
    plotted = json.loads(bench("history", "plot", "ttft_p50", "--ledger", ledger, "--json").stdout)
    assert [point["figure"]["value"] for point in plotted["points"]] == [0.2] * 24
    assert plotted["steps"] == []


def test_the_page_is_one_file_and_the_same_twice(ledger: Path, tmp_path: Path) -> None:
    bench("baseline", "set", "run-01", "--reason", "first", "--by", "me", "--ledger", ledger)
    pages = [tmp_path / name for name in ("one.html", "two.html")]
    for page in pages:
        assert bench("history", "plot", "--ledger", ledger, "--html", page).exit_code == 0
    text = pages[0].read_text(encoding="utf-8")
    assert text == pages[1].read_text(encoding="utf-8")
    for said in ("<svg", "run-13", "by me", "means of the runs between steps", "baseline"):
        assert said in text
    assert "src=" not in text
    assert "http-equiv" in text


def test_notes_and_labels_are_lines_of_the_ledger(ledger: Path) -> None:
    n_lines = len(ledger.read_bytes().splitlines())
    assert bench("history", "note", "run-13", "driver  upgraded", "--ledger", ledger).exit_code == 0
    assert bench("history", "label", "run-13", "x", "--ledger", ledger).output == "run-13: x\n"
    bench("history", "label", "run-13", "upgrade", "--ledger", ledger)
    shown = bench("history", "label", "run-13", "x", "--remove", "--ledger", ledger)
    assert shown.output == "run-13: upgrade\n"
    listed = bench("history", "list", "--label", "upgrade", "--ledger", ledger).output
    assert "run-13" in listed
    assert "run-13: driver upgraded" in listed
    assert "run-12" not in listed
    assert len(ledger.read_bytes().splitlines()) == n_lines + 4
    assert bench("history", "label", "run-13", "x", "--remove", "--ledger", ledger).exit_code == 2
    assert bench("history", "note", "nothing", "words", "--ledger", ledger).exit_code == 2


def test_a_baseline_is_set_shown_and_never_moves_by_itself(ledger: Path) -> None:
    assert bench("baseline", "show", "--ledger", ledger).exit_code == 3
    assert bench("baseline", "set", "run-01", "--by", "me", "--ledger", ledger).exit_code == 2  # no reason
    bench("baseline", "set", "run-01", "--reason", "first", "--by", "me", "--ledger", ledger)
    append_line(ledger, decoding("run-99", 99, 130.0))
    shown = bench("baseline", "show", "--ledger", ledger)
    assert shown.exit_code == 0, shown.output
    assert "baseline run-01" in shown.output
    assert "24 comparable runs since" in shown.output
    assert "run-01*" in bench("history", "list", "--ledger", ledger).output
    moved = bench("baseline", "set", "run-99", "--reason", "new server", "--by", "me", "--ledger", ledger)
    assert "in place of run-01: new server" in moved.output


def test_no_ledger_is_said_with_what_begins_one(tmp_path: Path) -> None:
    for words in (("history", "list"), ("history", "plot"), ("baseline", "show")):
        shown = bench(*words, "--ledger", tmp_path / "none.jsonl")
        assert shown.exit_code == 2
        assert "bench history rebuild" in shown.output


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    write_run(folder / "pair")
    write_run(folder / "old", [Arm.REFERENCE], started_at="2025-06-01T00:00:00+00:00")
    write_run(folder / "new", [Arm.CANDIDATE], started_at="2026-02-01T00:00:00+00:00")
    for run in ("pair", "old", "new"):  # written by hand, its numbers are encoded otherwise once they were read
        header = load_header(folder / run)
        write_atomically(
            folder / run / "run.json",
            encode_header(replace(header, plan_sha256=plan_sha256(header.plan), parts=())),
        )
    cut = folder / "cut"
    write_run(cut)
    torn = (cut / "run.json").read_bytes().replace(b'"finished"', b'"interrupted"')
    write_atomically(cut / "run.json", torn)
    assert load_header(cut).status is RunStatus.INTERRUPTED
    return folder


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_ledger_is_made_again_from_the_run_folders(results: Path, tmp_path: Path, is_asked: bool) -> None:
    file = tmp_path / "history" / "ledger.jsonl"
    asked = ["--recorded-timings"] * is_asked
    words: tuple[str | Path, ...] = ("--reports", tmp_path / "reports", "--ledger", file, *asked)
    compared = bench("compare", results / "old", results / "new", *words)
    assert compared.exit_code in {1, 3, 4}, compared.output
    assert "ledger" in compared.output
    assert "WARNING: The sides were not measured together: the reference 245 days before" in " ".join(
        compared.output.split()
    )
    appended = file.read_bytes()
    rebuilt = bench("history", "rebuild", "--results", results, "--ledger", file)
    assert rebuilt.exit_code == 0, rebuilt.output
    assert rebuilt.output.startswith("2 added, 1 the same, 0 other, 1 skipped")  # old, pair; new-against-old; cut
    assert "skipped  cut: it is interrupted" in rebuilt.output
    assert not (results / "cut" / "looks.jsonl").exists()  # nobody was shown a verdict on it
    assert file.read_bytes().startswith(appended)
    assert [entry.run_id for entry in read_ledger(file).entries] == ["old", "pair", "new-against-old"]
    fresh = tmp_path / "fresh.jsonl"
    bench("history", "rebuild", "--results", results, "--ledger", fresh)
    assert read_ledger(fresh).entries == read_ledger(file).entries


def test_a_rerun_is_no_night_when_the_ledger_is_made_again(results: Path, tmp_path: Path) -> None:
    header = load_header(results / "old")
    write_atomically(results / "old" / "run.json", encode_header(replace(header, rerun_of="pair")))
    shown = bench("history", "rebuild", "--results", results, "--ledger", tmp_path / "ledger.jsonl")
    assert "skipped  old: it measured suspicious prompts of pair again" in shown.output
    assert "old" not in {entry.run_id for entry in read_ledger(tmp_path / "ledger.jsonl").entries}


def test_a_line_that_says_something_else_is_kept_unless_that_is_asked(results: Path, tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    shutil.rmtree(results / "new")
    bench("history", "rebuild", "--results", results, "--ledger", file)
    text = file.read_bytes().replace(b'"bench":""', b'"bench":"0.0.1"', 1)
    file.write_bytes(text)
    append_line(file, an_entry("gone", 1))
    bench("history", "note", "gone", "its folder is lost", "--ledger", file)
    before = file.read_bytes()
    shown = bench("history", "rebuild", "--results", results, "--ledger", file)
    assert shown.exit_code == 1
    assert "0 added, 1 the same, 1 other" in shown.output
    assert file.read_bytes() == before
    replaced = bench("history", "rebuild", "--results", results, "--ledger", file, "--replace")
    assert replaced.exit_code == 0
    assert b"0.0.1" not in file.read_bytes()
    assert {entry.run_id for entry in read_ledger(file).entries} == {"gone", "old", "pair"}
    assert read_ledger(file).notes_of("gone") == ("its folder is lost",)


def test_a_run_is_entered_where_a_ledger_is_named(tmp_path: Path) -> None:
    here = Bench(folder=tmp_path)
    file = tmp_path / "ledger.jsonl"
    words = ("--golden", str(here.golden), "--repeats", "1", "--settings", str(exact_repeats(tmp_path)))
    with here.pair({}, {}) as (a, _):
        run = here.bench("run", str(a), *words, "--ledger", str(file))
        file.write_bytes(file.read_bytes() + b"nonsense\n")
        refused = bench("run", a, *words, "--ledger", file, "--out", tmp_path / "none")
    entry = read_ledger_line(file)
    assert entry["run_id"] == run.run.name
    assert entry["kind"] == "run"
    assert entry["sides"][0]["figures"]["request_success"]["value"] == 1.0
    assert entry["sides"][0]["n"] == len(entry["sides"][0]["prompts"])
    assert entry["vantage"]["host"]
    assert refused.exit_code == 2  # before anything is sent
    assert not (tmp_path / "none").exists()


def read_ledger_line(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_bytes().splitlines()[0])
    return found

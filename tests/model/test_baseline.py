"""A baseline moves by hand only, and notices when its line was changed."""

from pathlib import Path

import pytest

from harness.errors import ConfigError, DamagedFileError
from harness.model.baseline import baseline_file, baseline_of, new_baseline, read_baselines, write_baseline
from harness.model.ledger import append_line, read_ledger, write_ledger
from tests.model.ledgers import PARTS, an_entry

WHO = {"at": "2026-02-01T00:00:00+00:00", "by": "me"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    ledger = tmp_path / "ledger.jsonl"
    for day, name in enumerate(("a", "b"), 1):
        append_line(ledger, an_entry(name, day))
    append_line(ledger, an_entry("other", 3, parts={**PARTS, "definitions": "4"}))
    append_line(ledger, an_entry("cut", 4, is_valid=False, reasons=("reference: interrupted",)))
    return ledger


def set_to(file: Path, run: str) -> None:
    write_baseline(file, new_baseline(read_ledger(file), run, reason="because", **WHO))


def test_each_series_has_its_own_and_a_new_one_says_what_it_replaces(file: Path) -> None:
    for run in ("a", "other", "b"):
        set_to(file, run)
    found = read_baselines(file).baselines
    assert {(one.run_id, one.replaces) for one in found} == {("other", None), ("b", "a")}


def test_a_run_moves_none(file: Path) -> None:
    set_to(file, "a")
    before = baseline_file(file).read_bytes()
    append_line(file, an_entry("new", 9))
    assert baseline_file(file).read_bytes() == before
    found = baseline_of(read_ledger(file), an_entry().comparable)
    assert found is not None
    assert found[1].run_id == "a"


def test_a_changed_or_missing_line_is_noticed(file: Path) -> None:
    set_to(file, "a")
    write_ledger(file, [an_entry("a", 1, timing="VOID"), an_entry("b", 2)])
    with pytest.raises(DamagedFileError, match="not the one that was set"):
        baseline_of(read_ledger(file), an_entry().comparable)
    write_ledger(file, [an_entry("b", 2)])
    with pytest.raises(DamagedFileError, match="has no run a"):
        baseline_of(read_ledger(file), an_entry().comparable)


def test_a_run_that_says_nothing_is_refused_and_so_is_no_reason(file: Path) -> None:
    with pytest.raises(ConfigError, match="interrupted"):
        set_to(file, "cut")
    with pytest.raises(ConfigError, match="needs a reason"):
        new_baseline(read_ledger(file), "a", reason=" ", **WHO)


def test_no_file_is_no_baseline_and_a_broken_one_is_refused(file: Path) -> None:
    assert baseline_of(read_ledger(file), an_entry().comparable) is None
    baseline_file(file).write_bytes(b"{")
    with pytest.raises(DamagedFileError):
        read_baselines(file)

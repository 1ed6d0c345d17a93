"""The exports of a judgement: on the commands that judge, and later by `bench export`."""

import csv
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it has no types
import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.cli.exporting import STEP_SUMMARY
from harness.report.requestcolumns import COLUMNS
from tests.cli.files import endpoint_file
from tests.cli.recordedrun import write_run
from tests.report.junitshape import faults
from tests.report.promtext import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What one `bench export` said and wrote."""

    result: Result
    run: Path
    folder: Path


def bench(*words: str | Path, step_summary: Path | None = None) -> Result:
    environ = {STEP_SUMMARY: None if step_summary is None else str(step_summary)}
    return CliRunner().invoke(main, [*map(str, words)], env=environ)


def refused(*words: str | Path) -> str:
    """Run what must be refused; give its one paragraph."""
    shown = bench(*words)
    assert (shown.exit_code, shown.stdout) == (2, "")
    return " ".join(shown.stderr.split())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("exporting") / "hand")


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("exports")
    (folder / "step.md").write_text("before\n")
    names = {"--markdown": "c.md", "--junit": "new/j.xml", "--requests": "r.csv", "--prometheus": "p.prom"}
    files = [word for option, name in names.items() for word in (option, folder / name)]
    result = bench("export", run, *files, "--step-summary", step_summary=folder / "step.md")
    return Exported(result=result, run=run, folder=folder)


def test_an_export_writes_every_file_and_names_it(exported: Exported) -> None:
    assert exported.result.exit_code == 0, exported.result.output
    named = [Path(line) for line in exported.result.stdout.splitlines()]
    assert [file.name for file in named] == ["c.md", "j.xml", "r.csv", "p.prom", "step.md"]
    assert all(file.stat().st_size > 0 for file in named)
    left = {file.name for file in exported.folder.rglob("*") if file.is_file()}
    assert left == {"c.md", "j.xml", "r.csv", "p.prom", "step.md"}  # no temporary file


def test_an_export_writes_no_report(exported: Exported) -> None:
    assert not (exported.run / "verdict.json").exists()


def test_each_file_is_what_it_is_called(exported: Exported) -> None:
    folder = exported.folder
    assert (folder / "c.md").read_text().startswith("## ")
    assert faults((folder / "new" / "j.xml").read_bytes()) == []
    assert {
        one.labels["endpoint"] for one in read((folder / "p.prom").read_text()) if one.name == "bench_run_info"
    } == {
        "reference-end",
        "candidate-end",
    }
    rows = list(csv.DictReader(io.StringIO((folder / "r.csv").read_text(), newline="")))
    assert len(rows) == 15
    (lost,) = (row for row in rows if row["failure"])
    assert (lost["request"], lost["failure_message"]) == ("candidate/invoice/r1", "'=no\N{SYMBOL FOR ESCAPE}[0m")


def test_the_step_summary_keeps_what_other_steps_wrote(exported: Exported) -> None:
    comment = (exported.folder / "c.md").read_text()
    assert (exported.folder / "step.md").read_text() == f"before\n\n{comment}"


def test_parquet_is_chosen_by_the_ending(run: Path, tmp_path: Path) -> None:
    shown = bench("export", run, "--requests", tmp_path / "r.PARQUET", "--quiet")
    assert (shown.exit_code, shown.stdout) == (0, "")
    table = pq.read_table(tmp_path / "r.PARQUET")
    assert (table.num_rows, table.column_names) == (15, [column.name for column in COLUMNS])


def test_a_command_that_judges_exports_on_the_way(run: Path, tmp_path: Path) -> None:
    sides = (f"{run}:reference", f"{run}:candidate")
    files: list[str | Path] = ["--junit", tmp_path / "j.xml", "--markdown", tmp_path / "c.md"]
    shown = bench("compare", *sides, "--reports", tmp_path / "reports", *files)
    assert shown.exit_code == 3  # INCONCLUSIVE: an export changes no verdict
    assert [line for line in shown.stderr.splitlines() if line.startswith("exported ")] == [
        f"exported {tmp_path / 'c.md'}",
        f"exported {tmp_path / 'j.xml'}",
    ]
    assert faults((tmp_path / "j.xml").read_bytes()) == []
    (report,) = (one for one in (tmp_path / "reports").glob("*.md") if ".memo" not in one.name)
    assert (tmp_path / "c.md").read_text() == report.read_text()


@pytest.mark.parametrize("command", ["compare", "run"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_sent(command: str, tmp_path: Path) -> None:
    files = [endpoint_file(tmp_path, name, "http://127.0.0.1:9/v1") for name in ("a", "b")]
    out: list[str | Path] = ["--out", tmp_path / "results", "--reports", tmp_path / "reports"]
    said = refused(command, *files[: 2 if command == "compare" else 1], *out, "--junit", tmp_path)
    assert said == f"bench: {tmp_path}: --junit cannot be written: it is a folder. Choose another file"
    assert not (tmp_path / "results").exists()


def test_each_unwritable_file_is_refused_with_its_reason(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "c.md"
    assert "--markdown cannot be written" in refused("export", run, "--markdown", below)
    assert "--prometheus cannot be written: it is no regular file" in refused(
        "export", run, "--prometheus", "/dev/null"
    )
    same = tmp_path / "same"
    said = refused("export", run, "--markdown", same, "--junit", same)
    assert said == f"bench: {same}: --markdown and --junit name the same file. Give each its own"


def test_a_table_in_another_format_is_refused(run: Path, tmp_path: Path) -> None:
    said = refused("export", run, "--requests", tmp_path / "r.xlsx")
    assert said.endswith("--requests writes CSV or Parquet, and .xlsx is neither. Name it .csv or .parquet")
    assert "no ending is neither" in refused("export", run, "--requests", tmp_path / "requests")


def test_parquet_without_its_extra_is_one_line(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = refused("export", run, "--requests", tmp_path / "r.parquet")
    assert "Parquet needs pyarrow, which is not installed" in said
    assert said.endswith("pip install 'bench-harness[parquet]', or name it .csv")
    assert not (tmp_path / "r.parquet").exists()


def test_a_step_summary_outside_of_github_is_refused(run: Path, tmp_path: Path) -> None:
    said = refused("export", run, "--step-summary")
    assert said.endswith("it is not set. GitHub Actions sets it; elsewhere use --markdown FILE")
    nowhere = bench("export", run, "--step-summary", step_summary=tmp_path / "none" / "step.md")
    assert nowhere.exit_code == 2
    assert "names no file that can be written" in " ".join(nowhere.stderr.split())


def test_an_export_of_nothing_is_refused(run: Path) -> None:
    assert refused("export", run).startswith("bench: nothing to export. Name a file")


def test_several_runs_have_no_single_export(run: Path, tmp_path: Path) -> None:
    said = refused("report", run, run, "--reports", tmp_path, "--junit", tmp_path / "j.xml")
    assert said == "bench: exports are of one run, and these are several. Run bench export for each"


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    assert "not a run folder" in refused("export", tmp_path, "--markdown", tmp_path / "c.md")


def test_the_schema_of_a_summary_is_printed() -> None:
    schema = json.loads(bench("schema", "summary").stdout)
    assert schema["$defs"]["Summary"]["properties"]["format_version"]["const"] == 1


def test_the_exports_page_describes_every_column() -> None:
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    described = {row[0].strip("`"): row[1:] for row in rows if len(row) == 4}
    assert list(described) == [column.name for column in COLUMNS]
    for column in COLUMNS:
        assert described[column.name] == [str(column.kind), column.unit or "", column.meaning], column.name

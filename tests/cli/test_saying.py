"""What a whole command says: where, how wide, how much."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from tests.cli.files import exact_repeats
from tests.cli.simulated import Bench


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Give a run folder and what `bench compare` said when it made it."""
    bench = Bench(folder=tmp_path_factory.mktemp("saying"))
    with bench.pair({}, {}) as (a, b):
        more = ["--golden", str(bench.golden), "--repeats", "3", "--settings", str(exact_repeats(bench.folder))]
        folders = ["--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
        shown = CliRunner().invoke(main, ["compare", str(a), str(b), *more, *folders], env={"COLUMNS": ""})
    (run,) = (bench.folder / "results").iterdir()
    return run, shown


def report(run: Path, *words: str, columns: str = "") -> Result:
    output = ["--reports", str(run.parents[1] / "again")]
    return CliRunner().invoke(main, ["report", str(run), *output, *words], env={"COLUMNS": columns})


def test_the_result_is_on_standard_output_and_all_else_on_the_other(recorded: tuple[Path, Result]) -> None:
    _, shown = recorded
    block = shown.stdout.splitlines()
    assert block[0].startswith("timing  ")
    assert block[-1].startswith(("next", " "))
    told = shown.stderr
    order = ["requests", "preflight: ", "done in ", "decoding what was recorded", "judging: ", "writing the report"]
    places = [told.index(word) for word in order]
    assert places == sorted(places)
    assert "judging" not in shown.stdout


def test_remarks_for_information_are_short_unless_more_is_asked_for(recorded: tuple[Path, Result]) -> None:
    _, shown = recorded
    lines = [line for line in shown.stderr.splitlines() if line.startswith("preflight: ")]
    assert "preflight: not probed yet: the reference and the candidate" in lines
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_a_block_is_as_wide_as_the_terminal_at_most(columns: str, recorded: tuple[Path, Result]) -> None:
    shown = report(recorded[0], columns=columns)
    wide = [line for line in shown.stdout.splitlines() if len(line) > int(columns)]
    assert all(line.startswith("report  ") for line in wide)


def test_quiet_says_nothing_and_json_is_one_line(recorded: tuple[Path, Result]) -> None:
    quiet, as_json = report(recorded[0], "--quiet"), report(recorded[0], "--json")
    assert (quiet.stdout, quiet.stderr) == ("", "")
    (line,) = as_json.stdout.splitlines()
    assert json.loads(line)["verdict"]
    assert as_json.stderr == ""
    assert quiet.exit_code == as_json.exit_code == recorded[1].exit_code

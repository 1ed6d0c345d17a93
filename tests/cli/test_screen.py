"""How commands speak: width, colour, what of an internal error is shown and kept, completion scripts."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.cli.completing import complete_run, complete_side
from harness.cli.crash import keep_traceback, without_secrets
from harness.cli.screen import coloured, columns, folded, is_verbose
from tests.cli.test_exit_codes import ending_in

SECRET = "canary-0123456789"


@pytest.fixture(autouse=True)
def own_folder_for_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_prose_is_folded_between_words_and_a_path_stays_whole() -> None:
    path = "results/" + "a" * 60
    lines = folded(f"recorded in {path} and nowhere else, as far as anybody knows", 40, indent="  ")
    assert path in "\n".join(line.strip() for line in lines)
    assert all(len(line) <= 40 for line in lines if path not in line)
    assert folded("a line in a log", None) == ["a line in a log"]


@pytest.mark.parametrize(("given", "width"), [("132", 132), ("", 80), ("wide", 80)])
def test_the_width_is_that_of_columns_or_eighty(given: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", given)
    monkeypatch.setattr(sys, "__stdout__", None)  # no terminal to ask
    assert columns() == width


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_the_environment_can_ask_for_no_colour(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" in coloured("PASS: all is well")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert coloured("PASS: all is well") == "PASS: all is well"


def test_only_an_outcome_at_the_beginning_is_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert coloured("report  PASS.html") == "report  PASS.html"
    assert coloured(" PASS") == " PASS"
    assert click.unstyle(coloured("FAIL          Tool-call success")) == "FAIL          Tool-call success"


@pytest.mark.parametrize(("words", "is_plain"), [((), False), (("--no-color",), True)])
def test_no_color_takes_colour_from_all_that_is_said(words: tuple[str, ...], is_plain: bool) -> None:
    @click.command()
    def paint() -> None:
        click.echo(coloured("PASS: all is well"))

    group = ending_in(None)
    group.add_command(paint)
    shown = CliRunner().invoke(group, ["paint", *words], color=True, env={"TERM": "xterm", "NO_COLOR": ""})
    assert ("\x1b[" not in shown.output) is is_plain


def test_verbose_is_heard_below_and_not_in_the_next_command() -> None:
    heard: list[bool] = []

    @click.command()
    def listen() -> None:
        heard.append(is_verbose())

    group = ending_in(None)
    group.add_command(listen)
    for words in (["listen"], ["listen", "-v"], ["listen", "--verbose"], ["listen"]):
        CliRunner().invoke(group, words)
    assert heard == [False, True, True, False]
    assert not is_verbose()


def fail_for_a_secret() -> None:
    raise ValueError(f"{SECRET} in what the program was working on")


def raised() -> BaseException:
    try:
        fail_for_a_secret()
    except ValueError as error:
        found = RuntimeError("what the program was working on")
        found.__cause__ = error
        return found
    raise AssertionError


def test_the_places_of_an_error_are_kept_without_what_it_says() -> None:
    file = keep_traceback(raised(), {"CANARY_KEY": SECRET})
    assert file is not None
    text = file.read_text()
    file.unlink()
    assert "builtins.RuntimeError" in text
    assert "builtins.ValueError" in text
    assert re.search(r"test_screen\.py:\d+ in fail_for_a_secret", text)
    assert SECRET not in text
    assert "working on" not in text


def test_secrets_are_struck_out_by_their_name_and_by_their_look() -> None:
    text = f"{SECRET} and sk-abcdefghijkl and Bearer abc.def and PATH"
    assert without_secrets(text, {"X_TOKEN": SECRET, "HOME": "PATH"}) == "*** and *** and *** and PATH"


def test_a_crash_is_one_line_that_says_where_its_places_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_DEBUG", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("CANARY_KEY", SECRET)
    shown = CliRunner().invoke(ending_in(RuntimeError(f"odd\n{SECRET}")), ["go"])
    assert shown.exit_code == 70
    (line,) = shown.output.splitlines()
    assert line.startswith("bench: internal error: RuntimeError: odd ***. Where it happened is in ")
    kept = re.search(r"is in (\S+\.txt)", line)
    assert kept is not None
    file = Path(kept[1])
    assert SECRET not in file.read_text()
    file.unlink()
    assert "Traceback" in CliRunner().invoke(ending_in(RuntimeError("odd")), ["go", "--debug"]).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compare", "a.yml"], "bench: compare: Missing argument 'CANDIDATE'. See: bench compare --help"),
        (["cmpare"], "bench: No such command 'cmpare'. Did you mean 'compare'? See: bench --help"),
        (["golden", "chek"], "bench: golden: No such command 'chek'. Did you mean 'check'? See: bench golden --help"),
        (["run", "a.yml", "--repeats", "0"], "bench: run: Invalid value for '--repeats'"),
    ],
)
def test_a_wrong_command_line_is_one_paragraph_with_its_remedy(words: list[str], said: str) -> None:
    shown = CliRunner().invoke(main, words, env={"COLUMNS": ""})
    assert shown.exit_code == 2
    assert shown.output.startswith(said)
    assert len(shown.output.splitlines()) == 1


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_completion_script_is_clicks_own_and_names_bench(shell: str) -> None:
    shown = CliRunner().invoke(main, ["completion", shell])
    assert shown.exit_code == 0
    assert "_BENCH_COMPLETE" in shown.output
    assert f"{shell}_complete" in shown.output


def test_a_shell_that_nobody_knows_is_refused() -> None:
    assert CliRunner().invoke(main, ["completion", "tcsh"]).exit_code == 2


def completed(words: str, folder: Path) -> list[str]:
    """Ask as fish does."""
    environ = {**os.environ, "_BENCH_COMPLETE": "fish_complete", "COMP_WORDS": f"bench {words}"}
    environ["COMP_CWORD"] = words.rpartition(" ")[2]
    done = subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main(prog_name='bench')"],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.partition(",")[2].partition("\t")[0] for line in done.stdout.splitlines()]


def test_a_shell_completes_commands_and_runs_without_a_verdicts_exit_code(tmp_path: Path) -> None:
    run = tmp_path / "results" / "20260101T000000-a-vs-b-0000"
    run.mkdir(parents=True)
    (run / "run.json").touch()
    assert "compare" in completed("comp", tmp_path)
    assert f"results/{run.name}" in completed("report results/", tmp_path)


def test_a_side_completes_to_files_and_to_runs_by_their_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("20260101T000000-a-vs-b-0000", "20260102T000000-a-vs-b-0000", "no-run"):
        (tmp_path / "results" / name).mkdir(parents=True)
        if name != "no-run":
            (tmp_path / "results" / name / "run.json").touch()
    (tmp_path / "a.yml").touch()
    context, argument = click.Context(main), click.Argument(["run"])
    newest_first = [f"results/2026010{day}T000000-a-vs-b-0000" for day in (2, 1)]
    plain = [item.value for item in complete_run(context, argument, "2026") if item.type == "plain"]
    assert plain == newest_first
    assert [item.value for item in complete_side(context, argument, "a") if item.type == "plain"] == ["a.yml"]

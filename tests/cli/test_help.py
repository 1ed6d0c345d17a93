"""The commands' help, what it may load, and that its examples are command lines that are understood."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.cli.helppage import SECTIONS, USES
from harness.cli.resumable import with_resume_told_apart

HEAVY = ("numpy", "pandas", "scipy", "matplotlib", "jinja2", "openai", "httpx2", "jsonschema", "rapidfuzz", "rich")
LOOK = """
import sys
sys.argv = ["bench", *{words!r}]
from harness.cli import main
try:
    main()
except SystemExit as end:
    print(end.code, [name for name in {heavy!r} if name in sys.modules])
"""


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


EVERY = dict(commands())


@pytest.mark.parametrize(
    "words",
    [("--help",), ("--version",), ("compare", "--help"), ("demo", "--help"), ("doctor", "--help"), ("init", "--help")],
)
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    code = LOOK.format(words=words, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_the_look_at_loaded_modules_can_see_one() -> None:
    code = LOOK.format(words=("--help",), heavy=("click",))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 ['click']"


def test_every_command_stands_under_the_use_that_it_has() -> None:
    assert set(main.commands) <= {name for names in USES.values() for name in names}
    shown = CliRunner().invoke(main, ["--help"]).output
    headings = [shown.index(f"{use}:") for use, names in USES.items() if set(names) & set(main.commands)]
    assert headings == sorted(headings)
    for name in main.commands:
        assert re.search(rf"^  {name} ", shown, re.MULTILINE), name
    assert "..." not in shown.split("Compare two endpoints:")[1]  # whole sentences


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_has_a_sentence_and_an_example_of_itself(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*path, "--help"])
    assert shown.exit_code == 0
    sentence, _, example = shown.output.partition("Example:")
    assert "." in sentence
    assert f"bench {' '.join(path)}" in example


def examples(path: tuple[str, ...]) -> Iterator[list[str]]:
    """Give the command lines of a help's example; lines that end in a backslash go on."""
    text = (EVERY[path].help or "").partition("Example:")[2].replace("\\\n", " ")
    text = re.sub(r"<[^>\n]+>", "run", text)
    for line in text.strip().splitlines():
        for part in re.split(r"&&|\||>>?", line):
            words = shlex.split(part)
            if words[:1] == ["bench"]:
                yield words[1:]


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_example_is_understood(path: tuple[str, ...]) -> None:
    found = list(examples(path))
    assert found
    for words in found:
        group: click.Group = main
        names: list[str] = []
        while words and words[0] in group.commands:
            names.append(words.pop(0))
            command = group.commands[names[-1]]
            if not isinstance(command, click.Group):
                break
            group = command
        assert names, words
        context = command.make_context(" ".join(names), words)
        assert not context.args
        assert context.params.keys() >= {p.name for p in command.params if isinstance(p, click.Argument) and p.required}


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_option_says_what_it_does_and_every_command_has_the_common_ones(path: tuple[str, ...]) -> None:
    command = EVERY[path]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{command.name} {parameter.name}"
    if not isinstance(command, click.Group):
        assert {"verbose", "no_color", "debug"} <= {parameter.name for parameter in command.params}


@pytest.mark.parametrize("name", ["compare", "run", "report", "demo"])
def test_many_options_are_listed_by_subject(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"]).output
    headings = [heading for heading in SECTIONS if f"\n{heading}:\n" in shown]
    assert {"What is said", "Reports and exports"} <= set(headings)
    last = shown.rpartition("What is said:")[2]
    assert all(word in last for word in ("--quiet", "--json", "--verbose", "--no-color", "--help"))


def test_help_is_no_wider_than_the_terminal() -> None:
    for columns in ("60", "80", "100"):
        shown = CliRunner().invoke(main, ["compare", "--help"], env={"COLUMNS": columns}, terminal_width=int(columns))
        assert max(map(len, shown.output.splitlines())) <= int(columns), columns


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["--resume", "a.yml", "b.yml"], ["--resume=newest", "a.yml", "b.yml"]),
        (["a.yml", "b.yml", "--resume"], ["a.yml", "b.yml", "--resume"]),
        (["--resume", "results/run", "a.yml", "b.yml"], ["--resume", "results/run", "a.yml", "b.yml"]),
        (["--resume=results/run", "a.yml"], ["--resume=results/run", "a.yml"]),
        (["a.yml", "--", "--resume", "b.yml"], ["a.yml", "--", "--resume", "b.yml"]),
    ],
)
def test_an_endpoint_file_after_resume_is_no_run_folder(words: list[str], meant: list[str]) -> None:
    assert with_resume_told_apart(words) == meant

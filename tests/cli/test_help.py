"""The commands' help, and what it may load."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from harness.cli import main

COMMANDS = (
    *("compare", "plan", "run", "probe", "report", "checklist", "memo", "sabotage"),
    *("simulate", "demo", "doctor", "golden", "schema"),
)
HEAVY = ("numpy", "pandas", "scipy", "matplotlib", "jinja2", "openai", "httpx2", "jsonschema", "rapidfuzz")
LOOK = """
import sys
sys.argv = ["bench", *{words!r}]
from harness.cli import main
try:
    main()
except SystemExit as end:
    print(end.code, [name for name in {heavy!r} if name in sys.modules])
"""


@pytest.mark.parametrize(
    "words",
    [("--help",), ("--version",), ("compare", "--help"), ("demo", "--help"), ("doctor", "--help"), ("probe", "--help")],
)
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    code = LOOK.format(words=words, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_the_look_at_loaded_modules_can_see_one() -> None:
    code = LOOK.format(words=("--help",), heavy=("click",))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 ['click']"


def test_the_group_lists_exactly_these_commands() -> None:
    assert set(main.commands) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_with_an_example(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"])
    assert shown.exit_code == 0
    assert f"bench {command}" in shown.output.split("Example:")[1]


def test_every_option_says_what_it_does() -> None:
    for command in main.commands.values():
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert getattr(parameter, "help", None), f"{command.name} {parameter.name}"

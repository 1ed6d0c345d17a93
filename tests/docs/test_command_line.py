"""The page on the command line names every command and every option that all of them have."""

from pathlib import Path

import click

from harness.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")


def test_every_command_is_named() -> None:
    assert [name for name in main.commands if f"`bench {name}`" not in PAGE] == []


def test_every_common_option_is_named() -> None:
    commands = [one for one in main.commands.values() if not isinstance(one, click.Group)]
    common = set.intersection(*({opt for p in one.params for opt in p.opts if opt[:1] == "-"} for one in commands))
    assert common
    assert [option for option in sorted(common) if f"`{option}`" not in PAGE] == []

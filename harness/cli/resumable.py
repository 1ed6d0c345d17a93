"""Lets `--resume` stand before the endpoint files, where its own value is left out."""

from pathlib import Path

import click

from harness.cli.helppage import SectionedCommand

NEWEST = "newest"
_OPTION = "--resume"


class ResumableCommand(SectionedCommand):
    """A command whose `--resume` takes a run folder, or none: an endpoint file after it is never its value."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line as it is meant."""
        return super().parse_args(ctx, with_resume_told_apart(args))


def with_resume_told_apart(words: list[str]) -> list[str]:
    """Write `--resume a.yml` as `--resume=newest a.yml`: what is a file, or ends like one, is no run folder."""
    told = list(words)
    for place, word in enumerate(words[:-1]):
        if word == "--":
            break
        if word == _OPTION and _is_endpoint_file(words[place + 1]):
            told[place] = f"{_OPTION}={NEWEST}"
    return told


def _is_endpoint_file(word: str) -> bool:
    path = Path(word)
    return not path.is_dir() and (path.is_file() or path.suffix.lower() in (".yml", ".yaml"))

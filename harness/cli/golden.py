"""`bench golden`: look at golden sets, convert them, pick them from traffic."""

import click

from harness.cli.goldencheck import check
from harness.cli.goldenexport import export
from harness.cli.goldenimport import import_
from harness.cli.goldensample import sample
from harness.cli.goldenshow import show


@click.group()
def golden() -> None:
    """Look at golden sets, convert them from and to other formats, pick one from a log of requests.

    A golden set is YAML, or JSON lines where its name ends in .jsonl.

    \b
    Example:
        bench golden import requests.jsonl -o set.yml && bench golden check set.yml
    """


for command in (check, show, import_, export, sample):
    golden.add_command(command)

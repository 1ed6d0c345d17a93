"""The command line: one small module per command."""

import click

from harness import __version__
from harness.cli.baseline import baseline
from harness.cli.bundle import bundle
from harness.cli.checklist import checklist
from harness.cli.cold import cold
from harness.cli.compare import compare
from harness.cli.completion import completion
from harness.cli.demo import demo
from harness.cli.diff import diff
from harness.cli.doctor import doctor
from harness.cli.export import export
from harness.cli.golden import golden
from harness.cli.group import BenchGroup
from harness.cli.history import history
from harness.cli.init import init
from harness.cli.lens import lens
from harness.cli.memo import memo
from harness.cli.plan import plan
from harness.cli.probe import probe
from harness.cli.publish import publish
from harness.cli.recompute import recompute
from harness.cli.record import record
from harness.cli.redact import redact
from harness.cli.regress import regress
from harness.cli.report import report
from harness.cli.run import run
from harness.cli.sabotage import sabotage
from harness.cli.schedule import schedule
from harness.cli.schema import schema
from harness.cli.show import show
from harness.cli.simulate import simulate
from harness.cli.suite import suite
from harness.cli.verify import verify


@click.group(cls=BenchGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="bench")
def main() -> None:
    """Say whether one OpenAI-compatible endpoint is a safe replacement for another, on your prompts.

    Replays a golden set against both, compares answers, tool calls and tails, and writes a report.

    \b
    Exit codes: 0 PASS, 1 FAIL, 3 INCONCLUSIVE, 4 INVALID;
    2 a wrong command line or file, 70 an internal error,
    75 a run that could not complete, 130 interrupted.

    \b
    Example:
        bench init && bench compare a.yml b.yml --golden golden.yml
    """


COMMANDS = (
    *(init, completion),
    *(compare, plan, run, probe, cold, report, show, diff, export, checklist, memo, sabotage, lens, redact),
    *(record, suite, schedule, history, baseline, regress),
    *(publish, verify, bundle, recompute),
    *(simulate, demo, doctor, golden, schema),
)
for command in COMMANDS:
    main.add_command(command)

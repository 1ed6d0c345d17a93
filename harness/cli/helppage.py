"""Lays out help: commands by what they are for, options by what they are about."""

from collections.abc import Iterable, Mapping

import click

USES: Mapping[str, tuple[str, ...]] = {
    "Compare two endpoints": ("init", "plan", "compare", "run", "probe", "cold"),
    "Look at what was recorded": (
        *("report", "show", "diff", "export", "checklist"),
        *("memo", "sabotage", "lens", "redact"),
    ),
    "Over time": (
        *("record", "suite", "schedule", "history", "baseline", "regress"),
        *("publish", "verify", "bundle", "recompute"),
    ),
    "Prepare prompts": ("golden",),
    "Try it out": ("demo", "simulate", "doctor"),
    "Editors and shells": ("schema", "completion"),
}
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "What is asked": ("golden", "settings", "repeats", "quick", "certify", "sequential", "placebo", "seed", "margins"),
    "Load": ("concurrency", "load", "arrival"),
    "Before the run": ("probe", "probes", "skip_preflight"),
    "Retries and budgets": ("retries", "max_cost", "max_requests", "max_tokens", "max_time"),
    "Which run": ("resume", "out"),
    "How it is measured": ("isolate", "workers", "twin"),
    "Reports and exports": ("reports", "markdown", "junit", "requests", "prometheus", "step_summary", "ledger"),
    "Unattended": ("log", "heartbeat", "lock"),
    "What is said": ("quiet", "as_json", "verbose", "no_color", "debug", "_click_default_help"),
}
_WHOLE_SENTENCE = 400  # characters: the list folds it
_OTHERS = "Options"
_OTHER_COMMANDS = "More"


class SectionedCommand(click.Command):
    """A command with so many options that its help lists them by subject."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list for each subject; what belongs to none comes first."""
        records: dict[str, list[tuple[str, str]]] = {heading: [] for heading in (_OTHERS, *SECTIONS)}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                records[_section_of(parameter.name)].append(record)
        for heading, found in records.items():
            if found:
                with formatter.section(heading):
                    formatter.write_dl(found)


def _section_of(name: str | None) -> str:
    return next((heading for heading, names in SECTIONS.items() if name in names), _OTHERS)


def write_commands(formatter: click.HelpFormatter, commands: Iterable[tuple[str, click.Command]]) -> None:
    """Write every command with its sentence under the use that it has."""
    left = dict(commands)
    for use, names in (*USES.items(), (_OTHER_COMMANDS, tuple(left))):
        rows = [(name, left.pop(name).get_short_help_str(_WHOLE_SENTENCE)) for name in names if name in left]
        if rows:
            with formatter.section(use):
                formatter.write_dl(rows)

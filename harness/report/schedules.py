"""A scheduled command as a crontab line, as systemd units, as a GitHub Actions workflow."""

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUTE_S = 60
_MOST_MINUTES = 360  # of a job on a hosted runner
_SETUP_MINUTES = 15
_STOP_S = 600  # beyond the command's own limit: a unit is ended hard only where bench did not end itself
# Each line NAME=value as it stands: nothing in it is a command, and nothing of it is said.
_READ_KEYS = (
    'while IFS= read -r k || [ "$k" ]; do case ${k%%=*} in ""|[0-9]*|*[!A-Za-z0-9_]*) ;; *) export "$k" ;; esac; done'
)
_PLAIN = re.compile(r"^[A-Za-z0-9_@+=:,./-]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is to run, where and when."""

    name: str
    program: tuple[str, ...]  # bench, as this machine calls it
    words: tuple[str, ...]  # after it
    watched: tuple[str, ...]  # the words of a command on a machine of its own: log, heartbeat, lock
    folder: Path
    hour: int
    minute: int
    days: tuple[str, ...] = ()  # empty: every day
    keys: Path | None = None
    variables: tuple[str, ...] = ()  # that the endpoint files take keys from
    max_time_s: float | None = None
    summaries: str = ""  # file that a line of JSON is added to
    ledger_files: tuple[str, ...]  # its own first; from the repository's root, as the next two
    reports: str = "reports"
    results: str = "results"
    subfolder: str = ""
    install: str | None = None
    is_committed: bool = False


def cron_line(schedule: Schedule) -> str:
    """Give the line with its remarks."""
    summaries = shlex.quote(schedule.summaries)
    command = shlex.join([*schedule.program, *schedule.words, *schedule.watched])
    keys = "" if schedule.keys is None else f"{_READ_KEYS} < {shlex.quote(str(schedule.keys))} && "
    folder = shlex.quote(str(Path(schedule.summaries).parent))
    shell = f"cd {shlex.quote(str(schedule.folder))} && {keys}mkdir -p {folder} && exec {command} >> {summaries}"
    return _render("cron.j2", schedule, shell=shell)


def systemd_units(schedule: Schedule) -> dict[str, str]:
    """Give the two files by name."""
    limit = "infinity" if schedule.max_time_s is None else f"{schedule.max_time_s + _STOP_S:.0f}"
    command = [*schedule.program, *schedule.words, *schedule.watched]
    return {
        f"{schedule.name}.service": _render("service.j2", schedule, command=command, limit=limit),
        f"{schedule.name}.timer": _render("timer.j2", schedule),
    }


def workflow(schedule: Schedule) -> str:
    """Give the workflow; a job's page has the summary, and its log what is said."""
    minutes = _MOST_MINUTES - 1
    if schedule.max_time_s is not None:
        minutes = min(minutes, round(schedule.max_time_s / _MINUTE_S) + _SETUP_MINUTES)
    command = ["bench", *schedule.words, "--step-summary"]
    return _render("workflow.j2", schedule, command=command, limit_minutes=minutes, secrets=schedule.variables)


def _render(template: str, schedule: Schedule, **more: Any) -> str:
    given = {name: getattr(schedule, name) for name in schedule.__slots__}
    days = [DAYS.index(day) for day in schedule.days]
    names = ", ".join(schedule.variables)
    return (
        _environment()
        .get_template(template)
        .render(
            **{**given, "variables": f" ({names})" if names else "", **more},
            cron_days=",".join(str((day + 1) % 7) for day in sorted(days)) or "*",
            systemd_days="".join(f"{','.join(DAYS[day].capitalize() for day in sorted(days))} " if days else ""),
            sentence=_sentence(schedule, sorted(days)),
            description=shlex.join(["bench", *schedule.words]),
        )
    )


def _sentence(schedule: Schedule, days: Iterable[int]) -> str:
    named = " and ".join(_DAY_NAMES[day] for day in days) or "day"
    return f"every {named} at {schedule.hour:02d}:{schedule.minute:02d}"


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # only where a file is printed

    environment = Environment(
        loader=PackageLoader("harness.report", "templates/schedules"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # no page: each format has its own way to quote, below
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",  # ${{ }} is GitHub's
        variable_end_string="]]",
        comment_start_string="[##",
        comment_end_string="##]",
    )
    environment.filters |= {
        "for_cron": lambda shell: shell.replace("%", "\\%"),  # crontab(5): a bare % is the end of the line
        "for_systemd": lambda words: " ".join(map(systemd_word, words)),
        "for_systemd_text": lambda text: str(text).replace("%", "%%"),
        "for_shell": shlex.join,
        "for_yaml": json.dumps,  # a JSON text is a YAML text
        "for_expression": lambda text: "'" + text.replace("'", "''") + "'",
    }
    return environment


def systemd_word(word: str) -> str:
    """Quote one word of ExecStart (systemd.service(5), "Command lines"): specifiers and variables stay text."""
    escaped = word.replace("%", "%%").replace("$", "$$")
    if _PLAIN.match(word):
        return escaped
    inner = escaped.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'

"""The summary of a suite: lines for a terminal, Markdown for a job's page."""

from collections.abc import Iterator, Sequence

from harness.model.suiteoutcome import CheckOutcome, MeasurementOutcome, MeasurementState, SuiteOutcome
from harness.report.markdown import code, prose, text
from harness.report.untrusted import one_line

_WORDS = {0: "done", 1: "FAIL", 3: "INCONCLUSIVE", 4: "INVALID", 2: "not run", 70: "broken", 75: "incomplete"}
_WORDS |= {130: "interrupted"}
_ICONS = {0: "\N{WHITE HEAVY CHECK MARK}", 1: "\N{CROSS MARK}", 3: "\N{BLACK QUESTION MARK ORNAMENT}"}
_OTHER_ICON = "\N{WARNING SIGN}\ufe0f"
_SHOWN = 300  # characters of a sentence or an error


def word_of(outcome: MeasurementOutcome) -> str:
    """Give a measurement's verdict, or how it ended where there is none."""
    if outcome.state is MeasurementState.NOT_STARTED:
        return str(outcome.state)
    return outcome.verdict or _WORDS[outcome.exit_code]


def suite_lines(outcome: SuiteOutcome) -> Iterator[str]:
    """Give a line for each measurement and its check, and one for all."""
    for one in outcome.measurements:
        report = f"  {one.report}" if one.report else ""
        yield f"{word_of(one)}: {one.name}  {one_line(one.error or one.sentence or one.run or '', _SHOWN)}{report}"
        if (check := one.regression) is not None:
            yield f"{_check_word(check)}: {one.name}  {one_line(check.error or check.sentence or '', _SHOWN)}"
    yield f"{_n_good(outcome)}; exit code {outcome.exit_code}"


def suite_markdown(outcome: SuiteOutcome) -> str:
    """Give the table of measurements with their checks, and how to run each by itself."""
    icon = _ICONS.get(outcome.exit_code, _OTHER_ICON)
    when = f"{text(outcome.started_at[:16])} UTC, {outcome.duration_s:.0f} s, on {text(outcome.host)}"
    checks = [one.regression.command for one in outcome.measurements if one.regression]
    commands = "\n".join(f"- {code(command)}" for command in (*(one.command for one in outcome.measurements), *checks))
    return "\n\n".join(
        (
            f"## {icon} {text(outcome.suite)}: {_n_good(outcome)}",
            f"{when}; exit code {outcome.exit_code}",
            _grid(("measurement", "outcome", "exit code", "what it says", "report"), list(_rows(outcome))),
            f"<details><summary>Commands</summary>\n\n{commands}\n\n</details>\n",
        )
    )


def _rows(outcome: SuiteOutcome) -> Iterator[tuple[str, ...]]:
    for one in outcome.measurements:
        report = code(one.report) if one.report else ""
        yield (text(one.name), *_told(word_of(one), one.exit_code, one.error or one.sentence), report)
        if (check := one.regression) is not None:
            yield (
                "against the baseline",
                *_told(_check_word(check), check.exit_code, check.error or check.sentence),
                "",
            )


def _told(word: str, exit_code: int, said: str | None) -> tuple[str, ...]:
    return f"{_ICONS.get(exit_code, _OTHER_ICON)} {word}", str(exit_code), prose(one_line(said or "", _SHOWN))


def _check_word(check: CheckOutcome) -> str:
    return check.word or "not checked"


def _n_good(outcome: SuiteOutcome) -> str:
    n_good = sum(one.exit_code == 0 for one in outcome.measurements)
    told = f"{n_good} of {len(outcome.measurements)} measurements ended with 0"
    checks = [one.regression.exit_code for one in outcome.measurements if one.regression is not None]
    return f"{told}, {checks.count(0)} of {len(checks)} checks against the baseline" if checks else told


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

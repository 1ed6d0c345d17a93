"""The last lines of a command: whether timings count, verdict, figures, report, next step."""

import textwrap
from collections.abc import Sequence

from harness.analysis.results.gate import Outcome
from harness.report.page import Headline, ReportView
from harness.report.untrusted import one_line

TEXT_WIDTH = 80
WIDTH = 100  # of a row of figures
MOST_LINES = 15
_SENTENCE_LINES = 4
_TIMING_LINES = 2
_FAILURE_LINES = 2
_STEP_LINES = 3
_NAME = 34  # characters of an endpoint's name
_TAG = 8  # columns before a line's text
_POINTS = "\N{NO-BREAK SPACE}points"
_ORDER = {Outcome.FAIL.value: 0, Outcome.PASS.value: 2}
_TAGGED = ("prompts", "requests", "cost")
_HEADS = ("", "", "effect", "95 % interval", "both sides", "worst", "allowed", "A-A")
_HEADS_OF_ONE = ("", "", "value", "95 % interval", "from", "", "", "")


def end_block(view: ReportView, page: str) -> list[str]:
    """Say what a person needs before opening the page; plain text, only the page's path may be longer than a line."""
    head = [
        *_timing(view),
        *_fold(f"{view.verdict.word}: {view.verdict.sentence}", _SENTENCE_LINES),
        _cut(_sides(view)),
    ]
    tail = [
        *_fold(_counts(view), 1, tag="sent"),
        *_fold(view.identity_line, 1, tag="answers"),
        *_fold(view.failure_line, _FAILURE_LINES, tag="failed"),
        f"{'report':<{_TAG}}{page}",
        *_fold(view.next_step, _STEP_LINES, tag="next"),
    ]
    heads = _HEADS if view.is_comparison else _HEADS_OF_ONE
    room = MOST_LINES - len(head) - len(tail) - 1
    rows = _with_count_of_others(_rows(heads, _most_telling(view.headlines)[:room]), len(view.headlines) - room)
    return [*head, *rows, *(_levels(view) if room > len(view.headlines) else []), *tail]


def _most_telling(headlines: Sequence[Headline]) -> list[Headline]:
    """What failed comes first, then what is open; the order is kept otherwise."""
    return sorted(headlines, key=lambda one: _ORDER.get(one.word, 1))


def _with_count_of_others(rows: list[str], n_others: int) -> list[str]:
    """Say in the empty corner of the heads how many figures found no room."""
    note = f"and {n_others} more"
    if n_others <= 0 or not rows[0].startswith(" " * len(note)):
        return rows
    return [note + rows[0][len(note) :], *rows[1:]]


def _levels(view: ReportView) -> list[str]:
    """Name the levels of load with what each moved, as much of it as one line holds."""
    lines = (f"{'levels':<{_TAG}}{line}" for line in (view.levels.lines if view.levels else ()))
    return [line for line in lines if len(line) <= TEXT_WIDTH][:1]


def _timing(view: ReportView) -> list[str]:
    """Say before any figure whether those of time count: in one line as a row of figures, or folded."""
    line = f"{'timing':<{_TAG}}{one_line(view.certificate.line, WIDTH)}"
    return [line] if len(line) <= WIDTH else _fold(view.certificate.line, _TIMING_LINES, tag="timing")


def _sides(view: ReportView) -> str:
    names = [one_line(side.name, _NAME) for side in view.sides]
    if not view.is_comparison:
        return names[0]
    labels = (f"{name} ({side.arm})" for name, side in zip(names, view.sides, strict=True))
    return " \N{RIGHTWARDS ARROW} ".join(labels)


def _counts(view: ReportView) -> str:
    return ", ".join(f"{fact.label} {fact.value}" for fact in view.facts if fact.label in _TAGGED)


def _rows(heads: Sequence[str], headlines: Sequence[Headline]) -> list[str]:
    """Align the figures in columns under their heads, the outcome first; an empty column is left out."""
    if not headlines:
        return []
    columns = list(zip(*map(_cells, headlines), strict=True))
    shown = [(head, *column) for head, column in zip(heads, columns, strict=True) if any(column)]
    widths = [max(map(len, column)) for column in shown]
    return [_cut("  ".join(map(str.ljust, row, widths)).rstrip()) for row in zip(*shown, strict=True)]


def _cells(headline: Headline) -> tuple[str, ...]:
    """Give a row's cells; an effect has its unit, its worst case and what is allowed share it."""
    return (
        headline.word,
        one_line(headline.label, 22),
        headline.value.replace("points", "pts"),
        one_line(headline.interval, 22) if headline.has_interval else "",
        one_line(headline.sides, 34) or "no value",
        headline.worst.removesuffix(_POINTS),
        headline.allowed.removesuffix(_POINTS),
        headline.noise.removesuffix(_POINTS),
    )


def _fold(text: str, most: int, tag: str = "") -> list[str]:
    """Break a text into at most so many lines, marking what is left out."""
    return textwrap.wrap(
        one_line(text.replace("`", ""), TEXT_WIDTH * most * 2),
        TEXT_WIDTH,
        max_lines=most,
        placeholder=" \N{HORIZONTAL ELLIPSIS}",
        break_on_hyphens=False,
        initial_indent=f"{tag:<{_TAG}}" if tag else "",
        subsequent_indent=" " * _TAG if tag else "",
    )


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "\N{HORIZONTAL ELLIPSIS}"

"""The last lines of a command: verdict, figures, report, next step."""

import textwrap
from collections.abc import Sequence

from harness.report.page import Headline, ReportView
from harness.report.untrusted import one_line

TEXT_WIDTH = 80
WIDTH = 100  # of a row of figures, which cannot be folded
MOST_LINES = 15
_SENTENCE_LINES = 4
_FAILURE_LINES = 2
_STEP_LINES = 3
_NAME = 34  # characters of an endpoint's name
_TAG = 8  # columns before a line's text
_POINTS = "\N{NO-BREAK SPACE}points"
_TAGGED = ("prompts", "requests", "cost")
_HEADS = ("", "", "effect", "95 % interval", "both sides", "worst", "allowed")
_HEADS_OF_ONE = ("", "", "value", "95 % interval", "from", "", "")


def end_block(view: ReportView, page: str) -> list[str]:
    """Say what a person needs before opening the page; plain text, only the page's path may be longer than a line."""
    head = [*_fold(f"{view.verdict.word}: {view.verdict.sentence}", _SENTENCE_LINES), _cut(_sides(view))]
    tail = [
        *_fold(_counts(view), 1, tag="sent"),
        *_fold(view.failure_line, _FAILURE_LINES, tag="failed"),
        f"{'report':<{_TAG}}{page}",
        *_fold(view.next_step, _STEP_LINES, tag="next"),
    ]
    heads = _HEADS if view.is_comparison else _HEADS_OF_ONE
    return [*head, *_rows(heads, view.headlines[: MOST_LINES - len(head) - len(tail) - 1]), *tail]


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
        one_line(headline.label, 18),
        headline.value.replace("points", "pts"),
        one_line(headline.interval, 22) if headline.has_interval else "",
        one_line(headline.sides, 34) or "no value",
        headline.worst.removesuffix(_POINTS),
        headline.allowed.removesuffix(_POINTS),
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

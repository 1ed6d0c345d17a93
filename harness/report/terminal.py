"""The last lines of a command: whether timings count, verdict, figures, report, next step."""

import textwrap
from collections.abc import Sequence

from harness.analysis.results.gate import Outcome
from harness.report.page import Headline, ReportView
from harness.report.untrusted import one_line
from harness.report.view_tls import LABEL

TEXT_WIDTH = 80  # columns where nobody says how many there are
MOST_WIDTH = 120  # of a line of prose: longer ones are hard to read
LEAST_WIDTH = 40  # below, a block would be nothing but ends of lines
MOST_LINES = 24  # of a terminal that is not tall; unless more gates than fit failed or stayed open
_SENTENCE_LINES = 4
_TIMING_LINES = 2
_FAILURE_LINES = 2
_STEP_LINES = 3
_WORSE_LINES = 2
_MORE_LINES = 2
_NAME = 34  # characters of an endpoint's name
_LABEL = 34  # of a gate's
_TAG = 8  # columns before a line's text
_POINTS = "\N{NO-BREAK SPACE}points"
_ORDER = {Outcome.FAIL.value: 0, Outcome.PASS.value: 2, "VOID": 3}
_TAGGED = ("prompts", "requests", "retries", "cost")
_HEADS = ("", "", "effect", "95 % interval", "both sides", "worst", "allowed", "A-A")
_HEADS_OF_ONE = ("", "", "value", "95 % interval", "from", "", "", "")
_GIVEN_UP = (7, 3, 4, 6, 2)  # columns that a narrow terminal does without, in this order
_UNSETTLED = frozenset({Outcome.FAIL.value, Outcome.INCONCLUSIVE.value})


def end_block(view: ReportView, page: str, width: int = TEXT_WIDTH) -> list[str]:
    """Say what a person needs before opening the page; plain text, only the page's path may be longer than a line."""
    width = max(LEAST_WIDTH, width)
    prose = min(width, MOST_WIDTH)
    head = [
        *_loud(view, prose),
        *_timing(view, prose),
        *_fold(f"{view.verdict.word}: {view.verdict.sentence}", _SENTENCE_LINES, prose),
        _cut(_sides(view), width),
    ]
    tail = [
        *_fold(_counts(view), 1, prose, tag="sent"),
        *_fold(view.identity_line, 1, prose, tag="answers"),
        *_fold(view.failure_line, _FAILURE_LINES, prose, tag="failed"),
        f"{'report':<{_TAG}}{page}",
        *_fold(view.next_step, _STEP_LINES, prose, tag="next"),
    ]
    heads = _HEADS if view.is_comparison else _HEADS_OF_ONE
    ordered = _most_telling(view.gate_rows or view.headlines)
    worse = _worse(ordered, prose)
    n_unsettled = sum(one.word in _UNSETTLED for one in ordered)
    room = max(MOST_LINES - len(head) - len(worse) - len(tail) - 1, n_unsettled)
    levels = _levels(view, width) if room > n_unsettled else []
    room -= len(levels)
    if room < len(ordered):
        room = max(room - _MORE_LINES, n_unsettled)
    rows = [*_rows(heads, ordered[:room], width), *_others(ordered[room:], prose)]
    return [*head, *rows, *worse, *levels, *tail]


def _loud(view: ReportView, width: int) -> list[str]:
    """Say before anything else that certificates were not verified."""
    loud = (fact.value for fact in view.facts if fact.label == LABEL)
    return [line for value in loud for line in _fold(f"WARNING: TLS {value}", 2, width)]


def _most_telling(headlines: Sequence[Headline]) -> list[Headline]:
    """What failed comes first, then what is open, what passed, what is VOID.

    Of those that passed: what is worse all the same, what differs, what does not; each nearest to its margin first.
    """
    return sorted(
        headlines,
        key=lambda one: (_ORDER.get(one.word, 1), not one.is_worse_inside, one.is_same, -one.margin_used),
    )


def _others(others: Sequence[Headline], width: int) -> list[str]:
    """Name the figures that found no room."""
    names = ", ".join(one.label for one in others)
    return _fold(f"and {len(others)} more in the report: {names}", _MORE_LINES, width) if others else []


def _worse(headlines: Sequence[Headline], width: int) -> list[str]:
    """Name what passed although it is measurably worse: a PASS is no word for the same."""
    found = ", ".join(f"{one.label} {one.value}" for one in headlines if one.is_worse_inside and one.word == "PASS")
    return _fold(f"measurably, inside your margin: {found}", _WORSE_LINES, width, tag="worse") if found else []


def _levels(view: ReportView, width: int) -> list[str]:
    """Name the levels of load with what each moved, as much of it as one line holds."""
    lines = (f"{'levels':<{_TAG}}{line}" for line in (view.levels.lines if view.levels else ()))
    return [line for line in lines if len(line) <= width][:1]


def _timing(view: ReportView, width: int) -> list[str]:
    """Say before any figure whether those of time count."""
    return _fold(view.certificate.line, _TIMING_LINES, width, tag="timing")


def _sides(view: ReportView) -> str:
    names = [one_line(side.name, _NAME) for side in view.sides]
    if not view.is_comparison:
        return names[0]
    labels = (f"{name} ({side.arm})" for name, side in zip(names, view.sides, strict=True))
    return " \N{RIGHTWARDS ARROW} ".join(labels)


def _counts(view: ReportView) -> str:
    return ", ".join(f"{fact.label} {fact.value}" for fact in view.facts if fact.label in _TAGGED)


def _rows(heads: Sequence[str], headlines: Sequence[Headline], width: int) -> list[str]:
    """Align the figures in columns under their heads, the outcome first; an empty column is left out.

    Where the lines are too long, columns are given up one by one; the outcome, the name and the worst case stay last.
    """
    if not headlines:
        return []
    columns = [(head, *column) for head, column in zip(heads, zip(*map(_cells, headlines), strict=True), strict=True)]
    kept = [place for place, column in enumerate(columns) if any(column[1:])]
    for place in _GIVEN_UP:
        if _length([columns[one] for one in kept]) <= width:
            break
        kept = [one for one in kept if one != place]
    shown = [columns[one] for one in kept]
    widths = [max(map(len, column)) for column in shown]
    return [_cut("  ".join(map(str.ljust, row, widths)).rstrip(), width) for row in zip(*shown, strict=True)]


def _length(columns: Sequence[Sequence[str]]) -> int:
    return sum(max(map(len, column)) for column in columns) + 2 * (len(columns) - 1)


def _cells(headline: Headline) -> tuple[str, ...]:
    """Give a row's cells; an effect has its unit, its worst case and what is allowed share it."""
    return (
        headline.word,
        one_line(headline.label, _LABEL),
        headline.value.replace("points", "pts"),
        one_line(headline.interval, 22) if headline.has_interval else "",
        one_line(headline.sides, 34) or "no value",
        headline.worst.removesuffix(_POINTS),
        headline.allowed.removesuffix(_POINTS),
        headline.noise.removesuffix(_POINTS),
    )


def _fold(text: str, most: int, width: int, tag: str = "") -> list[str]:
    """Break a text into at most so many lines, marking what is left out."""
    return textwrap.wrap(
        one_line(text.replace("`", ""), width * most * 2),
        width,
        max_lines=most,
        placeholder=" \N{HORIZONTAL ELLIPSIS}",
        break_on_hyphens=False,
        initial_indent=f"{tag:<{_TAG}}" if tag else "",
        subsequent_indent=" " * _TAG if tag else "",
    )


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"

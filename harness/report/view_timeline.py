"""A stream's events against time, from its record: drawing units and words."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from harness.model.record import Record, Stamps
from harness.report import format as fmt
from harness.report.promptpage import Mark, Timeline

WIDTH, HEIGHT = 300, 40  # drawing units: few places keep a page of a hundred timelines small
_N_TICKS = 5
_STEPS = (1, 2, 2.5, 5, 10)
_S = 1e9
# Instants in the order in which they usually come, as a reader calls them.
INSTANTS: tuple[tuple[str, str], ...] = (
    ("headers_at_ns", "response head"),
    ("event_1_at_ns", "first event"),
    ("token_1_at_ns", "first output"),
    ("answer_1_at_ns", "first visible answer"),
    ("token_n_at_ns", "last output"),
    ("finish_at_ns", "finish reason"),
    ("usage_at_ns", "usage"),
    ("done_at_ns", "[DONE]"),
    ("ended_at_ns", "end"),
)
_MARKED = {"headers_at_ns": "head", "token_1_at_ns": "first output", "ended_at_ns": "end"}


def since_sent_s(stamps: Stamps, name: str) -> float | None:
    """Give an instant as seconds since the request was sent."""
    at_ns, sent_ns = getattr(stamps, name), stamps.sent_at_ns
    return None if at_ns is None or sent_ns is None else (at_ns - sent_ns) / _S


def length_s(record: Record) -> float:
    """How long a record's axis must be: up to its last known instant; 0 where nothing is known."""
    found = [since_sent_s(record.stamps, name) for name, _ in INSTANTS]
    return max((value for value in found if value is not None), default=0.0)


def timeline(record: Record, axis_s: float) -> Timeline | None:
    """Lay one request out over an axis of this length; None where it was never sent or nothing came."""
    sent_ns = record.stamps.sent_at_ns
    if sent_ns is None or axis_s <= 0:
        return None
    places = [_x((at_ns - sent_ns) / _S, axis_s) for at_ns in record.arrivals.at_ns]
    return Timeline(
        width=WIDTH,
        height=HEIGHT,
        steps=_steps(places, _characters(record)),
        events=tuple(dict.fromkeys(places)),
        marks=_marks(record.stamps, axis_s),
        ticks=_ticks(axis_s),
        description=describe(record),
    )


def _x(since_s: float, axis_s: float) -> int:
    return min(WIDTH, max(0, round(WIDTH * since_s / axis_s)))


def _characters(record: Record) -> list[int]:
    found = record.arrivals
    return [sum(of) for of in zip(found.content_chars, found.reasoning_chars, found.tool_chars, strict=True)]


def _steps(places: Sequence[int], characters: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Give the places where the cumulative share of characters rises by a unit or more, with its height there."""
    total, seen, height = sum(characters), 0, HEIGHT
    found: list[tuple[int, int]] = []
    for place, number in zip(places, characters, strict=True):
        seen += number
        y = round(HEIGHT * (1 - seen / total)) if total else HEIGHT
        if y != height:
            found.append((place, y))
        height = y
    return tuple(found)


def _marks(stamps: Stamps, axis_s: float) -> tuple[Mark, ...]:
    found = ((label, since_sent_s(stamps, name)) for name, label in _MARKED.items())
    return tuple(Mark(x=_x(since_s, axis_s), label=label) for label, since_s in found if since_s is not None)


def _ticks(axis_s: float) -> tuple[Mark, ...]:
    """Cut the axis at round numbers of one unit."""
    step = _round_step(axis_s / _N_TICKS)
    scale = fmt.scale_for("s", [axis_s])
    count = int(axis_s / step + 1e-9)
    return tuple(Mark(x=_x(step * n, axis_s), label=_plain(step * n, scale)) for n in range(count + 1))


def _plain(value_s: float, scale: fmt.Scale) -> str:
    return f"{value_s * scale.factor:.6g}{fmt.GAP}{scale.symbol}"


def _round_step(least: float) -> float:
    power = 10.0 ** _exponent(least)
    return next(power * step for step in _STEPS if power * step >= least * (1 - 1e-9))


def _exponent(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


def describe(record: Record) -> str:
    """Say the main instants and the longest pause."""
    return ", ".join(_words(record)) or "nothing came"


def _words(record: Record) -> Iterator[str]:
    for name, label in _MARKED.items():
        if (since_s := since_sent_s(record.stamps, name)) is not None:
            yield f"{label} after {fmt.duration(since_s)}"
    n_events = len(record.arrivals.at_ns)
    if n_events:
        yield fmt.plural(n_events, "event") + " with output"
    gaps = [later - earlier for earlier, later in pairwise(record.arrivals.at_ns)]
    if gaps:
        yield f"longest gap {fmt.duration(max(gaps) / _S)}"

"""What an opened prompt says of its single requests, as text and drawing units."""

from dataclasses import dataclass

from harness.report.untrusted import Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Why a prompt stands where it stands: a cause with what to do about it."""

    code: str  # as `failure/rate_limited`
    group: str  # what the page filters by: failed, tool, check, differs, slower
    arm: str  # empty: of both sides together
    side: str
    words: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An instant on a timeline, with its place in the drawing."""

    x: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A stream against time: how much output had come, and when events came."""

    width: int
    height: int
    steps: tuple[tuple[int, int], ...]  # x, and y from the upper edge, of the share of output that had come
    events: tuple[int, ...]  # x of each event with output, one per place
    marks: tuple[Mark, ...]
    ticks: tuple[Mark, ...]  # of the axis
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """One request of a side in full."""

    arm: str
    name: str
    title: str
    why: str  # this one was taken
    timeline: Timeline | None
    timeline_note: str
    address: str
    body: Excerpt | None  # None: not at hand
    response: Excerpt | None
    response_end: str  # after what is left out in the middle
    n_left_out: int  # bytes in the middle

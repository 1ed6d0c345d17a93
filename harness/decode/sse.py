"""Server-sent events split from bytes; lines end on LF, CR LF or CR alone, nothing else.

An event is complete at the first byte of the line end that closes its blank line: the second CR of
CR CR, the second CR of CR LF CR LF. So a prefix of a stream holds exactly the events that end in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")  # the end alone: matching whole lines takes quadratic time on one without end


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event; `end` is the body offset at which it was complete."""

    data: bytes | None  # joined data lines; None when there was no data field
    end: int
    name: str | None = None
    id: str | None = None
    retry: str | None = None
    error: bytes | None = None  # value of the non-standard field `error`
    is_finished: bool = True  # False for a last event without its blank line


@dataclass(frozen=True, slots=True, kw_only=True)
class SseBody:
    """A body as events, with what stood around them."""

    events: tuple[SseEvent, ...]
    n_comments: int = 0
    first_comment: str = ""
    has_byte_order_mark: bool = False


class _Splitter:
    """The fields of the event under way."""

    def __init__(self) -> None:
        self.n_comments = 0
        self.first_comment = ""
        self._data: list[bytes] = []
        self._fields: dict[bytes, bytes] = {}

    def add_line(self, line: bytes) -> None:
        """Take one non-empty line."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name:
            self._fields[name] = value
        else:
            self.n_comments += 1
            self.first_comment = self.first_comment or _text(value)

    def take(self, end: int, *, is_finished: bool = True) -> SseEvent | None:
        """Close the event under way; None when nothing but comments came."""
        if not self._data and not self._fields:
            return None
        data = b"\n".join(self._data) if self._data else None
        fields = self._fields
        self._data = []
        if not fields:
            return SseEvent(data, end, is_finished=is_finished)
        self._fields = {}
        return SseEvent(
            data,
            end,
            name=_text(fields[b"event"]) if b"event" in fields else None,
            id=_text(fields[b"id"]) if b"id" in fields else None,
            retry=_text(fields[b"retry"]) if b"retry" in fields else None,
            error=fields.get(b"error"),
            is_finished=is_finished,
        )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def split_events(body: bytes) -> SseBody:
    """Split a whole or partial body; an unfinished last event is given and marked."""
    has_mark = body.startswith(BYTE_ORDER_MARK)
    start = len(BYTE_ORDER_MARK) if has_mark else 0
    splitter = _Splitter()
    events = tuple(_events(body, start, splitter))
    return SseBody(
        events=events,
        n_comments=splitter.n_comments,
        first_comment=splitter.first_comment,
        has_byte_order_mark=has_mark,
    )


def _events(body: bytes, start: int, splitter: _Splitter) -> Iterator[SseEvent]:
    for line_end in _LINE_END.finditer(body, start):
        if line := body[start : line_end.start()]:
            splitter.add_line(line)
        elif event := splitter.take(line_end.start() + 1):
            yield event
        start = line_end.end()
    if start < len(body):
        splitter.add_line(body[start:])
    if last := splitter.take(len(body), is_finished=False):
        yield last

"""The wire bytes of one HTTP/1.1 response, framed so that every body byte knows its read."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import httptools

from harness.decode.compression import inflate
from harness.model.record import Reads

FIRST_FINAL_STATUS = 200
IDENTITY = frozenset({"", "identity"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """A response as far as it arrived; broken framing keeps what was whole before it."""

    status: int | None = None  # None when the head never completed
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()  # lower-case names, wire order, trailers left out
    body: bytes = b""  # chunk framing removed, content coding undone
    body_ends: tuple[int, ...] = ()  # ascending end offset of each body piece ...
    body_reads: tuple[int, ...] = ()  # ... and the read that brought it
    head_read: int | None = None  # read that completed the head
    is_complete: bool = False  # framing saw the end; without framing, True: only the close ends it
    is_framed: bool = False  # by length or chunks, so that an early end shows
    coding: str | None = None  # content coding other than identity
    is_too_large: bool = False  # the decoded body passed the limit
    error: str | None = None  # what broke framing or coding

    def header(self, name: str) -> str | None:
        """First value of a header, by lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    def read_of(self, end_offset: int) -> int | None:
        """Read that brought the body byte just before an offset; None for an empty body."""
        if not self.body_ends:
            return None
        piece = min(bisect_left(self.body_ends, end_offset), len(self.body_ends) - 1)
        return self.body_reads[piece]


def response_parser(listener: object) -> httptools.HttpResponseParser:
    """Frame as leniently as the HTTP library below the SDK: what an application can read is no failure.

    That library takes a length beside chunks, lines that end in LF alone and blanks behind a chunk's size.
    """
    parser = httptools.HttpResponseParser(listener)
    parser.set_dangerous_leniencies(
        lenient_chunked_length=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
    )
    return parser


def why_unframed(broken: httptools.HttpParserError | httptools.HttpParserUpgrade) -> str:
    """Say what broke the framing; an upgrade's own message is a byte offset."""
    is_upgrade = isinstance(broken, httptools.HttpParserUpgrade)
    return "broken framing: the server switched to another protocol" if is_upgrade else f"broken framing: {broken}"


class _Listener:
    """Collects what httptools reports; the first final response counts, bytes after it do not."""

    def __init__(self) -> None:
        self.read = 0
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []
        self.pieces: list[bytes] = []
        self.piece_reads: list[int] = []
        self.head_read: int | None = None
        self.is_complete = False
        self._reason: list[bytes] = []
        self.parser = response_parser(self)

    def on_message_begin(self) -> None:
        """A 1xx head is forgotten when the next begins."""
        if not self.is_complete:
            self._reason = []
            self.headers = []

    def on_status(self, reason: bytes) -> None:
        """The reason phrase, which may come in parts."""
        if not self.is_complete:
            self._reason.append(reason)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; trailers are ignored."""
        if self.head_read is None:
            self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The head is whole; a 1xx head does not count."""
        status = self.parser.get_status_code()
        if status >= FIRST_FINAL_STATUS and self.head_read is None:
            self.status = status
            self.head_read = self.read

    def on_body(self, piece: bytes) -> None:
        """A piece of body, chunk framing removed."""
        if self.head_read is not None and not self.is_complete:
            self.pieces.append(piece)
            self.piece_reads.append(self.read)

    def on_message_complete(self) -> None:
        """The end of the response, unless it was an interim one."""
        self.is_complete = self.is_complete or self.head_read is not None

    @property
    def reason(self) -> str:
        """The reason phrase."""
        return b"".join(self._reason).decode("latin-1")


def split_wire(wire: bytes, reads: Reads) -> HttpResponse:
    """Frame the recorded bytes read by read; total: no input raises."""
    listener = _Listener()
    error = None
    for read, piece in _slices(wire, reads.n_bytes):
        listener.read = read
        try:
            listener.parser.feed_data(piece)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as broken:
            error = None if listener.is_complete else why_unframed(broken)
        if error or listener.is_complete:
            break
    return _response(listener, error)


def _slices(wire: bytes, sizes: tuple[int, ...]) -> Iterator[tuple[int, memoryview]]:
    """Cut the wire at the reads; bytes that no read accounts for belong to the last one."""
    view = memoryview(wire)
    start = 0
    for read, size in enumerate(sizes[:-1]):
        if size > 0:
            yield read, view[start : start + size]
            start += size
    if start < len(wire):
        yield max(0, len(sizes) - 1), view[start:]


def _response(listener: _Listener, error: str | None) -> HttpResponse:
    headers = tuple(listener.headers) if listener.head_read is not None else ()
    named = dict(reversed(headers))
    is_framed = "chunked" in named.get("transfer-encoding", "").lower() or "content-length" in named
    coding = named.get("content-encoding", "").strip().lower()
    pieces: tuple[bytes, ...] = tuple(listener.pieces)
    is_too_large = False
    if coding not in IDENTITY and pieces:
        inflated = inflate(pieces, coding)
        pieces, is_too_large = inflated.pieces, inflated.is_too_large
        error = error or inflated.error
    return HttpResponse(
        status=listener.status,
        reason=listener.reason if listener.head_read is not None else "",
        headers=headers,
        body=b"".join(pieces),
        body_ends=tuple(accumulate(map(len, pieces))),
        body_reads=tuple(listener.piece_reads),
        head_read=listener.head_read,
        is_complete=listener.is_complete or (listener.head_read is not None and not is_framed and not error),
        is_framed=is_framed,
        coding=coding if coding not in IDENTITY else None,
        is_too_large=is_too_large,
        error=error,
    )

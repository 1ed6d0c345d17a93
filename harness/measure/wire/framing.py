"""Knows the end of a response at once: HTTP/1.1 framing at C speed, one byte test for the stream's own end."""

import re

import httptools

from harness.decode.http import FIRST_FINAL_STATUS, response_parser, why_unframed

_TAIL_BYTES = 40
_DONE_LINE = re.compile(rb"[\r\n]data: ?\[DONE\]\s*\Z")  # at a line's start: no JSON string holds a bare line break
MAX_HEAD_BYTES = 1024 * 1024
_MOST_FRAMING = 8  # bytes around each byte of body: a server that sends chunks of one byte needs five


class Framing:
    """One response's framing, fed read by read; the first final response counts."""

    def __init__(self) -> None:
        """Wait for the first byte."""
        self.status: int | None = None
        self.headers: list[tuple[str, str]] = []  # lower-case names, wire order, trailers left out
        self.is_complete = False  # by length, by last chunk, or without a body
        self.is_done = False  # the body's last line is `data: [DONE]`
        self.keeps_alive = False
        self.has_excess = False  # bytes after the end
        self.error: str | None = None
        self.n_body_bytes = 0
        self.n_wire_bytes = 0
        self._tail = b"\n"  # the body's start is a line's start
        self._parser = response_parser(self)

    def feed(self, piece: bytes) -> None:
        """Take the next bytes; an error stays an error."""
        self.n_wire_bytes += len(piece)
        if self.error is not None or self.is_complete:
            self.has_excess = self.is_complete
            return
        try:
            self._parser.feed_data(piece)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as broken:
            self._break(why_unframed(broken))
        if self.n_wire_bytes > MAX_HEAD_BYTES:
            self._refuse_endless_framing()

    def _refuse_endless_framing(self) -> None:
        """A head, trailers and what stands between chunks are kept like the body, so they have a bound too."""
        n_framing = self.n_wire_bytes - self.n_body_bytes
        if self.status is None:
            self._break(f"a response head of more than {MAX_HEAD_BYTES} bytes")
        elif n_framing > MAX_HEAD_BYTES + _MOST_FRAMING * self.n_body_bytes:
            self._break(f"{n_framing} bytes of framing around {self.n_body_bytes} bytes of body")

    def _break(self, error: str) -> None:
        """What breaks after the end is excess; of several errors the first counts."""
        if self.is_complete:
            self.has_excess = True
        else:
            self.error = self.error or error

    @property
    def is_framed(self) -> bool:
        """Whether an early end shows; without it the close ends the response."""
        return any(name in {"content-length", "transfer-encoding"} for name, _ in self.headers)

    @property
    def is_reusable(self) -> bool:
        """Whether the connection may carry another request."""
        return self.is_complete and self.keeps_alive and not self.has_excess

    def on_message_begin(self) -> None:
        """A 1xx head is forgotten when the next begins; a response after the end is excess."""
        if self.is_complete:
            self.has_excess = True
        else:
            self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; trailers and what follows the end are ignored."""
        if self.status is None:
            self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The head is whole; a 1xx head does not count."""
        status = self._parser.get_status_code()
        if status >= FIRST_FINAL_STATUS and self.status is None:
            self.status = status

    def on_body(self, piece: bytes) -> None:
        """A piece of body, chunk framing removed."""
        if self.is_complete:
            return
        self.n_body_bytes += len(piece)
        self._tail = (self._tail + piece)[-_TAIL_BYTES:]
        if b"[DONE]" in self._tail:
            self.is_done = _DONE_LINE.search(self._tail) is not None or self.is_done

    def on_message_complete(self) -> None:
        """The end of the response, unless it was an interim one."""
        if self.status is not None and not self.is_complete:
            self.is_complete = True
            self.keeps_alive = bool(self._parser.should_keep_alive())

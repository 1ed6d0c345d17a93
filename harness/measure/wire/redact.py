"""Strikes secrets out of recorded bytes; lengths stay, since the offsets of the reads must hold."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from harness.decode.compression import inflate
from harness.decode.headers import is_recorded
from harness.decode.http import IDENTITY
from harness.measure.wire.framing import Framing
from harness.measure.wire.parted import is_parted, on_body, parted_spans

_LINE = re.compile(rb"(?P<text>[^\r\n]*+)(?:\r\n|\r|\n|\Z)")  # a lone CR ends a line for some readers of a head
_LINE_BREAKS = re.compile(rb"[\r\n]*+")
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? \d{3}(?: |\Z)")
_CHUNK_LINE = re.compile(rb"0*([0-9A-Fa-f]{1,16})[^\r\n]*\r?\n")
_HOST = re.compile(rb"[^:]*:[ \t]*(?:https?:)?//(?P<user>(?:[^/?#@]*@)?)[\w.:\[\]-]*", re.IGNORECASE)
_PLAIN_END = b"\r\n0\r\n\r\n"
_READABLE = IDENTITY | {"gzip", "x-gzip", "deflate", "x-deflate"}
SHORTEST_SECRET = 7  # a shorter value (none, EMPTY, 1) guards nothing, and would be struck out of ordinary text

# What a JSON writer may escape: nothing, what HTML gives a meaning, every sign but the slash, every sign.
_SIGNS = tuple(map(re.compile, (rb"(?!)", rb"[\"&'+<>`]", rb"[^A-Za-z0-9_.\-/]", rb"[^A-Za-z0-9_.\-]")))

Span = tuple[int, int]


@lru_cache(maxsize=64)
def spellings(secrets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    r"""Each secret as it is and as JSON writers may spell it: `/` as `\/`, signs as `\u002B` or `\u002b`."""
    found = dict.fromkeys(secrets)
    for secret in secrets:
        for signs in _SIGNS:
            for code in (b"\\u%04X", b"\\u%04x"):
                spelled = signs.sub(lambda sign, code=code: code % sign[0][0], secret)  # type: ignore[misc]  # a default
                found |= dict.fromkeys((spelled, spelled.replace(b"/", rb"\/")))
    return tuple(found)


def recorded_headers(headers: Iterable[tuple[str, str]], secrets: Sequence[bytes]) -> dict[str, str]:
    """The headers of the allow-list, the first of each name, secrets struck out."""
    kept: dict[str, str] = {}
    for name, value in headers:
        if is_recorded(name) and name not in kept:
            raw = value.encode("latin-1")
            kept[name] = _masked(raw, _occurrences(raw, secrets)).decode("latin-1")
    return kept


def redact(wire: bytes, secrets: Sequence[bytes]) -> bytes:
    """Put `*` for the values of headers outside the allow-list and for every secret, wherever chunks cut it.

    What comes after the response's end belongs to no response: all of it goes.
    """
    secrets = spellings(tuple(secrets))
    content = _Content(wire)
    spans = [*_occurrences(wire, secrets), *_private_values(wire, 0, content.body_start)]
    if not content.is_readable:
        spans += _body_pieces(wire, content)
    if not content.ends_plainly:
        spans += _behind_the_body(wire, content)
    clean = _masked(wire, spans)
    if content.error is None and not _holds_anyhow(content.body, secrets):
        return clean
    return _masked_in_body(clean, wire, _body_pieces(wire, content), secrets)


def _masked_in_body(clean: bytes, wire: bytes, pieces: Sequence[Span], secrets: Sequence[bytes]) -> bytes:
    """Mask secrets that lie across chunks or events; a body that holds one all the same, compressed say, goes whole."""
    joined = b"".join(wire[start:end] for start, end in pieces)
    clean = _masked(clean, on_body(_occurrences(joined, secrets), pieces))
    parts = parted_spans(joined, lambda text: _occurrences(text, secrets))
    clean = _masked(clean, on_body(parts, pieces))
    return _masked(clean, pieces) if _holds_anyhow(_Content(clean).body, secrets) else clean


def _holds_anyhow(body: bytes, secrets: Sequence[bytes]) -> bool:
    """Whether a secret stands in one piece or spread over events."""
    return bool(secrets) and (_holds(body, secrets) or is_parted(body, lambda text: _occurrences(text, secrets)))


class _Content(Framing):
    """Framing that keeps the body and knows where it begins."""

    def __init__(self, wire: bytes) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self.body_start = self._feed_head(wire)
        self.feed(wire[self.body_start :])
        named = dict(reversed(self.headers))
        self.is_chunked = "transfer-encoding" in named
        self._coding = named.get("content-encoding", "identity").strip().lower()
        is_last = wire.endswith(_PLAIN_END) if self.is_chunked else self.body_start + self.n_body_bytes == len(wire)
        self.ends_plainly = is_last and self.is_complete and not self.has_excess

    def _feed_head(self, wire: bytes) -> int:
        """Feed up to the end of the final head, line by line; the wire's end where there is none."""
        at = _LINE_BREAKS.match(wire).end()  # type: ignore[union-attr]  # matches nothing, too
        self.feed(wire[:at])
        while self.status is None and self.error is None and at < len(wire):
            end = wire.find(b"\n", at) + 1 or len(wire)
            self.feed(wire[at:end])
            at = end
        return at if self.status is not None else len(wire)

    def on_body(self, piece: bytes) -> None:
        """Keep what belongs to the response."""
        super().on_body(piece)
        if not self.is_complete:
            self._pieces.append(piece)

    @property
    def is_readable(self) -> bool:
        """Whether the body can be searched: what nobody here can decode may hold anything."""
        return self._coding in _READABLE

    @property
    def body(self) -> bytes:
        """The body, its content coding undone as far as it can be."""
        is_plain = self._coding in IDENTITY
        return b"".join(self._pieces if is_plain else inflate(self._pieces, self._coding).pieces)


def _private_values(wire: bytes, start: int, end: int) -> Iterator[Span]:
    """Values of header lines outside the allow-list, continuation lines with them; the heads' first lines stay."""
    is_private = False
    for found in _LINE.finditer(wire, start, end):
        line, at = found["text"], found.start()
        name, colon, _ = line.partition(b":")
        is_continued = line[:1] in {b" ", b"\t"}
        if not is_continued:
            is_header = bool(colon) and not _STATUS_LINE.match(line)
            is_private = is_header and not is_recorded(name.strip().decode("latin-1").lower())
        if is_private and not is_continued and name.strip().lower() == b"location":
            yield from _but_the_host(line, at)
        elif is_private:
            yield at + (0 if is_continued else len(name) + 1), at + len(line)


def _but_the_host(line: bytes, start: int) -> Iterator[Span]:
    """What a redirect's address says beside its host: a path or a query may hold a token."""
    host = _HOST.match(line)
    if host is None:
        yield start + line.find(b":") + 1, start + len(line)
        return
    yield start + host.start("user"), start + host.end("user")
    yield start + host.end() + 1, start + len(line)  # the sign that ends the host stays


def _body_pieces(wire: bytes, content: _Content) -> list[Span]:
    start = content.body_start
    return _chunks(wire, start) if content.is_chunked else [(start, len(wire))]


def _behind_the_body(wire: bytes, content: _Content) -> Iterator[Span]:
    """What stands behind the body: private values of trailers, and all that comes after the response's end."""
    if content.is_chunked:
        yield from _behind_the_chunks(wire, content)
    elif content.is_complete:
        yield content.body_start + content.n_body_bytes, len(wire)


def _behind_the_chunks(wire: bytes, content: _Content) -> Iterator[Span]:
    pieces = _chunks(wire, content.body_start)
    if content.is_complete and sum(end - start for start, end in pieces) != content.n_body_bytes:
        yield content.body_start, len(wire)  # the parser reads these chunks otherwise: nothing of them is certain
        return
    last = _last_chunk_end(wire, pieces, content.body_start)
    end = _trailers_end(wire, last)
    yield from _private_values(wire, last, end)
    yield end, len(wire)


def _chunks(wire: bytes, start: int) -> list[Span]:
    """Where the data of each chunk lies; from where the framing breaks, all the rest is one."""
    pieces: list[Span] = []
    while line := _CHUNK_LINE.match(wire, start):
        size = int(line[1], 16)
        if size == 0:
            return pieces
        end = min(line.end() + size, len(wire))
        pieces.append((line.end(), end))
        start = end + 2
    return [*pieces, (start, len(wire))]


def _last_chunk_end(wire: bytes, pieces: Sequence[Span], body_start: int) -> int:
    """Where the lines after the last chunk begin; the wire's end when that chunk never came."""
    last = _CHUNK_LINE.match(wire, pieces[-1][1] + 2 if pieces else body_start)
    return last.end() if last and int(last[1], 16) == 0 else len(wire)


def _trailers_end(wire: bytes, start: int) -> int:
    """Behind the empty line that ends them; the wire's end where it never came."""
    return next((found.end() for found in _LINE.finditer(wire, start) if not found["text"]), len(wire))


def _occurrences(text: bytes, secrets: Sequence[bytes]) -> Iterator[Span]:
    """Every place of every secret, overlapping ones too, and the beginning of one that the end cuts off."""
    for secret in secrets:
        at = text.find(secret)
        while at >= 0:
            yield at, at + len(secret)
            at = text.find(secret, at + 1)
        at = text.find(secret[:SHORTEST_SECRET], max(0, len(text) - len(secret) + 1))
        while at >= 0:
            if secret.startswith(text[at:]):
                yield at, len(text)
            at = text.find(secret[:SHORTEST_SECRET], at + 1)


def _holds(text: bytes, secrets: Sequence[bytes]) -> bool:
    return next(_occurrences(text, secrets), None) is not None


def _masked(text: bytes, spans: Iterable[Span]) -> bytes:
    masked: bytearray | None = None
    for start, end in spans:
        masked = bytearray(text) if masked is None else masked
        masked[start:end] = b"*" * (end - start)
    return text if masked is None else bytes(masked)

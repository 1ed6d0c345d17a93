"""Strikes secrets out of recorded bytes; lengths stay, since the offsets of the reads must hold."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from harness.decode.compression import inflate
from harness.decode.http import IDENTITY
from harness.measure.wire.framing import Framing
from harness.measure.wire.parted import is_parted, parted_spans

_BLANK_LINE = re.compile(rb"\n\r?\n")
_INTERIM = re.compile(rb"HTTP/\S+ +1")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[^\r\n]*\r?\n")
_HOST = re.compile(rb"[^:]*:[ \t]*(?:https?:)?//(?P<user>(?:[^/?#@]*@)?)[^/?#@]*", re.IGNORECASE)
_PLAIN_END = b"\r\n0\r\n\r\n"
_READABLE = IDENTITY | {"gzip", "x-gzip", "deflate", "x-deflate"}
_RECORDED = frozenset(
    {
        "age",
        "apim-request-id",
        "cache-control",
        "cf-cache-status",
        "cf-ray",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "keep-alive",
        "mistral-correlation-id",
        "openai-model",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "server",
        "server-timing",
        "transfer-encoding",
        "vary",
        "via",
        "x-accel-buffering",
        "x-amz-cf-id",
        "x-cache",
        "x-envoy-upstream-service-time",
        "x-generation-id",
        "x-groq-region",
        "x-ms-region",
        "x-request-id",
        "x-should-retry",
    }
)
_RECORDED_PREFIXES = ("x-ratelimit-", "ratelimit-", "anthropic-ratelimit-")

SHORTEST_SECRET = 7  # a shorter value (none, EMPTY, 1) guards nothing, and would be struck out of ordinary text

# What a JSON writer may escape: nothing, what HTML gives a meaning, every sign but the slash, every sign.
_SIGNS = tuple(map(re.compile, (rb"(?!)", rb"[\"&'+<>`]", rb"[^A-Za-z0-9_.\-/]", rb"[^A-Za-z0-9_.\-]")))

Span = tuple[int, int]


def is_recorded(name: str) -> bool:
    """Whether a header, by its lower-case name, may be recorded; any other may be a cookie or name an account."""
    return name in _RECORDED or name.startswith(_RECORDED_PREFIXES)


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
    """Put `*` for the values of headers outside the allow-list and for every secret, wherever chunks cut it."""
    secrets = spellings(tuple(secrets))
    heads = _heads(wire)
    body_start = heads[-1][1] if heads else 0
    spans = [*_occurrences(wire, secrets)]
    for start, end in heads:
        spans += _private_values(wire, wire.find(b"\n", start) + 1, end)
    content = _Content(wire)
    if not content.is_readable:
        spans += _body_pieces(wire, body_start, content)
    elif content.is_chunked and not (content.is_complete and wire.endswith(_PLAIN_END)):
        spans += _private_values(wire, _trailers_start(wire, body_start), len(wire))
    clean = _masked(wire, spans)
    if content.error is None and not _holds_anyhow(content.body, secrets):
        return clean
    return _masked_in_body(clean, wire, _body_pieces(wire, body_start, content), secrets)


def _masked_in_body(clean: bytes, wire: bytes, pieces: Sequence[Span], secrets: Sequence[bytes]) -> bytes:
    """Mask secrets that lie across chunks or events; a body that holds one all the same, compressed say, goes whole."""
    joined = b"".join(wire[start:end] for start, end in pieces)
    clean = _masked(clean, _on_wire(_occurrences(joined, secrets), pieces))
    parts = parted_spans(joined, lambda text: _occurrences(text, secrets))
    clean = _masked(clean, _on_wire(parts, pieces))
    return _masked(clean, pieces) if _holds_anyhow(_Content(clean).body, secrets) else clean


def _holds_anyhow(body: bytes, secrets: Sequence[bytes]) -> bool:
    """Whether a secret stands in one piece or spread over events."""
    return bool(secrets) and (_holds(body, secrets) or is_parted(body, lambda text: _occurrences(text, secrets)))


class _Content(Framing):
    """Framing that keeps the body."""

    def __init__(self, wire: bytes) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self.feed(wire)
        named = dict(reversed(self.headers))
        self.is_chunked = "transfer-encoding" in named
        self._coding = named.get("content-encoding", "identity").strip().lower()

    def on_body(self, piece: bytes) -> None:
        """Keep what belongs to the response."""
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


def _heads(wire: bytes) -> list[Span]:
    """The interim heads and the final one; a head without an end reaches to the end."""
    heads: list[Span] = []
    start = 0
    while wire.startswith(b"HTTP/", start):
        blank = _BLANK_LINE.search(wire, start)
        end = blank.end() if blank else len(wire)
        heads.append((start, end))
        if not _INTERIM.match(wire, start):
            break
        start = end
    return heads


def _private_values(wire: bytes, start: int, end: int) -> Iterator[Span]:
    """Values of header lines outside the allow-list, continuation lines with them."""
    is_private = False
    while 0 < start < end:
        line_end = wire.find(b"\n", start, end)
        line_end = end if line_end < 0 else line_end
        line = wire[start:line_end].rstrip(b"\r")
        name, colon, _ = line.partition(b":")
        is_continued = line[:1] in {b" ", b"\t"}
        if not is_continued:
            is_private = bool(colon) and not is_recorded(name.strip().decode("latin-1").lower())
        if is_private and not is_continued and name.strip().lower() == b"location":
            yield from _but_the_host(line, start)
        elif is_private:
            yield start + (0 if is_continued else len(name) + 1), start + len(line)
        start = line_end + 1


def _but_the_host(line: bytes, start: int) -> Iterator[Span]:
    """What a redirect's address says beside its host: a path or a query may hold a token."""
    host = _HOST.match(line)
    if host is None:
        yield start + line.find(b":") + 1, start + len(line)
        return
    yield start + host.start("user"), start + host.end("user")
    yield start + host.end() + 1, start + len(line)  # the sign that ends the host stays


def _body_pieces(wire: bytes, body_start: int, content: _Content) -> list[Span]:
    return _chunks(wire, body_start) if content.is_chunked else [(body_start, len(wire))]


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


def _trailers_start(wire: bytes, body_start: int) -> int:
    """Where the lines after the last chunk begin; the wire's end when that chunk never came."""
    pieces = _chunks(wire, body_start)
    last = _CHUNK_LINE.match(wire, pieces[-1][1] + 2 if pieces else body_start)
    return last.end() if last and int(last[1], 16) == 0 else len(wire)


def _on_wire(spans: Iterable[Span], pieces: Sequence[Span]) -> Iterator[Span]:
    """Spans of the joined pieces as spans of the wire, one for each piece they touch."""
    for first, last in spans:
        offset = 0
        for start, end in pieces:
            low, high = max(first, offset), min(last, offset + end - start)
            if low < high:
                yield start + low - offset, start + high - offset
            offset += end - start


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

"""Content codings undone piece by piece, so that every decoded byte keeps its read."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

MAX_BODY_BYTES = 64 * 1024 * 1024
GZIP_WINDOW = 16 + zlib.MAX_WBITS
_ZLIB_HEAD_BYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Inflated:
    """Decoded pieces, one for each piece given, with what stopped the decoding early."""

    pieces: tuple[bytes, ...]
    error: str | None = None
    is_too_large: bool = False


class _Inflater:
    """One coding's state across pieces; gzip members may follow one another."""

    def __init__(self, coding: str, limit: int) -> None:
        self._coding = coding
        self._left = limit
        self._stream = zlib.decompressobj(GZIP_WINDOW) if coding == "gzip" else None

    def feed(self, piece: bytes) -> bytes:
        """Decode what this piece completes; raises zlib.error or OverflowError."""
        decoded: list[bytes] = []
        while piece:
            if self._stream is None:
                self._stream = zlib.decompressobj(_deflate_window(piece))
            decoded.append(self._bounded(piece))
            piece = self._stream.unused_data
            if self._stream.eof:
                piece = piece if self._coding == "gzip" else b""
                self._stream = zlib.decompressobj(GZIP_WINDOW) if self._coding == "gzip" else self._stream
        return b"".join(decoded)

    def _bounded(self, piece: bytes) -> bytes:
        assert self._stream is not None  # noqa: S101 - narrows the type, feed made it
        decoded = self._stream.decompress(piece, self._left + 1)
        self._left -= len(decoded)
        if self._left < 0:
            raise OverflowError
        return decoded


def _deflate_window(start: bytes) -> int:
    """Tell a zlib wrapper from raw deflate, which some servers send under the same name."""
    head = start[:_ZLIB_HEAD_BYTES]
    has_wrapper = head[0] & 0x0F == zlib.DEFLATED and (len(head) < _ZLIB_HEAD_BYTES or int.from_bytes(head) % 31 == 0)
    return zlib.MAX_WBITS if has_wrapper else -zlib.MAX_WBITS


def inflate(pieces: Sequence[bytes], coding: str, *, limit: int = MAX_BODY_BYTES) -> Inflated:
    """Undo gzip or deflate; decoding stops at damage or at the limit, what came before stays."""
    name = coding.strip().lower().removeprefix("x-")
    if name not in {"gzip", "deflate"}:
        return Inflated(pieces=tuple(pieces), error=f"content coding {name} is not decoded")
    inflater = _Inflater(name, limit)
    decoded: list[bytes] = []
    for piece in pieces:
        try:
            decoded.append(inflater.feed(piece))
        except zlib.error as damage:
            return Inflated(pieces=_padded(decoded, len(pieces)), error=f"damaged {name}: {damage}")
        except OverflowError:
            error = f"{name} body inflates beyond {limit} bytes"
            return Inflated(pieces=_padded(decoded, len(pieces)), error=error, is_too_large=True)
    return Inflated(pieces=tuple(decoded))


def _padded(decoded: list[bytes], length: int) -> tuple[bytes, ...]:
    return tuple(decoded) + (b"",) * (length - len(decoded))

"""JSON from a stranger: decoded without trust, text made encodable."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Payload:
    """A decoded JSON value, or why there is none."""

    value: Any = None
    error: str | None = None
    is_invalid_utf8: bool = False


def decode_payload(data: bytes) -> Payload:
    """Decode JSON; what strict decoding refuses gets a second, lenient try. Never raises."""
    try:
        return Payload(_decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_leniently(data)


def _decode_leniently(data: bytes) -> Payload:
    """Accept broken UTF-8, NaN, raw control characters and lone surrogates, as applications do."""
    is_invalid = not _is_utf8(data)
    try:
        return Payload(json.loads(data.decode("utf-8", "replace"), strict=False), is_invalid_utf8=is_invalid)
    except (ValueError, RecursionError) as refused:
        return Payload(error=type(refused).__name__, is_invalid_utf8=is_invalid)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def clean_text(text: str) -> str:
    """Join surrogate halves that came apart; replace those without a partner."""
    if text.isascii() or not has_surrogates(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def has_surrogates(text: str) -> bool:
    """Whether a text holds halves of surrogate pairs, which UTF-8 cannot carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def text_or_none(value: object) -> str | None:
    """A non-empty text or a number as text; anything else is None."""
    if isinstance(value, str):
        return clean_text(value) or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)[:64] if abs(value) < 1e18 else None  # noqa: PLR2004 - an error code, not a quantity
    return None


def as_json_text(value: object) -> str:
    """Compact JSON of a decoded value; empty when it cannot be written."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return ""

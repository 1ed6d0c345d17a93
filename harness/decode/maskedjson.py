"""Masks JSON text byte for byte: every text, number and key that may be somebody's words; structure and lengths stay.

The bytes may be torn, glued or no JSON at all: whatever is not known to be structure is masked.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

KNOWN_WORDS = frozenset(
    {
        *("chat.completion.chunk", "chat.completion", "text_completion", "error", "list", "model"),
        *("assistant", "user", "system", "tool", "developer", "function", "custom"),
        *("text", "thinking", "reasoning", "refusal", "output_text", "summary_text", "reasoning.text"),
    }
)
_KEYS = frozenset(
    {
        *("id", "object", "created", "model", "system_fingerprint", "service_tier", "choices", "index", "delta"),
        *("message", "role", "content", "refusal", "reasoning", "reasoning_content", "reasoning_details", "thinking"),
        *("summary", "text", "audio", "transcript", "data", "expires_at", "tool_calls", "function_call", "function"),
        *("name", "arguments", "type", "finish_reason", "native_finish_reason", "stop_reason", "matched_stop"),
        *("logprobs", "bytes", "token", "logprob", "top_logprobs", "usage", "x_groq", "prompt_tokens", "input_tokens"),
        *("completion_tokens", "output_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"),
        *("input_tokens_details", "output_tokens_details", "cached_tokens", "reasoning_tokens", "audio_tokens"),
        *("accepted_prediction_tokens", "rejected_prediction_tokens", "prompt_cache_hit_tokens"),
        *("prompt_cache_miss_tokens", "cache_read_input_tokens", "queue_time", "prompt_time", "completion_time"),
        *("total_time", "error", "code", "param", "status", "detail", "details", "parsed", "annotations", "n"),
        *("provider", "obfuscation", "prompt_filter_results", "content_filter_results", "timings", "input"),
    }
)
_OPAQUE = frozenset({"arguments", "parsed", "input", "logprobs", "annotations"})  # an answer's own JSON may lie below
_WORDS_OF = frozenset({"object", "role", "type"})
_REASONS_OF = frozenset({"finish_reason", "native_finish_reason", "stop_reason"})
_NUMBERS_OF = frozenset({"index", "created", "n", "status"})
_TOKEN = re.compile(
    rb'"(?:[^"\\]|\\.)*+(?P<closed>"?)|-?[0-9][0-9.eE+-]*|[A-Za-z_]+|[{}\[\],:]|[\x00-\x20]+|[^\x00-\x20]', re.DOTALL
)
REASON = re.compile(r"[A-Za-z_]{1,32}")
_SHORT_NUMBER = re.compile(r"[0-9]{1,3}")
_EXPONENT = re.compile(rb"[eE][+-]?[0-9]*")
_LITERALS = frozenset({b"true", b"false", b"null", b"NaN", b"Infinity"})
_CHARACTER = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}|\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\u[0-9a-fA-F]{0,3}"
    rb"|\\[\"\\/bfnrt]|\\.|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
    rb"|[\x00-\x1f]|[\x20-\x7f]|[\x80-\xff]",
    re.DOTALL,
)
_HIGH, _LOW = b"89abAB", b"cdefCDEF"
_PLAIN = bytes(byte if byte in b"\r\n\t" else 1 if byte < ord(" ") else ord("x") for byte in range(256))
_MODEL = re.compile(r"[\w./:@+-]{1,128}")

Pseudonym = Callable[[str], str]  # of the same length


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What may stay beside the structure, and what stands for what must only stay distinct."""

    pseudonym: Pseudonym
    tool_names: frozenset[str] = frozenset()
    has_models: bool = True  # False: names of models and tiers are replaced, too


def fill(raw: bytes) -> bytes:
    """Put one character of the same size for each of a text's, as JSON spells them; line ends and tabs stay."""
    if raw.isascii() and b"\\" not in raw:
        return raw.translate(_PLAIN)
    return _CHARACTER.sub(lambda found: _filling(found[0]), raw)


def _filling(character: bytes) -> bytes:  # one case after the other
    if character[:1] == b"\\":
        return _escaped(character)
    size = len(character)
    if size > 1:
        return {2: b"\xc3\x97", 3: b"\xe2\x96\xa1", 4: b"\xf0\x9f\x80\xab"}[size]
    if character < b"\x20":
        return character if character in b"\r\n\t" else b"\x01"
    return b"x" if character < b"\x80" else b"\xff"


def _escaped(character: bytes) -> bytes:
    if len(character) == 1:
        return character
    if character[1:2] != b"u":
        return b"\\/" if character[1:2] in b'"\\/bfnrt' else b"\\x"
    if len(character) < 6:  # noqa: PLR2004  # torn
        return b"\\u" + b"0" * (len(character) - 2)
    if character[2:3] in b"dD" and character[3:4] in _HIGH:
        return b"\\ud83c"
    if character[2:3] in b"dD" and character[3:4] in _LOW:
        return b"\\udc2b"
    return b"\\u0078"


@dataclass(slots=True)
class _Level:
    """A container under way."""

    is_object: bool
    is_opaque: bool
    is_counting: bool  # below usage: numbers are counts
    key: str | None = None  # of the value that comes next
    awaits_key: bool = field(init=False)

    def __post_init__(self) -> None:
        self.awaits_key = self.is_object


def mask_json(text: bytes, kept: Kept) -> bytes:
    """Mask one JSON value, or what was meant to be one."""
    levels = [_Level(is_object=False, is_opaque=False, is_counting=False)]
    tokens = _TOKEN.finditer(text)
    return b"".join(_masked(token[0], bool(token["closed"]), levels, kept) for token in tokens)


def _masked(token: bytes, is_closed: bool, levels: list[_Level], kept: Kept) -> bytes:  # noqa: FBT001  # of a text
    first, level = token[:1], levels[-1]
    if first == b'"':
        return _masked_text(token, is_closed, level, kept)
    if first in b"{[":
        is_opaque = level.is_opaque or level.key in _OPAQUE
        is_counting = not is_opaque and (level.is_counting or level.key == "usage")
        levels.append(_Level(first == b"{", is_opaque, is_counting, None if first == b"{" else level.key))
        return token
    if first in b"}]":
        if len(levels) > 1:
            levels.pop()
        return token
    if first == b",":
        level.awaits_key = level.is_object
    if first in b",:" or first <= b"\x20":
        return token
    return _masked_bare(token, level)


def _masked_text(token: bytes, is_closed: bool, level: _Level, kept: Kept) -> bytes:  # noqa: FBT001
    inside = token[1 : len(token) - is_closed]
    end = b'"' if is_closed else b""
    if level.awaits_key:
        level.awaits_key = False
        key = inside.decode("utf-8", "replace")
        level.key = key if key in _KEYS else "?"
        return b'"' + (inside if key in _KEYS else fill(inside)) + end
    if not is_closed or level.is_opaque or not inside.isascii() or b"\\" in inside:
        return b'"' + fill(inside) + end
    return b'"' + _instead(inside.decode(), level, kept).encode() + end


def _instead(text: str, level: _Level, kept: Kept) -> str:
    """Give what stands for a text under its key."""
    key = level.key
    if _is_word(text, key, kept) or (key == "index" and _SHORT_NUMBER.fullmatch(text)):
        return text
    if key == "model":
        return text if kept.has_models and _MODEL.fullmatch(text) else kept.pseudonym(text)
    if key in {"id", "system_fingerprint"} and text:
        return kept.pseudonym(text)
    return fill(text.encode()).decode()


def _is_word(text: str, key: str | None, kept: Kept) -> bool:
    if key in _WORDS_OF:
        return text in KNOWN_WORDS
    if key in _REASONS_OF:
        return REASON.fullmatch(text) is not None
    return key == "name" and text in kept.tool_names


def _masked_bare(token: bytes, level: _Level) -> bytes:
    """Mask a number, a literal or what is no JSON."""
    if token[:1].isdigit() or (token[:1] == b"-" and token[1:2].isdigit()):
        is_structure = level.is_counting or (level.key in _NUMBERS_OF and not level.is_opaque)
        return token if is_structure else _masked_number(token)
    if token in _LITERALS:
        return token if not level.is_opaque or token == b"null" else b"null".ljust(len(token))[: len(token)]
    return fill(token)


def _masked_number(token: bytes) -> bytes:
    """Every digit becomes 1, those of an exponent 0: as long, still a number, and finite."""
    exponent = _EXPONENT.search(token)
    cut = exponent.start() if exponent else len(token)
    return re.sub(rb"[0-9]", b"1", token[:cut]) + re.sub(rb"[0-9]", b"0", token[cut:])

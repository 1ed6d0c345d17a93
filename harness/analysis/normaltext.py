"""Brings two texts to a form in which only differences that matter remain."""

import re
import unicodedata

_SPACE = re.compile(r"\s+")
_MARKS = re.compile(r"[ ,./\-_*^]")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SHORT = 500
# Text up to a character that composes with nothing before it: ASCII, or a letter of Chinese, Japanese or Korean.
_PIECE = re.compile(
    r".{500}.{0,500}?(?=[\x00-\x7f\u1100-\u115f\u3000-\u3029\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff\uac00-\ud7a3])",
    re.DOTALL,
)


def composed(text: str) -> str:
    """NFC piece by piece: composing one endless run of marks takes quadratic time."""
    if text.isascii() or len(text) <= _SHORT:
        return unicodedata.normalize("NFC", text)
    pieces, start = [], 0
    while start < len(text):
        found = _PIECE.match(text, start)
        end = found.end() if found else start + 2 * _SHORT
        pieces.append(unicodedata.normalize("NFC", text[start:end]))
        start = end
    return "".join(pieces)


def collapse(text: str) -> str:
    """NFC, trimmed, runs of white space as one space."""
    return _SPACE.sub(" ", composed(text)).strip()


def loose(text: str) -> str:
    """Collapse and fold case: how argument values compare by default."""
    return collapse(text).casefold()


def unpunctuated(text: str) -> str:
    """Fold as `loose` does, then drop spaces and `,./-_*^` and take one quote for the other.

    What the Berkeley Function Calling Leaderboard does to both texts before it compares them.
    """
    return _MARKS.sub("", loose(text)).replace("'", '"')


def trimmed(text: str) -> str:
    """NFC without outer white space; what stands inside counts."""
    return composed(text).strip()


def encodable(text: str) -> str:
    """Replace lone surrogates, which an escaped answer may carry and no file can hold."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def count_wordlike_tokens(text: str) -> int:
    """Count words and punctuation marks: a stand-in where the server reports no token count."""
    return sum(1 for _ in _TOKEN.finditer(text))

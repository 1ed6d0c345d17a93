"""Brings two texts to a form in which only differences that matter remain."""

import re
import unicodedata

_SPACE = re.compile(r"\s+")
_TOKEN = re.compile(r"\w+|[^\w\s]")


def collapse(text: str) -> str:
    """NFC, trimmed, runs of white space as one space."""
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()


def loose(text: str) -> str:
    """Collapse and fold case: how argument values compare by default."""
    return collapse(text).casefold()


def trimmed(text: str) -> str:
    """NFC without outer white space; what stands inside counts."""
    return unicodedata.normalize("NFC", text).strip()


def encodable(text: str) -> str:
    """Replace lone surrogates, which an escaped answer may carry and no file can hold."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def count_wordlike_tokens(text: str) -> int:
    """Count words and punctuation marks: a stand-in where the server reports no token count."""
    return sum(1 for _ in _TOKEN.finditer(text))

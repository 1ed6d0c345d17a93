"""Text that an endpoint sent, made visible before it is shown."""

import re
from dataclasses import dataclass

# Left as they are: tab and line feed (laid out), ZWJ and ZWNJ (emoji, Persian), variation selectors.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and line feed, DEL, C1
    "\u00ad\u061c\u180e\u200b\u200e\u200f"  # soft hyphen, Arabic letter mark, zero width space, LRM, RLM
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # separators, bidi embeddings and isolates, BOM
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, tag characters
)
_PICTURES = 0x2400  # control pictures stand in the order of the C0 set
_LAST_C0 = 0x1F
_DELETE = 0x7F


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The part of a text that a page shows, with the length of the rest."""

    text: str
    n_cut: int = 0


def visible(text: str) -> str:
    """Replace what would act instead of being read: controls, bidi overrides, lone surrogates."""
    return _INVISIBLE.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= _LAST_C0:
        return chr(_PICTURES + code)
    return "\N{SYMBOL FOR DELETE}" if code == _DELETE else f"\u27e8U+{code:04X}\u27e9"


def one_line(text: str, limit: int = 240) -> str:
    """Give a visible single line, its cut marked by an ellipsis."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def excerpt(text: str, limit: int) -> Excerpt:
    """Give the visible head of a text and say how many characters are left out."""
    shown = visible(text)
    return Excerpt(text=shown[:limit], n_cut=max(0, len(shown) - limit))

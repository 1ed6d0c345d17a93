"""Reads the last number that an answer states."""

import re

# A minus belongs to the number only where nothing numeric or wordlike stands before it (not in 5-3 or 2026-01-15) and
# no space after it (not in the list item "- 5" or the range 3 – 5).
_NUMBER = re.compile(
    r"(?P<minus>(?<![\w.)\]])[-\u2212\u2013])?[$€£¥]?"
    r"(?P<digits>\d{1,3}(?:[,'\u2019\u00a0\u202f\u2009]\d{3})+(?![\d])(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\d.])\.\d+)"
    r"(?P<exponent>[eE][+-]?\d{1,3}(?![\w]))?"
)
_SEPARATORS = re.compile(r"[,'\u2019\u00a0\u202f\u2009]")


def last_number(text: str) -> float | None:
    """Give the last number in the text: thousands separators, minus and decimals understood; 42. reads as 42."""
    plain = text.replace("{,}", ",").replace("\\,", "")  # LaTeX thousands separators
    numbers = list(_NUMBER.finditer(plain))
    if not numbers:
        return None
    found = numbers[-1]
    value = float(_SEPARATORS.sub("", found["digits"]) + (found["exponent"] or ""))
    return -value if found["minus"] else value

"""Says the same in other words, leaving alone what a check may hold to the letter."""

import random
import re

_LEAST_WORDS = 8  # shorter answers are labels, numbers and names
_SYNONYMS = {
    "also": "too",
    "begin": "start",
    "big": "large",
    "but": "yet",
    "choose": "pick",
    "fast": "quick",
    "gives": "yields",
    "help": "assist",
    "however": "still",
    "keep": "retain",
    "large": "big",
    "many": "numerous",
    "needs": "requires",
    "often": "frequently",
    "only": "just",
    "quickly": "fast",
    "shows": "displays",
    "small": "little",
    "start": "begin",
    "then": "afterwards",
    "through": "via",
    "uses": "employs",
    "while": "whereas",
    "with": "along with",
}
_WORD = re.compile(r"\b(" + "|".join(_SYNONYMS) + r")\b")
_VERBATIM = ("```", "{", "[", "|", "\t", "<")


def paraphrased(text: str, draws: random.Random) -> str | None:
    """Replace some words and now and then open with a phrase; None for what must stay verbatim."""
    if len(text.split()) < _LEAST_WORDS or any(mark in text for mark in _VERBATIM):
        return None
    changed = _WORD.sub(lambda found: _SYNONYMS[found[0]] if draws.random() < 0.7 else found[0], text)  # noqa: PLR2004  # most, not all
    if changed == text:
        return f"{text} That is all."
    return changed

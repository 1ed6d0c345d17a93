"""Guesses the language of a text: its script, and for Latin script the words that only one language has often.

A guess for sorting traffic, no more: a short or mixed text comes out as its script alone.
"""

import re
from collections import Counter

_LOOKED_AT = 4000  # characters: the start of a text is in the language of the rest
_FEWEST_HITS = 3
_SCRIPTS = {  # the letters of each script's main blocks
    name: re.compile(f"[{letters}]+")
    for name, letters in (
        ("latin", "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"),
        ("greek", "\u0370-\u03ff"),
        ("cyrillic", "\u0400-\u052f"),
        ("hebrew", "\u0590-\u05ff"),
        ("arabic", "\u0600-\u077f"),
        ("devanagari", "\u0900-\u097f"),
        ("bengali", "\u0980-\u09ff"),
        ("tamil", "\u0b80-\u0bff"),
        ("thai", "\u0e00-\u0e7f"),
        ("japanese", "\u3040-\u30ff"),
        ("han", "\u3400-\u9fff"),
        ("korean", "\uac00-\ud7af"),
    )
}
_COMMON_WORDS = {
    "en": "the of and to is in that for with what are this you how",
    "de": "der die das und ist nicht ein eine mit für auf wie ich von",
    "fr": "le la les des est une pour dans que avec vous je qui pas",
    "es": "el los las una por para que con es del como está y",
    "pt": "os as uma para com não que do da em você é como",
    "it": "il gli una per con che di non è della come sono nel",
    "nl": "de het een van en is niet voor met dat zijn hoe ik",
    "cs": "je na se že pro jak není jsou které která jako by od",
    "pl": "nie jest na się że do dla jak czy są oraz przez tego",
    "sv": "och att det är som en på för inte med av jag hur",
    "tr": "bir ve bu için ile ne mi da çok olarak nasıl değil",
}
_WORD = re.compile(r"[^\W\d_]+")


def guess_language(text: str) -> str:
    """Give `en`, `de`, … for Latin script where words tell, else the script's name; `none` without letters."""
    head = text[:_LOOKED_AT]
    script = _script(head)
    return _latin_language(head) if script == "latin" else script


def _script(text: str) -> str:
    """Give the script of most letters; some kana make Han characters Japanese."""
    counts = {name: n for name, letters in _SCRIPTS.items() if (n := sum(map(len, letters.findall(text))))}
    if not counts:
        return "other" if any(map(str.isalpha, text)) else "none"
    if counts.get("japanese", 0) * 10 > counts.get("han", 0):
        counts["japanese"] += counts.pop("han", 0)
    return max(counts, key=lambda name: (counts[name], name))


def _latin_language(text: str) -> str:
    words = Counter(_WORD.findall(text.lower()))
    hits = {name: sum(words[word] for word in known.split()) for name, known in _COMMON_WORDS.items()}
    best, second = sorted(hits, key=lambda name: (-hits[name], name))[:2]
    return best if hits[best] >= _FEWEST_HITS and hits[best] > hits[second] else "latin"

"""Seeded text of a known number of tokens, for prompts that no golden set answers."""

import random

from harness.simulator.tokens import tokenize

_TEXT = """
amber anchor autumn basket beacon bridge candle canyon cedar copper coral cotton ember fabric falcon
feather forest garden glacier granite harbour harvest hollow island ivory jasmine juniper kettle
lantern lemon linen magnet maple marble meadow mirror morning mosaic nectar nutmeg ocean olive
orchard paper pebble pepper pillow planet quartz quiet ribbon river saddle saffron silver sparrow
spruce stone summer temple thimble timber valley velvet violet walnut water willow window winter
yellow zephyr
"""
_WORDS = _TEXT.split()
_SENTENCE = 9  # words


def seeded_text(draws: random.Random, n_tokens: int) -> str:
    """Give plain sentences of exactly that many tokens; the last may be cut."""
    words: list[str] = []
    while len(words) <= n_tokens:  # a word is at least one token
        sentence = draws.choices(_WORDS, k=_SENTENCE)
        words += [sentence[0].capitalize(), *sentence[1:-1], f"{sentence[-1]}."]
    return "".join(tokenize(" ".join(words))[:n_tokens])

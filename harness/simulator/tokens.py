"""The simulator's own tokenizer: pieces of at most four characters, white space attached in front."""

import re
from functools import lru_cache

_PIECE = re.compile(r"\s{0,4}\S{1,4}|\s{1,4}")


def tokenize(text: str) -> list[str]:
    """Split into tokens that join to exactly the text; a prefix of tokens tokenizes to itself."""
    return _PIECE.findall(text)


@lru_cache(maxsize=4096)
def count_tokens(text: str) -> int:
    """Count without keeping the tokens; golden prompts come again and again."""
    return sum(1 for _ in _PIECE.finditer(text))


def scaled(n_tokens: int, factor: float) -> int:
    """Count as a tokenizer that needs `factor` times as many tokens would; something never becomes nothing."""
    return max(1, round(n_tokens * factor)) if n_tokens else 0

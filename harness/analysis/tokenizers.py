"""Notices that the two sides count tokens differently, from what they report for the same prompts and texts."""

from collections.abc import Sequence
from statistics import median

from harness.analysis.pairs import Pair
from harness.analysis.results.trial import Trial
from harness.analysis.words import TIMES

_SAME = (0.98, 1.02)  # a chat template differs by a token or two; a tokenizer by tenths


def tokenizer_note(pairs: Sequence[Pair]) -> str:
    """Say how the counts differ and what that does to rates and prices; empty where they agree or are not known."""
    prompt_ratio = _median_ratio(pairs, "prompt_tokens")
    if prompt_ratio is None or _SAME[0] <= prompt_ratio <= _SAME[1]:
        return ""
    text_ratio = _median_ratio(pairs, "visible_chars_rate")
    text = "" if text_ratio is None else f" Visible characters per second: {text_ratio:.2f}{TIMES}."
    return (
        f"The tokenizers differ: for the same prompts the candidate counts {prompt_ratio:.2f}{TIMES} the tokens, so a "
        f"ratio of tokens per second or of money per token compares different tokens.{text}"
    )


def _median_ratio(pairs: Sequence[Pair], metric: str) -> float | None:
    values = [(_value(pair.reference, metric), _value(pair.candidate, metric)) for pair in pairs]
    ratios = [
        candidate / reference
        for reference, candidate in values
        if reference is not None and candidate is not None and reference > 0
    ]
    return median(ratios) if ratios else None


def _value(trial: Trial, metric: str) -> float | None:
    found = trial.metrics.get(metric)
    return None if found is None else found.value

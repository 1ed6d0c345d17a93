"""The note on two sides that count tokens differently."""

from dataclasses import replace

import pytest

from harness.analysis.pairs import Pair
from harness.analysis.results.estimates import Value
from harness.analysis.results.trial import Trial
from harness.analysis.tokenizers import tokenizer_note
from harness.model.record import Arm
from tests.analysis.trialcases import known, missing, side_trials


def pairs(reference: Value, candidate: Value, chars: float | None = None) -> list[Pair]:
    sides = zip(side_trials(Arm.REFERENCE), side_trials(Arm.CANDIDATE), strict=True)
    return [
        Pair(prompt_id=a.key.prompt_id, reference=_told(a, reference), candidate=_told(b, candidate, chars))
        for a, b in sides
    ]


def _told(trial: Trial, prompt_tokens: Value, chars: float | None = None) -> Trial:
    rate = known(400.0 if chars is None else chars)
    return replace(trial, metrics={**trial.metrics, "prompt_tokens": prompt_tokens, "visible_chars_rate": rate})


def test_a_quarter_more_tokens_for_the_same_prompts_is_said_with_the_characters() -> None:
    assert tokenizer_note(pairs(known(900.0), known(1125.0), 380.0)) == (
        "The tokenizers differ: for the same prompts the candidate counts 1.25× the tokens, so a ratio of tokens per "
        "second or of money per token compares different tokens. Visible characters per second: 0.95×."
    )


@pytest.mark.parametrize(
    ("reference", "candidate"),
    [
        (known(900.0), known(900.0)),
        (known(900.0), known(905.0)),  # a chat template
        (missing("usage missing"), known(900.0)),
        (known(0.0), known(900.0)),
    ],
)
def test_equal_or_unknown_counts_are_no_note(reference: Value, candidate: Value) -> None:
    assert tokenizer_note(pairs(reference, candidate)) == ""


def test_no_pair_is_no_note() -> None:
    assert tokenizer_note([]) == ""

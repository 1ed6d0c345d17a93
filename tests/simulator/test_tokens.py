"""The simulator's tokenizer."""

import random

from hypothesis import given
from hypothesis import strategies as st

from harness.simulator.tokens import count_tokens, scaled, tokenize
from harness.simulator.words import seeded_text


def test_pieces_have_at_most_four_characters_and_keep_white_space_in_front() -> None:
    assert tokenize("Hello brave  new\nworld ") == ["Hell", "o", " brav", "e", "  new", "\nworl", "d", " "]


@given(st.text())
def test_tokens_join_to_the_text(text: str) -> None:
    tokens = tokenize(text)
    assert "".join(tokens) == text
    assert count_tokens(text) == len(tokens)


@given(st.text(), st.data())
def test_a_prefix_of_tokens_tokenizes_to_itself(text: str, data: st.DataObject) -> None:
    tokens = tokenize(text)
    kept = tokens[: data.draw(st.integers(0, len(tokens)))]
    assert tokenize("".join(kept)) == kept


@given(st.integers(0, 300), st.integers(0, 5))
def test_seeded_text_has_exactly_the_tokens_asked_for(n_tokens: int, seed: int) -> None:
    assert count_tokens(seeded_text(random.Random(seed), n_tokens)) == n_tokens


def test_another_tokenizer_counts_otherwise_but_never_nothing_for_something() -> None:
    assert [scaled(n, 1.25) for n in (0, 1, 4, 400)] == [0, 1, 5, 500]
    assert scaled(1, 0.1) == 1

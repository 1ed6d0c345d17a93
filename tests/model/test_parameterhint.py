"""Which name a server wants, from its own words."""

import pytest

from harness.model.parameterhint import renaming, renaming_advice

OPENAI = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (OPENAI, ("max_tokens", "max_completion_tokens")),
        ("Parameter `seed` is deprecated, use `random_seed`", ("seed", "random_seed")),
        ("unknown field: max_completion_tokens", ("max_completion_tokens", "max_tokens")),
        ("Unsupported parameter: max_tokens", ("max_tokens", "max_completion_tokens")),
        ("Unsupported: max_tokens and max_completion_tokens together", None),
        ("max_tokens is too large", None),
        ("'a' is odd. Use 'a' instead", None),
        ("", None),
    ],
)
def test_the_wanted_name_is_read(message: str, found: tuple[str, str] | None) -> None:
    assert renaming(message) == found


def test_the_first_text_that_names_one_is_what_to_write() -> None:
    advice = renaming_advice(["Internal error", OPENAI])
    assert advice == "params: {rename: {max_tokens: max_completion_tokens}}"
    assert renaming_advice(["Internal error"]) is None

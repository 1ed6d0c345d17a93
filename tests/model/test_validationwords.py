"""What the validator found, in words, for every kind of type that our files are made of."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from harness.model.endpoint import Endpoint
from harness.model.settings import Settings
from harness.model.validationwords import converted_problem, expected_at, keys_at


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    n: Annotated[int, Meta(ge=1, le=9)]


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: Inner
    ratio: Annotated[float, Meta(gt=0)] = 1.0
    share: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    colour: Colour = Colour.RED
    items: list[Annotated[int, Meta(ge=0)]] = []
    named: dict[str, bool] = {}
    maybe: int | None = None
    text: Annotated[str, Meta(min_length=1)] = "x"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"inner": {"n": "one"}}, "expected a whole number from 1 to 9, found a text (at inner.n)"),
        ({"inner": {"n": 10}}, "expected a whole number from 1 to 9 (at inner.n)"),
        ({"inner": {}}, "the key 'n' is missing (at inner)"),
        ({}, "the key 'inner' is missing"),
        ({"inner": 3}, "expected a mapping with the keys n, found a whole number (at inner)"),
        ({"inner": {"n": 1}, "ratio": 0}, "expected a number above 0 (at ratio)"),
        ({"inner": {"n": 1}, "share": 1}, "expected a number from 0 below 1 (at share)"),
        ({"inner": {"n": 1}, "colour": "green"}, "expected one of red, blue (at colour)"),
        ({"inner": {"n": 1}, "items": [1, -1]}, "expected a whole number from 0 (at items[1])"),
        ({"inner": {"n": 1}, "items": {}}, "expected a list, each item a whole number from 0, found a mapping of keys"),
        ({"inner": {"n": 1}, "named": {"a": 1}}, "expected true or false, found a whole number"),
        ({"inner": {"n": 1}, "maybe": "x"}, "expected a whole number or nothing, found a text (at maybe)"),
        ({"inner": {"n": 1}, "text": ""}, "expected a text that is not empty (at text)"),
    ],
    ids=repr,
)
def test_a_message_is_said_in_words(given: Any, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(given, Outer)
    told = converted_problem(caught.value, Outer)
    assert told.startswith(words)
    assert "`" not in told


@pytest.mark.parametrize("kind", [Endpoint, Settings])
def test_every_key_of_our_files_says_what_it_takes(kind: type[msgspec.Struct]) -> None:
    def walk(section: str) -> list[str]:
        return [path for key in keys_at(kind, section) for path in (f"{section}.{key}", *walk(f"{section}.{key}"))]

    paths = walk("$")
    assert len(paths) > 20
    told = {path: expected_at(kind, path) for path in paths}
    assert not [path for path, words in told.items() if not words or "matches" in words]
    assert told[paths[0]] is not None


def test_what_is_not_known_stays_as_it_is() -> None:
    assert expected_at(Outer, "$.absent.key") is None
    assert converted_problem(msgspec.ValidationError("Some new message - at `$.absent`"), Outer) == (
        "Some new message (at absent)"
    )

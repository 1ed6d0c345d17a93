import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.partedjson import PartedJson
from tests.decode.strategies import cut_texts, json_values, texts


def parted(*parts: str) -> PartedJson:
    whole = PartedJson()
    whole.parts.extend(parts)
    return whole


@pytest.mark.parametrize(
    ("parts", "is_whole"),
    [
        ([], False),
        ([""], False),
        (["{}"], True),
        (["{", "}"], True),
        (["{}", " \n"], True),
        ([" [1, ", "2]"], True),
        (['"a', 'b"'], True),
        (['{"a":"}'], False),
        (['{"a":"}', '"}'], True),
        (['"a\\', '"'], False),  # the backslash of one part escapes the quote of the next
        (['"a\\', '"', '"'], True),
        (['"a\\\\', '"'], True),  # a backslash that is escaped escapes nothing
        (["tru", "e"], False),  # a number or a word may go on: only what closes is whole
        (["12"], False),
        (["{}{}"], False),
        (["{}", "x"], False),
        (["}"], False),
        (['{"a":1]'], False),
        (["[" * 5000 + "]" * 5000], False),
    ],
)
def test_parts_are_whole_when_they_close_and_are_json(parts: list[str], *, is_whole: bool) -> None:
    assert parted(*parts).is_whole() is is_whole
    growing = PartedJson()
    for part in parts:
        growing.parts.append(part)
        growing.is_whole()
    assert growing.is_whole() is is_whole
    assert str(growing) == "".join(parts)


def closes_and_decodes(text: str) -> bool:
    """The same, seen from the whole text every time."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return text.rstrip()[-1:] in ('"', "]", "}")


@given(draw=st.data(), value=json_values, rest=texts)
def test_every_prefix_of_parts_is_judged_as_its_whole_text_is(draw: st.DataObject, value: object, rest: str) -> None:
    text = json.dumps(value, allow_nan=True) + rest
    growing = PartedJson()
    for part in draw.draw(cut_texts(text)):
        growing.parts.append(part)
        so_far = str(growing)
        if "NaN" not in so_far and "Infinity" not in so_far:  # which only lenient readers take for JSON
            assert growing.is_whole() is closes_and_decodes(so_far), so_far


def test_a_text_that_grows_is_decoded_once_it_closes_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []
    growing = PartedJson()
    decodes = PartedJson._decodes

    def noted(parts: PartedJson) -> bool:
        decoded.append(str(parts))
        return decodes(parts)

    monkeypatch.setattr(PartedJson, "_decodes", noted)
    for part in ("[", *(f'"{n}",' for n in range(100)), '"x"]', " ", "!", '"', '"', "{}", "{}"):
        growing.parts.append(part)
        assert growing.is_whole() is growing.is_whole()
    closed = "[" + "".join(f'"{n}",' for n in range(100)) + '"x"]'
    assert decoded == [closed, closed + " ", closed + ' !""']  # the last is beyond repair

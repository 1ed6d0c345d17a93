"""What differs between two summaries is found at its leaf, under a name, and only where it differs."""

import pytest

from harness.analysis.moved import NOTHING, Moved, contradictions, moved


def places(old: object, new: object) -> dict[str, tuple[object, object]]:
    return {one.where: (one.old, one.new) for one in moved(old, new)}


def test_equal_summaries_differ_nowhere() -> None:
    summary = {"a": [1, {"id": "x", "v": None}], "b": True, "c": "inf"}
    assert moved(summary, {"c": "inf", "b": True, "a": [1, {"id": "x", "v": None}]}) == ()


def test_items_are_paired_by_what_they_are_about_and_not_by_their_place() -> None:
    old = {"tails": [{"metric": "ttft", "arm": "reference", "n": 1}, {"metric": "e2e", "arm": "reference", "n": 2}]}
    new = {"tails": [{"metric": "e2e", "arm": "reference", "n": 3}, {"metric": "ttft", "arm": "reference", "n": 1}]}
    assert places(old, new) == {"tails[e2e reference].n": (2, 3)}


def test_items_that_share_a_name_or_have_none_are_paired_by_place() -> None:
    assert places(
        {"a": [{"id": "x", "v": 1}, {"id": "x", "v": 2}]}, {"a": [{"id": "x", "v": 1}, {"id": "x", "v": 9}]}
    ) == {"a[1].v": (2, 9)}
    assert places([1, 2, 3], [1, 2]) == {"[2]": (3, NOTHING)}


def test_an_undefined_value_is_no_zero_and_a_truth_no_one() -> None:
    assert places({"v": None}, {"v": 0}) == {"v": (None, 0)}
    assert places({"v": True}, {"v": 1}) == {"v": (True, 1)}
    assert places({"v": False}, {"v": 0.0}) == {"v": (False, 0.0)}


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [(118.9, 118.9 * (1 + 1e-12), False), (118.9, 118.9 * (1 + 1e-6), True), (0.0, 1e-12, True)],
)
def test_only_the_last_bits_are_rounding(old: float, new: float, differs: bool) -> None:
    assert bool(moved({"v": old}, {"v": new})) is differs


SAME = {"format_version": 1, "estimators": "3"}


def test_no_text_of_a_file_passes_for_the_absence_of_one() -> None:
    (one,) = moved({"a": "nothing"}, {"a": 2})
    assert not one.is_added
    assert [one.where for one in contradictions({**SAME, "a": "nothing"}, {**SAME, "a": 2})] == ["a"]


@pytest.mark.parametrize(
    ("recorded", "today"),
    [
        ({}, {"a": 1}),
        ({"a": 1}, {}),
        ({"a": [1]}, {"a": [1, 2]}),
        ({"a": {}}, {"a": {"b": 1}}),
        ({"a": "VOID for timing"}, {"a": "valid for timing"}),
        ({"a": "A safe replacement. 9"}, {"a": "Not settled: 9 requests per side."}),
    ],
)
def test_under_the_same_definitions_every_leaf_counts(recorded: dict[str, object], today: dict[str, object]) -> None:
    assert len(contradictions({**SAME, **recorded}, {**SAME, **today})) == 1


@pytest.mark.parametrize("name", SAME)
def test_a_summary_that_does_not_state_its_version_is_not_of_an_older_one(name: str) -> None:
    stated = {key: value for key, value in SAME.items() if key != name}
    assert [one.where for one in contradictions(stated, {**SAME, "a": 1})] == [name, "a"]
    assert [one.where for one in contradictions({}, SAME)] == list(SAME)


@pytest.mark.parametrize("other", [{"format_version": 0}, {"estimators": "2"}])
def test_another_version_is_a_difference_and_what_it_could_not_say_is_none(other: dict[str, object]) -> None:
    recorded = {**SAME, **other, "a": 1, "b": "read 3.9 ms late"}
    today = {**SAME, "a": 2, "b": "late by 3.9 ms", "c": 5}
    assert [one.where for one in contradictions(recorded, today)] == [*other, "a"]


def test_what_only_one_states_is_known_as_added_or_gone() -> None:
    (added,) = moved({"a": 1}, {"a": 1, "b": 2})
    (gone,) = moved({"a": 1, "b": 2}, {"a": 1})
    assert (added.is_added, gone.is_added) == (True, False)


@pytest.mark.parametrize(
    ("old", "new", "is_wording"),
    [
        ("read 3.9 ms late", "late by 3.9 ms", True),
        ("read 3.9 ms late", "read 4.9 ms late", False),
        ("a loss of 5 points", "a loss of -5 points", False),
        ("8 of 1,000 failed", "8 of 1 failed", False),
        ("PASS", "FAIL", False),
    ],
)
def test_a_sentence_with_the_same_numbers_is_said_otherwise(old: str, new: str, is_wording: bool) -> None:
    assert Moved(where="x", old=old, new=new).is_wording is is_wording

"""Where JSON answers and tool arguments differ, by path."""

from harness.analysis.jsonleaves import json_leaves
from harness.analysis.jsonpaths import MOST_ROWS, MOST_VALUES, PathTable, path_table
from harness.analysis.results.answers import PathRow
from harness.model.record import Answer
from tests.analysis.replies import a_call, an_answer

Counts = dict[str, int]


def said(*texts: str) -> list[Answer]:
    return [Answer(text=text) for text in texts]


def shown(rows: tuple[PathRow, ...]) -> dict[str, tuple[Counts, Counts]]:
    return {
        row.path: ({one.value: one.count for one in row.reference}, {one.value: one.count for one in row.candidate})
        for row in rows
    }


def test_leaves_of_a_value_stand_at_paths_that_cannot_be_mistaken() -> None:
    found = dict(json_leaves({"a": [1, {"b": None}], "c.d": True, "e": {}, "": "x"}))
    assert found == {"$.a[0]": "1", "$.a[1].b": "null", '$["c.d"]': "true", "$.e": "{}", '$[""]': '"x"'}
    assert list(json_leaves(5.0)) == [("$", "5")]


def test_paths_at_which_the_sides_differ_stand_with_their_counts() -> None:
    ours = said(*['{"total": 118.9, "lines": [1, 2]}'] * 3)
    theirs = said('{"total": 118.90, "lines": [1, 2]}', '{"total": "118.90", "lines": [1]}', '{"lines": [1, 2]}')
    found = path_table(ours, theirs, is_json=True)
    assert shown(found.rows) == {
        "$.total": ({"118.9": 3}, {"118.9": 1, '"118.90"': 1, "absent": 1}),
        "$.lines[1]": ({"2": 3}, {"2": 2, "absent": 1}),
    }
    assert (found.n_paths, found.n_cut) == (5, 0)  # the calls, the whole, the two shown, $.lines[0]


def test_the_most_different_path_comes_first() -> None:
    ours, theirs = said('{"a": 1, "b": 1}', '{"a": 1, "b": 1}'), said('{"a": 1, "b": 2}', '{"a": 2, "b": 2}')
    assert [row.path for row in path_table(ours, theirs, is_json=True).rows] == ["$.b", "$.a"]


def test_sides_of_different_sizes_are_compared_by_their_shares() -> None:
    assert path_table(said('{"a": 1}', '{"a": 2}'), said(*['{"a": 1}', '{"a": 2}'] * 3), is_json=True).rows == ()


def test_an_answer_that_is_no_json_is_named_once_and_counts_at_no_other_path() -> None:
    found = path_table(
        said(*['{"a": 1}'] * 4), said("Sure!", '```\n{"a": 1}\n```', '{"a": 1}', '{"b": 1}'), is_json=True
    )
    assert shown(found.rows) == {
        "$": ({"an object": 4}, {"no JSON: prose": 1, "no JSON: fenced": 1, "an object": 2}),
        "$.a": ({"1": 4}, {"1": 1, "absent": 1}),
        "$.b": ({"absent": 4}, {"absent": 1, "1": 1}),
    }
    assert shown(path_table(said('{"a": 1}'), said("Sure!"), is_json=True).rows) == {
        "$": ({"an object": 1}, {"no JSON: prose": 1})
    }
    assert shown(path_table(said("[]"), said("5"), is_json=True).rows) == {"$": ({"a list": 1}, {"5": 1})}


def test_arguments_stand_under_their_tools_name_and_count_where_it_was_called() -> None:
    ours = [an_answer("", a_call("book", {"to": "LIS", "seats": 2})) for _ in range(3)]
    theirs = [
        an_answer("", a_call("book", {"to": "LIS", "seats": "2"})),
        an_answer("", a_call("book", {"to": "LIS", "seat_count": 2})),
        an_answer("I cannot book."),
    ]
    assert shown(path_table(ours, theirs, is_json=False).rows) == {
        "book.seats": ({"2": 3}, {'"2"': 1, "absent": 1}),
        "book.seat_count": ({"absent": 3}, {"absent": 1, "2": 1}),
        "calls": ({"book": 3}, {"book": 2, "none": 1}),
    }


def test_a_call_where_json_was_asked_for_is_named_as_such() -> None:
    found = path_table(said("{}"), [an_answer("", a_call("book", {"to": "LIS"}))], is_json=True)
    assert shown(found.rows) == {"calls": ({"none": 1}, {"book": 1})}


def test_calls_of_one_tool_are_told_apart_and_their_order_does_not_count() -> None:
    oslo, rome = a_call("w", {"city": "Oslo"}), a_call("w", {"city": "Rome"})
    assert path_table([an_answer("", oslo, rome)], [an_answer("", rome, oslo)], is_json=False).rows == ()
    found = shown(path_table([an_answer("", oslo, rome)], [an_answer("", oslo)], is_json=False).rows)
    assert found == {"calls": ({"w, w": 1}, {"w": 1})}
    twice = shown(path_table([an_answer("", oslo, rome)], [an_answer("", oslo, oslo)], is_json=False).rows)
    assert twice == {"w#2.city": ({'"Rome"': 1}, {'"Oslo"': 1})}
    broken = shown(path_table([an_answer("", oslo)], [an_answer("", a_call("w", "{"))], is_json=False).rows)
    assert broken == {"w": ({"an object": 1}, {"no JSON: cut": 1})}


def test_a_side_without_an_answer_has_nothing_to_compare() -> None:
    assert path_table([], said("{}"), is_json=True) == path_table(said("{}"), [], is_json=True) == PathTable()


def test_what_is_left_out_is_counted() -> None:
    wide = ", ".join(f'"k{i}": 1' for i in range(MOST_ROWS + 5))
    found = path_table(said(f"{{{wide}}}"), said(f"{{{wide.replace(': 1', ': 2')}}}"), is_json=True)
    assert (len(found.rows), found.n_cut) == (MOST_ROWS, 5)
    many = path_table(said('{"a": "x"}'), said(*(f'{{"a": {i}}}' for i in range(MOST_VALUES + 3))), is_json=True)
    counts = {one.value: one.count for one in many.rows[0].candidate}
    assert (len(counts), counts["other values"]) == (MOST_VALUES + 1, 3)

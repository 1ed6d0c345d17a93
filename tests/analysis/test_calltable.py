"""The table of tool calls that are accepted and refused, each with the rung and the words of a fall."""

from dataclasses import dataclass
from typing import Any

import pytest

from harness.analysis.checkarguments import validate_prompt
from harness.analysis.results.trial import Rung, ToolResult
from harness.analysis.tools import judge_tools
from harness.model.record import ToolCall
from tests.analysis.replies import a_call, a_check, a_prompt, a_record, an_answer

TRIP: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["city"],
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "budget": {"type": "number"},
        "either": {"type": ["integer", "string", "null"]},
        "is_brief": {"type": "boolean"},
        "unit": {"enum": ["C", "F"], "default": "C"},
        "day": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "points": {"type": "array", "items": {"type": "number"}},
        "guest": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "age": {"type": "integer"},
                "weight": {"type": "number"},
                "pets": {"type": "array", "items": {"type": "object", "properties": {"kind": {"type": "string"}}}},
                "vip": {"type": "boolean", "default": False},
            },
        },
        "request_id": {"type": "string"},
        "request_time": {"type": "string"},
    },
}
TOOLS = {"trip": TRIP, "tide": {"type": "object", "properties": {"place": {"type": "string"}}}, "now": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is expected, what came, and where it lands."""

    why: str
    expected: Any
    calls: tuple[ToolCall, ...]
    rung: Rung = Rung.OK
    says: str = ""
    kind: str = "tool_called"
    text: str = ""


def trip(**arguments: Any) -> dict[str, Any]:
    """Expect a call of trip to Oslo with these arguments too."""
    return {"name": "trip", "arguments": {"city": "Oslo", **arguments}}


def came(name: str = "trip", call_id: str | None = "c1", **arguments: Any) -> ToolCall:
    """Give a call; one of trip goes to Oslo unless told."""
    return a_call(name, {"city": "Oslo", **arguments} if name == "trip" else arguments, call_id)


def accepted(why: str, expected: Any, *calls: ToolCall, **more: Any) -> Row:
    return Row(why=why, expected=expected, calls=calls, **more)


def refused(
    why: str, expected: Any, *calls: ToolCall, says: str, rung: Rung = Rung.ARGUMENT_MISMATCH, **more: Any
) -> Row:
    return Row(why=why, expected=expected, calls=calls, rung=rung, says=says, **more)


OSLO, LIMA, ROME = ({"name": "trip", "arguments": {"city": city}} for city in ("Oslo", "Lima", "Rome"))
ANY_CITY = {"name": "trip", "arguments": {"city": {"any": True}}}
TO_OSLO, TO_LIMA, TO_ROME = (came(call_id=f"c{n}", city=city) for n, city in enumerate(("Oslo", "Lima", "Rome"), 1))

VALUES = (
    accepted("the very value", trip(days=3), came(days=3)),
    accepted("case aside", OSLO, came(city="OSLO")),
    accepted("outer white space aside", OSLO, came(city="  Oslo\n")),
    accepted("repeated white space aside", trip(day="next  Monday"), came(day="next Monday")),
    accepted("composed and decomposed letters are one", trip(day="café"), came(day="cafe\u0301")),
    accepted("full case folding", trip(day="Straße"), came(day="STRASSE")),
    accepted("an integer for a number", trip(budget=5.0), came(budget=5)),
    accepted("a number written with a point where the schema says number", trip(budget=5), came(budget=5.0)),
    accepted("what a decimal loses in a float", trip(budget=0.3), came(budget=0.1 + 0.2)),
    accepted("true for true", trip(is_brief=True), came(is_brief=True)),
    accepted("null for null", trip(either=None), came(either=None)),
    accepted("a text where the schema allows either", trip(either="5"), came(either="5")),
    accepted("a list item by item, texts loosely", trip(tags=["Sea", "sun"]), came(tags=["sea", "SUN"])),
    accepted("an integer inside a list of numbers", trip(points=[1, 2.5]), came(points=[1.0, 2.5])),
    accepted("an empty list", trip(tags=[]), came(tags=[])),
    accepted(
        "an object key by key, in any order",
        trip(guest={"name": "Ada", "age": 36}),
        came(guest={"age": 36, "name": "ada"}),
    ),
    accepted("an integer for a number inside an object", trip(guest={"weight": 70}), came(guest={"weight": 70.0})),
    accepted(
        "objects inside lists inside objects",
        trip(guest={"pets": [{"kind": "cat"}, {"kind": "dog"}]}),
        came(guest={"pets": [{"kind": "Cat"}, {"kind": "dog"}]}),
    ),
    refused("another text", OSLO, came(city="Bergen"), says='trip.arguments.city: expected "Oslo", came "Bergen"'),
    refused("a text with more in it", OSLO, came(city="Oslo, Norway"), says='came "Oslo, Norway"'),
    refused(
        "punctuation, unless asked for loosely", trip(day="3-14"), came(day="3/14"), says='expected "3-14", came "3/14"'
    ),
    refused("an accent less", trip(day="café"), came(day="cafe"), says='expected "café", came "cafe"'),
    refused("another number", trip(days=3), came(days=4), says="trip.arguments.days: expected 3, came 4"),
    refused(
        "another number of many digits", trip(budget=0.3), came(budget=0.3000001), says="expected 0.3, came 0.3000001"
    ),
    refused("a float for an integer", trip(days=3), came(days=3.0), says="expected 3, came 3.0"),
    refused("a text for an integer", trip(days=3), came(days="3"), rung=Rung.SCHEMA_MISMATCH, says="$.days"),
    refused("a boolean for an integer", trip(days=1), came(days=True), rung=Rung.SCHEMA_MISMATCH, says="$.days"),
    refused("a boolean for a number", trip(budget=1), came(budget=True), rung=Rung.SCHEMA_MISMATCH, says="$.budget"),
    refused(
        "an integer for a boolean", trip(is_brief=True), came(is_brief=1), rung=Rung.SCHEMA_MISMATCH, says="$.is_brief"
    ),
    refused(
        "the text true for true",
        trip(is_brief=True),
        came(is_brief="true"),
        rung=Rung.SCHEMA_MISMATCH,
        says="$.is_brief",
    ),
    refused("the other truth value", trip(is_brief=True), came(is_brief=False), says="expected true, came false"),
    refused("a number as text where either is allowed", trip(either=5), came(either="5"), says='expected 5, came "5"'),
    refused("null for a text", trip(either="x"), came(either=None), says='expected "x", came null'),
    refused("an empty text for null", trip(either=None), came(either=""), says='expected null, came ""'),
    refused("a list in another order", trip(tags=["a", "b"]), came(tags=["b", "a"]), says="trip.arguments.tags[0]"),
    refused("a list with more in it", trip(tags=["a"]), came(tags=["a", "b"]), says="expected 1 items"),
    refused("an empty list for one item", trip(tags=["a"]), came(tags=[]), says="expected 1 items"),
    refused(
        "a key less inside an object",
        trip(guest={"name": "Ada", "age": 36}),
        came(guest={"name": "Ada"}),
        says="trip.arguments.guest.age: expected 36, came nothing",
    ),
    refused(
        "a key more inside an object",
        trip(guest={"name": "Ada"}),
        came(guest={"name": "Ada", "age": 36}),
        says="trip.arguments.guest.age: expected no such key, came 36",
    ),
    refused(
        "a float for an integer inside an object",
        trip(guest={"age": 36}),
        came(guest={"age": 36.0}),
        says="expected 36, came 36.0",
    ),
    refused(
        "a difference deep inside",
        trip(guest={"pets": [{"kind": "cat"}, {"kind": "dog"}]}),
        came(guest={"pets": [{"kind": "cat"}, {"kind": "eel"}]}),
        says='trip.arguments.guest.pets[1].kind: expected "dog", came "eel"',
    ),
)

LISTED = (
    accepted("one of the values", trip(days={"any_of": [2, 3]}), came(days=3)),
    accepted("one of the texts, loosely", trip(day={"any_of": ["Sat", "Saturday"]}), came(day="saturday")),
    accepted(
        "one of values and matchers", trip(budget={"any_of": [0, {"number": 100, "tolerance": 5}]}), came(budget=103.5)
    ),
    accepted("null as one of the values", trip(either={"any_of": [None, 0]}), came(either=None)),
    accepted(
        "one of whole objects", trip(guest={"any_of": [{"name": "Ada"}, {"name": "Bob"}]}), came(guest={"name": "Bob"})
    ),
    accepted("one of the values, inside a list", trip(tags=[{"any_of": ["sea", "ocean"]}]), came(tags=["ocean"])),
    accepted("a pattern", trip(day={"regex": r"^\d{4}-\d\d-\d\d$"}), came(day="2026-03-14")),
    accepted("a text in which it is found", trip(day={"contains": "march"}), came(day="14 March")),
    accepted("punctuation aside where asked for", trip(day={"loosely": "March 14, 2026"}), came(day="march 14 2026")),
    accepted("a number near enough", trip(budget={"number": 100, "tolerance": 0.5}), came(budget=99.5)),
    accepted("a date in other words", trip(day={"date": "2026-03-14"}), came(day="14 March 2026")),
    accepted("a date with a time of day", trip(day={"date": "2026-03-14"}), came(day="2026-03-14T09:30:00Z")),
    accepted("a date near enough", trip(day={"date": "2026-03-14", "tolerance_days": 1}), came(day="2026-03-15")),
    accepted("anything", ANY_CITY, came(city="zzz")),
    accepted("a list in any order", trip(tags={"unordered": ["a", "b"]}), came(tags=["B", "a"])),
    accepted("letter by letter", trip(day={"exactly": "A  b"}), came(day="A  b")),
    refused("none of the values", trip(days={"any_of": [2, 3]}), came(days=4), says="expected one of 2, 3, came 4"),
    refused(
        "a boolean is none of 0 and 1",
        {"name": "now", "arguments": {"n": {"any_of": [0, 1]}}},
        came("now", n=True),
        says="came true",
    ),
    refused(
        "a text that does not match",
        trip(day={"regex": "^2026"}),
        came(day="14 March 2026"),
        says='expected regex "^2026"',
    ),
    refused(
        "a text in which it is not found",
        trip(day={"contains": "march"}),
        came(day="3/14"),
        says='expected contains "march"',
    ),
    refused(
        "punctuation aside and still another text",
        trip(day={"loosely": "March 14"}),
        came(day="March 15"),
        says='expected loosely "March 14"',
    ),
    refused(
        "a number too far",
        trip(budget={"number": 100, "tolerance": 0.5}),
        came(budget=100.6),
        says="expected 100 ± 0.5, came 100.6",
    ),
    refused(
        "another date",
        trip(day={"date": "2026-03-14"}),
        came(day="March 15, 2026"),
        says="expected the date 2026-03-14",
    ),
    refused(
        "a date that is two",
        trip(day={"date": "2026-03-04"}),
        came(day="03/04/2026"),
        says="expected the date 2026-03-04",
    ),
    refused(
        "a date too far",
        trip(day={"date": "2026-03-14", "tolerance_days": 1}),
        came(day="2026-03-16"),
        says="the date 2026-03-14 ± 1 days",
    ),
    refused(
        "another letter where they count", trip(day={"exactly": "A b"}), came(day="a b"), says='expected exactly "A b"'
    ),
)

PRESENCE = (
    accepted("nothing said of arguments: whatever the schema allows", "trip", came(days=9, tags=["x"])),
    accepted("the name alone, as a mapping", {"name": "trip"}, came(city="zzz")),
    accepted("no arguments at all", {"name": "now", "arguments": {}}, came("now")),
    accepted("an argument at its schema's default", OSLO, came(unit="C")),
    accepted("an argument left out whose default is expected", trip(unit="C"), came()),
    accepted(
        "a key at its schema's default inside an object",
        trip(guest={"name": "Ada"}),
        came(guest={"name": "Ada", "vip": False}),
    ),
    accepted(
        "a key left out inside an object whose default is expected",
        trip(guest={"name": "Ada", "vip": False}),
        came(guest={"name": "Ada"}),
    ),
    accepted("an optional argument that came, with any value", {**OSLO, "optional": ["days"]}, came(days=9)),
    accepted("an optional argument that did not come", {**OSLO, "optional": ["days"]}, came()),
    accepted("an expected argument that may be missing", {**trip(days=3), "optional": ["days"]}, came()),
    accepted("an ignored argument", {**OSLO, "ignore": ["request_id"]}, came(request_id="r-1")),
    accepted(
        "ignored arguments, by a glob", {**OSLO, "ignore": ["request_*"]}, came(request_id="r-1", request_time="now")
    ),
    accepted("everything else ignored", {**OSLO, "ignore": ["*"]}, came(days=2, tags=["x"], guest={"name": "Ada"})),
    accepted(
        "a place inside an argument ignored",
        {**trip(guest={"name": "Ada", "age": 1}), "ignore": ["guest.age"]},
        came(guest={"name": "Ada", "age": 36}),
    ),
    accepted("an argument at its stated default", {**OSLO, "defaults": {"days": 1}}, came(days=1)),
    accepted(
        "an argument left out whose stated default is expected", {**trip(days=1), "defaults": {"days": 1}}, came()
    ),
    accepted("a stated default before the schema's", {**trip(unit="F"), "defaults": {"unit": "F"}}, came()),
    refused(
        "an argument that nobody expects",
        OSLO,
        came(days=2),
        says="trip.arguments.days: expected no such argument, came 2",
    ),
    refused(
        "an argument that nobody expects, null", OSLO, came(either=None), says="expected no such argument, came null"
    ),
    refused("an argument that is missing", trip(days=2), came(), says="trip.arguments.days: expected 2, came nothing"),
    refused(
        "an argument that the schema does not know",
        OSLO,
        came(town="Oslo"),
        rung=Rung.SCHEMA_MISMATCH,
        says="'town' was unexpected",
    ),
    refused(
        "an argument under another name",
        {"name": "trip", "arguments": {"city": "Oslo"}},
        a_call("trip", {"town": "Oslo"}, "c1"),
        rung=Rung.SCHEMA_MISMATCH,
        says="$: ",
    ),
    refused(
        "an argument beside its schema's default",
        OSLO,
        came(unit="F"),
        says="trip.arguments.unit: expected no such argument",
    ),
    refused(
        "an argument left out whose default is not expected",
        trip(unit="F"),
        came(),
        says='trip.arguments.unit: expected "F", came nothing',
    ),
    refused(
        "an expected argument that may be missing, with another value",
        {**trip(days=3), "optional": ["days"]},
        came(days=4),
        says="expected 3, came 4",
    ),
    refused(
        "an argument that no glob covers",
        {**OSLO, "ignore": ["request_*"]},
        came(days=2),
        says="expected no such argument",
    ),
    refused(
        "an expected argument is looked at, ignored or not",
        {**OSLO, "ignore": ["*"]},
        came(city="Lima"),
        says='expected "Oslo"',
    ),
    refused(
        "an argument beside its stated default",
        {**OSLO, "defaults": {"days": 1}},
        came(days=2),
        says="expected no such argument, came 2",
    ),
    refused(
        "a stated default that is not the expected value",
        {**trip(days=3), "defaults": {"days": 1}},
        came(),
        says="trip.arguments.days: expected 3, came 1",
    ),
    refused(
        "arguments where none are expected",
        {"name": "now", "arguments": {}},
        came("now", x=1),
        says="expected no such argument, came 1",
    ),
    refused(
        "a required argument missing, whatever is expected",
        "trip",
        a_call("trip", {}, "c1"),
        rung=Rung.SCHEMA_MISMATCH,
        says="'city' is a required property",
    ),
)

PARALLEL = (
    accepted("two cities in order", [OSLO, LIMA], TO_OSLO, TO_LIMA),
    accepted("two cities in the other order", [OSLO, LIMA], TO_LIMA, TO_OSLO),
    accepted("three cities, shuffled", [OSLO, LIMA, ROME], TO_ROME, TO_OSLO, TO_LIMA),
    accepted("two tools in the other order", [OSLO, "now"], came("now", call_id="c9"), TO_OSLO),
    accepted("the assignment that a greedy one misses", [ANY_CITY, OSLO], TO_OSLO, TO_LIMA),
    accepted("and the other way round", [OSLO, ANY_CITY], TO_LIMA, TO_OSLO),
    accepted("the order kept where it is strict", {"order": "strict", "calls": [OSLO, LIMA]}, TO_OSLO, TO_LIMA),
    accepted("the order free where it says so", {"order": "free", "calls": [OSLO, LIMA]}, TO_LIMA, TO_OSLO),
    accepted("a number of calls", 2, TO_OSLO, came("now", call_id="c2"), kind="tool_count"),
    accepted("no call", None, kind="no_tool", text="It is warm."),
    refused(
        "one call for two cities", [OSLO, LIMA], TO_OSLO, rung=Rung.DECISION, says="expected 2 calls, came 1 (trip)"
    ),
    refused(
        "three calls for two cities",
        [OSLO, LIMA],
        TO_OSLO,
        TO_LIMA,
        TO_ROME,
        rung=Rung.DECISION,
        says="expected 2 calls, came 3",
    ),
    refused("one city twice", [OSLO, LIMA], TO_OSLO, came(call_id="c2"), says='expected "Lima", came "Oslo"'),
    refused(
        "one wrong city of three",
        [OSLO, LIMA, ROME],
        TO_ROME,
        TO_OSLO,
        came(call_id="c2", city="Bonn"),
        says='expected "Lima", came "Bonn"',
    ),
    refused(
        "the order broken where it is strict",
        {"order": "strict", "calls": [OSLO, LIMA]},
        TO_LIMA,
        TO_OSLO,
        says='expected "Oslo", came "Lima"',
    ),
    refused(
        "two tools in the other order, strict",
        {"order": "strict", "calls": [OSLO, "now"]},
        came("now", call_id="c9"),
        TO_OSLO,
        says="call 1: expected trip, came now",
    ),
    refused("the other tool", OSLO, came("tide", place="Oslo"), rung=Rung.DECISION, says="expected trip, called tide"),
    refused(
        "the same tool twice for two tools",
        [OSLO, "now"],
        TO_OSLO,
        TO_LIMA,
        rung=Rung.DECISION,
        says="expected now, called trip",
    ),
    refused(
        "one id for two calls",
        [OSLO, LIMA],
        TO_OSLO,
        came(call_id="c1", city="Lima"),
        rung=Rung.PROTOCOL,
        says="'c1' is given twice",
    ),
    refused(
        "a call where none is due",
        None,
        TO_OSLO,
        rung=Rung.DECISION,
        says="expected no call, came 1 (trip)",
        kind="no_tool",
    ),
    refused(
        "no call where one is due",
        OSLO,
        rung=Rung.DECISION,
        says="expected 1 call, came 0 (text: It is warm.)",
        text="It is warm.",
    ),
    refused("a call in words", OSLO, rung=Rung.DECISION, says="came 0", text="trip(city='Oslo')"),
    refused(
        "a call as markup",
        OSLO,
        rung=Rung.LEAKED_MARKUP,
        says="<tool_call>",
        text='<tool_call>{"name": "trip"}</tool_call>',
    ),
    refused(
        "a call as JSON in the text",
        OSLO,
        rung=Rung.LEAKED_MARKUP,
        says="as JSON in the text",
        text='{"name": "trip", "arguments": {"city": "Oslo"}}',
    ),
    *(
        refused(
            f"a call as JSON in the text, {why}", OSLO, rung=Rung.LEAKED_MARKUP, says="as JSON in the text", text=text
        )
        for why, text in {
            "in a fence": '```json\n{"name": "trip", "arguments": {"city": "Oslo"}}\n```',
            "under function": '{"type": "function", "function": {"name": "trip", "arguments": "{}"}}',
            "under tool_calls": '{"tool_calls": [{"id": "c1", "function": {"name": "trip", "arguments": "{}"}}]}',
            "in a fenced list": '```\n[{"name": "trip", "parameters": {"city": "Oslo"}}]\n```\n',
            "its name under function": '{"function": "trip", "arguments": {"city": "Oslo"}}',
        }.items()
    ),
    refused(
        "JSON that calls nothing", OSLO, rung=Rung.DECISION, says="came 0", text='{"tool_calls": [], "function": 5}'
    ),
    refused(
        "JSON that names another tool",
        OSLO,
        rung=Rung.DECISION,
        says="came 0",
        text='{"function": {"name": "go", "arguments": {}}}',
    ),
    refused(
        "markup where no call is due",
        None,
        rung=Rung.LEAKED_MARKUP,
        says="[TOOL_CALLS]",
        kind="no_tool",
        text="[TOOL_CALLS]",
    ),
    refused(
        "arguments that are no JSON",
        OSLO,
        a_call("trip", "{'city': 'Oslo'}", "c1"),
        rung=Rung.INVALID_JSON,
        says="not JSON",
    ),
    refused("arguments cut off", OSLO, a_call("trip", '{"city": "Os', "c1"), rung=Rung.INVALID_JSON, says="cut off"),
    refused(
        "arguments as a list",
        OSLO,
        a_call("trip", '["Oslo"]', "c1"),
        rung=Rung.INVALID_JSON,
        says="a list, not an object",
    ),
    refused(
        "arguments encoded twice",
        OSLO,
        a_call("trip", '"{\\"city\\": \\"Oslo\\"}"', "c1"),
        rung=Rung.INVALID_JSON,
        says="encoded twice",
    ),
    refused(
        "a tool that is not offered",
        OSLO,
        a_call("Trip", {"city": "Oslo"}, "c1"),
        rung=Rung.UNKNOWN_NAME,
        says="'Trip' is not offered; offered: trip, tide, now",
    ),
    refused(
        "a call without a name",
        OSLO,
        a_call(None, {"city": "Oslo"}, "c1"),
        rung=Rung.UNKNOWN_NAME,
        says="None is not offered",
    ),
    refused(
        "too many calls for a count",
        {"max": 1},
        TO_OSLO,
        TO_LIMA,
        rung=Rung.DECISION,
        says="expected 0 to 1 calls, came 2",
        kind="tool_count",
    ),
)

TABLE = (*VALUES, *LISTED, *PRESENCE, *PARALLEL)


def landed(row: Row) -> ToolResult:
    prompt = a_prompt(a_check(row.kind, row.expected), tools=TOOLS)
    assert validate_prompt(prompt) == ()
    result = judge_tools(prompt, a_record(an_answer(row.text, *row.calls)))
    assert result is not None
    return result


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.why)
def test_a_call_lands_on_its_rung_and_a_fall_says_why(row: Row) -> None:
    result = landed(row)
    assert result.rung is row.rung, result.detail
    assert row.says in result.detail
    assert bool(row.says) == (row.rung is not Rung.OK)


def test_the_table_is_as_long_as_promised_and_says_both() -> None:
    n_accepted = sum(row.rung is Rung.OK for row in TABLE)
    assert len(TABLE) >= 80
    assert n_accepted >= 40
    assert len(TABLE) - n_accepted >= 40
    assert len({row.why for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("row", [row for row in TABLE if len(row.calls) == 2], ids=lambda row: row.why)
def test_where_the_order_is_free_it_changes_nothing(row: Row) -> None:
    swapped = Row(why=row.why, expected=row.expected, calls=row.calls[::-1], kind=row.kind)
    is_strict = isinstance(row.expected, dict) and row.expected.get("order") == "strict"
    same = landed(swapped).rung is row.rung
    assert same is not is_strict


@pytest.mark.parametrize("row", [row for row in VALUES + PRESENCE if row.rung is Rung.OK], ids=lambda row: row.why)
def test_an_accepted_call_is_accepted_as_one_of_two_as_well(row: Row) -> None:
    both = Row(why=row.why, expected=[row.expected, "tide"], calls=(came("tide", call_id="t"), *row.calls))
    assert landed(both).rung is Rung.OK


def test_six_parallel_calls_find_their_places() -> None:
    cities = ("Oslo", "Lima", "Rome", "Bonn", "Bern", "Kyiv")
    expected = [{"name": "trip", "arguments": {"city": city}} for city in cities]
    calls = tuple(came(call_id=city, city=city) for city in reversed(cities))
    assert landed(Row(why="six", expected=expected, calls=calls)).rung is Rung.OK
    wrong = (*calls[:5], came(call_id="x", city="Nice"))
    result = landed(Row(why="six", expected=expected, calls=wrong))
    assert (result.rung, 'expected "Oslo", came "Nice"' in result.detail) == (Rung.ARGUMENT_MISMATCH, True)

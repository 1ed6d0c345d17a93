import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.findings import Findings
from harness.decode.toolcalls import MAX_CALLS, ToolCallAssembler
from harness.model.record import FindingKind, ToolCall
from tests.decode.strategies import cut_texts, texts

ROME = '{"city":"Rome"}'
Fragment = dict[str, Any]


def fragment(arguments: object = None, name: object = None, **more: Any) -> Fragment:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {"function": function} | more


def assembled(*fragments: Fragment) -> tuple[tuple[ToolCall, ...], set[FindingKind]]:
    findings = Findings()
    assembler = ToolCallAssembler(findings)
    for one in fragments:
        assembler.take({"tool_calls": [one]}, is_chunk=True)
    return assembler.result(), {finding.kind for finding in findings.taken()}


def calls(*fragments: Fragment) -> list[tuple[str | None, str, str | None]]:
    return [(call.name, call.arguments, call.id) for call in assembled(*fragments)[0]]


@pytest.mark.parametrize(
    ("fragments", "truth"),
    [
        pytest.param(
            [fragment(ROME[:5], index=0, id="a"), fragment("", "weather", index=0), fragment(ROME[5:], index=0)],
            [("weather", ROME, "a")],
            id="the name behind the first arguments",
        ),
        pytest.param(
            [fragment("", "f", index=0, id="a"), fragment("1", "f", index=0, id="a"), fragment("2", "f", index=0)],
            [("f", "12", "a")],
            id="the name repeated, the id mostly",
        ),
        pytest.param(
            [fragment("{", "f", index=0, id="a"), fragment("}", index=0, id=""), fragment("", index=0, id=None)],
            [("f", "{}", "a")],
            id="continuations with an empty id",
        ),
        pytest.param(
            [fragment("", "f", index=0, id="functions.f:0"), fragment("", "g", index=1, id="functions.g:1")],
            [("f", "", "functions.f:0"), ("g", "", "functions.g:1")],
            id="ids that carry the name",
        ),
        pytest.param(
            [fragment(ROME, "f", id="a"), fragment(ROME, "f", id="b"), fragment("!", id="a")],
            [("f", ROME + "!", "a"), ("f", ROME, "b")],
            id="no index, a known id comes back",
        ),
        pytest.param(
            [fragment('{"a":', "f"), fragment("1}"), fragment("{}", "g"), fragment(" ")],
            [("f", '{"a":1}', None), ("g", "{} ", None)],
            id="no index, no id, a new name opens a call and the rest joins the last",
        ),
        pytest.param(
            [fragment('{"a":"x', "f", index=0), fragment('}"}', "f", index=0), fragment("{}", "f", index=0)],
            [("f", '{"a":"x}"}', None), ("f", "{}", None)],
            id="one name with every fragment: only whole arguments end a call",
        ),
        pytest.param(
            [fragment(ROME, "f", index="zero"), fragment(ROME, "g", index=True)],
            [("f", ROME, None), ("g", ROME, None)],
            id="an index that is no number is none",
        ),
        pytest.param(
            [
                *(fragment("", "f", index=digit, id=digit) for digit in ("0", "1")),
                *(fragment(f"[{digit}]", index=digit) for digit in ("1", "0")),
            ],
            [("f", "[0]", "0"), ("f", "[1]", "1")],
            id="an index in digits is that number",
        ),
        pytest.param(
            [fragment("", "get_", index=0), fragment("", "get_weather", index=0), fragment(ROME, index=0)],
            [("get_weather", ROME, None)],
            id="a name that grows from fragment to fragment",
        ),
        pytest.param(
            [fragment("", "get_", index=0), fragment(ROME[:5], "weather", index=0), fragment(ROME[5:], index=0)],
            [("get_weather", ROME, None)],
            id="a name in parts, the last one beside the first arguments",
        ),
        pytest.param(
            [fragment("", "f", index=0), fragment("{}", "g", index=0)],
            [("f", "", None), ("g", "{}", None)],
            id="one index: another name beside whole arguments is another call",
        ),
        pytest.param(
            [fragment('{"a":', "f", index=0), fragment('{"b":', "g", index=0), fragment("1}", index=0)],
            [("f", '{"a":', None), ("g", '{"b":1}', None)],
            id="one index: another name behind arguments is another call",
        ),
        pytest.param(
            [fragment("", "f", index=0), fragment("", "g", index=0, id="b"), fragment("{}", index=0)],
            [("f", "", None), ("g", "{}", "b")],
            id="one index: another name with a first id is another call",
        ),
        pytest.param(
            [fragment({}, "f", index=0, id="a"), fragment('{"a"', index=0), fragment(":1}", index=0)],
            [("f", '{"a":1}', "a")],
            id="an empty object that keeps the place of arguments to come",
        ),
        pytest.param(
            [fragment({}, "f", index=0), fragment('{"a":1}', "f", index=0)],
            [("f", '{"a":1}', None)],
            id="an empty object, the name said again with the arguments",
        ),
        pytest.param(
            [fragment({}, "f", index=0), fragment({}, index=0), fragment("", index=0)],
            [("f", "{}", None)],
            id="an empty object that stays the arguments",
        ),
        pytest.param(
            [fragment({}, "f", index=0), fragment('{"a":1}', "g", index=0)],
            [("f", "{}", None), ("g", '{"a":1}', None)],
            id="an empty object and another call",
        ),
        pytest.param(
            [fragment("{}", "f", index=0, id="a"), fragment('{"a":1}', index=0)],
            [("f", '{}{"a":1}', "a")],
            id="an empty object as text stays, as every client sees it",
        ),
        pytest.param([{"name": "f", "arguments": "{}", "id": "a"}], [("f", "{}", "a")], id="no function around it"),
        pytest.param([fragment(["x", 1], "f", index=0)], [("f", '["x",1]', None)], id="arguments as a list"),
        pytest.param([fragment(3, 7, index=0, id=9)], [(None, "3", None)], id="numbers everywhere"),
        pytest.param([{"index": 0, "function": None}, {"index": 0}], [(None, "", None)], id="nothing in it"),
    ],
)
def test_fragments_give_the_calls_that_were_meant(fragments: list[Fragment], truth: list[tuple[str, str, str]]) -> None:
    assert calls(*fragments) == truth


def test_the_calls_of_a_message_are_numbered_by_their_place() -> None:
    assembler = ToolCallAssembler(Findings())
    assembler.take(
        {"tool_calls": [fragment("{}", "f"), fragment("{}", "f"), fragment("{}", "f", index=7)]}, is_chunk=False
    )
    assert [(call.name, call.index) for call in assembler.result()] == [("f", 0), ("f", 1), ("f", 7)]


def test_characters_of_names_and_arguments_are_output_and_ids_are_not() -> None:
    assembler = ToolCallAssembler(Findings())
    fragments = [fragment("", "get", index=0, id="a-long-id"), fragment('{"a', index=0), fragment("", "get", index=0)]
    assert [assembler.take({"tool_calls": [one]}, is_chunk=True) for one in fragments] == [3, 3, 0]


def test_more_calls_than_anyone_makes_do_not_fill_the_memory() -> None:
    assembler = ToolCallAssembler(Findings())
    assembler.take({"tool_calls": [fragment("", "f", index=n) for n in range(3 * MAX_CALLS)]}, is_chunk=True)
    assert len(assembler.result()) == MAX_CALLS


def test_a_legacy_call_has_no_id_to_miss() -> None:
    findings = Findings()
    assembler = ToolCallAssembler(findings)
    assembler.take({"function_call": {"name": "f", "arguments": "{"}}, is_chunk=True)
    assembler.take({"function_call": {"arguments": "}"}}, is_chunk=True)
    assert assembler.result() == (ToolCall(name="f", arguments="{}"),)
    assert findings.taken() == ()


def beside(listed: list[Fragment], legacy: Fragment) -> dict[str, Any]:
    return {"tool_calls": listed, "function_call": legacy}


def with_legacy(*deltas: dict[str, Any], is_chunk: bool = True) -> tuple[list[str | None], dict[FindingKind, int]]:
    findings = Findings()
    assembler = ToolCallAssembler(findings)
    for one in deltas:
        assembler.take(one, is_chunk=is_chunk)
    names = [call.name for call in assembler.result()]
    assert names == [kept.call.name for kept in assembler.kept()]
    return names, {finding.kind: finding.count for finding in findings.taken()}


def test_a_legacy_call_that_repeats_a_listed_one_is_no_call() -> None:
    whole = beside([fragment(ROME, "f", id="a")], {"name": "f", "arguments": ROME})
    assert with_legacy(whole, is_chunk=False) == (["f"], {FindingKind.LEGACY_CALL_REPEATS: 1})
    pieces = [
        beside([fragment("", "f", index=0, id="a")], {"name": "f", "arguments": ""}),
        beside([fragment(ROME[:5], index=0)], {"arguments": ROME[:5]}),
        beside([fragment(ROME[5:], index=0)], {"arguments": ROME[5:]}),
    ]
    assert with_legacy(*pieces) == (["f"], {FindingKind.LEGACY_CALL_REPEATS: 1})
    behind = {"function_call": {"name": "f", "arguments": ROME}}
    two = [{"tool_calls": [fragment(ROME, "f", index=n, id=f"{n}")]} for n in (0, 1)]
    assert with_legacy(*two, behind) == (["f", "f"], {FindingKind.LEGACY_CALL_REPEATS: 1})


def test_a_legacy_call_of_its_own_counts() -> None:
    other = beside([fragment(ROME, "f", index=0, id="a")], {"name": "f", "arguments": "{}"})
    assert with_legacy(other) == (["f", "f"], {})


def test_characters_that_are_sent_in_both_forms_are_output_once() -> None:
    assembler = ToolCallAssembler(Findings())
    both = beside([fragment(ROME, "f", index=0, id="a")], {"name": "f", "arguments": ROME})
    assert assembler.take(both, is_chunk=True) == len("f" + ROME)


def test_a_listed_call_does_not_go_on_in_a_legacy_one() -> None:
    opened = beside([fragment('{"a":', "f", id="a")], {"name": "g", "arguments": ""})
    findings = Findings()
    assembler = ToolCallAssembler(findings)
    for one in (opened, {"tool_calls": [fragment("1}")]}):
        assembler.take(one, is_chunk=True)
    assert [(call.name, call.arguments) for call in assembler.result()] == [("f", '{"a":1}'), ("g", "")]


@pytest.mark.parametrize(
    ("fragments", "kinds"),
    [
        ([fragment("{}", "f", index="0", id="a")], {FindingKind.INDEX_NOT_NUMBER}),
        ([fragment("{}", "f", index="9" * 5000, id="a")], {FindingKind.TOOL_INDEX_MISSING}),
        (
            [fragment("", "get_", index=0, id="a"), fragment("", "weather", index=0)],
            {FindingKind.TOOL_NAME_IN_PARTS},
        ),
        (
            [fragment("", "get_", index=0, id="a"), fragment("", "get_weather", index=0)],
            {FindingKind.TOOL_NAME_IN_PARTS},
        ),
        ([fragment("", "f", index=0, id="a"), fragment("{}", "f", index=0)], set()),
        ([fragment("", "f", index=0, id="a"), fragment("{}", "g", index=0, id="a")], {FindingKind.TOOL_NAME_IN_PARTS}),
        (
            [fragment("", "f", index=0), fragment("{}", "g", index=0)],
            {FindingKind.TOOL_INDEX_REUSED, FindingKind.TOOL_ID_MISSING},
        ),
        ([fragment({}, "f", index=0, id="a"), fragment("{}", index=0)], {FindingKind.TOOL_ARGUMENTS_NOT_TEXT}),
    ],
)
def test_what_was_odd_about_the_fragments_is_noted(fragments: list[Fragment], kinds: set[FindingKind]) -> None:
    assert assembled(*fragments)[1] == kinds


@st.composite
def meant(draw: st.DrawFn) -> list[ToolCall]:
    arguments = st.dictionaries(texts, texts, max_size=2).map(json.dumps)
    names = st.sampled_from(("f", "g"))
    return [
        ToolCall(name=draw(names), arguments=draw(arguments), id=f"call-{n}", index=n)
        for n in range(draw(st.integers(1, 3)))
    ]


def fragments_of(call: ToolCall, pieces: list[str], *, has_index: bool, has_id: bool) -> list[Fragment]:
    index = {"index": call.index} if has_index else {}
    first = fragment("", call.name, **index, **({"id": call.id} if has_id else {}))
    return [first, *(fragment(piece, **index) for piece in pieces)]


@given(data=st.data(), truth=meant())
def test_interleaved_fragments_with_an_index_give_the_calls_in_order_of_appearance(
    data: st.DataObject, truth: list[ToolCall]
) -> None:
    rows = [fragments_of(call, data.draw(cut_texts(call.arguments)), has_index=True, has_id=True) for call in truth]
    mixed = [row.pop(0) for row in rows]
    while any(rows):
        mixed.append(data.draw(st.sampled_from([row for row in rows if row])).pop(0))
    assert assembled(*mixed) == (tuple(truth), set())


@given(data=st.data(), truth=meant(), has_id=st.booleans())
def test_calls_without_an_index_are_told_apart_by_id_else_by_name(
    data: st.DataObject, truth: list[ToolCall], *, has_id: bool
) -> None:
    if not has_id:
        truth = [replace(call, name=f"f{call.index}") for call in truth]
    rows = [fragments_of(call, data.draw(cut_texts(call.arguments)), has_index=False, has_id=has_id) for call in truth]
    found, _ = assembled(*(one for row in rows for one in row))
    assert [(call.name, call.arguments) for call in found] == [(call.name, call.arguments) for call in truth]


def test_a_repeated_id_goes_on_with_its_call_though_its_arguments_were_whole_for_a_moment() -> None:
    pieces = ("", '""', " and more")
    (call,), _ = assembled(*(fragment(piece, "f", id="a") for piece in pieces))
    assert (call.name, call.arguments) == ("f", '"" and more')

"""Drafts as prompts: ids that stay, features, categories, checks that a request implies."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.foreign.assemble import implied_checks, prompts_of
from harness.model.foreign.draft import Draft
from harness.model.golden import Check, CheckKind, Prompt

SCHEMA = {"type": "object"}
WITH_SCHEMA: dict[str, Any] = {
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
}


def a_draft(text: str = "hi", name: str | None = None, **request: Any) -> Draft:
    return Draft(where="f:1", name=name, request={"messages": [{"role": "user", "content": text}], **request})


def ids(*drafts: Draft) -> list[str]:
    return [prompt.id for prompt in prompts_of(drafts, prefix="batch")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Order 17/B", "order-17-b"),
        ("--a__b..", "a__b"),
        ("ÄÖ 1", "1"),
        ("x" * 80, "x" * 48),
        ("a" * 47 + " b", "a" * 47),
    ],
)
def test_an_id_is_the_files_own_name_in_lower_case(name: str, expected: str) -> None:
    assert ids(a_draft(name=name)) == [expected]


@pytest.mark.parametrize("name", [None, "", "注文", "..."])
def test_without_a_name_the_request_gives_the_id(name: str | None) -> None:
    (one,), (other,) = ids(a_draft("a", name)), ids(a_draft("b", name))
    assert one.startswith("batch-")
    assert len(one) == len("batch-") + 8
    assert one != other


def test_a_name_given_twice_gets_the_digest_and_then_a_number() -> None:
    first, second, third, fourth = ids(a_draft("a", "x"), a_draft("b", "X"), a_draft("b", "x"), a_draft("c", "x"))
    assert first == "x"
    assert second.startswith("x-")
    assert third == f"{second}-2"
    assert fourth not in (first, second, third)


def test_equal_requests_without_names_are_numbered() -> None:
    first, second, third = ids(a_draft(), a_draft(), a_draft())
    assert (second, third) == (f"{first}-2", f"{first}-3")


@given(names=st.lists(st.text(max_size=70) | st.none(), max_size=8))
def test_ids_are_unique_valid_and_stay_when_lines_are_added(names: list[str | None]) -> None:
    drafts = [a_draft(f"text {i % 3}", name) for i, name in enumerate(names)]
    found = ids(*drafts)
    assert len(set(found)) == len(found)
    for prompt in prompts_of(drafts, prefix="promptfoo"):
        msgspec.convert(msgspec.to_builtins(prompt), Prompt)
    assert ids(*drafts, a_draft("more", "more"))[: len(found)] == found


def test_a_prompt_quotes_what_the_user_said_last() -> None:
    (prompt,) = prompts_of([a_draft("Where is\n my  parcel?")], prefix="x")
    assert prompt.intent == "Imported: Where is my parcel?"
    (prompt,) = prompts_of([a_draft("long " * 40)], prefix="x")
    assert len(prompt.intent) < 110
    (prompt,) = prompts_of([Draft(where="f:1", request={"messages": [{"role": "system", "content": "s"}]})], prefix="x")
    assert prompt.intent == "Imported: a request without a text of the user"


def test_features_and_category_come_from_the_request() -> None:
    (prompt,) = prompts_of([a_draft(tools=[{}], tool_choice="auto", **WITH_SCHEMA)], prefix="x")
    assert (prompt.category, prompt.requires) == ("tools, structured", ["tools", "tool_choice", "json_schema"])


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (WITH_SCHEMA, [Check(kind=CheckKind.JSON_SCHEMA, argument=SCHEMA)]),
        ({"response_format": {"type": "json_object"}}, [Check(kind=CheckKind.JSON_VALID, argument=True)]),
        ({"response_format": {"type": "text"}}, []),
        ({}, []),
        ({**WITH_SCHEMA, "tools": [{}]}, []),
    ],
)
def test_the_request_implies_checks_of_its_json(request_: dict[str, Any], expected: list[Check]) -> None:
    assert implied_checks(a_draft(**request_)) == expected


def test_checks_of_the_file_come_first_and_keep_implied_ones_away() -> None:
    given_check = Check(kind=CheckKind.JSON_VALID)
    draft = Draft(where="f:1", request=a_draft(**WITH_SCHEMA).request, checks=(given_check,))
    assert next(prompts_of([draft], prefix="x")).checks == [given_check]

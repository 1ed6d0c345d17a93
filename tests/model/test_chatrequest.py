"""What a chat request says about itself."""

from typing import Any

import pytest
from hypothesis import given

from harness.model.chatrequest import (
    kind_of_request,
    message_text,
    n_user_turns,
    pinned,
    required_features,
    response_kind,
    response_schema,
    unpinned_sampling,
)
from harness.model.goldenfile import load_golden_set
from harness.model.shipped import shipped_golden_set
from tests.model.strategies import json_values

USER = {"role": "user", "content": "hi"}
IMAGE = {"role": "user", "content": [{"type": "text", "text": "what"}, {"type": "image_url", "image_url": {}}]}


@pytest.mark.parametrize(
    ("request_", "features"),
    [
        ({}, []),
        ({"tools": [], "tool_choice": None, "stop": None, "parallel_tool_calls": False, "logprobs": False}, []),
        ({"tools": [{}], "tool_choice": "required"}, ["tools", "tool_choice"]),
        ({"parallel_tool_calls": True, "stop": "x", "logprobs": True}, ["parallel_tool_calls", "stop", "logprobs"]),
        ({"response_format": {"type": "json_schema"}}, ["json_schema"]),
        ({"response_format": {"type": "json_object"}}, ["json_object"]),
        ({"response_format": {"type": "text"}}, []),
        ({"response_format": {"type": []}}, []),
        ({"messages": [IMAGE, IMAGE]}, ["vision"]),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}, {"type": "file"}]}]}, ["audio", "files"]),
    ],
)
def test_features_are_read_from_the_body(request_: dict[str, Any], features: list[str]) -> None:
    assert required_features(request_) == features


def test_the_shipped_set_declares_what_its_bodies_use() -> None:
    golden = load_golden_set(shipped_golden_set())
    undeclared = {p.id: set(required_features(p.request)) - set(p.requires) for p in golden.prompts}
    assert {name: missing for name, missing in undeclared.items() if missing} == {}


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ({"temperature": 0, "top_p": 1, "max_tokens": 5}, ()),
        ({"temperature": 0.0, "top_p": 1.0, "max_completion_tokens": 5}, ()),
        ({}, ("temperature", "top_p", "max_tokens")),
        ({"temperature": 0.7, "top_p": 0.9, "max_tokens": None}, ("temperature", "top_p", "max_tokens")),
        ({"temperature": False, "top_p": True, "max_tokens": 1}, ("temperature", "top_p")),
    ],
)
def test_sampling_that_is_not_pinned_is_named(request_: dict[str, Any], names: tuple[str, ...]) -> None:
    assert unpinned_sampling(request_) == names
    assert unpinned_sampling(pinned(request_, max_tokens=9)) == ()


def test_pinning_keeps_a_length_and_everything_else() -> None:
    assert pinned({"temperature": 1, "max_tokens": 7, "x": 2}, max_tokens=9) == {
        "temperature": 0,
        "top_p": 1,
        "max_tokens": 7,
        "x": 2,
    }
    assert pinned({"max_completion_tokens": 7}, max_tokens=9) == {
        "temperature": 0,
        "top_p": 1,
        "max_completion_tokens": 7,
    }


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({"messages": [USER]}, "chat"),
        ({"messages": [USER, {"role": "assistant", "content": "a"}, USER]}, "multi-turn"),
        ({"messages": [USER, USER], "tools": [{}]}, "tools"),
        ({"messages": [USER], "response_format": {"type": "json_object"}}, "structured"),
        ({"messages": [USER], "response_format": {"type": "json_object"}, "tools": [{}]}, "tools, structured"),
    ],
)
def test_a_request_is_of_one_kind(request_: dict[str, Any], kind: str) -> None:
    assert kind_of_request(request_) == kind


def test_a_message_in_parts_is_one_text() -> None:
    assert message_text(IMAGE) == "what"
    assert message_text({"content": None}) == ""
    assert message_text({"content": ["a", {"text": 5}]}) == ""


def test_a_schema_is_found_where_there_is_one() -> None:
    assert response_schema({"response_format": {"json_schema": {"schema": {"type": "object"}}}}) == {"type": "object"}
    assert response_schema({"response_format": {"json_schema": 5}}) is None


@given(body=json_values, other=json_values)
def test_no_body_is_too_odd_to_be_looked_at(body: Any, other: Any) -> None:
    request = {"messages": body, "tools": other, "response_format": body, "stop": other, "temperature": body}
    assert isinstance(required_features(request), list)
    assert isinstance(kind_of_request(request), str)
    assert n_user_turns(request) >= 0
    assert response_kind(request) is None or isinstance(response_kind(request), str)
    assert set(unpinned_sampling(request)) <= {"temperature", "top_p", "max_tokens"}

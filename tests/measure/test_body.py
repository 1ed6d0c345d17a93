"""The body that an endpoint gets, and what may differ between two."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.measure.body import compare_bodies, request_body
from harness.model.endpoint import Endpoint, Params
from harness.model.golden import Prompt
from tests.measure.prompts import a_prompt, an_endpoint

MESSAGES = [{"role": "user", "content": "hi"}]
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


def test_the_golden_request_gets_model_and_stream() -> None:
    body = request_body(a_prompt(temperature=0), an_endpoint())
    assert body == {"model": "m", "messages": MESSAGES, "temperature": 0} | STREAMED


def test_usage_is_asked_for_only_where_the_endpoint_takes_it() -> None:
    body = request_body(a_prompt(), an_endpoint(stream_usage=False))
    assert body == {"model": "m", "messages": MESSAGES, "stream": True}


def test_pinned_sampling_goes_over_the_golden_value() -> None:
    body = request_body(a_prompt(temperature=0, seed=1), an_endpoint(sampling={"temperature": 1, "top_p": 0.9}))
    assert (body["temperature"], body["top_p"], body["seed"]) == (1, 0.9, 1)


def test_parameters_are_renamed_dropped_and_added() -> None:
    params = Params(rename={"max_tokens": "max_completion_tokens"}, drop=["seed"], add={"reasoning_effort": "low"})
    body = request_body(a_prompt(max_tokens=5, seed=1, top_p=1), an_endpoint(params=params))
    assert set(body) == {"model", "messages", "max_completion_tokens", "reasoning_effort", "top_p", *STREAMED}
    assert body["max_completion_tokens"] == 5


def test_pinned_sampling_is_renamed_too() -> None:
    params = Params(rename={"max_tokens": "max_completion_tokens"})
    body = request_body(a_prompt(max_tokens=5), an_endpoint(params=params, sampling={"max_tokens": 7}))
    assert "max_tokens" not in body
    assert body["max_completion_tokens"] == 7


def test_names_may_be_exchanged() -> None:
    params = Params(rename={"a": "b", "b": "a"})
    body = request_body(a_prompt(a=1, b=2), an_endpoint(params=params))
    assert (body["a"], body["b"]) == (2, 1)


def test_extra_body_comes_last() -> None:
    endpoint = an_endpoint(extra_body={"top_k": 5, "temperature": 0.5})
    body = request_body(a_prompt(temperature=0), endpoint)
    assert (body["top_k"], body["temperature"]) == (5, 0.5)


def test_dropping_what_is_not_there_is_fine() -> None:
    assert "seed" not in request_body(a_prompt(), an_endpoint(params=Params(drop=["seed"])))


def test_the_prompt_is_left_as_it_was() -> None:
    prompt = a_prompt(stream_options={"x": 1}, temperature=0)
    before = copy.deepcopy(prompt.request)
    request_body(prompt, an_endpoint(sampling={"temperature": 1}))
    assert prompt.request == before


@pytest.mark.parametrize(
    ("endpoint", "word"),
    [
        (
            an_endpoint(params=Params(rename={"max_tokens": "max_completion_tokens"})),
            "overwrite 'max_completion_tokens'",
        ),
        (an_endpoint(params=Params(rename={"seed": "x", "top_p": "x"})), "overwrite 'x'"),
        (an_endpoint(params=Params(rename={"seed": "model"})), "'model'"),
        (an_endpoint(params=Params(rename={"seed": "stream_options"}), stream_usage=False), "'stream_options'"),
        (an_endpoint(params=Params(drop=["messages"])), "'messages'"),
        (an_endpoint(params=Params(drop=["stream_options"])), "stream_usage: false"),
        (an_endpoint(params=Params(drop=["a"], add={"a": 1})), "params.drop and params.add both name a"),
        (an_endpoint(params=Params(drop=["a"]), sampling={"a": 1}), "params.drop and sampling both name a"),
        (an_endpoint(params=Params(drop=["a"]), extra_body={"a": 1}), "params.drop and extra_body both name a"),
        (an_endpoint(params=Params(rename={"a": "b"}, drop=["a"])), "params.rename and params.drop both name a"),
        (an_endpoint(params=Params(rename={"a": "b"}, drop=["b"])), "params.rename and params.drop both name b"),
        (an_endpoint(params=Params(rename={"a": "b"}, add={"b": 1})), "params.rename and params.add both name b"),
        (
            an_endpoint(params=Params(rename={"a": "b"}), extra_body={"b": 1}),
            "params.rename and extra_body both name b",
        ),
        (an_endpoint(sampling={"a": 1}, extra_body={"a": 2}), "sampling and extra_body both name a"),
    ],
)
def test_what_would_silently_do_the_wrong_thing_is_refused(endpoint: Endpoint, word: str) -> None:
    prompt = a_prompt(max_tokens=1, max_completion_tokens=2, seed=3, top_p=1)
    with pytest.raises(ConfigError, match="e: ") as refused:
        request_body(prompt, endpoint)
    assert word in str(refused.value)


def compared(prompt: Prompt, reference: Endpoint, candidate: Endpoint, **changes: Any) -> tuple[set[str], set[str]]:
    body = request_body(prompt, candidate) | changes
    found = compare_bodies(request_body(prompt, reference), body, reference, candidate)
    return set(found.declared), set(found.undeclared)


@pytest.mark.parametrize(
    ("candidate", "declared"),
    [
        (an_endpoint(), set()),
        (an_endpoint(model="other"), {"model"}),
        (an_endpoint(stream_usage=False), {"stream_options"}),
        (an_endpoint(sampling={"temperature": 1}), {"temperature"}),
        (an_endpoint(params=Params(rename={"max_tokens": "mct"})), {"max_tokens", "mct"}),
        (an_endpoint(params=Params(rename={"max_tokens": "mct"}), sampling={"max_tokens": 9}), {"max_tokens", "mct"}),
        (an_endpoint(params=Params(drop=["seed"])), {"seed"}),
        (an_endpoint(params=Params(add={"x": {"y": 1}})), {"x"}),
        (an_endpoint(extra_body={"seed": 2, "z": 1}), {"seed", "z"}),
    ],
)
def test_what_a_file_declares_is_declared_whichever_side_it_is(candidate: Endpoint, declared: set[str]) -> None:
    prompt = a_prompt(temperature=0, max_tokens=5, seed=1)
    assert compared(prompt, an_endpoint(), candidate) == (declared, set())
    assert compared(prompt, candidate, an_endpoint()) == (declared, set())


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"messages": [{"role": "user", "content": "other"}]}, "messages[0].content"),
        ({"messages": [*MESSAGES, {"role": "user", "content": "x"}]}, "messages[1]"),
        ({"temperature": 0.5}, "temperature"),
        ({"temperature": False}, "temperature"),
        ({"temperature": 0.0}, "temperature"),
        ({"top_p": 1}, "top_p"),
        ({"stream_options": {"include_usage": True, "x": 1}}, "stream_options.x"),
        ({"tools": [{"type": "function", "function": {"name": "g"}}]}, "tools[0].function.name"),
    ],
)
def test_what_no_file_explains_is_named_by_its_path(changes: dict[str, Any], path: str) -> None:
    prompt = a_prompt(temperature=0, tools=[{"type": "function", "function": {"name": "f"}}])
    expected = {path} if path != "stream_options.x" else {"stream_options"}
    _, undeclared = compared(prompt, an_endpoint(), an_endpoint(model="other"), **changes)
    assert undeclared == expected


def test_a_rename_does_not_excuse_another_value() -> None:
    candidate = an_endpoint(params=Params(rename={"max_tokens": "mct"}))
    assert compared(a_prompt(max_tokens=5), an_endpoint(), candidate, mct=4) == (set(), {"max_tokens"})


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), JSON_VALUES, max_size=4), JSON_VALUES)
def test_two_endpoints_that_declare_nothing_are_asked_the_same(request: dict[str, Any], other: Any) -> None:
    prompt = a_prompt(**request)
    assert compared(prompt, an_endpoint(), an_endpoint(model="x")) == ({"model"}, set())
    _, undeclared = compared(prompt, an_endpoint(), an_endpoint(), zz=other)
    assert undeclared == {"zz"}

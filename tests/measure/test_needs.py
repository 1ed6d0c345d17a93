"""Which probes a set needs, from the bodies that an endpoint would get."""

from typing import Any

import msgspec
import pytest

from harness.measure.needs import CORE, needed_probes
from harness.model.endpoint import Params
from harness.model.golden import Check, CheckKind, GoldenSet
from harness.model.goldenfile import load_golden_set
from harness.model.requirements import REQUIREMENTS
from harness.model.shipped import golden_set_file
from harness.probes.catalogue import PROBES
from tests.measure.prompts import a_prompt, an_endpoint

TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
STRICT: dict[str, Any] = {"type": "function", "function": {"name": "f", "strict": True}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
IDS = {probe.id for probe in PROBES}


def needs(endpoint: Any = None, requires: tuple[str, ...] = (), **request: Any) -> set[str]:
    prompt = msgspec.structs.replace(a_prompt(**request), requires=list(requires))
    golden = GoldenSet(name="g", prompts=[prompt])
    return set(needed_probes(golden, endpoint or an_endpoint(stream_usage=False))) - set(CORE)


@pytest.mark.parametrize(
    ("request_fields", "probes"),
    [
        ({}, set()),
        ({"max_tokens": 5, "top_p": 1, "frequency_penalty": 0, "n": 1}, {"max_tokens"}),
        ({"top_p": 0.5, "presence_penalty": 1, "n": 2}, {"top_p", "penalties", "n"}),
        ({"seed": 0, "logprobs": True}, {"seed", "logprobs"}),
        ({"stop": "x"}, {"stop_string"}),
        ({"stop": list("abcde")}, {"stop_array5"}),
        ({"response_format": {"type": "json_object"}}, {"json_object"}),
        ({"response_format": SCHEMA}, {"json_schema_enforced", "json_schema_stream"}),
        ({"tools": [TOOL]}, {"tool_auto", "tool_stream"}),
        ({"tools": [STRICT]}, {"tool_auto", "tool_stream", "tool_strict"}),
        ({"tools": [TOOL], "tool_choice": "none"}, {"tool_auto", "tool_stream", "tool_none"}),
        ({"tools": [TOOL], "tool_choice": {"type": "function"}}, {"tool_auto", "tool_stream", "tool_named"}),
        ({"tools": [TOOL], "parallel_tool_calls": False}, {"tool_auto", "tool_stream", "parallel"}),
    ],
)
def test_a_body_needs_what_it_uses(request_fields: dict[str, Any], probes: set[str]) -> None:
    assert needs(**request_fields) == probes
    assert probes <= IDS


def test_usage_in_the_stream_is_needed_where_it_is_asked_for() -> None:
    assert needs(an_endpoint()) == {"stream_usage"}


def test_what_the_endpoint_file_drops_or_renames_is_not_needed_under_its_old_name() -> None:
    params = Params(rename={"max_tokens": "max_completion_tokens"}, drop=["stop", "response_format"])
    found = needs(
        an_endpoint(stream_usage=False, params=params),
        ("stop", "json_schema"),
        max_tokens=5,
        stop="x",
        response_format=SCHEMA,
    )
    assert found == {"max_completion_tokens"}


def test_a_word_that_only_the_author_knows_counts() -> None:
    assert needs(requires=("vision",)) == {"image"}


def test_every_word_asks_for_probes_that_there_are_and_every_probe_and_feature_is_a_word() -> None:
    assert {probe for probes in REQUIREMENTS.values() for probe in probes} <= IDS
    assert set(REQUIREMENTS) >= IDS
    for probe in PROBES:
        assert probe.feature is None or probe.id in REQUIREMENTS[probe.feature], probe.id
    assert needs(requires=("audio", "reasoning_effort", "presence_penalty")) == {"reasoning", "penalties"}


def test_a_tool_loop_needs_the_second_half() -> None:
    final = [Check(kind=CheckKind.CONTAINS, argument="7")]
    prompt = msgspec.structs.replace(a_prompt(tools=[TOOL]), tool_results={"f": 7}, final=final)
    assert "tool_result" in needed_probes(GoldenSet(name="g", prompts=[prompt]), an_endpoint())


def test_every_probe_that_the_shipped_set_needs_is_in_the_catalogue() -> None:
    golden = load_golden_set(golden_set_file(None))
    needed = needed_probes(golden, an_endpoint())
    assert set(needed) <= IDS
    assert len(needed["chat"]) == len(golden.prompts)
    assert {"tool_auto", "tool_named", "parallel", "json_schema_enforced", "stop_string"} <= set(needed)

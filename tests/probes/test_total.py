"""Whatever a server says, a judge gives a class, and the report can be written."""

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.probes.catalogue import PROBES
from harness.probes.classify import classify
from harness.probes.core import window_in
from harness.probes.probe import Probe, Target
from harness.probes.seen import see
from tests.probes.recorded import exchange_of

KEYS = ("choices", "message", "delta", "content", "tool_calls", "function", "arguments", "index", "logprobs", "error")
MORE = ("usage", "data", "id", "finish_reason", "prompt_tokens", "completion_tokens", "top_logprobs", "param", "name")
LEAVES = (
    st.none() | st.booleans() | st.integers(-3, 40) | st.sampled_from(["", "m", "stop", "length", "a b", "\ud800", "{"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS + MORE), inner, max_size=4),
    max_leaves=25,
)
CHOICE = st.fixed_dictionaries({"index": VALUES, "finish_reason": VALUES, "message": VALUES, "logprobs": VALUES})
BODIES = VALUES | st.fixed_dictionaries({"choices": st.lists(CHOICE, max_size=3), "usage": VALUES, "data": VALUES})


def answered(status: int, value: Any, *, is_stream: bool) -> dict[str, Any]:
    text = json.dumps(value)
    kind = "text/event-stream" if is_stream else "application/json"
    text = f"data: {text}\n\ndata: [DONE]\n\n" if is_stream else text
    return {
        "asked": {"stream": is_stream},
        "status": status,
        "headers": [["content-type", kind]],
        "reads": [[1.0, text]],
    }


@settings(max_examples=150, deadline=None)
@given(
    probe=st.sampled_from(PROBES),
    value=BODIES,
    status=st.sampled_from([200, 200, 200, 400, 500]),
    is_stream=st.booleans(),
)
def test_any_answer_is_classified(probe: Probe, value: Any, status: int, is_stream: bool) -> None:
    taken = []
    for ask in probe.asks:
        taken += [exchange_of(ask.label, n, answered(status, value, is_stream=is_stream)) for n in range(2)]
    result = classify(probe, taken, Target(model="m", window=10))
    assert result.evidence
    msgspec.json.encode(result)


@given(value=BODIES)
def test_a_window_is_looked_for_in_anything(value: Any) -> None:
    exchange, wire = exchange_of("list", 0, answered(200, value, is_stream=False))
    window = window_in(see(exchange, wire, model="m"), "m")
    assert window is None or window > 0

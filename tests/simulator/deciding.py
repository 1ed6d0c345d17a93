"""Asks an endpoint for its decision, without sockets."""

from pathlib import Path
from typing import Any

from harness.model.goldenfile import load_golden_set
from harness.simulator.endpoint import Decision, HttpRequest, SimulatedEndpoint
from harness.simulator.profile import Constant, Decode, Profile
from harness.simulator.wire import writes_of
from tests.simulator.client import Raw, chat

DATA = Path(__file__).parent / "data"
GOLDEN_FILE = DATA / "golden.yml"
FAST = DATA / "fast.yml"
GOLDEN = load_golden_set(GOLDEN_FILE)
CAPITAL = "What is the capital of Czechia?"
CAPITAL_TEXT = "The capital is Prague, on the river Vltava, with 1.3 million people."
WEATHER = GOLDEN.prompt("weather").request
TWO_CITIES = GOLDEN.prompt("two-cities").request
INVOICE = GOLDEN.prompt("invoice-json").request


def a_profile(**more: Any) -> Profile:
    given: dict[str, Any] = {"name": "p", "ttft": Constant(ms=100.0), "decode": Decode(tokens_per_s=100.0)}
    return Profile(**(given | more))


def an_endpoint(**more: Any) -> SimulatedEndpoint:
    return SimulatedEndpoint(a_profile(**more), GOLDEN)


def decide(endpoint: SimulatedEndpoint, messages: Any, *, at_ns: int = 0, headers: Any = None, **more: Any) -> Decision:
    request = HttpRequest(
        method="POST", path="/v1/chat/completions", headers=headers or {}, body=chat(messages, **more)
    )
    return endpoint.decide(request, "id", at_ns)


def wire_of(decision: Decision) -> Raw:
    return Raw(wire=b"".join(write.data for write in writes_of(decision.script)))


def answer(endpoint: SimulatedEndpoint, messages: Any, **more: Any) -> Raw:
    return wire_of(decide(endpoint, messages, **more))


def golden_body(prompt_id: str) -> dict[str, Any]:
    """Give a prompt's request as arguments of `decide`."""
    return dict(GOLDEN.prompt(prompt_id).request)

"""Where instants come from, in words."""

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.clocksource import clock_source
from harness.analysis.results.instrument import ClockSource
from harness.model.record import Arm, ClientFacts
from harness.units import NS_PER_S
from tests.analysis.cases import a_side

LOADED = ClientFacts(arms=(Arm.REFERENCE,), loop="asyncio", started_at_ns=100 * NS_PER_S, ended_at_ns=0, cpu_ns=0)


def source(letters: str, **facts: Any) -> ClockSource:
    return clock_source(letters, replace(a_side([]), clock=facts, client=(LOADED,)))


@pytest.mark.parametrize(
    ("letters", "name", "detail"),
    [
        ("kkk", "kernel receive times", "SO_TIMESTAMPNS"),
        ("uuu", "monotonic clock after the read", ""),
        ("kuk", "mixed", "2 of 3 reads by the kernel, the others by the monotonic clock after the read"),
        ("", "no read", ""),
    ],
)
def test_a_source_is_named(letters: str, name: str, detail: str) -> None:
    found = source(letters, stamps="SO_TIMESTAMPNS")
    assert (found.name, found.detail) == (name, detail)


def test_the_mappings_bound_is_in_seconds() -> None:
    assert source("k", mapping_bound_ns=250).mapping_bound_s.value == pytest.approx(250e-9)
    assert source("k", mapping_bound_ns=None).mapping_bound_s.value is None


def step(by_s: float, at_s: float) -> dict[str, int]:
    at_ns = round(at_s * NS_PER_S)
    return {"between_ns": at_ns - 1, "and_ns": at_ns, "by_ns": round(by_s * NS_PER_S)}


def test_every_step_is_named_with_its_size() -> None:
    assert source("k", steps=[step(2.000013, 112.34), step(-0.5, 99)]).steps == (
        "the wall clock stepped by +2.000013 s, noticed 12.3 s into the load",
        "the wall clock stepped by -0.500000 s, noticed during the warm-up",
    )


def test_many_steps_are_counted() -> None:
    found = source("k", steps=[step(0.1, 101 + i) for i in range(8)]).steps
    assert len(found) == 6
    assert found[-1] == "3 more steps of the wall clock"


def test_a_run_without_facts_has_no_step() -> None:
    assert source("k").steps == ()

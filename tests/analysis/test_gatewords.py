import math
from typing import Any

import pytest

from harness.analysis.gatewords import allowed, size_of, worst_case
from harness.analysis.results.estimates import Value
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.judgement import Verdict
from harness.analysis.sentences import verdict_sentence

RATE: dict[str, Any] = {"id": "request_success", "kind": GateKind.DIFFERENCE, "margin": 0.02, "higher_is_better": True}
TAIL: dict[str, Any] = {"id": "ttft_p95", "kind": GateKind.RATIO, "margin": 1.5, "higher_is_better": False}


def gate(**given: Any) -> Gate:
    common: dict[str, Any] = {
        "title": "",
        "metric": "",
        "is_required": True,
        "outcome": Outcome.PASS,
        "reason": "",
        "effect": Value(value=0.0),
        "reference": Value(value=1.0),
        "candidate": Value(value=1.0),
        "n_reference": 180,
        "n_candidate": 180,
    }
    return Gate(**{**common, **given})


@pytest.mark.parametrize(
    ("bound", "written"),
    [
        (-0.0199, "request success −1.99 points (allowed −2)"),
        (-0.019_996, "request success −1.9996 points (allowed −2)"),
        (-0.0151, "request success −1.5 points (allowed −2)"),
        (-0.02, "request success −2 points (allowed −2)"),  # at the limit indeed
    ],
)
def test_a_pass_never_reads_as_if_at_its_limit(bound: float, written: str) -> None:
    assert worst_case(gate(**RATE, bound=bound)) == written


def test_ratios_and_shares_get_decimals_as_well() -> None:
    assert worst_case(gate(**TAIL, bound=1.4998)) == "TTFT p95 1.4998× (allowed 1.5×)"
    assert size_of(GateKind.SHARE, 0.009_99, 0.01) == "0.999 %"
    assert size_of(GateKind.DIFFERENCE, -0.0501, 0.05, signed=False) == "5.01 points"
    assert allowed(GateKind.SHARE, 0.0025, higher_is_better=False) == "allowed 0.25 %"
    assert allowed(GateKind.DIFFERENCE, 0.0025, higher_is_better=True) == "allowed −0.25"


def test_an_open_gate_just_beyond_its_margin_does_not_read_as_if_at_it() -> None:
    still = gate(**RATE, bound=-0.020_04)
    found = verdict_sentence(Verdict.INCONCLUSIVE, [_open(still)], (), n_prompts=3)
    assert "may have fallen by up to 2.004 points and you allow 2" in found
    screen = verdict_sentence(Verdict.INCONCLUSIVE, [_open(still)], (), n_prompts=3, is_screen=True)
    assert screen.startswith("Quick screen: ")
    assert screen.endswith("up to 2.004 points and the screen allows 2.")


def _open(one: Gate) -> Gate:
    return gate(**RATE, bound=one.bound, outcome=Outcome.INCONCLUSIVE)


def test_nothing_is_slower_than_a_failure() -> None:
    words = "TTFT p95: not bounded: the reference's p95 falls among failures (allowed 1.5×)"
    assert worst_case(gate(**TAIL, bound=0.0)) == words
    assert worst_case(gate(**TAIL, bound=math.inf)) == "TTFT p95 unbounded (allowed 1.5×)"
    assert worst_case(gate(**TAIL, bound=None)) == "TTFT p95: not bounded by the data (allowed 1.5×)"

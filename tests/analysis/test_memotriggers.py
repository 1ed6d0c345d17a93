"""Rollback triggers against sums written out by hand."""

import math

import pytest

from harness.analysis.memotriggers import FALSE_ALARM, most_explained, triggers
from harness.analysis.results.estimates import Value
from harness.analysis.results.gate import Gate, GateKind, Outcome


def _more_than(k: int, n: int, rate: float) -> float:
    return math.fsum(math.comb(n, i) * rate**i * (1 - rate) ** (n - i) for i in range(k + 1, n + 1))


def _gate(**changes: object) -> Gate:
    given: dict[str, object] = {
        "id": "tool_success",
        "title": "Tool-call success",
        "metric": "tool_success",
        "kind": GateKind.DIFFERENCE,
        "margin": 0.05,
        "higher_is_better": True,
        "is_required": True,
        "outcome": Outcome.PASS,
        "reason": "",
        "effect": Value(value=0.0),
        "bound": -0.048,
        "reference": Value(value=1.0),
        "candidate": Value(value=1.0),
        "n_reference": 54,
        "n_candidate": 54,
    }
    return Gate(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("window", [20, 100, 500])
@pytest.mark.parametrize("rate", [0.0, 0.01, 0.048, 0.5])
def test_the_threshold_is_the_smallest_that_keeps_the_false_alarm_rate(window: int, rate: float) -> None:
    most = most_explained(window, rate)
    assert _more_than(most, window, rate) <= FALSE_ALARM
    assert most == 0 or _more_than(most - 1, window, rate) > FALSE_ALARM


def test_a_rate_starts_from_the_rate_at_the_margin() -> None:
    (found,) = triggers([_gate(reference=Value(value=0.98))])
    assert found.allowed_rate == pytest.approx(0.02 + 0.05)
    assert found.window is not None
    assert found.most is not None
    assert found.false_alarm == pytest.approx(_more_than(found.most, found.window, 0.07))
    assert found.seen_at == pytest.approx(0.07 + 2 * 0.05)
    assert found.power == pytest.approx(_more_than(found.most, found.window, 0.17))


def test_where_low_is_good_the_rate_itself_is_moved_by_the_margin() -> None:
    (found,) = triggers([_gate(id="refusal", higher_is_better=False, bound=0.03, reference=Value(value=0.01))])
    assert found.allowed_rate == pytest.approx(0.06)


def test_the_window_is_the_smallest_in_which_a_clear_loss_is_noticed() -> None:
    (found,) = triggers([_gate()])
    assert (found.window, found.most) == (100, 11)
    assert _more_than(11, 100, 0.05) <= FALSE_ALARM < _more_than(10, 100, 0.05)
    assert _more_than(most_explained(50, 0.05), 50, 0.15) < 0.8


def test_a_latency_is_counted_beyond_what_the_margin_allows() -> None:
    """A candidate inside its margin is not to be rolled back: the limit is 1.5 times 0.5 s, whatever its bound."""
    (found,) = triggers([_p95()])
    assert found.limit == pytest.approx(0.75)
    assert found.allowed_rate == pytest.approx(0.05)


def _p95(**changes: object) -> Gate:
    given: dict[str, object] = {
        "id": "ttft_p95",
        "metric": "ttft",
        "kind": GateKind.RATIO,
        "margin": 1.5,
        "higher_is_better": False,
        "bound": 1.2,
        "reference": Value(value=0.5),
    }
    return _gate(**{**given, **changes})


def test_of_a_rate_where_low_is_bad_the_low_quantile_counts() -> None:
    gate = _gate(
        id="decode_p5", metric="decode_rate", kind=GateKind.RATIO, margin=0.67, bound=0.9, reference=Value(value=100.0)
    )
    (found,) = triggers([gate])
    assert found.limit == pytest.approx(67.0)
    assert found.allowed_rate == pytest.approx(0.05)


def test_a_median_is_not_doubled_beyond_all_requests() -> None:
    (found,) = triggers([_p95(id="ttft_p50", margin=1.25)])
    assert found.seen_at == pytest.approx(0.75)


@pytest.mark.parametrize("reference", [Value(value=None, reason="no output"), Value(value=math.inf)])
def test_without_the_references_quantile_there_is_no_trigger_but_a_reason(reference: Value) -> None:
    (found,) = triggers([_p95(reference=reference)])
    assert found.window is None
    assert found.missing


def test_void_timings_set_no_trigger() -> None:
    level = _gate(id="slo", kind=GateKind.SHARE, margin=0.01, higher_is_better=False, is_void=True)
    found = triggers([_p95(is_void=True), level, _gate()])
    assert [one.window is None for one in found] == [True, True, False]
    assert found[0].missing == "the timings of this run do not count"


def test_only_required_gates_that_were_judged_have_a_trigger() -> None:
    assert not triggers([_gate(is_required=False), _gate(outcome=Outcome.NOT_APPLICABLE)])


def test_a_service_level_is_counted_by_the_share_that_it_allows() -> None:
    gate = _gate(
        id="slo", metric="ttft", kind=GateKind.SHARE, margin=0.01, higher_is_better=False, bound=0.02,
        reference=Value(value=0.0),
    )  # fmt: skip
    (found,) = triggers([gate])
    assert (found.allowed_rate, found.limit) == (0.01, None)
    assert found.seen_at == pytest.approx(0.03)


def test_a_ratio_that_is_no_quantile_has_no_trigger() -> None:
    assert not triggers([_gate(id="completion_length", kind=GateKind.RATIO, margin=1.25, bound=1.1)])

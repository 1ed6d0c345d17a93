from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.analysis.overtime import drift, rolling_medians, sent_requests, window_of
from harness.analysis.trials import judge_side
from harness.model.record import Arm, FailureKind, Record
from harness.report.page import Figure, Withheld
from harness.report.plotdata import Standing, TimedPlot
from harness.report.plots import draw_figure
from harness.report.view_overtime import thinned
from tests.analysis.cases import MS, STEADY, a_golden, a_key, a_record, a_side, failed
from tests.report.pages import view


def at(record: Record, sent_ms: float, **changes: object) -> Record:
    stamps, by = record.stamps, round(sent_ms * MS)
    moved = {name: value + by for name in stamps.__slots__ if (value := getattr(stamps, name)) is not None}
    arrivals = replace(record.arrivals, at_ns=tuple(at_ns + by for at_ns in record.arrivals.at_ns))
    return replace(record, stamps=replace(stamps, **moved), arrivals=arrivals, **changes)  # type: ignore[arg-type]


def sent(records: Sequence[Record], metric: str = "ttft"):  # type: ignore[no-untyped-def]  # noqa: ANN201
    side = a_side(records)
    return sent_requests(side, (item.trial for item in judge_side(side, a_golden())), metric)


def answers(ttfts_ms: Sequence[float], **changes: object) -> list[Record]:
    return [
        at(a_record([ttft + step for step in range(0, 500, 100)], key=a_key(place)), place * 1000, **changes)
        for place, ttft in enumerate(ttfts_ms)
    ]


def test_a_rolling_median_by_hand() -> None:
    (line,) = rolling_medians(sent(answers([100, 500, 200, 400, 300, 100, 100])))
    assert window_of(7) == 5
    assert line == [(2000 * MS, 0.3), (3000 * MS, 0.3), (4000 * MS, 0.2)]


def test_failures_are_slower_than_anything_in_a_rolling_median() -> None:
    records = answers([100, 200, 300])
    records += [at(failed(key=a_key(place)), place * 1000) for place in (3, 4, 5)]
    (line,) = rolling_medians(sent(records))
    assert line == [(2000 * MS, 0.3)]  # the next window holds three failures of five: no median


def test_no_window_spans_two_parts_and_warm_ups_and_cold_requests_are_in_none() -> None:
    first = answers([100] * 5)
    later = [
        replace(at(record, 20_000), part=1, key=a_key(9 + place)) for place, record in enumerate(answers([700] * 5))
    ]
    warm = at(a_record(STEADY, key=a_key(0, is_warmup=True)), -5000)
    cold = at(a_record([9_000, 9_100], key=a_key(50), is_possibly_cold=True), 2500)
    lines = rolling_medians(sent([warm, *first, cold, *later]))
    assert [[value for _, value in line] for line in lines] == [[0.1], [0.7]]


def test_drift_is_the_last_third_over_the_first() -> None:
    assert drift(sent(answers([100] * 10 + [200] * 10 + [300] * 10))).value == pytest.approx(3.0)
    assert drift(sent(answers([100] * 29))).reason == "fewer than 30 requests with a value or a failure"


def test_who_fails_late_drifts_or_has_no_drift_and_never_looks_steady() -> None:
    def with_late_failures(n: int) -> list[Record]:
        lost = [at(failed(key=a_key(place)), place * 1000) for place in range(40 - n, 40)]
        return answers([100] * 20 + [200] * (20 - n)) + lost

    assert drift(sent(with_late_failures(0))).value == pytest.approx(2.0)
    assert drift(sent(with_late_failures(6))).value == pytest.approx(2.0)  # 6 of the last 13: the median still answers
    told = drift(sent(with_late_failures(7)))
    assert (told.value, told.reason) == (None, "half of the last third failed")


def test_a_stall_stands_from_its_last_output_to_the_next() -> None:
    record = at(a_record([100, 200, 300, 400, 4_400], key=a_key()), 1000)
    (one,) = sent([record])
    assert one.stalls == ((1400 * MS, 5400 * MS),)


def test_a_retry_that_fails_is_marked_and_has_no_point() -> None:
    again = at(failed(FailureKind.RATE_LIMITED, key=a_key(), status=429), 3000, attempt=2)
    first, second = sent([at(a_record(key=a_key()), 0), again])
    assert (first.value, second.value, second.failure) == (0.1, None, FailureKind.RATE_LIMITED)
    assert not second.is_counted


def test_thinning_keeps_the_slowest_and_the_order() -> None:
    found = thinned(sent(answers([9_000 if place == 333 else 100 for place in range(700)])), 100)
    assert len(found) == 100
    assert 9.0 in [one.value for one in found]
    assert [one.at_ns for one in found] == sorted(one.at_ns for one in found)


def test_levels_begin_at_a_boundary_and_a_429_has_its_lane() -> None:
    figure = view("leveled").overtime
    assert isinstance(figure, Figure)
    assert isinstance(figure.plot, TimedPlot)
    reference, candidate = figure.plot.sides
    assert [found.label for found in reference.boundaries] == [f"{n}\u00a0in flight" for n in (1, 4, 16, 64)]
    assert [mark.lane for mark in candidate.marks] == ["429, rate limited"] * 11
    assert {point.standing for point in reference.points} == {Standing.COUNTED}
    assert (reference.arm, len(reference.points), len(candidate.points)) == (Arm.REFERENCE, 560, 549)
    assert "429, rate limited 11" in figure.description
    drawn = draw_figure(figure)
    assert drawn == draw_figure(figure)
    labels = ("request", "rolling median", "429, rate limited", "warm-up", "stall")
    legend = [label for label in labels if label in drawn]
    assert legend == ["request", "rolling median", "429, rate limited"]  # of what is there


def test_a_run_without_instants_says_so() -> None:
    found = view("sample").overtime
    assert isinstance(found, Withheld)
    assert found.reasons == ("no request has an instant of sending on the record",)

"""The instrument's own figures."""

from dataclasses import replace

import pytest

from harness.analysis.instrument import NO_LAG, receive_lags, side_instrument
from harness.analysis.results.instrument import Instrument
from harness.analysis.trials import judge_side
from harness.model.record import Arm, ClientFacts, Reads, Record
from tests.analysis.cases import MS, a_case, a_golden, a_key, a_plan, a_prompt, a_record, failed, reads_at


def instrument(*records: Record, loop_lag_ms: float | None = None, bound_ns: int | None = None) -> Instrument:
    case = a_case(records, None, a_golden(a_prompt()))
    side = replace(
        case.reference,
        client=() if loop_lag_ms is None else (a_process(loop_lag_ms),),
        clock={} if bound_ns is None else {"mapping_bound_ns": bound_ns},
    )
    return side_instrument(case, side, judge_side(side, case.golden))


def a_process(loop_lag_ms: float) -> ClientFacts:
    lag_ns = round(loop_lag_ms * MS)
    return ClientFacts(
        arms=(Arm.REFERENCE,), loop="uvloop", started_at_ns=0, ended_at_ns=MS, cpu_ns=1, loop_lag_p99_ns=lag_ns
    )


def lagging(*lags_ms: float, source: str = "k") -> Record:
    """Ten output events 100 ms apart in reads of their own, each seen so late."""
    record = a_record()
    seen = tuple(at_ns + round(lag * MS) for at_ns, lag in zip(record.reads.at_ns, lags_ms, strict=True))
    return replace(record, reads=replace(record.reads, seen_at_ns=seen, source=source * 10))


def merged(lag_ms: float, *, n: int = 2, source: str = "k") -> Record:
    """Ten output events in pairs (or so), 100 ms from pair to pair; the first pair is read so late."""
    places = [event // n for event in range(10)]
    record = a_record([100.0 * (1 + place) for place in places], reads=places)
    late = (record.reads.at_ns[0] + round(lag_ms * MS), *record.reads.seen_at_ns[1:])
    n_reads = len(record.reads.at_ns)
    return replace(record, reads=replace(record.reads, seen_at_ns=late, source=source * n_reads))


def test_lag_is_from_the_kernels_instant_to_ours() -> None:
    reads = Reads(at_ns=(10, 20, 30), seen_at_ns=(15, 20, 37), n_bytes=(1, 1, 1), source="kuk")
    assert receive_lags(reads) == pytest.approx((5e-9, 7e-9))


def test_reads_are_counted_and_their_lag_measured() -> None:
    found = instrument(a_record(), a_record(key=a_key(1), reads=(0,) * 10))
    assert found.n_reads == 11
    assert found.kernel_stamp_fraction.value == 1.0
    assert found.receive_lag_p50_s.value == pytest.approx(0.0001)
    assert found.receive_lag_p99_s.value == pytest.approx(0.0001)
    assert found.send_lateness_p99_s.value == pytest.approx(0.001)
    assert found.shared_read_fraction.value == pytest.approx(10 / 20)


def test_stamps_of_our_own_have_no_visible_lag() -> None:
    ours = replace(a_record(), reads=reads_at(range(10), lag_ms=0, source="u"))
    found = instrument(ours)
    assert found.kernel_stamp_fraction.value == 0.0
    assert found.receive_lag_p99_s.value is None
    assert "kernel stamp" in (found.receive_lag_p99_s.reason or "")


def test_nothing_read_is_no_figure() -> None:
    found = instrument(failed())
    assert (found.n_reads, found.kernel_stamp_fraction.reason) == (0, "no read")
    assert found.receive_lag_p50_s.reason == "no read"
    assert found.shared_read_fraction.reason == "no output event"
    assert found.send_lateness_p99_s.value == pytest.approx(0.001)


def test_warmups_are_not_the_instruments_evidence() -> None:
    assert instrument(a_record(key=a_key(is_warmup=True))).n_reads == 0


def test_a_kernel_stamp_is_as_uncertain_as_the_mapping_of_its_clock() -> None:
    assert instrument(a_record(), bound_ns=212).arrival_uncertainty_p99_s.value == pytest.approx(212e-9)
    assert instrument(a_record()).arrival_uncertainty_p99_s.reason == "the run did not record it"


def test_a_stamp_of_our_own_is_as_uncertain_as_the_loop_is_late() -> None:
    ours = replace(a_record(), reads=reads_at(range(10), lag_ms=0, source="u"))
    assert instrument(ours, loop_lag_ms=1.7, bound_ns=212).arrival_uncertainty_p99_s.value == pytest.approx(0.0017)
    assert instrument(ours, bound_ns=212).arrival_uncertainty_p99_s.reason == NO_LAG


@pytest.mark.parametrize(("n_own", "expected"), [(1, 212e-9), (2, 0.0023)])
def test_one_read_in_a_hundred_may_lack_its_stamp(n_own: int, expected: float) -> None:
    reads = reads_at(range(100), lag_ms=2.3)
    mixed = replace(a_record(), reads=replace(reads, source="k" * (100 - n_own) + "u" * n_own))
    assert instrument(mixed, loop_lag_ms=0.4, bound_ns=212).arrival_uncertainty_p99_s.value == pytest.approx(expected)


def test_the_rhythm_is_the_median_gap_of_the_side() -> None:
    assert instrument(a_record(), failed(key=a_key(1))).gap_p50_s.value == pytest.approx(0.1)
    assert instrument(a_record([10])).gap_p50_s.value is None


def test_events_that_share_a_prompt_read_are_not_ours() -> None:
    found = instrument(merged(lag_ms=0.1), loop_lag_ms=60)
    assert (found.shared_read_fraction.value, found.late_shared_fraction.value) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("lag_ms", "loop_lag_ms", "expected"),
    [
        (23, 51, 2 * 2 / 10),  # one pair of five: 2 of 10 events, so about 4 came while we were away
        (22, 51, 0.0),  # ten events over 400 ms: half their spacing is 22.2 ms
        (23, 49, 0.0),  # the loop was never away for half of the 100 ms between two reads: the server bundles
    ],
)
def test_events_of_a_late_read_count_twice_where_the_loop_was_away(
    lag_ms: float, loop_lag_ms: float, expected: float
) -> None:
    found = instrument(merged(lag_ms=lag_ms), loop_lag_ms=loop_lag_ms)
    assert found.late_shared_fraction.value == pytest.approx(expected)


def test_late_reads_of_single_events_merged_nothing() -> None:
    found = instrument(lagging(*[90.0] * 10), loop_lag_ms=90)
    assert (found.shared_read_fraction.value, found.late_shared_fraction.value) == (0.0, 0.0)


def test_ours_are_at_most_all_that_share_a_read() -> None:
    places = [0, 0, *range(1, 9)]
    record = a_record([100.0 * (1 + place) for place in places], reads=places)
    late = replace(record.reads, seen_at_ns=tuple(at_ns + 80 * MS for at_ns in record.reads.at_ns))
    found = instrument(replace(record, reads=late), loop_lag_ms=90)
    assert found.late_shared_fraction.value == pytest.approx(0.2)


def test_no_read_is_late_below_a_millisecond() -> None:
    """A gap of 0.2 ms: half of it is less than what the limit on arrivals allows."""
    places = [event // 2 for event in range(10)]
    fast = a_record([100 + 0.2 * place for place in places], reads=places)
    for lag_ms, expected in ((0.9, 0.0), (1.1, 1.0)):
        seen = tuple(at_ns + round(lag_ms * MS) for at_ns in fast.reads.at_ns)
        found = instrument(replace(fast, reads=replace(fast.reads, seen_at_ns=seen)), loop_lag_ms=5)
        assert found.late_shared_fraction.value == expected


def test_a_lag_that_exceeds_some_gaps_merges_as_often() -> None:
    """Gaps of 10, 10, 10 and 300 ms and lags of 20 ms on all reads: three pairs of four, twice over, at most all."""
    places = [0, 1, 2, 2, 3, 4]
    record = a_record([10, 20, 30, 30, 40, 340], reads=places)
    late = replace(record.reads, seen_at_ns=tuple(at_ns + 20 * MS for at_ns in record.reads.at_ns))
    found = instrument(replace(record, reads=late), loop_lag_ms=4)
    assert found.late_shared_fraction.value == pytest.approx(min(2 / 6, 2 * 3 / 4))
    one = replace(late, seen_at_ns=(late.seen_at_ns[0], *(at_ns + MS // 10 for at_ns in late.at_ns[1:])))
    found = instrument(replace(record, reads=one), loop_lag_ms=4)
    assert found.late_shared_fraction.value == pytest.approx(2 * (1 / 6) * (3 / 4))


def test_who_merged_is_unknown_without_stamps_or_without_the_loops_lag() -> None:
    found = instrument(merged(lag_ms=0, source="u"), loop_lag_ms=1)
    assert found.shared_read_fraction.value == 1.0
    assert "kernel stamp" in (found.late_shared_fraction.reason or "")
    assert instrument(merged(lag_ms=60)).late_shared_fraction.reason == "loop lag: the run did not record it"


def test_a_level_is_measured_by_its_own_requests() -> None:
    case = a_case([a_record(), *(a_record(key=a_key(i, level=1)) for i in range(2))], None, a_golden())
    side = replace(case.reference, plan=a_plan(1, 4))
    items = judge_side(side, case.golden)
    found = [side_instrument(case, side, items, level=level) for level in (0, 1)]
    assert [one.n_reads for one in found] == [10, 20]
    assert [one.load.words for one in found] == ["1 request in flight", "4 requests in flight"]

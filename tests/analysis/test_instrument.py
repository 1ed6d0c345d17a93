"""The instrument's own figures."""

from dataclasses import replace

import pytest

from harness.analysis.instrument import receive_lags, side_instrument
from harness.analysis.results import Instrument
from harness.model.record import Arm, Reads, Record
from tests.analysis.cases import a_key, a_prompt, a_record, failed, judged, reads_at


def instrument(*records: Record) -> Instrument:
    return side_instrument(Arm.REFERENCE, judged(records, a_prompt()))


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

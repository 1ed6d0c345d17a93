"""What the loopback twin says of the client."""

from dataclasses import replace

import pytest

from harness.analysis.certificate import certify
from harness.analysis.twin import NO_STREAM, NO_TWIN, arrivals_of, twin_bias
from harness.model.record import Arm, Reads
from harness.model.twin import TwinLog, TwinStream
from tests.analysis.trialcases import both_instruments, instrument

MS = 1_000_000


def a_stream(late_ms: tuple[float, ...] = (0.01, 0.02, 0.03), sizes: tuple[int, ...] = (100, 50, 50)) -> TwinStream:
    """Three writes at 100, 110 and 120 ms after the request was read, 0.2 ms after it was sent."""
    written = tuple(1_000 * MS + after * MS for after in (100, 110, 120))
    return TwinStream(
        id="a",
        arm=Arm.REFERENCE,
        sent_at_ns=1_000 * MS - MS // 5,
        arrived_at_ns=1_000 * MS,
        written_at_ns=written,
        written_bytes=(100, 50, 50),
        reads=Reads(
            at_ns=tuple(at + round(late * MS) for at, late in zip(written, late_ms, strict=True))[: len(sizes)],
            seen_at_ns=written[: len(sizes)],
            n_bytes=sizes,
            source="k" * len(sizes),
        ),
    )


def test_every_write_is_met_by_the_read_that_completed_it() -> None:
    bias = twin_bias(TwinLog(streams=(a_stream(),)))
    assert bias is not None
    assert (bias.n_streams, bias.n_writes) == (1, 3)
    assert bias.late_p50_s.value == pytest.approx(0.02e-3)
    # TTFT seen: 100.01 + 0.2 ms from sent; sent by the server: 100 ms after it read the request
    assert bias.ttft_error_p50_s.value == pytest.approx(0.21e-3)
    assert bias.gap_error_p99_s.value == pytest.approx(0.01e-3)
    assert bias.shared_fraction.value == 0


def test_a_merged_read_carries_its_last_instant() -> None:
    stream = a_stream()
    merged = replace(
        stream.reads,
        at_ns=stream.reads.at_ns[::2],
        seen_at_ns=stream.reads.seen_at_ns[::2],
        n_bytes=(100, 100),
        source="kk",
    )
    stream = replace(stream, reads=merged)
    assert arrivals_of(stream) == (merged.at_ns[0], merged.at_ns[1], merged.at_ns[1])
    bias = twin_bias(TwinLog(streams=(stream,)))
    assert bias is not None
    assert bias.shared_fraction.value == pytest.approx(2 / 3)
    assert bias.gap_error_p99_s.value == pytest.approx(10e-3, rel=0.01)  # a gap of 10 ms was seen as none


def test_bytes_that_do_not_add_up_say_nothing() -> None:
    bias = twin_bias(TwinLog(streams=(replace(a_stream(), written_bytes=(100, 50, 49)),)))
    assert bias is not None
    assert (bias.n_streams, bias.late_p99_s.value) == (0, None)
    assert bias.late_p99_s.reason


def test_without_a_twin_there_is_no_bias_and_a_twin_without_a_stream_has_one_without_values() -> None:
    assert twin_bias(None) is None
    bias = twin_bias(TwinLog(notes=("it ended early",)))
    assert bias is not None
    assert (bias.n_streams, bias.n_writes, bias.notes) == (0, 0, ("it ended early",))
    assert {value.reason for value in (bias.late_p50_s, bias.shared_fraction)} == {NO_STREAM}


def test_the_certificate_shows_streams_writes_and_shared_reads() -> None:
    bias = twin_bias(TwinLog(streams=(a_stream(),)))
    found = certify(both_instruments(twin=bias))
    rows = {row.id: row for row in found.rows}
    assert rows["twin_late_p50"].sides[0].detail == "1 stream of its shape replayed, 3 writes"
    assert rows["twin_shared_writes"].sides[1].value.value == 0
    assert not [note for note in found.notes if "twin" in note]


def test_notes_of_one_run_stand_once_and_those_of_another_name_their_side() -> None:
    early = twin_bias(TwinLog(notes=("it ended early",)))
    assert [note for note in certify(both_instruments(twin=early)).notes if "twin" in note] == [
        "twin: it ended early",
        f"reference: twin: {NO_STREAM}",
        f"candidate: twin: {NO_STREAM}",
    ]
    mixed = [instrument(Arm.REFERENCE), instrument(Arm.CANDIDATE, twin=early)]
    found = certify(mixed)
    assert [note for note in found.notes if "twin" in note] == [
        "candidate: twin: it ended early",
        f"candidate: twin: {NO_STREAM}",
    ]
    late = next(row for row in found.rows if row.id == "twin_late_p50")
    assert [side.value.reason for side in late.sides] == [NO_TWIN, NO_STREAM]

"""The certificate: its verdict, its words, its rows."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from harness.analysis.certificate import certify
from harness.analysis.certificatelimits import uncertainty_limit_s
from harness.analysis.results.instrument import (
    Certificate,
    CertificateRow,
    Client,
    ClockSource,
    Instrument,
    OfferedLoad,
    TimingVerdict,
)
from harness.model.record import Arm
from tests.analysis.trialcases import both_instruments, instrument, known, missing

VALID, VOID, UNKNOWN = TimingVerdict.VALID, TimingVerdict.VOID, TimingVerdict.UNKNOWN
OLD = OfferedLoad(offered_fraction=missing("the run did not record what load it asked for"))


def row(certificate: Certificate, row_id: str) -> CertificateRow:
    return next(found for found in certificate.rows if found.id == row_id)


def with_candidate(**fields: Any) -> list[Instrument]:
    return [instrument(Arm.REFERENCE), instrument(Arm.CANDIDATE, **fields)]


def load_of(share: float, **fields: Any) -> OfferedLoad:
    return OfferedLoad(words="4 requests in flight", offered_fraction=known(share), **fields)


def test_within_all_limits_is_valid() -> None:
    found = certify(both_instruments(clock=ClockSource(name="kernel receive times", detail="SO_TIMESTAMPNS")))
    assert (found.verdict, found.reasons, found.notes) == (VALID, (), ())
    assert found.sentence == (
        "Instants from kernel receive times (SO_TIMESTAMPNS); read 0.30 ms and sent 1 ms late (p99); "
        "free slots filled 99.8 %; 1 % of output events share a read."
    )
    assert found.line == ("valid: kernel stamps, read 0.30 ms, sent 1 ms late (p99), slots 99.8 %, shared 1 %")
    assert all(one.is_met for one in found.rows if one.condition)


@pytest.mark.parametrize(
    ("field", "within", "beyond"),
    [
        ("arrival_uncertainty_p99_s", 0.001, 0.0010001),
        ("send_lateness_p99_s", 0.005, 0.0050001),
        ("late_shared_fraction", 0.05, 0.050001),
    ],
)
def test_a_limit_is_the_last_good_value(field: str, within: float, beyond: float) -> None:
    assert certify(with_candidate(**{field: known(within)})).verdict is VALID
    found = certify(with_candidate(**{field: known(beyond)}))
    assert found.verdict is VOID
    assert found.reasons[0].startswith("candidate ")
    assert "reference" not in found.reasons[0]


def test_free_slots_must_be_filled_for_nineteen_twentieths_of_their_time() -> None:
    assert certify(with_candidate(load=load_of(0.95))).verdict is VALID
    found = certify(with_candidate(load=load_of(0.94)))
    assert found.verdict is VOID
    assert found.line == "VOID: candidate free slots filled 94 % (limit ≥ 95 %)"


def test_a_void_run_says_all_that_is_wrong_and_who() -> None:
    late = with_candidate(send_lateness_p99_s=known(0.0123), load=load_of(0.5))
    assert certify(late).sentence == (
        "The latencies and token rates of this run must not be used: candidate sent 12.30 ms late (p99, limit ≤ 5 ms); "
        "candidate free slots filled 50 % (limit ≥ 95 %)."
    )


def test_slow_streams_may_be_less_exact() -> None:
    slow = instrument(Arm.REFERENCE, gap_p50_s=known(0.2), arrival_uncertainty_p99_s=known(0.0039))
    assert uncertainty_limit_s(slow) == pytest.approx(0.004)
    assert certify([slow]).verdict is VALID
    assert certify([replace(slow, gap_p50_s=known(0.19))]).verdict is VOID


def test_a_quota_whose_waits_are_known_apart_does_not_switch_the_limit_off() -> None:
    found = certify(with_candidate(load=load_of(0.5, requests_per_minute=100_000)))
    assert found.verdict is VOID
    assert found.reasons == (
        "candidate free slots filled 50 %, waits for its quota of 100,000 requests per minute left out (limit ≥ 95 %)",
    )


def test_an_older_run_whose_quota_cannot_be_told_apart_is_not_gated() -> None:
    mixed = load_of(0.2, requests_per_minute=60, includes_quota=True)
    paced = certify(with_candidate(load=mixed))
    assert paced.verdict is VALID
    assert "slots 99.8 %" in paced.line
    assert "candidate free slots filled 20 %, waits for its quota of 60 requests per minute included" in (
        row(paced, "offered_load").evidence
    )
    assert "slots by quota" in certify(both_instruments(load=mixed)).line


def test_a_load_that_the_plan_kept_away_stands_beside_what_was_asked() -> None:
    """Valid: the harness filled what slots it was let fill."""
    eight = "8 requests in flight"
    loads = [
        OfferedLoad(words=eight, offered_fraction=known(0.998), achieved=known(7.991)),
        OfferedLoad(words=eight, offered_fraction=known(0.993), achieved=known(1.2639), shortfall="it was held"),
    ]
    both = [instrument(arm, load=load) for arm, load in zip((Arm.REFERENCE, Arm.CANDIDATE), loads, strict=True)]
    found = certify(both)
    assert found.verdict is VALID
    assert found.notes == ("candidate: on average 1.26 of 8 requests in flight: it was held",)
    assert found.sentence.endswith("share a read; on average candidate 1.26 of 8 requests in flight.")
    assert found.line.endswith("slots 99.3 %, shared 1 %, candidate 1.26 of 8 requests in flight")
    alone = certify(both[1:])
    assert alone.notes == ("on average 1.26 of 8 requests in flight: it was held",)
    assert alone.line.endswith(", 1.26 of 8 requests in flight")


def test_an_open_loop_has_a_schedule_and_no_slots() -> None:
    late = OfferedLoad(words="5 requests/s", is_open_loop=True, offered_fraction=known(0.9))
    found = certify([instrument(Arm.REFERENCE, load=late)])
    assert found.reasons == ("schedule kept to 90 % (limit ≥ 95 %)",)
    kept = replace(late, offered_fraction=known(0.99))
    assert "; schedule kept 99 %;" in certify([instrument(Arm.REFERENCE, load=kept)]).sentence
    mixed = certify(with_candidate(load=late))
    assert mixed.reasons == ("candidate slots filled or schedule kept 90 % (limit ≥ 95 %)",)


def test_an_old_run_is_valid_with_a_note() -> None:
    found = certify(both_instruments(load=OLD))
    assert found.verdict is VALID
    assert "slots not known" in found.line
    (note,) = found.notes
    assert "the run did not record what load it asked for" in note
    assert row(found, "offered_load").is_met is None


def test_a_side_without_a_load_does_not_hide_the_other_sides_shortfall() -> None:
    found = certify([instrument(Arm.REFERENCE, load=OLD), instrument(Arm.CANDIDATE, load=load_of(0.5))])
    assert found.verdict is VOID
    assert found.reasons == ("candidate free slots filled 50 % (limit ≥ 95 %)",)


@pytest.mark.parametrize("field", ["arrival_uncertainty_p99_s", "send_lateness_p99_s"])
def test_nothing_can_be_said_without_what_matters_most(field: str) -> None:
    found = certify(with_candidate(**{field: missing("nothing says how late")}))
    assert found.verdict is UNKNOWN
    assert found.line.startswith("not known: candidate ")
    assert "nothing says how late" in found.sentence
    assert found.notes == ()  # said once


def test_nothing_measured_is_not_known() -> None:
    found = certify(())
    assert (found.verdict, found.rows) == (UNKNOWN, ())
    assert found.reasons


def test_where_no_lag_can_be_seen_ours_are_at_most_all() -> None:
    unseen: dict[str, Any] = {"late_shared_fraction": missing("no stamp"), "shared_read_fraction": known(0.04)}
    assert row(certify(both_instruments(**unseen)), "shared_reads").is_met
    unseen["shared_read_fraction"] = known(0.06)
    found = certify(both_instruments(**unseen))
    assert row(found, "shared_reads").is_met is None
    assert found.verdict is VALID


def test_events_that_the_server_sends_together_are_a_note() -> None:
    found = certify(with_candidate(shared_read_fraction=known(0.6), late_shared_fraction=known(0.01)))
    assert found.verdict is VALID
    (note,) = found.notes
    assert note.startswith("candidate: 60 % of output events share a read, about 1 % because we read late: the server")
    assert found.line.endswith("shared 60 %")


def test_a_step_of_the_clock_is_a_note() -> None:
    stepped = ClockSource(name="kernel receive times", steps=("the wall clock stepped by +2 s",))
    assert certify(with_candidate(clock=stepped)).notes == ("candidate: the wall clock stepped by +2 s",)
    assert certify([instrument(Arm.REFERENCE, clock=stepped)]).notes == ("the wall clock stepped by +2 s",)


def test_stamps_of_our_own_are_named_and_bounded() -> None:
    ours = certify(
        both_instruments(
            kernel_stamp_fraction=known(0.0),
            receive_lag_p99_s=missing("no stamp"),
            arrival_uncertainty_p99_s=known(0.0008),
        )
    )
    assert ours.line.startswith("valid: own stamps, read 0.80 ms, sent")
    mixed = certify(with_candidate(kernel_stamp_fraction=known(0.4)))
    assert mixed.line.startswith("valid: mixed stamps")


def test_a_level_that_is_not_judged_is_void_in_a_note() -> None:
    late = both_instruments(send_lateness_p99_s=known(0.02))
    found = certify(both_instruments(), others={"at 64 requests in flight": late, "at 4": both_instruments()})
    assert found.verdict is VALID
    assert found.notes == (
        "at 64 requests in flight: VOID for timing, sent 20 ms late on both sides (p99, limit ≤ 5 ms)",
    )


def test_what_is_reported_is_not_gated() -> None:
    busy = Client(n_processes=2, loop_lag_p99_s=known(0.5), cpu_fraction=known(1.0), files_allowed=known(1024))
    found = certify(with_candidate(client=busy))
    assert found.verdict is VALID
    cpu = row(found, "client_cpu")
    assert (cpu.is_met, cpu.limit, cpu.consequence) == (None, "", "")
    assert [side.detail for side in cpu.sides] == ["", "this side alone, 2 processes"]
    assert row(found, "open_connections").sides[1].detail == "of 1,024 files allowed"


def test_every_row_has_a_value_per_side_and_its_own_id() -> None:
    found = certify(both_instruments())
    assert len({one.id for one in found.rows}) == len(found.rows) > 10
    assert all([side.arm for side in one.sides] == [Arm.REFERENCE, Arm.CANDIDATE] for one in found.rows)
    assert [bool(one.condition) for one in found.rows] == sorted(bool(one.condition) for one in found.rows)[::-1]


def test_a_certificate_is_plain_json() -> None:
    written = msgspec.to_builtins(certify(both_instruments()))
    assert written["verdict"] == "valid for timing"
    assert written["clock"].keys() == {"reference", "candidate"}
    assert written["rows"][0]["sides"][0]["limit"] == 0.001


def test_a_lateness_too_small_to_show_is_not_nothing() -> None:
    tiny = both_instruments(send_lateness_p99_s=known(0.000004), receive_lag_p99_s=known(0.0))
    assert "read 0 ms, sent <0.01 ms late" in certify(tiny).line


@pytest.mark.parametrize(("share", "shown", "is_met"), [(0.9496, "94.9 %", False), (0.9500, "95 %", True)])
def test_a_share_is_not_rounded_onto_its_limit(share: float, shown: str, is_met: bool) -> None:
    found = row(certify(with_candidate(load=load_of(share))), "offered_load")
    assert f"candidate free slots filled {shown}" in found.evidence
    assert found.is_met is is_met

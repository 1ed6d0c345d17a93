"""A year of simulated nights in virtual time: what must be said of them, and what must not."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from harness.analysis.ledgernights import series_until
from harness.analysis.nightlyregression import check_night
from harness.analysis.nightmetrics import NIGHT_METRICS
from harness.analysis.results.nights import Mover, NightlyCheck, NightlyRule, RegressionWord
from harness.model.ledger import Ledger, LedgerEntry, LedgerSide, comparable_digest
from harness.model.record import Arm
from tests.analysis.nightcases import COMPARED, a_compared, a_share, a_side, a_timing

METRICS = [NIGHT_METRICS[name] for name in ("decode_p50", "request_success")]
RULE = NightlyRule()
BETWEEN, WITHIN = 0.02, 0.01
MISSING, VOID = {41, 42, 150, 251}, {20, 55, 118, 205, 206, 260}
STEP, OUTAGE, OF_REFERENCE, OF_BOTH = range(70, 80), range(125, 128), range(160, 170), range(190, 196)
DRIFT = range(215, 280)
UPGRADE, NEW_BASELINE = 300, 310
YEAR = 365


def the_year() -> Iterator[LedgerEntry]:
    """Steps, a drift, an outage, and an upgrade of the harness that moves the decode rate by a fifth."""
    rng = np.random.default_rng(20261125)
    for place in range(YEAR):
        effects = rng.normal(size=2)
        if place in MISSING:
            continue
        candidate = _side(rng, Arm.CANDIDATE, effects[0], candidate_ratio(place), 0 if place in OUTAGE else None)
        slow = 0.85 if place in OF_REFERENCE or place in OF_BOTH else 1.0
        reference = _side(rng, Arm.REFERENCE, effects[1], slow, None)
        parts = COMPARED if place < UPGRADE else {**COMPARED, "definitions": "4"}
        yield a_compared(
            place,
            (reference, candidate),
            parts=parts,
            comparable=comparable_digest(parts),
            timing="VOID" if place in VOID else "valid",
            reasons=("the loop was late",) if place in VOID else (),
        )


def candidate_ratio(place: int) -> float:
    """Say what the candidate's decode rate is multiplied by."""
    if place in STEP:
        return 0.9
    if place in OF_BOTH:
        return 0.85
    if place in DRIFT:
        return 1 - 0.12 * (place - DRIFT.start) / len(DRIFT)
    return 0.8 if place >= UPGRADE else 1.0


def _side(rng: np.random.Generator, arm: Arm, effect: float, ratio: float, answered: int | None) -> LedgerSide:
    decode = 100 * ratio * np.exp(BETWEEN * effect + WITHIN * rng.normal())
    passed = rng.binomial(300, 0.998) if answered is None else answered
    figures = {"decode_p50": a_timing(float(decode), WITHIN), "request_success": a_share(int(passed), 300)}
    return a_side(arm, figures)


@pytest.fixture(scope="module")
def year() -> dict[int, NightlyCheck]:
    """Check every night against the baseline of the first, and after the upgrade against the one that was set then."""
    entries = tuple(the_year())
    ledger = Ledger(file=__file__, entries=entries)  # type: ignore[arg-type]  # nothing reads it
    found = {}
    for entry in entries:
        place = int(entry.run_id.removeprefix("run-"))
        named = "run-000" if place < UPGRADE else f"run-{NEW_BASELINE}"
        series = series_until(ledger, entry)
        baseline = next((i for i, one in enumerate(series) if one.run_id == named), None)
        if baseline is not None:
            found[place] = check_night(series, baseline, METRICS, RULE)
    return found


def suspected(check: NightlyCheck) -> set[str]:
    return {one.night.metric.id for one in check.suspicions}


def first(year: dict[int, NightlyCheck], places: range, metric: str) -> int:
    return next(place for place in places if place in year and metric in suspected(year[place]))


def test_nights_without_a_change_raise_nothing(year: dict[int, NightlyCheck]) -> None:
    events = {*STEP, *OUTAGE, *OF_BOTH, *DRIFT, *(event.stop + k for event in (STEP, OF_BOTH, DRIFT) for k in range(7))}
    quiet = [check for place, check in year.items() if place not in events]
    assert len(quiet) > 230
    assert sum(bool(check.suspicions) for check in quiet) < 0.01 * len(quiet)


def test_a_tenth_less_is_found_within_two_nights_and_ends_with_it(year: dict[int, NightlyCheck]) -> None:
    assert first(year, STEP, "decode_p50") <= STEP.start + 1
    assert all("decode_p50" in suspected(year[place]) for place in STEP[1:])
    assert all(one.drift.mover is Mover.CANDIDATE for place in STEP[1:] for one in year[place].suspicions)
    assert year[STEP[-1]].word is RegressionWord.SUSPICION  # nothing has measured it again
    assert not year[STEP.stop].suspicions
    assert (
        sum(bool(year[STEP.stop + k].suspicions) for k in range(7)) <= 1
    )  # its week holds the drop, and it is bad too


def test_a_slow_drift_is_found_before_its_threshold_is_far_exceeded(year: dict[int, NightlyCheck]) -> None:
    """The baseline does not follow it: 5 % are reached in the 27th night, the whole 12 % in the 65th."""
    found = first(year, DRIFT, "decode_p50")
    assert 0.03 < 1 - candidate_ratio(found) < 0.08
    assert "decode_p50" in suspected(year[DRIFT[-1]])


def test_an_outage_is_one_of_answers_and_of_nothing_else(year: dict[int, NightlyCheck]) -> None:
    for place in OUTAGE:
        assert suspected(year[place]) == {"request_success"}
        reasons = {one.metric.id: one.reason for one in year[place].metrics}
        assert reasons["decode_p50"] == "an outage: most requests got no answer"
    assert not year[OUTAGE.stop].suspicions


def test_a_step_of_the_reference_alone_is_told_and_is_no_regression(year: dict[int, NightlyCheck]) -> None:
    told = [one for place in OF_REFERENCE[1:] for one in year[place].of_reference]
    assert {one.drift.mover for one in told} == {Mover.REFERENCE}
    assert len(told) == len(OF_REFERENCE) - 1
    assert {year[place].word for place in OF_REFERENCE} == {RegressionWord.NOTHING}


def test_what_moves_both_sides_is_not_laid_at_the_candidates_door(year: dict[int, NightlyCheck]) -> None:
    for place in OF_BOTH[1:]:
        assert not year[place].suspicions
        assert {one.drift.mover for one in year[place].common} == {Mover.BOTH}
        assert year[place].word is RegressionWord.SUSPICION


def test_void_nights_have_no_timing_and_keep_their_rates(year: dict[int, NightlyCheck]) -> None:
    for place in VOID:
        judged = {one.metric.id for one in year[place].metrics if one.shift is not None}
        assert judged == {"request_success"}
        assert year[place].word is RegressionWord.NOT_JUDGED  # the decode rate may have fallen
        assert year[place].sentence.startswith("Without a value tonight, so not judged: decode rate p50 (timings are")


def test_an_upgrade_is_compared_with_nothing_until_a_baseline_is_set(year: dict[int, NightlyCheck]) -> None:
    assert [place for place in year if UPGRADE <= place < NEW_BASELINE] == []
    assert year[NEW_BASELINE].word is RegressionWord.NOT_JUDGED  # it is the baseline itself
    after = [check for place, check in year.items() if place > NEW_BASELINE]
    assert {check.word for check in after} == {RegressionWord.NOTHING}


def test_a_series_never_holds_runs_of_two_definitions() -> None:
    entries = tuple(the_year())
    series = series_until(Ledger(file=__file__, entries=entries), entries[-1])  # type: ignore[arg-type]
    assert {entry.parts["definitions"] for entry in series} == {"4"}


def test_a_check_looks_at_nothing_later(year: dict[int, NightlyCheck]) -> None:
    """The same night from a ledger that ends with it, and from one with a later run that contradicts."""
    entries = [entry for entry in the_year() if entry.run_id <= "run-071"]
    later = msgspec.structs.replace(entries[3], run_id="run-999", started_at="2027-01-01T00:00:00+00:00")
    ledger = Ledger(file=__file__, entries=(*entries, later))  # type: ignore[arg-type]
    again = check_night(series_until(ledger, entries[-1]), 0, METRICS, RULE)
    assert again == year[71]

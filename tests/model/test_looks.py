"""Which look it is where a recorded run meets a new one each night."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.model.looks import Looked, OtherRun, n_looks_before, note_look, which_look

PAIR = ("m at here", "m at there")
FIRST = datetime(2026, 1, 1, 2, tzinfo=UTC)
HALF_A_DAY = timedelta(hours=12)


def looked(folder: Path, at: datetime, run: str, n: int = 60) -> OtherRun:
    other = OtherRun(run_id=run, n_attempts=n)
    note_look(folder, Looked(at=at.isoformat(), n_attempts=60, verdict="PASS", other=other, endpoints=PAIR))
    return other


def test_each_night_is_a_question_of_its_own(tmp_path: Path) -> None:
    for night in range(3):
        at = FIRST + timedelta(days=night)
        other = looked(tmp_path, at + timedelta(minutes=10), f"night-{night}")
        assert which_look(tmp_path, 60, other, PAIR, at - HALF_A_DAY) == 1
        assert n_looks_before(tmp_path, PAIR, at - HALF_A_DAY) == night
    assert which_look(tmp_path, 60, other, PAIR) == 3  # where no question began


def test_who_measures_again_the_same_night_looks_again(tmp_path: Path) -> None:
    looked(tmp_path, FIRST, "one")
    again = looked(tmp_path, FIRST + timedelta(hours=1), "two")
    assert which_look(tmp_path, 60, again, PAIR, FIRST + timedelta(minutes=50) - HALF_A_DAY) == 2


def test_a_night_that_goes_on_with_more_repeats_is_at_its_second_look(tmp_path: Path) -> None:
    looked(tmp_path, FIRST - timedelta(days=1), "before")
    looked(tmp_path, FIRST, "tonight")
    more = looked(tmp_path, FIRST + timedelta(hours=1), "tonight", n=120)
    assert which_look(tmp_path, 60, more, PAIR, FIRST - HALF_A_DAY) == 2


def test_a_night_that_is_judged_again_later_keeps_its_number(tmp_path: Path) -> None:
    first = looked(tmp_path, FIRST, "one")
    looked(tmp_path, FIRST + timedelta(days=1), "two")
    assert which_look(tmp_path, 60, first, PAIR, FIRST - HALF_A_DAY) == 1


def test_a_look_whose_instant_is_not_known_counts(tmp_path: Path) -> None:
    note_look(tmp_path, Looked(at="unknown", n_attempts=10, verdict="unknown"))
    assert which_look(tmp_path, 60, OtherRun(run_id="x", n_attempts=1), PAIR, FIRST) == 2
    assert n_looks_before(tmp_path, PAIR, FIRST) == 0

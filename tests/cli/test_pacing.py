"""How far a run has come and what is left of it, against worked cases."""

import pytest

from harness.cli.pacing import Leg, Pacing, Sample
from harness.cli.progress import Progress, Rhythm, Spending, span, time_left
from harness.measure.tally import Tally
from harness.model.record import Arm

A, B = Arm.REFERENCE, Arm.CANDIDATE
WARM = Leg(name="warm-up", n=2, load=1)
ONE = Leg(name="4 in flight", n=40, load=4)
TWO = Leg(name="8 in flight", n=80, load=8)


def paced(legs: list[Leg], *samples: tuple[float, int, int]) -> Pacing:
    pacing = Pacing(legs=legs)
    for elapsed_s, a, b in samples:
        pacing.observe(Sample(elapsed_s=elapsed_s, done={A: a, B: b}))
    return pacing


def test_at_the_beginning_nothing_is_said_of_the_time_left() -> None:
    assert paced([ONE]).left_s() is None
    assert paced([ONE], (0.25, 0, 0), (0.5, 1, 1)).left_s() is None  # too early, whatever is done
    assert paced([ONE], (0, 0, 0), (9, 4, 0)).left_s() is None  # one side has answered nothing
    assert paced([ONE], (0, 0, 0), (9, 4, 3)).left_s() is None  # not yet a first wave of both
    assert time_left(None) == "time left not known yet"


def test_the_slowest_side_says_how_long_it_takes() -> None:
    # 10 of 40 in 5 s: 15 s left; 20 of 40 in 5 s: 5 s
    assert paced([ONE], (0, 0, 0), (5, 10, 20)).left_s() == pytest.approx(15)


def test_a_level_with_more_in_flight_takes_less_time_for_each_request() -> None:
    # work: 40 / 4 + 80 / 8 = 20; 20 requests of the first are 5 of it, in 10 s: 15 left at 0.5 per s
    assert paced([ONE, TWO], (0, 0, 0), (10, 20, 20)).left_s() == pytest.approx(30)
    assert Pacing(legs=[WARM, ONE, TWO]).work(2 + 40 + 8) == pytest.approx(2 + 10 + 1)


def test_only_the_last_stretch_counts() -> None:
    # 10 per s for 10 s, then 1 per s for 20 s: the rate is that of the last 15 s or more
    samples = [(float(t), 10 * min(t, 10) + max(0, t - 10), 10 * min(t, 10) + max(0, t - 10)) for t in range(31)]
    pacing = paced([Leg(name="x", n=1000, load=1)], *samples)
    assert pacing.rate(A) == pytest.approx(1)
    assert pacing.left_s() == pytest.approx(1000 - 120)


def test_a_slow_endpoint_is_watched_for_longer() -> None:
    samples = [(10.0 * t, t, t) for t in range(13)]  # one request in 10 s on each side
    pacing = paced([Leg(name="x", n=100, load=1)], *samples)
    assert len(pacing.samples) == 11  # 10 requests of each side
    assert pacing.left_s() == pytest.approx(880)


@pytest.mark.parametrize(
    ("done", "name"), [(0, "warm-up"), (2, "4 in flight"), (41, "4 in flight"), (42, "8 in flight")]
)
def test_the_level_is_that_of_the_slowest_side(done: int, name: str) -> None:
    leg = Pacing(legs=[WARM, ONE, TWO]).leg({A: done, B: done + 5})
    assert leg is not None
    assert leg.name == name
    assert Pacing(legs=[WARM]).leg({A: 2, B: 2}) is None


def progress(**more: object) -> Progress:
    found = Progress(names={A: "one", B: "the-other"}, legs=[WARM, ONE], **more)  # type: ignore[arg-type]
    found.tallies = {A: Tally(done=12, failed=1), B: Tally(done=22, failed=0)}
    return found


def test_a_line_names_counts_rates_failures_level_time_and_money() -> None:
    found = progress(spending=Spending(each={A: 0.01, B: 0.02}, currency="USD", is_bounded=True))
    found.pacing.observe(Sample(elapsed_s=0, done={A: 2, B: 2}))
    found.tick(5)
    # work left: (42 - 12) / 4 = 7.5 at (10 / 4) / 5 s = 0.5 per s; money 12 x 0.01 + 22 x 0.02
    assert found.lines(5, 200) == [
        "one 12/42, 2.0/s, 1 failed | the-other 22/42, 4.0/s | 4 in flight | about 15 s left | at most 0.56 USD"
    ]
    assert found.lines(5, 80) == [
        "one 12/42, 2.0/s, 1 failed | the-other 22/42, 4.0/s",
        "  4 in flight | about 15 s left | at most 0.56 USD",
    ]
    assert max(map(len, found.lines(5, 40))) <= 60


def test_what_ended_well_is_complete() -> None:
    found = progress()
    found.is_over = True
    assert found.lines(75.4, 80) == ["one 12/12, 1 failed | the-other 22/22 | done in 75 s"]


def test_a_plain_line_is_due_after_ten_seconds_or_a_tenth() -> None:
    rhythm = Rhythm()
    due = [(t, share) for t, share in [(0.5, 0.2), (1.0, 0.2), (5, 0.25), (10.9, 0.25), (11, 0.25), (12, 0.36)]]
    assert [moment for moment in due if rhythm.is_due(*moment)] == [(1.0, 0.2), (11, 0.25), (12, 0.36)]


@pytest.mark.parametrize(("time_s", "words"), [(0.4, "0 s"), (119, "119 s"), (121, "2 min"), (7300, "2.0 h")])
def test_a_time_is_said_as_a_person_says_it(time_s: float, words: str) -> None:
    assert span(time_s) == words

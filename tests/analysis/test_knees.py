"""Where throughput stops growing with the load, read off by hand."""

from collections.abc import Sequence

import pytest

from harness.analysis.knees import is_steady_everywhere, knees
from harness.analysis.results.estimates import Throughput, Value
from harness.analysis.results.instrument import TimingVerdict
from harness.analysis.results.levels import Knee, LevelRow
from harness.analysis.values import known, missing
from harness.model.record import Arm, Arrival
from tests.analysis.trialcases import instrument

NOTHING = missing("not asked here")


def a_row(
    asked: float,
    moved: float | None,
    *,
    level: int,
    steady: float | None = None,
    arm: Arm = Arm.REFERENCE,
    arrival: Arrival = Arrival.CLOSED,
) -> LevelRow:
    def value(number: float | None) -> Value:
        return missing("no success") if number is None else known(number)

    return LevelRow(
        arm=arm,
        level=level,
        arrival=arrival,
        asked=asked,
        scheduled=NOTHING,
        achieved=NOTHING,
        n=1,
        n_failed=0,
        failures={},
        n_set_aside=0,
        tails=(),
        throughput=Throughput(
            arm=arm,
            output_tokens_per_s=value(moved),
            requests_per_s=NOTHING,
            steady_output_tokens_per_s=value(steady),
        ),
        instrument=instrument(arm),
        timing=TimingVerdict.UNKNOWN,
    )


def knee(loads: Sequence[float], moved: Sequence[float | None], arrival: Arrival = Arrival.CLOSED) -> Knee:
    (found,) = knees(
        [
            a_row(asked, value, level=level, arrival=arrival)
            for level, (asked, value) in enumerate(zip(loads, moved, strict=True))
        ]
    )
    return found


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        ((100, 390, 1_500, 1_600), 16),  # 64 moves 7 % more for 300 % more: below 30 %
        ((100, 390, 1_500, 1_000), 16),  # it fell
        ((100, 105, 1_500, 1_600), 16),  # one slow level is no end of growth
        ((100, 120, 130, 140), 1),  # 20 % for 300 %, 30 % for 1,500 %, 40 % for 6,300 %
        ((100, 131, 131, 131), 4),  # 31 % for 300 % still grows
        ((100, 390, 1_500, 1_951), None),  # 30.07 % for 300 %
        ((100, 390, 1_500, 1_949), 16),  # 29.9 % for 300 %
    ],
)
def test_the_knee_is_the_lowest_level_after_which_nothing_grows_by_a_tenth_of_the_load(
    moved: Sequence[float], expected: float | None
) -> None:
    assert knee((1, 4, 16, 64), moved).load.value == expected


def test_a_knee_is_said_with_its_numbers() -> None:
    assert knee((1, 4, 16, 64), (100, 390, 1_500, 1_425)).words == (
        "From 16 requests in flight on throughput hardly grows: at 64 it is −5 %, for +300 % of load."
    )
    assert knee((5, 10), (100, 104), Arrival.POISSON).words == (
        "From 5 requests/s on throughput hardly grows: at 10 it is +4 %, for +100 % of load."
    )


def test_growth_to_the_end_is_no_knee() -> None:
    found = knee((1, 4), (100, 390))
    assert (
        found.load.reason == "up to 4 requests in flight throughput still grew by a tenth of what the load did, or more"
    )
    assert found.words == f"U{found.load.reason[1:]}."


def test_levels_are_read_in_the_order_of_their_load_each_once() -> None:
    assert knee((64, 16, 4, 1), (1_600, 1_500, 390, 100)).load.value == 16
    assert knee((1, 4, 1), (100, 101, 50)).load.value == 1  # the first time that the level ran


def test_one_level_or_one_without_throughput_gives_no_reading() -> None:
    assert knee((4,), (100,)).load.reason == "one level of load says nothing about growth"
    found = knee((1, 4, 16), (100, None, 300))
    assert found.load.reason == "no throughput at 4 requests in flight: no success"
    assert found.words == "No reading: no throughput at 4 requests in flight: no success."
    assert knee((1, 4), (0, 0)).load.value is None


def test_all_levels_of_both_sides_are_read_by_the_same_figure() -> None:
    """At full load the reference grows, over the whole level it does not; the candidate was never full."""
    reference = [a_row(1, 100, level=0, steady=100), a_row(4, 110, level=1, steady=390)]
    assert is_steady_everywhere(reference)
    assert knees(reference)[0].load.value is None
    candidate = [a_row(asked, 100, level=level, arm=Arm.CANDIDATE) for level, asked in enumerate((1, 4))]
    both = [*reference, *candidate]
    assert not is_steady_everywhere(both)
    assert [found.load.value for found in knees(both)] == [1, 1]
    assert [found.arm for found in knees(both)] == [Arm.REFERENCE, Arm.CANDIDATE]
    assert knees([]) == ()

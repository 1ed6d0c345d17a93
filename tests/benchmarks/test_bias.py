"""What a client saw against what a server sent, by hand."""

import pytest

from benchmarks.truth.bias import Bias, bias
from tests.benchmarks.streams import a_shape, seen, sent, sighting


def one_stream() -> Bias:
    """Arrivals 1, 2 and 2 ms late; sent 1 ms before the server had it, ended 2 ms after."""
    client = sighting(seen(1, 9, (111, 122, 132), 133, (0, 1, 2)), cpu_ns=30_000, decode_ns=6_000)
    return bias(a_shape(), client, [sent(1, 10, (110, 120, 130), 131)])


def test_late_is_an_arrival_against_the_instant_before_its_write() -> None:
    found = one_stream()
    assert (found.n_requests, found.n_events) == (1, 3)
    assert found.late_p50 == 2  # of 1, 2, 2
    assert found.late_p99 == 2


def test_a_quantile_lies_between_its_neighbours_in_proportion() -> None:
    found = bias(a_shape(), sighting(seen(1, 9, (110, 130))), [sent(1, 10, (110, 120))])  # 0 and 10 ms late
    assert found.late_p50 == pytest.approx(5)
    assert found.late_p99 == pytest.approx(9.9)


def test_ttft_error_holds_both_ends_and_has_no_sign() -> None:
    assert one_stream().ttft_error_p50 == 2  # 111 - 9 against 110 - 10
    early = sighting(seen(1, 14), seen(2, 9))  # 96 and 101 against 100
    found = bias(a_shape(2), early, [sent(1), sent(2)])
    assert found.ttft_error_p50 == pytest.approx(2.5)  # of 4 and 1
    assert found.ttft_error_p99 == pytest.approx(1 + 0.99 * 3)


def test_gap_error_is_of_each_gap_and_not_across_streams() -> None:
    assert one_stream().gap_error_p99 == pytest.approx(0.99)  # 11 and 10 against 10 and 10
    shifted = sighting(seen(1, output=(115, 125, 135)), seen(2))
    assert bias(a_shape(2), shifted, [sent(1), sent(2)]).gap_error_p99 == 0


def test_decode_error_is_of_the_rate_over_the_whole_stream() -> None:
    assert one_stream().decode_error_p50 == pytest.approx(1 / 21)  # 2 tokens in 21 ms against 20: 20/21 of the rate
    two = sighting(seen(1, output=(110, 111, 135)), seen(2, output=(110, 120, 126)))  # 20/25 and 20/16 of the rate
    found = bias(a_shape(2), two, [sent(1), sent(2)])
    assert found.decode_error_p50 == pytest.approx((0.2 + 0.25) / 2)
    assert found.decode_error_p99 == pytest.approx(0.2 + 0.99 * 0.05)


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        (((0, 1, 2), (0, 1, 2)), 0.0),  # reads are each response's own
        (((0, 1, 1), (0, 1, 2)), 2 / 6),
        (((3, 3, 3), (0, 0, 2)), 5 / 6),
        (((0, 1, 2), ()), None),
    ],
)
def test_events_that_come_in_one_read_share_it(reads: tuple[tuple[int, ...], ...], expected: float | None) -> None:
    client = sighting(*(seen(number, read=read) for number, read in enumerate(reads)))
    assert bias(a_shape(2), client, [sent(0), sent(1)]).shared_fraction == expected


def test_wall_is_held_against_the_servers_own_time_of_each_round() -> None:
    assert one_stream().wall_over_ideal == pytest.approx(124 / 121)  # 9 to 133; 10 to 131
    later = (310, 320, 330)
    client = sighting(seen(1), seen(2), seen(3, 209, later, 332), seen(4, 209, later, 333))
    truth = [sent(1), sent(2), sent(3, 210, later, 331), sent(4, 210, later, 331)]
    assert bias(a_shape(2, 2), client, truth).wall_over_ideal == pytest.approx((333 - 9) / (2 * 121))


def test_in_flight_is_weighted_by_time_until_the_last_request_began() -> None:
    spans = [(0, 100), (0, 50), (60, 160), (100, 200)]
    truth = [sent(n, begin, (begin + 10, begin + 20), end) for n, (begin, end) in enumerate(spans)]
    client = sighting(*(seen(n, begin, (begin + 10, begin + 20), end) for n, (begin, end) in enumerate(spans)))
    # two of two from 0 to 50 and from 60 to 100, one between; what comes after 100 does not count
    assert bias(a_shape(2, 2), client, truth).in_flight_fraction == pytest.approx((2 * 50 + 1 * 10 + 2 * 40) / 100 / 2)


def test_cost_and_pace_are_per_event() -> None:
    found = one_stream()
    assert (found.cpu_us_per_event, found.decode_us_per_event, found.whole_cpu_us_per_event) == (10, 2, 12)
    assert found.events_per_s == pytest.approx(3 / 0.124)


def test_what_was_not_measured_does_not_count_as_sent() -> None:
    warm_up = sent(7, 0, (1, 2, 3), 4)
    found = bias(a_shape(), sighting(seen(1)), [warm_up, sent(1)])
    assert (found.n_requests, found.late_p99, found.in_flight_fraction) == (1, 0, 0)


def of_200(n_matched: int) -> Bias:
    client = sighting(*(seen(n) for n in range(200)))
    return bias(a_shape(200), client, [sent(n if n < n_matched else n + 1000) for n in range(200)])


def test_one_in_a_hundred_may_stay_without_a_match() -> None:
    assert of_200(198).n_requests == 198


def test_too_few_matches_say_nothing() -> None:
    with pytest.raises(ValueError, match="197 of 200 requests can be matched"):
        of_200(197)


def test_ids_that_do_not_match_say_nothing() -> None:
    with pytest.raises(ValueError, match="0 of 1 requests can be matched"):
        bias(a_shape(), sighting(seen(1)), [sent(2)])


@pytest.mark.parametrize("output", [(110, 120), (110, 120, 130, 140)])
def test_a_stream_that_lost_or_gained_an_event_is_no_match(output: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="0 of 1 requests"):
        bias(a_shape(), sighting(seen(1, output=output)), [sent(1)])


def test_one_failed_request_is_enough_to_refuse() -> None:
    with pytest.raises(ValueError, match="1 of 1 requests can be matched, 1 failed"):
        bias(a_shape(), sighting(seen(1), n_failed=1), [sent(1)])

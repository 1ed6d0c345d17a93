"""The client's reads against the server's writes, by hand."""

import pytest

from harness.cli.doctortruth import Arrival, arrivals_of, in_flight_fraction, server_lateness, step_of
from harness.measure.streamload import Taken
from harness.model.record import ClientFacts, Failure, FailureKind
from harness.simulator.metronomeshape import Shape
from tests.cli.doctored import MS, REST, a_line, an_exchange

SHAPE = Shape(ttft_ms=40, itl_ms=20, tokens=2)
CLIENT: ClientFacts = REST


def taken(*exchanges: object) -> Taken:
    return Taken(exchanges=exchanges, client=CLIENT, clock={"steps": []})  # type: ignore[arg-type]


def test_an_arrival_is_the_read_that_brought_the_writes_last_byte() -> None:
    read_at = [1 * MS, 40 * MS + 7, 60 * MS + 4, 60 * MS + 9]
    exchange = an_exchange(1, read_at, [100, 9, 11, 20])  # the first token's last byte comes with the second
    assert arrivals_of(exchange, a_line(1)) == [
        Arrival(late_ns=20 * MS + 4, is_shared=True),
        Arrival(late_ns=4, is_shared=True),
    ]


def test_tokens_in_reads_of_their_own_share_nothing() -> None:
    exchange = an_exchange(1, [1 * MS, 40 * MS + 7, 60 * MS + 9], [100, 10, 30])
    assert arrivals_of(exchange, a_line(1)) == [
        Arrival(late_ns=7, is_shared=False),
        Arrival(late_ns=9, is_shared=False),
    ]


def test_the_server_is_late_by_its_own_schedule() -> None:
    line = a_line(1, started_at_ns=1000, at_ns=[1000, 40 * MS + 1500, 63 * MS, 63 * MS])
    assert list(server_lateness(line, SHAPE)) == [500, 3 * MS - 1000]


def test_a_step_holds_what_its_arrivals_say() -> None:
    lines = [a_line(1), a_line(2)]
    good = [an_exchange(n, [1 * MS, 40 * MS + 7, 60 * MS + 9], [100, 10, 30]) for n in (1, 2)]
    step = step_of(2, SHAPE, taken(*good), lines)
    assert (step.n_streams, step.n_requests, step.n_failed, step.n_events) == (2, 2, 0, 4)
    assert (step.late_p50_ns, step.late_p99_ns) == (7, 9)
    assert (step.shared_fraction, step.in_flight_fraction, step.server_late_p99_ns) == (0, 1, 0)
    assert (step.server_late_limit_ns, step.kernel_stamp_fraction) == (10 * MS, 1)
    assert step.cpu_ns_per_event == CLIENT.cpu_ns // 4
    assert step.short == ()


def test_what_is_not_whole_counts_as_failed() -> None:
    lines = [a_line(n) for n in range(1, 5)] + [a_line(5, outcome="client_left")]
    whole = ([1 * MS, 60 * MS + 9], [100, 40])
    exchanges = [
        an_exchange(1, *whole),
        an_exchange(2, *whole, failure=Failure(kind=FailureKind.CUT_OFF, message="cut")),
        an_exchange(3, *whole, status=400),
        an_exchange(4, [1 * MS], [139]),
        an_exchange(5, *whole),
        an_exchange(9, *whole),  # no line of the log
    ]
    step = step_of(6, SHAPE, taken(*exchanges), lines)
    assert (step.n_requests, step.n_failed, step.n_events) == (6, 5, 2)


def test_a_step_of_nothing_knows_nothing() -> None:
    step = step_of(1, SHAPE, taken(), [])
    assert (step.n_requests, step.late_p99_ns, step.shared_fraction, step.cpu_ns_per_event) == (0, None, None, None)
    assert step.short


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 10), (0, 10)], 1.0),
        ([(0, 10), (2, 10)], 1.0),  # counted once both have begun
        ([(0, 10), (0, 4), (6, 10)], 0.9),  # between 4 and 6 one of two is missing
        ([(0, 10), (0, 10), (10, 20), (15, 20)], 0.875),  # between 10 and 15 of 20
        ([(0, 10)], None),
        ([(0, 1), (5, 6)], None),
    ],
)
def test_what_is_in_flight_is_counted_while_all_could_be(spans: list[tuple[int, int]], expected: float | None) -> None:
    exchanges = [an_exchange(1, [sent, ended], [1, 1]) for sent, ended in spans]
    assert in_flight_fraction(2, exchanges) == expected

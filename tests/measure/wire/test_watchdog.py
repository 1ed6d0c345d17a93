"""When a limit has passed, and when it is worth asking again."""

import pytest

from harness.measure.wire.exchange import TimeLimits
from harness.measure.wire.watchdog import next_check
from harness.model.record import FailureKind

S = 1_000_000_000
LIMITS = TimeLimits(connect_s=1, first_output_s=100, idle_s=30, total_s=500)


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        (0, None, 30 * S),  # output now could idle from now on
        (30, None, 60 * S),
        (90, None, 100 * S),  # the first-output limit comes first
        (100, None, FailureKind.TIMEOUT_FIRST_OUTPUT),
        (100, 99, 129 * S),
        (30, 10, 40 * S),
        (40, 10, FailureKind.TIMEOUT_IDLE),
        (480, 479, 500 * S),
        (500, 499, FailureKind.TIMEOUT_TOTAL),
        (509, 471, FailureKind.TIMEOUT_TOTAL),  # passed at 500, the idle limit at 501
        (509, 469, FailureKind.TIMEOUT_IDLE),  # passed at 499
    ],
)
def test_the_next_check_is_the_earliest_instant_at_which_a_limit_can_have_passed(
    now: int, last: int | None, expected: int | FailureKind
) -> None:
    found = next_check(LIMITS, now_ns=now * S, sent_at_ns=0, last_output_at_ns=None if last is None else last * S)
    assert found == expected

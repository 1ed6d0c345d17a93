"""Waits and quotas as response headers word them."""

from datetime import UTC, datetime

import pytest

from harness.decode.ratelimits import QuotaState, asked_of, quota_states, read_wait_s

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2),
        ("1.5", 1.5),
        ("6m0s", 360),
        ("1.5s", 1.5),
        ("12ms", 0.012),
        ("1h2m3.5s", 3723.5),
        ("1d", 86400),
        ("Tue, 24 Nov 2026 12:00:30 GMT", 30),
        ("Tue, 24 Nov 2026 11:59:00 GMT", 0),  # over already
        ("2026-11-24T12:01:00Z", 60),
        (str(int(NOON.timestamp()) + 90), 90),
        (str((int(NOON.timestamp()) + 90) * 1000), 90),
        ("-1", None),  # not known, in the field
        ("soon", None),
        ("", None),
        ("nan", None),
        ("1e400", None),
        ("5 apples", None),
        ("6m0s and more", None),
    ],
)
def test_a_wait_is_read_in_every_form_or_not_at_all(text: str, seconds: float | None) -> None:
    assert read_wait_s(text, NOON) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after": "3", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:10 GMT", "date": "Tue, 24 Nov 2026 12:00:04 GMT"}, 6),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        (
            {
                "x-ratelimit-remaining-requests": "5",
                "x-ratelimit-reset-requests": "6m0s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "2s",
            },
            2,
        ),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-reset-requests": "4"}, 4),  # nothing says which one is used up
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-11-24T12:00:07Z"}, 7),
        ({"content-type": "text/html"}, None),
    ],
)
def test_what_a_response_asks_for(headers: dict[str, str], wait_s: float | None) -> None:
    assert asked_of(headers, NOON).wait_s == pytest.approx(wait_s)


def test_a_server_may_ask_for_no_other_attempt() -> None:
    assert not asked_of({"x-should-retry": "false"}).may_retry
    assert asked_of({"x-should-retry": "true"}).may_retry
    assert asked_of({}).may_retry


def test_quotas_are_told_apart_by_their_names() -> None:
    headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1s",
        "ratelimit-remaining": "7",
    }
    assert quota_states(headers) == (
        QuotaState(name="requests", limit=60, remaining=0, reset_s=1),
        QuotaState(name="", remaining=7),
    )

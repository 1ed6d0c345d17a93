"""The policy for each kind of failure, and the waits that it leads to."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.record import Arm, FailureKind, RequestKey
from harness.model.retries import POLICIES, Asked, How, NotRetried, chance_of, next_wait_s
from harness.model.settings import RetrySettings

KEY = RequestKey(arm=Arm.CANDIDATE, prompt_id="p", repeat=3)
TWICE = RetrySettings(max_attempts=3, backoff_s=1, max_backoff_s=8, delayed_s=20, max_wait_s=60)

settings = st.builds(
    RetrySettings,
    max_attempts=st.integers(1, 10),
    backoff_s=st.floats(0.001, 50),
    max_backoff_s=st.floats(0.001, 500),
    delayed_s=st.floats(0, 500),
    max_wait_s=st.floats(0.001, 500),
)
asked = st.builds(Asked, wait_s=st.none() | st.floats(0, 1e9), may_retry=st.booleans())


class Largest(random.Random):
    """Chance that always gives the most it can."""

    def random(self) -> float:
        return 1.0


def test_every_kind_has_a_policy_with_a_reason() -> None:
    assert set(POLICIES) == set(FailureKind)
    assert all(policy.why.endswith(".") for policy in POLICIES.values())


def test_what_configuration_or_intent_causes_is_never_sent_again() -> None:
    never = {kind for kind, policy in POLICIES.items() if policy.how is How.NEVER}
    assert never == {
        FailureKind.TIMEOUT_TOTAL,
        FailureKind.MALFORMED_HTTP,
        FailureKind.BODY_TOO_LARGE,
        FailureKind.REDIRECT,
        FailureKind.AUTHENTICATION,
        FailureKind.NOT_FOUND,
        FailureKind.BAD_REQUEST,
        FailureKind.NO_UPSTREAM,
        FailureKind.NOT_A_COMPLETION,
        FailureKind.EMPTY_ANSWER,
        FailureKind.REFUSED_BY_BUDGET,
        FailureKind.CANCELLED,
    }


def test_the_backoff_doubles_up_to_its_bound() -> None:
    many = RetrySettings(max_attempts=10, backoff_s=1, max_backoff_s=8)
    waits = [next_wait_s(FailureKind.CONNECT, n, Asked(), many, Largest()) for n in range(1, 7)]
    assert waits == [1, 2, 4, 8, 8, 8]


def test_a_wait_that_is_asked_for_lies_under_the_backoff() -> None:
    assert next_wait_s(FailureKind.RATE_LIMITED, 1, Asked(wait_s=5), TWICE, Largest()) == 6
    assert next_wait_s(FailureKind.CONNECT, 1, Asked(wait_s=5), TWICE, Largest()) == 1  # no server asks for anything


def test_a_longer_wait_than_is_allowed_is_not_waited_for_and_that_is_said() -> None:
    assert next_wait_s(FailureKind.RATE_LIMITED, 1, Asked(wait_s=60), TWICE, Largest()) == 60
    assert next_wait_s(FailureKind.RATE_LIMITED, 1, Asked(wait_s=60.1), TWICE, Largest()) is NotRetried.ASKED_TOO_LONG


def test_a_gateways_timeout_is_followed_by_one_delayed_attempt() -> None:
    assert next_wait_s(FailureKind.GATEWAY_TIMEOUT, 1, Asked(), TWICE, Largest()) == 21
    assert next_wait_s(FailureKind.GATEWAY_TIMEOUT, 2, Asked(), TWICE, Largest()) is NotRetried.USED_UP


@pytest.mark.parametrize(
    ("kind", "n", "asked_for", "how", "reason"),
    [
        (FailureKind.CONNECT, 1, Asked(), RetrySettings(), NotRetried.OFF),
        (FailureKind.BAD_REQUEST, 1, Asked(), TWICE, NotRetried.POLICY),
        (FailureKind.RATE_LIMITED, 1, Asked(may_retry=False), TWICE, NotRetried.SERVER_SAYS_NO),
        (FailureKind.RATE_LIMITED, 3, Asked(), TWICE, NotRetried.USED_UP),
    ],
)
def test_every_other_reason_is_named(
    kind: FailureKind, n: int, asked_for: Asked, how: RetrySettings, reason: NotRetried
) -> None:
    assert next_wait_s(kind, n, asked_for, how, Largest()) is reason


@given(kind=st.sampled_from(FailureKind), n=st.integers(1, 12), asked=asked, settings=settings, seed=st.integers(0))
def test_waits_are_bounded_repeatable_and_end_with_the_attempts(
    kind: FailureKind, n: int, asked: Asked, settings: RetrySettings, seed: int
) -> None:
    one, same = (next_wait_s(kind, n, asked, settings, chance_of(seed, KEY, n)) for _ in range(2))
    assert one == same
    if isinstance(one, NotRetried):
        return
    assert n < settings.max_attempts
    assert 0 <= one <= settings.max_wait_s
    if POLICIES[kind].how is How.ASKED:
        assert one >= min(asked.wait_s or 0, settings.max_wait_s)


def test_the_jitter_is_full_and_differs_from_request_to_request() -> None:
    waits = [
        next_wait_s(
            FailureKind.CONNECT, 1, Asked(), TWICE, chance_of(7, RequestKey(arm=arm, prompt_id="p", repeat=i), 1)
        )
        for arm in (Arm.REFERENCE, Arm.CANDIDATE)
        for i in range(500)
    ]
    found = sorted(wait for wait in waits if not isinstance(wait, NotRetried))
    assert len(set(found)) == 1000
    assert found[0] < 0.01
    assert found[-1] > 0.99
    assert abs(sum(found) / 1000 - 0.5) < 0.05  # five standard errors of a uniform mean

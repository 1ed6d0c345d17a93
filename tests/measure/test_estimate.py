"""What a run may cost, by hand."""

import msgspec
import pytest

from harness.cli.announcing import estimate_line
from harness.cli.budget import money_words
from harness.errors import ConfigError
from harness.measure.answerlength import UNPINNED_TOKENS, max_answer_tokens
from harness.measure.budget import bounds_of
from harness.measure.compose import Composer
from harness.measure.estimate import estimate
from harness.measure.limits import time_limits, unstreamed_limits
from harness.measure.schedule import plan_run
from harness.model.endpoint import Endpoint, Params, Prices, Timeouts
from harness.model.golden import Check, CheckKind, GoldenSet, Prompt
from harness.model.record import Arm, Plan
from harness.model.settings import PlanSettings, RetrySettings, Settings
from tests.measure.prompts import a_prompt, an_endpoint

PRICES = Prices(input_per_mtok=0, output_per_mtok=1_000_000, per_request=2)


@pytest.mark.parametrize(
    ("request_", "endpoint", "tokens"),
    [
        ({"max_tokens": 10}, an_endpoint(), 10),
        ({"max_completion_tokens": 11}, an_endpoint(), 11),
        ({"max_tokens": 10}, an_endpoint(sampling={"max_tokens": 12}), 12),
        ({"max_tokens": 10}, an_endpoint(params=Params(rename={"max_tokens": "limit"})), 10),
        ({"max_tokens": 10, "n": 3}, an_endpoint(), 30),
        ({"max_tokens": 10}, an_endpoint(extra_body={"max_completion_tokens": 40}), 40),
        ({"max_tokens": 10}, an_endpoint(params=Params(drop=["max_tokens"])), None),
        ({"max_tokens": None}, an_endpoint(), None),
        ({}, an_endpoint(), None),
    ],
)
def test_an_answer_is_as_long_as_its_own_endpoint_is_asked_for(
    request_: dict[str, object], endpoint: Endpoint, tokens: int | None
) -> None:
    assert max_answer_tokens(a_prompt(**request_), endpoint) == tokens


@pytest.mark.parametrize("value", ["many", 0, -1, 1.5, True, [1]])
def test_a_length_that_is_no_count_is_named(value: object) -> None:
    with pytest.raises(ConfigError, match=r"e, prompt p: max_tokens is not a count"):
        max_answer_tokens(a_prompt(max_tokens=value), an_endpoint())


def a_plan(golden: GoldenSet, repeats: int = 1, warmup: int = 0, load: tuple[float, ...] = (1,)) -> Plan:
    settings = Settings(load=list(load), plan=PlanSettings(warmup=warmup))
    return plan_run(golden, settings, tuple(Arm), repeats={"p": repeats}, estimators="1")


def test_every_level_of_load_asks_for_the_whole_set_again() -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt(max_tokens=10)])
    found = estimate(golden, an_endpoint(), a_plan(golden, repeats=3, warmup=2, load=(1, 4)))
    assert (found.requests, found.completion_tokens) == (8, 80)


def test_every_answer_and_warm_up_counts_at_its_most() -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt(max_tokens=10)])
    found = estimate(golden, an_endpoint(prices=PRICES), a_plan(golden, repeats=3, warmup=2))
    assert (found.requests, found.completion_tokens, found.unbounded) == (5, 50, ())
    assert found.cost == 50 + 2 * 5
    bytes_of_messages = len('[[{"role":"user","content":"hi"}],[]]')
    assert found.prompt_tokens == 5 * (bytes_of_messages // 4 + 4)


def a_loop(**more: object) -> Prompt:
    final = [Check(kind=CheckKind.CONTAINS, argument="7")]
    prompt = a_prompt(max_tokens=10, tools=[{"type": "function", "function": {"name": "f"}}])
    return msgspec.structs.replace(prompt, tool_results={"f": {"n": 7}}, final=final, **more)


def test_what_follows_the_levels_counts_at_its_most() -> None:
    """Two levels of 3 repeats and a warm-up; then 3 second turns and one unstreamed repeat."""
    golden = GoldenSet(name="g", prompts=[a_loop()])
    found = estimate(golden, an_endpoint(prices=PRICES), a_plan(golden, repeats=3, warmup=1, load=(1, 4)))
    assert (found.requests, found.follow_ups) == (7, 4)
    assert found.completion_tokens == (7 + 4) * 10
    assert found.cost == 110 + 2 * 11
    bytes_of_prompt = len('[[{"role":"user","content":"hi"}],[{"type":"function","function":{"name":"f"}}]]')
    first = bytes_of_prompt // 4 + 4
    second = first + 10 + len('{"f":{"n":7}}') // 4 + 4  # the answer comes back, with the result
    assert found.prompt_tokens == (7 + 1) * first + 3 * second


def test_a_set_without_tools_or_json_has_no_follow_ups() -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt(max_tokens=10)])
    assert estimate(golden, an_endpoint(), a_plan(golden, repeats=3)).follow_ups == 0


def test_an_answer_without_a_bound_is_named_and_an_endpoint_without_prices_has_no_cost() -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt()])
    found = estimate(golden, an_endpoint(), a_plan(golden))
    assert found.unbounded == ("p",)
    assert found.completion_tokens == UNPINNED_TOKENS
    assert (found.cost, found.currency) == (None, None)


def test_the_total_limit_follows_from_the_work_unless_the_file_says_it() -> None:
    timeouts = Timeouts(first_output_s=5, expected_decode_rate=10, safety_factor=2)
    assert time_limits(a_prompt(max_tokens=100), an_endpoint(timeouts=timeouts)).total_s == 5 + 100 / 10 * 2
    stated = Timeouts(total_s=7)
    assert time_limits(a_prompt(max_tokens=100), an_endpoint(timeouts=stated)).total_s == 7


def test_an_answer_that_comes_whole_has_the_time_of_the_whole_request() -> None:
    limits = unstreamed_limits(time_limits(a_prompt(max_tokens=100), an_endpoint(timeouts=Timeouts(total_s=70))))
    assert (limits.first_output_s, limits.idle_s, limits.total_s) == (70, 70, 70)
    assert limits.connect_s == Timeouts().connect_s


@pytest.mark.parametrize(
    ("money", "shown"),
    [(0.006, "0.0060"), (0.000012, "0.000012"), (0.428, "0.43"), (0.999, "1.00"), (0, "0.00"), (12.345, "12.35")],
)
def test_a_small_sum_of_money_never_reads_as_nothing(money: float, shown: str) -> None:
    assert money_words(money) == shown


def test_retries_are_told_apart_as_what_they_may_add_at_most() -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt(max_tokens=100)])
    settings = Settings(plan=PlanSettings(warmup=1), retries=RetrySettings(max_attempts=3))
    plan = plan_run(golden, settings, (Arm.REFERENCE,), repeats={"p": 5}, estimators="1")
    found = estimate(golden, an_endpoint(prices=PRICES), plan)
    once = estimate(golden, an_endpoint(prices=PRICES), a_plan(golden, repeats=5))
    assert (found.requests, found.most_retries) == (6, 10)
    assert found.retry_cost == pytest.approx(2 * (once.cost or 0))
    assert f"may add up to 10 requests and {money_words(2 * (once.cost or 0))} " in estimate_line(found)
    assert "retries" not in estimate_line(once)


def test_a_budget_counts_a_prompt_at_no_less_than_any_tokenizer_would() -> None:
    """Digits and spaces are a token each for most: estimates count four characters as one."""
    digits = [{"role": "user", "content": "0 1 2 3 4 5 6 7 8 9 " * 10}]
    prompt, endpoint = a_prompt(messages=digits, max_tokens=10), an_endpoint(prices=PRICES)
    golden = GoldenSet(name="g", prompts=[prompt])
    request = Composer(endpoint, {}).compose(prompt)
    claimed = bounds_of(golden, {Arm.REFERENCE: endpoint}).of(Arm.REFERENCE, prompt.id, request.n_bytes)
    assert 200 + 10 < claimed.tokens == request.n_bytes + 10
    assert claimed.nanomoney == (2 + 10) * 10**9


def test_a_second_turn_is_bounded_with_all_that_it_brings_back() -> None:
    prompt = a_prompt(max_tokens=10)
    golden = GoldenSet(name="g", prompts=[prompt])
    bounds = bounds_of(golden, {Arm.REFERENCE: an_endpoint()})
    first, second = (bounds.of(Arm.REFERENCE, prompt.id, n_bytes).tokens for n_bytes in (100, 5000))
    assert second - first == 4900


def test_an_answer_that_nothing_pins_counts_at_what_is_assumed() -> None:
    prompt = a_prompt()
    bounds = bounds_of(GoldenSet(name="g", prompts=[prompt]), {Arm.REFERENCE: an_endpoint()})
    assert bounds.of(Arm.REFERENCE, prompt.id, 0).tokens == UNPINNED_TOKENS

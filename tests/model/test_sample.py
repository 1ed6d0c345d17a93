"""The sample of traffic: proportional, at least one to each stratum, reproducible, no text twice."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.sample import Sample, allocate, draw_sample
from harness.model.trafficshape import shape_of, text_key

ENGLISH = "What is the status of the order and how do I return it"
GERMAN = "Wie ist der Stand und wo ist die Rechnung für das Paket"
TOOLS = [{"type": "function", "function": {"name": "f"}}]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def a_request(text: str, *more: str, **body: Any) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": text}]
    for turn in more:
        messages += [{"role": "assistant", "content": "yes"}, {"role": "user", "content": turn}]
    return {"messages": messages, **body}


def word(i: int) -> str:
    """Give a word of its own for every number, without digits."""
    return "".join(LETTERS[int(digit)] for digit in str(i))


def many(n: int, text: str = ENGLISH, **body: Any) -> list[dict[str, Any]]:
    return [a_request(f"{text} {word(i)}", **body) for i in range(n)]


def drawn(requests: list[dict[str, Any]], n: int, seed: int = 1) -> Sample:
    return draw_sample(requests, n, random.Random(seed))


@pytest.mark.parametrize(
    ("sizes", "limits", "n", "expected"),
    [
        ([50, 30, 20], [99, 99, 99], 10, [5, 3, 2]),
        ([45, 35, 20], [99, 99, 99], 10, [5, 3, 2]),  # quotas 4.5, 3.5, 2: of equal remainders the first
        ([44, 36, 20], [99, 99, 99], 10, [4, 4, 2]),  # quotas 4.4, 3.6, 2
        ([97, 2, 1], [99, 99, 99], 10, [8, 1, 1]),  # at least one to each
        ([80, 20], [2, 99], 10, [2, 8]),  # no more than there are
        ([5, 5], [1, 1], 10, [1, 1]),
        ([5, 4, 3], [9, 9, 9], 2, [1, 1, 0]),  # more strata than prompts
        ([7], [9], 3, [3]),
    ],
)
def test_prompts_are_divided_by_largest_remainders(
    sizes: list[int], limits: list[int], n: int, expected: list[int]
) -> None:
    assert allocate(sizes, limits, n) == expected


@given(
    strata=st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 50)), min_size=1, max_size=12),
    n=st.integers(1, 60),
)
def test_a_division_gives_all_that_can_be_given(strata: list[tuple[int, int]], n: int) -> None:
    sizes, limits = [size for size, _ in strata], [limit for _, limit in strata]
    counts = allocate(sizes, limits, n)
    assert sum(counts) == min(n, sum(limits))
    assert all(0 <= count <= limit for count, limit in zip(counts, limits, strict=True))
    assert n < len(strata) or min(counts) >= 1
    free = [n * size / sum(sizes) for size in sizes]
    if all(limit >= quota + 1 for limit, quota in zip(limits, free, strict=True)) and min(free) >= 1:
        assert all(abs(count - quota) < 1 for count, quota in zip(counts, free, strict=True))


def test_the_sample_has_the_shape_of_the_traffic() -> None:
    traffic = many(60) + many(30, tools=TOOLS) + many(10, GERMAN)
    random.Random(5).shuffle(traffic)
    sample = drawn(traffic, 10)
    assert Counter((one.shape.use, one.shape.language) for one in sample.chosen) == {
        ("plain", "en"): 6,
        ("tools", "en"): 3,
        ("plain", "de"): 1,
    }
    assert [round(one.fraction, 12) for one in sample.chosen] == [0.1] * 10
    assert (sample.n_requests, sample.n_texts, sample.n_strata, sample.uncovered_fraction) == (100, 100, 3, 0)


def test_positions_are_those_of_the_traffic_in_its_order() -> None:
    traffic = many(50) + many(50, tools=TOOLS)
    sample = drawn(traffic, 8)
    positions = [one.position for one in sample.chosen]
    assert positions == sorted(positions)
    assert [shape_of(traffic[position]) for position in positions] == [one.shape for one in sample.chosen]


def test_a_stratum_too_small_for_a_prompt_joins_its_neighbours() -> None:
    # 20 prompts of 1,000 requests: 25 requests are half of one prompt's share. Three languages of 20 each, 940 others.
    others = [many(20, text) for text in ("Где мой заказ", "我的订单在哪里", "Πού είναι η παραγγελία")]
    sample = drawn(many(940) + sum(others, []), 20)  # noqa: RUF017  # three short lists
    joined = [one for one in sample.chosen if one.shape.language != "en"]
    assert len(joined) == 1
    assert joined[0].stratum == ("plain", "under 500")
    assert joined[0].fraction == pytest.approx(0.06)
    assert sum(one.fraction for one in sample.chosen) == pytest.approx(1)
    assert sample.uncovered_fraction == 0


def test_what_is_too_small_even_joined_is_said() -> None:
    sample = drawn(many(995) + many(5, "Где мой заказ", tools=TOOLS), 20)
    assert sample.uncovered_fraction == pytest.approx(0.005)
    assert sum(one.fraction for one in sample.chosen) == pytest.approx(0.995)
    assert {one.shape.use for one in sample.chosen} == {"plain"}


def test_more_strata_than_prompts_leave_the_smallest_out_and_say_so() -> None:
    traffic = many(40) + many(35, tools=TOOLS) + many(25, GERMAN)
    sample = drawn(traffic, 2)
    assert len(sample.chosen) == 2
    assert sample.uncovered_fraction == pytest.approx(0.25)


def test_the_same_seed_gives_the_same_sample_whatever_the_order() -> None:
    traffic = many(300) + many(100, tools=TOOLS)
    shuffled = traffic.copy()
    random.Random(3).shuffle(shuffled)
    texts = [{text_key(some[one.position]) for one in drawn(some, 20).chosen} for some in (traffic, shuffled)]
    assert texts[0] == texts[1]
    assert drawn(traffic, 20) == drawn(traffic, 20)
    assert drawn(traffic, 20, seed=2) != drawn(traffic, 20, seed=1)


@pytest.mark.parametrize(
    "other",
    [
        "HOW many of the 17 orders?",
        "how many of the 4,711 orders",
        "  How  many\nof the 3 orders!!",
        "Ｈow many of the 5 orders",
    ],
)
def test_nearly_equal_texts_are_one(other: str) -> None:
    one = a_request("How many of the 12 orders?")
    assert text_key(one) == text_key(a_request(other))
    sample = drawn([one, a_request(other)], 5)
    assert (len(sample.chosen), sample.n_texts) == (1, 1)
    assert sample.chosen[0].fraction == 1
    assert sample.chosen[0].position == 0


@pytest.mark.parametrize(
    "other",
    [
        a_request("How many of the orders?"),
        a_request("How many of the 12 orders?", "and now"),
        a_request("How many of the 12 orders?", tools=TOOLS),
        a_request("How many of the 12 orders?", response_format={"type": "json_object"}),
        {"messages": [{"role": "system", "content": "How many of the 12 orders?"}]},
    ],
)
def test_other_requests_are_not_one(other: dict[str, Any]) -> None:
    assert text_key(a_request("How many of the 12 orders?")) != text_key(other)


def test_texts_of_punctuation_alone_differ_from_each_other() -> None:
    assert text_key(a_request("???")) != text_key(a_request("!"))


def test_frequent_texts_are_drawn_more_often_in_proportion() -> None:
    """One text makes 30 of 120 requests, 90 others one each: drawn alone it comes in 1 of 4 samples.

    Of 400 samples 100 are expected with a standard deviation of 8.7; outside 65 to 135 with chance below 1e-4.
    """
    traffic = [a_request(ENGLISH)] * 30 + many(90)
    hits = sum(drawn(traffic, 1, seed).chosen[0].position == 0 for seed in range(400))
    assert 65 <= hits <= 135


def test_few_texts_are_all_taken_and_none_gives_none() -> None:
    assert len(drawn(many(5), 40).chosen) == 5
    empty = drawn([], 40)
    assert (empty.chosen, empty.n_requests, empty.uncovered_fraction) == ((), 0, 0)


@given(
    kinds=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.booleans()), min_size=1, max_size=60),
    n=st.integers(1, 30),
    seed=st.integers(0, 5),
)
def test_any_sample_is_of_different_texts_and_its_shares_add_up(
    kinds: list[tuple[int, int, bool]], n: int, seed: int
) -> None:
    texts = (ENGLISH, GERMAN, "Где мой заказ", "x" * 900)
    traffic = [a_request(f"{texts[kind]} {word(i)}", **({"tools": TOOLS} if tools else {})) for kind, i, tools in kinds]
    sample = drawn(traffic, n, seed)
    keys = [text_key(traffic[one.position]) for one in sample.chosen]
    assert len(set(keys)) == len(keys) <= n
    assert sample.n_texts == len({text_key(request) for request in traffic})
    total = sum(one.fraction for one in sample.chosen)
    assert total + sample.uncovered_fraction == pytest.approx(1)


@pytest.mark.parametrize(
    ("n", "length"),
    [(499, "under 500"), (500, "500 to 2k"), (2000, "2k to 8k"), (8000, "8k to 32k"), (32_000, "over 32k")],
)
def test_lengths_are_cut_at_round_numbers_of_characters(n: int, length: str) -> None:
    assert shape_of(a_request("x" * n)).length == length


def test_a_request_is_described_by_use_length_turns_and_language() -> None:
    request = a_request(ENGLISH, GERMAN, tools=TOOLS, response_format={"type": "json_schema"})
    request["messages"].insert(0, {"role": "system", "content": "Ты помощник. " * 50})
    assert shape_of(request).features == ("tools and structured", "500 to 2k", "several turns", "de")
    assert shape_of({"messages": []}).features == ("plain", "under 500", "one turn", "none")

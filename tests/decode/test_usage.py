from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.findings import Findings
from harness.decode.usage import MAX_TOKENS, UsageCollector
from harness.model.record import FindingKind, Usage
from tests.decode.strategies import json_values
from tests.decode.wires import a_usage


def collected(*chunks: tuple[dict[str, Any] | None, bool]) -> tuple[Usage | None, dict[FindingKind, int]]:
    """Collect over choice chunks, each with its usage and whether it brought output."""
    findings = Findings()
    collector = UsageCollector(findings)
    for found, has_output in chunks:
        collector.take({"usage": found}, has_choices=True, has_output=has_output, is_chunk=True)
    result = collector.result(has_output=any(has_output for _, has_output in chunks))
    return result, {finding.kind: finding.count for finding in findings.taken()}


def of_one(found: dict[str, Any]) -> Usage:
    result, _ = collected((found, False))
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("found", "truth"),
    [
        ({"input_tokens": 3, "output_tokens": 4}, Usage(prompt_tokens=3, completion_tokens=4)),
        ({"completion_tokens": 0}, Usage(completion_tokens=0)),
        ({"completion_tokens": 7.0}, Usage(completion_tokens=7)),
        ({"completion_tokens": 7.5}, Usage()),
        ({"completion_tokens": True}, Usage()),
        ({"completion_tokens": -1}, Usage()),
        ({"completion_tokens": MAX_TOKENS}, Usage()),
        ({"completion_tokens": "7", "output_tokens": 8}, Usage(completion_tokens=8)),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, Usage(cached_tokens=0)),
        ({"input_tokens_details": {"cached_tokens": 2}}, Usage(cached_tokens=2)),
        ({"prompt_cache_hit_tokens": 5}, Usage(cached_tokens=5)),
        ({"prompt_tokens_details": None, "cached_tokens": 6}, Usage(cached_tokens=6)),
        ({"completion_tokens_details": {"reasoning_tokens": 1}}, Usage(reasoning_tokens=1)),
        ({"output_tokens_details": {"reasoning_tokens": 2}}, Usage(reasoning_tokens=2)),
        ({"reasoning_tokens": 3}, Usage(reasoning_tokens=3)),
    ],
)
def test_a_count_is_read_where_it_is_plausible_and_nowhere_else(found: dict[str, Any], truth: Usage) -> None:
    assert of_one(found) == truth


def test_the_last_usage_counts_and_is_never_a_sum() -> None:
    result, _ = collected((a_usage(5, 1), True), (a_usage(5, 2), True), (a_usage(5, 9), False))
    assert result == Usage(prompt_tokens=5, completion_tokens=9, total_tokens=14, first_chunk_tokens=1)


@pytest.mark.parametrize("nothing", [None, {}])
def test_an_empty_usage_does_not_replace_a_real_one(nothing: dict[str, Any] | None) -> None:
    result, findings = collected((a_usage(), True), (nothing, False))
    assert result == Usage(prompt_tokens=5, completion_tokens=2, total_tokens=7)
    assert findings == {FindingKind.USAGE_ON_CHOICE_CHUNK: 1}


def test_zeros_behind_real_counts_do_not_replace_them() -> None:
    result, findings = collected((a_usage(10, 5), True), (a_usage(0, 0), False), (a_usage(0, 0), False))
    assert result == Usage(prompt_tokens=10, completion_tokens=5, total_tokens=15)
    assert findings == {FindingKind.USAGE_ZEROED: 2, FindingKind.USAGE_IN_EVERY_CHUNK: 3}
    result, findings = collected((a_usage(0, 0), True), (a_usage(0, 0), False))
    assert result == Usage(prompt_tokens=0, completion_tokens=0, total_tokens=0)
    assert FindingKind.USAGE_ZEROED not in findings


def test_zeros_between_running_counts_are_no_tokens_that_nobody_heard() -> None:
    result, findings = collected((a_usage(5, 9), True), (a_usage(0, 0), False), (a_usage(5, 10), True))
    assert result == Usage(prompt_tokens=5, completion_tokens=10, total_tokens=15, first_chunk_tokens=9)
    assert FindingKind.USAGE_GROWS_SILENTLY not in findings


@pytest.mark.parametrize(
    ("details", "is_contradiction"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 900}}, True),
        ({"prompt_tokens_details": {"cached_tokens": 10}}, False),
        ({"completion_tokens_details": {"reasoning_tokens": 6}}, True),
        ({"completion_tokens_details": {"reasoning_tokens": 5}}, False),
    ],
)
def test_a_part_that_is_more_than_the_whole_is_a_contradiction(
    details: dict[str, Any], *, is_contradiction: bool
) -> None:
    _, findings = collected((a_usage(10, 5, **details), True))
    assert (FindingKind.USAGE_INCONSISTENT in findings) == is_contradiction


@pytest.mark.parametrize(
    ("running", "first_chunk"),
    [
        ((3, 8), 3),
        ((8, 8), None),  # the same number in every chunk is the total, not a running count
        ((0, 8), None),
        ((9, 8), None),
        ((8,), None),  # once, on the only chunk: says nothing about chunks
    ],
)
def test_the_first_chunk_is_told_by_a_running_count_only(running: tuple[int, ...], first_chunk: int | None) -> None:
    result, _ = collected(*((a_usage(5, tokens), True) for tokens in running))
    assert result is not None
    assert result.first_chunk_tokens == first_chunk


def test_a_first_chunk_without_usage_leaves_its_tokens_unknown() -> None:
    result, _ = collected((None, True), (a_usage(5, 3), True), (a_usage(5, 8), False))
    assert result is not None
    assert result.first_chunk_tokens is None


def test_a_single_chunk_of_a_running_count_held_every_token() -> None:
    result, _ = collected((a_usage(5, 4), True), (a_usage(5, 4), False))
    assert result is not None
    assert result.first_chunk_tokens == 4


counts = st.integers(0, 10**6)


@given(rows=st.lists(st.tuples(counts, counts), min_size=1, max_size=6))
def test_only_the_last_of_any_sequence_counts(rows: list[tuple[int, int]]) -> None:
    result, _ = collected(*((a_usage(*row), True) for row in rows))
    prompt, completion = next((row for row in reversed(rows) if any(row)), (0, 0))
    assert result is not None
    assert (result.prompt_tokens, result.completion_tokens) == (prompt, completion)
    assert result.first_chunk_tokens is None or 0 < result.first_chunk_tokens <= completion


@given(payload=st.dictionaries(st.sampled_from(("usage", "x_groq", "choices")), json_values))
def test_any_payload_has_usage_or_none(payload: dict[str, Any]) -> None:
    collector = UsageCollector(Findings())
    has_usage = collector.take(payload, has_choices=True, has_output=False, is_chunk=True)
    assert (collector.result(has_output=False) is not None) == has_usage


@pytest.mark.parametrize(
    ("chunks", "detail"),
    [
        (((1, True), (17, False), (18, True)), "16 tokens before the next output"),
        (((0, False), (5, False), (9, False), (10, True), (11, True)), "9 tokens before the next output"),
        (((1, True), (2, True), (40, True)), None),  # many tokens in a chunk, none of them unheard
        (((1, True), (2, True), (3, False)), None),  # the end of text, which no chunk carries
        (((7, False), (8, True)), None),  # the first count says nothing of what was before it
    ],
)
def test_tokens_that_are_counted_while_nothing_comes_are_noted(
    chunks: tuple[tuple[int, bool], ...], detail: str | None
) -> None:
    findings = Findings()
    collector = UsageCollector(findings)
    for tokens, has_output in chunks:
        collector.take({"usage": a_usage(5, tokens)}, has_choices=True, has_output=has_output, is_chunk=True)
    noted = [one.detail for one in findings.taken() if one.kind is FindingKind.USAGE_GROWS_SILENTLY]
    assert noted == ([] if detail is None else [detail])

"""Thousands of damaged responses, as benchmarks/fuzz has them by the hundred thousand."""

from collections import Counter
from collections.abc import Callable
from typing import NoReturn

import pytest

from benchmarks.fuzz.__main__ import LIMIT_S, Tally, judge_one, time_limit
from benchmarks.fuzz.judging import BrokenPromiseError
from benchmarks.fuzz.mutations import BODY_MUTATIONS, WIRE_MUTATIONS, Mutant, mutant
from harness.analysis.results.trial import Rung
from harness.decode.errors import error_of_body
from harness.decode.sse import split_events
from harness.model.record import FindingKind
from tests.decode.wires import TOOL_END, a_wire, decoded, tool

SEED = 20261125
BATCHES = range(8)
BATCH = 500


@pytest.mark.parametrize("batch", BATCHES)
def test_no_damaged_response_raises_hangs_or_breaks_a_promise(batch: int) -> None:
    tally = Tally()
    for number in range(batch * BATCH, (batch + 1) * BATCH):
        judge_one(mutant(SEED, number), number, tally)
    assert tally.broken == []
    assert sum(count for name, count in tally.seen.items() if name.startswith(("failure", "success"))) == BATCH


def test_a_response_can_be_made_again_from_its_number() -> None:
    assert [mutant(SEED, number) for number in range(50)] == [mutant(SEED, number) for number in range(50)]
    assert len({mutant(SEED, number).wire for number in range(50)}) == 50


def test_what_is_broken_is_found_and_named() -> None:
    def judge(_: Mutant) -> NoReturn:
        raise BrokenPromiseError("it is not kept")

    tally = Tally()
    judge_one(mutant(SEED, 0), 0, tally, judge)
    assert [line.partition(" after ")[0] for line in tally.broken] == ["0: BrokenPromiseError: it is not kept"]
    assert tally.seen == {}


def test_every_way_to_damage_is_used_and_every_rung_and_finding_is_reached() -> None:
    mutations: Counter[str] = Counter()
    tally = Tally()
    for number in range(3000):
        one = mutant(SEED + 1, number)
        mutations.update(one.mutations)
        judge_one(one, number, tally)
    assert set(BODY_MUTATIONS) | set(WIRE_MUTATIONS) | {"flood"} <= set(mutations)
    assert {f"rung {rung}" for rung in set(Rung) - {Rung.LOOP, Rung.NOT_RUN}} <= set(tally.seen)
    of_other_requests = {FindingKind.JSON_ANSWERED_WITH_STREAM}  # where no stream was asked for
    assert {f"finding {kind}" for kind in set(FindingKind) - of_other_requests} <= set(tally.seen)
    assert tally.seen["success"] > 500


def _repeated_name() -> None:
    """Name and an unfinished list with every fragment: is it whole by now?"""
    fragments = [tool(index=0, function={"name": "f", "arguments": ',"a"'})] * 60_000
    first = tool(index=0, function={"name": "f", "arguments": '["a"'})
    record = decoded([a_wire(first + b"".join(fragments) + TOOL_END)])
    assert len(record.answer.tool_calls) == 1


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda: split_events(b"data: " + b"x" * 3_000_000), id="an event without end"),
        pytest.param(lambda: error_of_body(b"<html>" + b"<title" * 500_000), id="a page of torn titles"),
        pytest.param(lambda: error_of_body(b"<html>" + b"<title>" * 500_000), id="a page of titles without end"),
        pytest.param(_repeated_name, id="a call that names itself in every fragment"),
    ],
)
def test_what_takes_minutes_where_the_time_grows_with_the_square_ends(read: Callable[[], object]) -> None:
    with time_limit(LIMIT_S):
        read()

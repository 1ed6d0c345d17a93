"""Several levels of load in one run: each has its row, and only the first is judged."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import pytest

from harness.analysis.analyse import analyse, to_summary
from harness.analysis.instrument import side_instrument
from harness.analysis.latencies import CLOSED_LOOP
from harness.analysis.levels import SHOWN, level_rows
from harness.analysis.load import side_loads
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Case
from harness.analysis.results.estimates import Tail, Value
from harness.analysis.results.instrument import TimingVerdict
from harness.analysis.results.levels import LevelRow
from harness.analysis.trials import judge_side
from harness.model.record import Arm, Arrival, FailureKind, Plan, Record, Stamps, Usage
from tests.analysis.cases import BOTH, MS, a_case, a_golden, a_key, a_plan, a_prompt, a_record, a_side, failed, replayed

PROMPTS = [a_prompt(f"p{i}", says="answer") for i in range(6)]
REPEATS = 7


def rows_of(records: Sequence[Record], plan: Plan | None = None) -> tuple[LevelRow, ...]:
    """Give the rows of one side that answers these prompts."""
    case = replace(a_case(records, None, a_golden(*PROMPTS)), plan=plan or a_plan(1, 4))
    return rows_of_case(case)


def rows_of_case(case: Case) -> tuple[LevelRow, ...]:
    sides = [side for side in (case.reference, case.candidate) if side is not None]
    judged = {
        side.arm: judge_side(side, case.golden, is_open_loop=side_loads(case, side)[0].is_open_loop) for side in sides
    }
    return level_rows(case, judged, [side_instrument(case, side, judged[side.arm]) for side in sides])


def tail_of(row: LevelRow, metric: str) -> Tail:
    return next(tail for tail in row.tails if tail.metric == metric)


def quantile_of(row: LevelRow, metric: str, q: float) -> Value:
    return next(quantile.value for quantile in tail_of(row, metric).quantiles if quantile.q == q)


def at(records: Sequence[Record], level: int) -> list[Record]:
    return [replace(record, key=replace(record.key, level=level)) for record in records]


def after(record: Record, ms: int) -> Record:
    """Move a request in time, its answer with it."""
    stamps = {name: at_ns + ms * MS for name, at_ns in msgspec.to_builtins(record.stamps).items() if at_ns is not None}
    return replace(record, stamps=Stamps(**stamps))


def lost(n: int, level: int, kind: FailureKind = FailureKind.RATE_LIMITED, arm: Arm = Arm.REFERENCE) -> list[Record]:
    """Give requests that failed at a level, a repeat each that no other builder gives."""
    start = 1_000 * (1 + list(FailureKind).index(kind))
    return [
        failed(kind, key=a_key(start + i, arm=arm, prompt_id="p0", level=level), block=start + i, status=429)
        for i in range(n)
    ]


def leveled(
    extra: Mapping[Arm, Sequence[Record]],
    plan: Plan | None = None,
    changes: Mapping[Arm, Sequence[Record]] | None = None,
) -> Analysis:
    """Analyse two equal sides at the first level, with more records at others."""
    equal: dict[Arm, Sequence[Record]] = {arm: replayed(PROMPTS, REPEATS, arm) for arm in BOTH}
    sides = {arm: [*found, *extra.get(arm, ())] for arm, found in (equal | dict(changes or {})).items()}
    case = a_case(
        sides[Arm.REFERENCE],
        sides[Arm.CANDIDATE],
        a_golden(*PROMPTS),
        prices={"currency": "EUR", "input_per_mtok": 1.0, "output_per_mtok": 10.0},
    )
    return analyse(replace(case, plan=plan or a_plan(1, 4)))


def test_each_level_has_its_own_requests_and_tails() -> None:
    first, second = rows_of([*replayed(PROMPTS, 2), *replayed(PROMPTS, 3, slowness=2.0, level=1)])
    assert [(row.level, row.asked, row.n, row.n_failed) for row in (first, second)] == [(0, 1, 12, 0), (1, 4, 18, 0)]
    assert [tail.metric for tail in first.tails] == [tail.metric for tail in second.tails] == list(SHOWN)
    assert [tail_of(row, "ttft").n for row in (first, second)] == [12, 18]
    one, two = (quantile_of(row, "ttft", 0.5).value for row in (first, second))
    assert one == pytest.approx(0.1, rel=0.02)
    assert two == pytest.approx(0.2, rel=0.02)
    assert second.instrument.send_lateness_p99_s.value == pytest.approx(0.001)


def test_a_failure_stands_in_the_row_of_its_level() -> None:
    """With four of ten failed the median is a value and p95 is not, at that level alone."""
    good = replayed(PROMPTS, 12)
    first, second = rows_of([*good, *at(good, 1), *lost(30, 1), *lost(18, 1, FailureKind.SERVER_ERROR)])
    assert (first.n, first.n_failed, first.failures) == (72, 0, {})
    assert (second.n, second.n_failed, second.failures) == (120, 48, {"rate_limited": 30, "server_error": 18})
    assert quantile_of(second, "ttft", 0.5).value is not None
    assert quantile_of(second, "ttft", 0.95).reason == "unattainable (48 of 120 failed)"
    assert quantile_of(first, "ttft", 0.95).value is not None
    assert quantile_of(first, "ttft", 0.99).reason is not None
    assert "p99 is not estimable" in (quantile_of(first, "ttft", 0.99).reason or "")


def test_a_level_tells_apart_what_it_sent_and_what_it_counts() -> None:
    cut = failed(FailureKind.CANCELLED, key=a_key(50, prompt_id="p1", level=1), status=None)
    warm = a_record(key=a_key(0, prompt_id="p1", is_warmup=True))
    first, second = rows_of([warm, *replayed(PROMPTS, 1), *replayed(PROMPTS, 1, level=1), cut])
    assert [(row.n, row.n_set_aside, row.n_failed) for row in (first, second)] == [(6, 0, 0), (6, 1, 0)]


def test_a_level_at_which_nothing_was_sent_has_its_row() -> None:
    first, second = rows_of(replayed(PROMPTS, 2))
    assert (first.n, second.n, second.tails) == (12, 0, ())
    assert second.achieved.reason == "0 requests cannot keep 4 in flight"
    assert second.throughput.output_tokens_per_s.reason == "no success"
    assert second.instrument.send_lateness_p99_s.reason == "no request was sent"


def test_a_side_has_the_levels_of_its_own_plan() -> None:
    case = a_case(replayed(PROMPTS, 1), replayed(PROMPTS, 1, Arm.CANDIDATE), a_golden(*PROMPTS))
    rows = rows_of_case(replace(case, plan=a_plan(1), reference=replace(case.reference, plan=a_plan(1, 4))))
    assert [(row.level, row.arm) for row in rows] == [
        (0, Arm.REFERENCE),
        (0, Arm.CANDIDATE),
        (1, Arm.REFERENCE),
    ]


def test_an_open_loop_gives_both_latencies_and_a_closed_one_says_why_not() -> None:
    """Each was due 3 ms before it was sent; a request that failed is late from either instant."""
    records = [*replayed(PROMPTS, 2), *lost(1, 0)]
    (row,) = rows_of(records, a_plan(2.0, arrival=Arrival.CONSTANT))
    sent, due = tail_of(row, "ttft"), tail_of(row, "ttft_from_intended")
    assert (due.n, due.n_failed, due.undefined) == (sent.n, 1, {}) == (13, 1, {})
    assert [later - earlier for earlier, later in zip(sent.values, due.values, strict=True)] == pytest.approx(
        [0.003] * 12
    )
    whole, effective = tail_of(row, "e2e"), tail_of(row, "e2e_effective")
    assert [two - one for one, two in zip(whole.values, effective.values, strict=True)] == pytest.approx([0.003] * 12)
    (closed,) = rows_of(records, a_plan(1))
    found = tail_of(closed, "ttft_from_intended")
    assert (found.n, found.n_failed, found.undefined) == (0, 0, {CLOSED_LOOP: 13})
    assert tail_of(closed, "ttft").n == 13


def test_what_an_open_loop_offered_stands_beside_what_was_asked() -> None:
    """Due every 400 ms where two a second were asked; each sent as due."""
    records = [
        replace(
            record,
            stamps=replace(record.stamps, intended_at_ns=i * 400 * MS, sent_at_ns=i * 400 * MS),
        )
        for i, record in enumerate(replayed(PROMPTS, 2))
    ]
    (row,) = rows_of(records, a_plan(2.0, arrival=Arrival.POISSON))
    assert [row.asked, row.scheduled.value, row.achieved.value] == pytest.approx([2.0, 2.5, 2.5])


def test_a_stream_is_buffered_by_the_pace_of_its_own_level() -> None:
    """Under load a token takes 0.4 s, alone 0.01 s: the quick ones are a fifth of nothing that was held back."""
    crowded = replayed(PROMPTS, 2, slowness=20.0)
    alone = at(replayed(PROMPTS, 2, slowness=0.5), 1)
    for item in judge_side(a_side([*crowded, *alone]), a_golden(*PROMPTS)):
        assert not item.is_buffered
        assert item.trial.metrics["decode_rate"].value is not None


def test_other_levels_change_nothing_that_is_judged() -> None:
    """A candidate that loses everything at the second level is judged by the first."""
    bad = [*lost(60, 1, arm=Arm.CANDIDATE), *replayed(PROMPTS, 5, Arm.CANDIDATE, slowness=9.0, level=1)]
    fine = {Arm.REFERENCE: replayed(PROMPTS, 5, level=1)}
    plain, found = leveled({}), leveled(fine | {Arm.CANDIDATE: bad})
    assert plain.judgement is not None
    assert found.judgement is not None
    assert found.judgement.gates == plain.judgement.gates
    assert found.judgement.verdict == plain.judgement.verdict
    assert found.judgement.validity == plain.judgement.validity
    assert found.judgement.read_first == plain.judgement.read_first
    assert (found.tails, found.prompts, found.throughput) == (plain.tails, plain.prompts, plain.throughput)
    assert found.levels[:2] == plain.levels[:2]


def test_what_was_sent_at_other_levels_is_paid_and_counted() -> None:
    extra = replayed(PROMPTS, 5, level=1)
    found = leveled(
        {Arm.REFERENCE: [*extra, *lost(4, 1)]}, changes={Arm.REFERENCE: [*replayed(PROMPTS, 7), *lost(1, 0)]}
    )
    money = found.economics[0]
    assert (money.n_requests, money.n_failed) == (7 * 6 + 1 + 5 * 6 + 4, 5)
    assert money.cost.value == pytest.approx((7 + 5) * 6 * (100 * 1.0 + 46 * 10.0) / 1e6)
    (row,) = found.failures
    assert (row.kind, row.n, row.n_other_levels) == ("rate_limited", 5, 4)
    assert [(row.n, row.n_failed) for row in found.levels] == [(43, 1), (42, 0), (34, 4), (0, 0)]


def test_a_level_says_what_the_validity_checks_would_have_said() -> None:
    """Answers of the first level came again at the second; the model changed there."""
    ids = [replace(record, response_id=f"id-{i}", model_reported="m") for i, record in enumerate(replayed(PROMPTS, 2))]
    later = [replace(after(record, 90_000), model_reported="other") for record in at(ids, 1)]
    first, second = rows_of([*ids, *later])
    assert first.notes == ()
    assert second.notes[0].startswith("12 response ids came more than once (id-0 on 2 repeats of p0")
    assert second.notes[1] == "the reported model was other, not m"
    assert rows_of([*ids, *at(replayed(PROMPTS, 2), 1)])[1].notes == ()


def test_timings_are_void_at_the_level_where_the_harness_was_late() -> None:
    """Each of the second level went 9 ms after it was admitted."""
    late = [
        replace(record, stamps=replace(record.stamps, admitted_at_ns=-9 * MS, intended_at_ns=-9 * MS))
        for record in replayed(PROMPTS, 2, level=1)
    ]
    first, second = rows_of([*replayed(PROMPTS, 2), *late])
    assert [row.timing is TimingVerdict.VOID for row in (first, second)] == [False, True]
    assert second.instrument.send_lateness_p99_s.value == pytest.approx(0.009)
    assert second.notes[0].startswith("timings are void at this level: sent 9 ms late")


def test_repeats_too_quick_for_a_model_are_named_at_their_level() -> None:
    """The first answer of each prompt takes a second, the next comes word for word in 20 ms."""
    usage = Usage(prompt_tokens=9, completion_tokens=46)
    slow = replayed(PROMPTS[:4], 1, level=1, usage=usage)
    fast = [
        a_record((10, 20), key=a_key(1, prompt_id=prompt.id, level=1), block=100 + i, usage=usage)
        for i, prompt in enumerate(PROMPTS[:4])
    ]
    _, second = rows_of([*replayed(PROMPTS, 1), *slow, *fast])
    assert second.notes == (
        "repeats of 4 prompts came word for word in under a tenth of the first one's time (p0, p1, p2)",
    )


def test_the_summary_holds_every_level_and_how_requests_arrived() -> None:
    plan = a_plan(1, 4, arrival=Arrival.POISSON, ramp_s=2.0)
    found = to_summary(leveled({arm: replayed(PROMPTS, 2, arm, level=1) for arm in BOTH}, plan))
    levels, sides, readings = found["levels"], found["sides"], found["knees"]
    assert isinstance(levels, list)
    assert isinstance(sides, list)
    assert isinstance(readings, list)
    assert [(row["level"], row["arm"], row["asked"], row["n"]) for row in levels] == [
        (0, "reference", 1.0, 42),
        (0, "candidate", 1.0, 42),
        (1, "reference", 4.0, 12),
        (1, "candidate", 4.0, 12),
    ]
    assert levels[0]["arrival"] == "poisson"
    assert [tail["metric"] for tail in levels[3]["tails"]] == list(SHOWN)
    assert "values" not in levels[3]["tails"][0]
    assert [side["load"] for side in sides] == [
        {"arrival": "poisson", "levels": [1.0, 4.0], "ramp_s": 2.0, "seed": 7}
    ] * 2
    assert [reading["arm"] for reading in readings] == ["reference", "candidate"]


def test_a_verdict_says_which_load_it_is_of() -> None:
    found = leveled({})
    assert found.judgement is not None
    assert "Load other than that of the first level (1 request in flight on each side): the others are not judged" in (
        found.judgement.not_verified
    )
    assert not any("different loads" in note for note in found.judgement.notes)


def test_sides_of_two_runs_under_different_loads_are_told_of() -> None:
    case = a_case(replayed(PROMPTS, REPEATS), replayed(PROMPTS, REPEATS, Arm.CANDIDATE), a_golden(*PROMPTS))
    case = replace(case, plan=a_plan(4), reference=replace(case.reference, plan=a_plan(1, arrival=Arrival.POISSON)))
    found = analyse(case)
    assert found.judgement is not None
    (note,) = (note for note in found.judgement.notes if "different loads" in note)
    assert "the reference at 1 requests/s and the candidate at 4 requests in flight" in note

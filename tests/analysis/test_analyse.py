"""A case becomes an analysis, an analysis plain JSON."""

import json
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.analyse import analyse, to_summary
from harness.analysis.catalog import CATALOG
from harness.analysis.estimators import ESTIMATORS
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Interval, Quantile, Tail, Value
from harness.analysis.results.instrument import TimingVerdict
from harness.analysis.results.judgement import EXIT_CODES, Verdict
from harness.measure.schedule import plan_run
from harness.model.digest import plan_sha256
from harness.model.golden import Prompt
from harness.model.record import Answer, Arm, FailureKind, Record, Stamps
from harness.model.settings import Settings
from tests.analysis.cases import BOTH, MS, STEADY, a_case, a_golden, a_key, a_plan, a_prompt, a_record, failed, replayed

PROMPTS = [a_prompt(f"p{i}", says="answer") for i in range(10)]
REPEATS = 8


def compared(reference: Sequence[Record], candidate: Sequence[Record], *prompts: Prompt, **endpoint: Any) -> Analysis:
    return analyse(a_case(reference, candidate, a_golden(*(prompts or PROMPTS)), **endpoint))


def noisy(arm: Arm, slowness: float = 1.0, lost_fraction: float = 0.0) -> list[Record]:
    """Replay every prompt; each request a little slower or faster by chance, some without the answer."""
    chance = random.Random(f"{arm}-{slowness}")
    records = []
    for record in replayed(PROMPTS, REPEATS, arm):
        pace = slowness * math.exp(chance.gauss(0, 0.05))
        is_lost = chance.random() < lost_fraction
        answer = Answer(text="nothing" if is_lost else "the answer", finish_reason="stop")
        shape = a_record([at * pace for at in STEADY], key=record.key, block=record.block, answer=answer)
        records.append(shape)
    return records


def test_a_comparison_has_every_part_of_a_page() -> None:
    found = compared(noisy(Arm.REFERENCE), noisy(Arm.CANDIDATE, 1.02))
    n = len(PROMPTS) * REPEATS
    assert len(found.trials) == 2 * n
    assert {tail.arm for tail in found.tails} == set(BOTH)
    assert {tail.metric for tail in found.tails} <= CATALOG.keys()
    assert {row.prompt_id for row in found.prompts} == {prompt.id for prompt in PROMPTS}
    assert [side.n_requests for side in found.economics] == [n, n]
    assert [side.arm for side in found.throughput] == [side.arm for side in found.instrument] == list(BOTH)
    assert found.judgement is not None
    assert found.judgement.gates


def test_an_endpoint_equal_to_itself_passes_its_timing_gates() -> None:
    found = compared(noisy(Arm.REFERENCE), noisy(Arm.CANDIDATE))
    assert found.judgement is not None
    outcomes = {gate.id: gate.outcome.value for gate in found.judgement.gates}
    assert outcomes["ttft_p50"] == outcomes["decode_p50"] == "PASS"
    assert found.judgement.verdict is not Verdict.FAIL


def test_a_candidate_that_lost_most_answers_fails() -> None:
    found = compared(noisy(Arm.REFERENCE), noisy(Arm.CANDIDATE, lost_fraction=0.6))
    assert found.judgement is not None
    assert found.judgement.verdict is Verdict.FAIL
    assert to_summary(found)["exit_code"] == 1


def test_a_gate_and_the_tail_state_the_same_median() -> None:
    found = compared(noisy(Arm.REFERENCE), noisy(Arm.CANDIDATE, 1.1))
    assert found.judgement is not None
    gate = next(gate for gate in found.judgement.gates if gate.id == "ttft_p50")
    for arm, value in ((Arm.REFERENCE, gate.reference), (Arm.CANDIDATE, gate.candidate)):
        tail = next(tail for tail in found.tails if (tail.metric, tail.arm) == ("ttft", arm))
        assert tail.quantiles[0].value.value == pytest.approx(value.value)


def test_one_endpoint_is_measured_without_a_verdict() -> None:
    found = analyse(a_case(noisy(Arm.REFERENCE), None, a_golden(*PROMPTS)))
    assert found.judgement is None
    assert {tail.arm for tail in found.tails} == {Arm.REFERENCE}
    summary = to_summary(found)
    assert (summary["verdict"], summary["exit_code"], summary["gates"]) == (None, 0, [])
    assert json.dumps(summary, allow_nan=False)


def test_a_side_that_failed_altogether_is_analysed_without_a_number() -> None:
    dead = [failed(key=a_key(i, arm=Arm.CANDIDATE, prompt_id="p0"), block=i + 1) for i in range(8)]
    alive = replayed(PROMPTS[:1], 8)
    found = compared(alive, dead, PROMPTS[0])
    tail = next(tail for tail in found.tails if (tail.metric, tail.arm) == ("ttft", Arm.CANDIDATE))
    assert (tail.n, tail.n_failed, tail.worst) == (8, 8, None)
    assert tail.quantiles[0].value.reason == "unattainable (8 of 8 failed)"
    assert found.failures[0].kind == FailureKind.SERVER_ERROR
    assert json.dumps(to_summary(found), allow_nan=False)


def test_nothing_recorded_is_analysed_without_a_number() -> None:
    found = compared([], [])
    assert found.trials == ()
    assert found.judgement is not None
    assert found.judgement.verdict is not Verdict.PASS
    assert json.dumps(to_summary(found), allow_nan=False)


def test_the_same_case_gives_the_same_summary() -> None:
    case = a_case(noisy(Arm.REFERENCE), noisy(Arm.CANDIDATE), a_golden(*PROMPTS))
    assert to_summary(analyse(case)) == to_summary(analyse(case))


SUMMARY_KEYS = [
    "format_version",
    "certificate",
    "verdict",
    "exit_code",
    "sentence",
    "worst_case",
    "gates",
    "validity",
    "settle",
    "not_verified",
    "read_first",
    "notes",
    "identity",
    "worst_off",
    "sides",
    "golden",
    "plan_sha256",
    "margins_are_from_plan",
    "estimators",
    "tails",
    "throughput",
    "levels",
    "knees",
    "answers",
    "tools",
    "structured",
    "tokens",
    "loops",
    "streaming",
    "divergence",
    "economics",
    "failures",
    "attempts",
    "findings",
    "cold",
    "timeouts",
    "instrument",
    "prompts",
]
GATE_KEYS = {
    "id",
    "title",
    "metric",
    "kind",
    "margin",
    "is_required",
    "outcome",
    "reason",
    "effect",
    "interval",
    "bound",
    "n_reference",
    "n_candidate",
}


def test_a_summary_has_stable_keys_with_and_without_a_verdict() -> None:
    one = analyse(a_case(noisy(Arm.REFERENCE), None, a_golden(*PROMPTS)))
    two = compared(noisy(Arm.REFERENCE), noisy(Arm.CANDIDATE))
    summary: dict[str, Any] = to_summary(two)
    assert sorted(summary) == sorted(SUMMARY_KEYS) == sorted(to_summary(one))
    assert all(set(gate) >= GATE_KEYS for gate in summary["gates"])
    assert summary["estimators"] == ESTIMATORS
    assert two.judgement is not None
    assert summary["verdict"] == two.judgement.verdict.value
    assert summary["exit_code"] == EXIT_CODES[two.judgement.verdict]


def test_a_summary_says_whether_timings_count_before_any_other_figure() -> None:
    summary: dict[str, Any] = to_summary(compared(noisy(Arm.REFERENCE), noisy(Arm.CANDIDATE)))
    assert list(summary)[:2] == ["format_version", "certificate"]
    certificate = summary["certificate"]
    assert certificate["verdict"] == "not known"  # these records say nothing of the mapping of the kernel's clock
    assert [row["id"] for row in certificate["rows"] if row["condition"]] == [
        one["id"] for one in summary["validity"][-4:]
    ]


def test_a_level_whose_requests_went_late_is_named() -> None:
    golden, plan = a_golden(*PROMPTS), a_plan(1, 16)
    late = Stamps(intended_at_ns=-60 * MS, admitted_at_ns=-50 * MS, sent_at_ns=0, token_1_at_ns=1, ended_at_ns=2 * MS)
    records = [*replayed(PROMPTS, 2), *replayed(PROMPTS, 2, level=1, stamps=late)]
    case = a_case(records, None, golden)
    case = replace(case, reference=replace(case.reference, plan=plan, clock={"mapping_bound_ns": 200}))
    found = analyse(case).certificate
    assert found.verdict is TimingVerdict.VALID
    (note,) = found.notes
    assert note.startswith("at 16 requests in flight: VOID for timing, sent 50 ms late (p99, limit ≤ 5 ms)")


def test_equal_levels_are_named_apart() -> None:
    """Two levels of 16, of which the second alone went late."""
    late = Stamps(intended_at_ns=-60 * MS, admitted_at_ns=-50 * MS, sent_at_ns=0, token_1_at_ns=1, ended_at_ns=2 * MS)
    good = replace(late, intended_at_ns=0, admitted_at_ns=0)
    records = [
        *replayed(PROMPTS, 2),
        *replayed(PROMPTS, 2, level=1, stamps=good),
        *replayed(PROMPTS, 2, level=2, stamps=late),
    ]
    case = a_case(records, None, a_golden(*PROMPTS))
    plan = a_plan(1, 16, 16)
    case = replace(case, reference=replace(case.reference, plan=plan, clock={"mapping_bound_ns": 200}))
    (note,) = analyse(case).certificate.notes
    assert note.startswith("at 16 requests in flight (level 3): VOID for timing, sent 50 ms late")


def test_a_summary_is_json_that_reads_back_the_same() -> None:
    reference = [*noisy(Arm.REFERENCE), failed(key=a_key(99, prompt_id="p0"), block=999)]
    summary = to_summary(compared(reference, noisy(Arm.CANDIDATE, 1.3)))
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_infinite_bounds_are_text_and_samples_are_left_out() -> None:
    endless = Interval(low=-math.inf, high=math.inf, level=0.95, method="order statistics")
    quantile = Quantile(q=0.5, value=Value(value=1.0), interval=endless)
    tail = Tail(metric="ttft", arm=Arm.REFERENCE, n=1, n_failed=0, values=(1.0,), quantiles=(quantile,))
    found = replace(analyse(a_case([], None, a_golden())), tails=(tail,))
    summary: dict[str, Any] = to_summary(found)
    written = summary["tails"][0]
    assert written["quantiles"][0]["interval"] == {
        "low": "-inf",
        "high": "inf",
        "level": 0.95,
        "method": "order statistics",
    }
    assert "values" not in written


def test_a_nan_is_a_bug_and_never_written() -> None:
    tail = Tail(metric="ttft", arm=Arm.REFERENCE, n=1, n_failed=0, worst=math.nan)
    found = replace(analyse(a_case([], None, a_golden())), tails=(tail,))
    with pytest.raises(ValueError, match="NaN"):
        to_summary(found)


def test_no_key_and_no_answer_reaches_the_summary() -> None:
    case = a_case(noisy(Arm.REFERENCE), noisy(Arm.CANDIDATE), a_golden(*PROMPTS), api_key="${CANARY_VARIABLE}")
    text = json.dumps(to_summary(analyse(case)))
    assert "CANARY_VARIABLE" not in text
    assert "the answer" not in text


def test_the_plans_digest_is_the_one_that_the_run_stated() -> None:
    golden = a_golden(*PROMPTS)
    plan = plan_run(golden, Settings(), BOTH, repeats={prompt.id: 2 for prompt in PROMPTS}, estimators=ESTIMATORS)
    case = replace(a_case(noisy(Arm.REFERENCE), noisy(Arm.CANDIDATE), golden), plan=plan)
    assert to_summary(analyse(case))["plan_sha256"] == plan_sha256(plan)

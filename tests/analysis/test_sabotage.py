"""Known damage: what each does to a record, and what the judgement makes of it."""

import json
import random
from dataclasses import replace

import pytest

from harness.analysis.gatefigures import Draws
from harness.analysis.gatetable import gate_rows
from harness.analysis.looks import looks_of
from harness.analysis.results.case import Case
from harness.analysis.results.trial import Rung, Trial
from harness.analysis.sabotage import DamageResult, enough_draws, look_note, sabotage
from harness.analysis.sabotagedamages import Damage, damages
from harness.analysis.trials import judge_side
from harness.model.golden import Check, CheckKind, Prompt
from harness.model.record import Answer, FailureKind, Looks, LookScheme, Plan, Record, ToolCall
from tests.analysis.cases import STEADY, a_case, a_golden, a_key, a_prompt, a_record, a_side, failed

DRAWS = 3
FEW = Draws(bootstrap=200, permutation=399)
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
CALL = ToolCall(name="get_weather", arguments='{"city": "Oslo"}', id="c1", index=0)
CALLING = Answer(tool_calls=(CALL,), finish_reason="tool_calls")
JSON = Answer(text='{"total": 12}', finish_reason="stop")
SPOKEN = Answer(text="the answer is yes", finish_reason="stop")


def tool_prompt(prompt_id: str) -> Prompt:
    return Prompt(
        id=prompt_id,
        category="tools",
        intent="i",
        request={"messages": [{"role": "user", "content": "hi"}], "tools": [TOOL]},
        checks=[Check(kind=CheckKind.TOOL_CALLED, argument={"name": "get_weather", "arguments": {"city": "Oslo"}})],
    )


def json_prompt(prompt_id: str) -> Prompt:
    checks = [Check(kind=CheckKind.JSON_VALID)]
    return Prompt(id=prompt_id, category="json", intent="i", request={"messages": []}, checks=checks)


PROMPTS = [
    *(tool_prompt(f"tool-{i}") for i in range(8)),
    *(json_prompt(f"json-{i}") for i in range(8)),
    *(a_prompt(f"text-{i}", says="yes") for i in range(8)),
]
ANSWERS = {"tool": CALLING, "json": JSON, "text": SPOKEN}


def reference(repeats: int = 8) -> list[Record]:
    draws = random.Random(3)
    return [
        a_record(
            [at * draws.lognormvariate(0, 0.02) if at == STEADY[0] else at * 1.2 for at in STEADY],
            key=a_key(repeat, prompt_id=prompt.id),
            answer=ANSWERS[prompt.id.partition("-")[0]],
        )
        for repeat in range(repeats)
        for prompt in PROMPTS
    ]


def the_case() -> Case:
    return a_case(reference(), None, a_golden(*PROMPTS))


def damage(damage_id: str, records: list[Record] | None = None) -> Damage:
    return next(one for one in damages(records or reference()) if one.id == damage_id)


def struck(damage_id: str, prompt: Prompt, record: Record) -> Record:
    found = damage(damage_id).apply(prompt, record, random.Random(1))
    assert found is not None
    return found


def judged(prompt: Prompt, record: Record) -> Trial:
    (one,) = judge_side(a_side([record]), a_golden(prompt))
    return one.trial


def calling() -> tuple[Prompt, Record]:
    return tool_prompt("p"), a_record(answer=CALLING)


@pytest.mark.parametrize(
    ("damage_id", "rung"),
    [
        ("drop_call_5", Rung.DECISION),
        ("rename_argument", Rung.SCHEMA_MISMATCH),
        ("wrong_argument_type", Rung.SCHEMA_MISMATCH),
        ("fail", Rung.TRANSPORT),
    ],
)
def test_a_damaged_call_falls_off_the_ladder_where_it_should(damage_id: str, rung: Rung) -> None:
    prompt, record = calling()
    assert judged(prompt, record).tool == replace(judged(prompt, record).tool, rung=Rung.OK)  # type: ignore[type-var]
    worse = judged(prompt, struck(damage_id, prompt, record))
    assert worse.tool is not None
    assert worse.tool.rung is rung
    assert worse.task_success is False


def test_one_of_two_calls_is_left_out() -> None:
    both = replace(CALLING, tool_calls=(CALL, replace(CALL, id="c2", index=1)))
    found = struck("drop_call_20", tool_prompt("p"), a_record(answer=both))
    assert len(found.answer.tool_calls) == 1
    assert found.answer.finish_reason == "tool_calls"


def test_a_renamed_argument_keeps_its_value() -> None:
    prompt, record = calling()
    (call,) = struck("rename_argument", prompt, record).answer.tool_calls
    assert json.loads(call.arguments) == {"city_value": "Oslo"}


def test_prose_is_no_json_and_a_refusal_is_one() -> None:
    prompt = json_prompt("p")
    assert judged(prompt, a_record(answer=JSON)).json_valid is True
    assert judged(prompt, struck("prose_for_json", prompt, a_record(answer=JSON))).json_valid is False
    assert judged(prompt, struck("refuse", prompt, a_record(answer=JSON))).was_refused is True


def test_a_failed_request_has_no_time() -> None:
    prompt = a_prompt(says="yes")
    trial = judged(prompt, struck("fail", prompt, a_record(answer=SPOKEN)))
    assert trial.failure == FailureKind.SERVER_ERROR.value
    assert trial.metrics["ttft"].value is None


def test_half_of_a_text_is_cut_off() -> None:
    prompt = a_prompt(says="yes")
    found = struck("truncate", prompt, a_record(answer=SPOKEN))
    assert found.answer.text == SPOKEN.text[: len(SPOKEN.text) // 2]
    trial = judged(prompt, found)
    assert (trial.was_truncated, trial.task_success) == (True, False)


def test_a_later_first_token_moves_every_instant_and_no_rate() -> None:
    prompt, record = a_prompt(), a_record()
    before, after = judged(prompt, record), judged(prompt, struck("later_first_token", prompt, record))
    for metric in ("ttft", "e2e"):
        assert after.metrics[metric].value == pytest.approx((before.metrics[metric].value or 0) + 0.3)
    assert after.metrics["decode_rate"].value == pytest.approx(before.metrics["decode_rate"].value)


def test_a_slower_decode_moves_no_first_token() -> None:
    prompt, record = a_prompt(), a_record()
    before, after = judged(prompt, record), judged(prompt, struck("slower_decode", prompt, record))
    assert after.metrics["ttft"] == before.metrics["ttft"]
    assert after.metrics["decode_rate"].value == pytest.approx(0.75 * (before.metrics["decode_rate"].value or 0))


def test_more_tokens_come_at_nearly_the_same_rate() -> None:
    prompt, record = a_prompt(), a_record()
    before, after = judged(prompt, record), judged(prompt, struck("more_tokens", prompt, record))
    assert after.metrics["completion_tokens"].value == 69
    # 45 tokens after the first in 0.9 s; 68 in 1.35 s.
    assert after.metrics["decode_rate"].value == pytest.approx((before.metrics["decode_rate"].value or 0) * 68 / 67.5)


def test_only_the_slowest_first_tokens_get_slower() -> None:
    records = [a_record([100 + i, 1000], key=a_key(i)) for i in range(100)]
    tail = damage("first_token_tail", records)
    slowed = [i for i, record in enumerate(records) if tail.apply(a_prompt(), record, random.Random(1)) is not None]
    assert slowed == [95, 96, 97, 98, 99]
    worse = tail.apply(a_prompt(), records[99], random.Random(1))
    assert worse is not None
    assert worse.stamps.token_1_at_ns == round(1.5 * 199 * 1_000_000)


@pytest.mark.parametrize("damage_id", [one.id for one in damages([])])
def test_nothing_strikes_a_request_that_failed(damage_id: str) -> None:
    assert damage(damage_id).apply(a_prompt(), failed(), random.Random(1)) is None


@pytest.fixture(scope="module")
def results() -> dict[str, DamageResult]:
    return {one.id: one for one in sabotage(the_case(), draws=DRAWS, seed=1, judged_by=FEW)}


def looked_at(looks: Looks) -> Case:
    repeats = {prompt.id: 8 for prompt in PROMPTS}
    plan = Plan(
        seed=1, look_ahead=0, repeats=repeats, blocks=(), settings={}, golden_sha256="", estimators="", looks=looks
    )
    return replace(the_case(), plan=plan)


SEQUENTIAL = looks_of(LookScheme.SEQUENTIAL, 3)


@pytest.mark.parametrize("looks", [Looks(), SEQUENTIAL, Looks(alphas=(0.0004, 0.001), repeats=(3,))])
def test_the_smallest_p_of_a_draw_reaches_the_level_after_holm(looks: Looks) -> None:
    case = looked_at(looks)
    n_required = sum(row.settings(case.settings.verdict).required for row in gate_rows(case.settings.verdict))
    assert n_required / (1 + enough_draws(case).permutation) <= max(looks.alphas)
    assert enough_draws(case).permutation >= 499


def test_a_sequential_run_is_judged_at_its_last_look_and_says_so() -> None:
    assert "at the 4.8 % of look 3 of 3" in look_note(looked_at(SEQUENTIAL))
    assert look_note(looked_at(Looks())) == "Each draw is judged once, at 5 %."


def test_a_sequential_run_can_fail() -> None:
    found = {one.id: one for one in sabotage(looked_at(SEQUENTIAL), draws=1, seed=1, judged_by=FEW)}
    assert found["fail"].n_fail == 1
    assert found["later_first_token"].n_fail == 1
    assert found["truncate"].n_shifted == 1


def test_an_undamaged_copy_does_not_fail(results: dict[str, DamageResult]) -> None:
    assert results["none"].n_fail == 0
    assert results["none"].draws == DRAWS


def test_what_strikes_everything_is_caught_by_its_gate(results: dict[str, DamageResult]) -> None:
    found = results["later_first_token"]
    assert found.is_caught
    failing = {gate.gate for gate in found.gates if gate.n_fail == DRAWS}
    assert {"ttft_p50", "ttft_p95"} <= failing
    assert "tool_success" not in failing


def test_a_damage_counts_the_answers_that_it_can_strike(results: dict[str, DamageResult]) -> None:
    assert results["drop_call_5"].n_struck == 8 * 8
    assert results["prose_for_json"].n_struck == 8 * 8
    assert results["fail"].n_struck == results["fail"].n_requests == 24 * 8


def test_the_same_seed_gives_the_same_table(results: dict[str, DamageResult]) -> None:
    again = sabotage(the_case(), draws=DRAWS, seed=1, judged_by=FEW)
    assert {one.id: one for one in again} == results


def test_more_of_a_damage_fails_no_less_often(results: dict[str, DamageResult]) -> None:
    shares = [results[f"drop_call_{share}"].n_fail for share in (5, 10, 20)]
    assert shares == sorted(shares)


def test_a_damage_that_nothing_can_suffer_is_not_judged() -> None:
    spoken = [record for record in reference(6) if record.key.prompt_id.startswith("text")]
    golden = a_golden(*(prompt for prompt in PROMPTS if prompt.id.startswith("text")))
    found = {one.id: one for one in sabotage(a_case(spoken, None, golden), draws=1, seed=1, judged_by=FEW)}
    assert found["rename_argument"].n_struck == 0
    assert not found["rename_argument"].is_judged
    assert not found["rename_argument"].is_caught
    assert found["refuse"].n_struck == len(spoken)


def test_other_answers_differ_and_later_ones_do_not(results: dict[str, DamageResult]) -> None:
    assert results["fail"].n_shifted == 0
    assert results["later_first_token"].n_shifted == results["none"].n_shifted == 0
    assert results["truncate"].n_shifted

import random
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import pytest

from harness.analysis.allocation import allocate
from harness.analysis.gates import Scale, is_beyond
from harness.analysis.looks import looks_of
from harness.analysis.modes import quick
from harness.analysis.results.case import Case
from harness.analysis.results.gate import GateKind, Outcome
from harness.analysis.results.judgement import Judgement, Verdict
from harness.analysis.results.trial import Rung, ToolResult, Trial
from harness.analysis.sentences import SCREEN
from harness.analysis.verdict import is_final, judge_case
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Demotion, LookScheme, Plan
from harness.model.settings import Gates, PlanSettings, RateGate, RatioGate, Settings
from tests.analysis.trialcases import (
    Change,
    both_instruments,
    case,
    failed,
    garbage,
    gate,
    golden,
    known,
    prompt,
    side_trials,
    timed,
    tool_prompt,
)

AGAIN = "bench compare a.yml b.yml --resume results/run"


def planned(settings: Settings | None = None, of: GoldenSet | None = None) -> Case:
    """Give a case whose plan was allocated for it."""
    chosen, the_set = settings or Settings(), of or golden()
    allocation = allocate(the_set, chosen)
    plan = Plan(
        seed=chosen.plan.seed,
        look_ahead=16,
        repeats=allocation.repeats,
        blocks=(),
        settings={},
        golden_sha256="",
        estimators="1",
        demotions=allocation.demotions,
        looks=looks_of(chosen.plan.looks, chosen.plan.repeats),
    )
    return case(of=the_set, settings=chosen, plan=plan)


def judge(candidate: Change | None = None, reference: Change | None = None, of: Case | None = None) -> Judgement:
    found = of or planned()
    assert found.plan is not None
    trials = [
        trial
        for arm, change in ((Arm.REFERENCE, reference), (Arm.CANDIDATE, candidate))
        for trial in side_trials(arm, change, of=found.golden, repeats=max(found.plan.repeats.values()))
        if trial.key.repeat < found.plan.repeats[trial.key.prompt_id]
    ]
    return judge_case(found, trials, both_instruments())


def broken(share: float, seed: int = 3) -> Change:
    chance = random.Random(seed)

    def change(one: Trial) -> Trial:
        if one.tool is None or chance.random() >= share:
            return one
        return replace(one, tool=ToolResult(rung=Rung.SCHEMA_MISMATCH, tool="book_flight"), task_success=False)

    return change


def test_equal_sides_pass_with_the_worst_case_in_the_sentence() -> None:
    found = judge()
    assert found.verdict is Verdict.PASS
    assert found.sentence == (
        "On these 28 prompts the candidate can replace the reference within your margins. Worst case still compatible "
        "with the data: tool-call success −4.5 points (allowed −5), valid JSON −4.5 points (allowed −5). "
        "This does not say that the candidate is identical to the reference."
    )
    assert len(found.worst_case) == 9
    assert found.settle == ()


@pytest.mark.parametrize("arm", ["reference", "candidate"])
def test_a_run_that_did_not_finish_its_plan_never_passes(arm: str) -> None:
    whole = planned()
    cut = replace(whole, **{arm: replace(getattr(whole, arm), unfinished="interrupted")})
    found = judge(of=cut)
    assert judge(of=whole).verdict is Verdict.PASS
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.settle == (
        "Run it again to the end of its plan: what was cut short can fail the candidate, not pass it.",
    )
    assert f"did not go to the end of its plan ({arm}: interrupted)" in found.sentence
    assert judge(garbage, of=cut).verdict is Verdict.FAIL


@pytest.mark.parametrize("seed", range(5))
def test_equal_sides_never_fail(seed: int) -> None:
    of = planned()
    trials = [*side_trials(Arm.REFERENCE, seed=seed), *side_trials(Arm.CANDIDATE, seed=seed + 100)]
    assert judge_case(of, trials, both_instruments()).verdict is not Verdict.FAIL


def test_garbage_on_the_candidate_fails() -> None:
    found = judge(garbage)
    assert found.verdict is Verdict.FAIL
    assert found.sentence == (
        "Do not cut over: tool-call success fell 100 points (95 % CI 93.5 to 100; allowed 5). "
        "80 of 80 losses are a missing or unneeded call in book_flight. Also failed: valid JSON and task success."
    )


def test_errors_on_the_candidate_fail_every_gate_that_they_touch() -> None:
    found = judge(failed)
    assert found.verdict is Verdict.FAIL
    assert found.sentence.startswith("Do not cut over: request success fell 100 points")
    assert "losses are failed requests (server_error)" in found.sentence
    failing = {one.id for one in found.gates if one.outcome is Outcome.FAIL}
    assert failing == {
        "task_success",
        "tool_success",
        "request_success",
        "json_validity",
        "ttft_p50",
        "ttft_p95",
        "e2e_p50",
    }


def test_errors_on_the_reference_are_never_a_pass_for_the_candidate() -> None:
    assert judge(reference=failed).verdict is Verdict.INVALID


def test_losses_of_several_tools_are_counted_by_rung_first() -> None:
    def of_two_tools(one: Trial) -> Trial:
        if one.tool is None:
            return one
        tool = "convert" if one.key.repeat % 2 else "book_flight"
        return replace(one, tool=ToolResult(rung=Rung.SCHEMA_MISMATCH, tool=tool), task_success=False)

    assert "80 of 80 losses are SchemaMismatch: book_flight 40, convert 40." in judge(of_two_tools).sentence


def test_the_rarest_tools_among_the_losses_are_summed_up() -> None:
    def of_many_tools(one: Trial) -> Trial:
        if one.tool is None:
            return one
        tool = f"tool_{one.key.repeat}"
        return replace(one, tool=ToolResult(rung=Rung.SCHEMA_MISMATCH, tool=tool), task_success=False)

    assert "SchemaMismatch: tool_0 8, tool_1 8, tool_2 8, others 56." in judge(of_many_tools).sentence


def test_three_tenths_of_the_tool_calls_broken_fail_and_name_rung_and_tool() -> None:
    found = judge(broken(0.3))
    assert found.verdict is Verdict.FAIL
    assert "tool-call success fell" in found.sentence
    assert "are SchemaMismatch in book_flight" in found.sentence
    assert all(prompt_id.startswith("tool") for prompt_id in found.read_first)


def test_a_slow_candidate_fails_by_its_ratio() -> None:
    found = judge(lambda one: timed(one, ttft=1.6))
    assert found.verdict is Verdict.FAIL
    assert found.sentence == (
        "Do not cut over: TTFT p50 is 1.59× the reference's (95 % CI 1.58 to 1.61; allowed 1.25×). "
        "By prompt, medians: text-4 1.68×, text-0 1.67×, tool-2 1.65×. Also failed: TTFT p95."
    )


def test_the_two_published_tiers_pass_as_measurably_slower() -> None:
    found = judge(lambda one: timed(one, decode_rate=106.6 / 118.9))
    assert found.verdict is Verdict.PASS
    assert "Measurably worse, inside your margin: decode rate p50, decode rate p5." in found.notes


def test_an_open_rate_says_what_would_settle_it_and_what_it_costs() -> None:
    def priced(change: Change) -> Change:
        return lambda one: replace(change(one), cost=known(0.002))

    def one_wrong(one: Trial) -> Trial:
        wrong = ToolResult(rung=Rung.ARGUMENT_MISMATCH, tool="book_flight")
        return replace(one, tool=wrong) if (one.key.prompt_id, one.key.repeat) == ("tool-0", 0) else one

    found = judge(priced(one_wrong), priced(lambda one: one))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.sentence == "Not settled: tool-call success may have fallen by up to 6.6 points and you allow 5."
    # p = 159/160: 107 trials give 80 % chance at a look of 3 %, 14 on 8 prompts. Each prompt goes on from what it has:
    # 8 x 4 with tools, 8 x 4 with JSON, 6 x 2 that measure decoding, 6 x 9 others, on both sides.
    (line,) = found.settle
    assert line == (
        f"`{AGAIN} --repeats 14` adds 260 requests, about 0.52 USD: 80 % chance to settle "
        "tool-call success if the candidate is truly equal."
    )


def test_a_run_of_several_levels_is_asked_and_priced_at_each() -> None:
    """The case above once more, of a plan of two levels: 260 requests at each."""

    def priced(one: Trial) -> Trial:
        return replace(one, cost=known(0.002))

    def one_wrong(one: Trial) -> Trial:
        wrong = ToolResult(rung=Rung.ARGUMENT_MISMATCH, tool="book_flight")
        return replace(priced(one), tool=wrong) if (one.key.prompt_id, one.key.repeat) == ("tool-0", 0) else priced(one)

    single = planned()
    assert single.plan is not None
    (line,) = judge(one_wrong, priced, of=replace(single, plan=replace(single.plan, load=(1, 4)))).settle
    assert line.startswith(f"`{AGAIN} --repeats 14` adds 520 requests over 2 levels of load, about 1.04 USD: ")


def test_an_unlucky_gate_with_enough_trials_says_so() -> None:
    def wrong(one: Trial) -> Trial:
        lost = one.json_valid is not None and one.key.prompt_id == "json-0" and one.key.repeat < 6
        return replace(one, json_valid=False, task_success=False) if lost else one

    found = judge(wrong, of=planned(Settings(plan=PlanSettings(repeats=25, max_repeats=25))))
    assert gate(found, "json_validity").outcome is Outcome.INCONCLUSIVE
    (line,) = found.settle
    assert line == (
        "valid JSON: this run gave an equal candidate at least 80 % chance to pass, so this is bad luck or a real loss "
        f"near the margin. Read the losses, then look again with `{AGAIN} --repeats 50`."
    )


def test_more_requests_are_priced_where_they_help() -> None:
    def sometimes(seed: int) -> Change:
        change = broken(0.06, seed)
        return lambda one: replace(change(one), cost=known(0.002))

    found = judge(sometimes(5), sometimes(6))
    assert found.verdict is Verdict.INCONCLUSIVE
    line = found.settle[0]
    assert line.startswith(f"`{AGAIN} --repeats ")
    repeats = int(line.split("--repeats ")[1].split("`")[0])
    plan = planned().plan
    assert plan is not None
    requests = 2 * sum(repeats - count for count in plan.repeats.values())
    assert f"adds {requests:,} requests, about {requests * 0.002:.2f} USD: 80 % chance" in line


def test_more_repeats_do_not_help_where_the_prompts_disagree() -> None:
    def by_prompt(one: Trial) -> Trial:
        return timed(one, ttft=random.Random(f"1{one.key.prompt_id}").lognormvariate(0, 0.9))

    median_only = Gates(ttft_p95=RatioGate(margin=1.5, required=False))
    found = judge(by_prompt, of=planned(Settings(verdict=median_only)))
    assert found.verdict is Verdict.INCONCLUSIVE
    line = next(line for line in found.settle if line.startswith("TTFT p50"))
    assert "more repetitions cannot settle it, 100 % of the uncertainty is between prompts" in line
    assert "exceeds what the margin allows. Add about" in line


def test_a_comparison_that_judges_nothing_never_passes() -> None:
    nothing = Gates()
    for name in set(Gates.__struct_fields__) - {"slo"}:
        informative = msgspec.structs.replace(getattr(nothing, name), required=False)
        nothing = msgspec.structs.replace(nothing, **{name: informative})
    found = judge(of=planned(Settings(verdict=nothing)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.sentence == ("Not settled: no required gate could be judged, so nothing was shown to be the same.")


def test_too_little_data_is_inconclusive_and_says_how_much_would_do() -> None:
    found = judge(of=planned(Settings(plan=PlanSettings(repeats=1, allocate=False))))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.sentence == "Not settled: this run is too small to pass anything, 28 requests per side."
    assert found.settle[0].startswith(
        f"`{AGAIN} --repeats 7` adds 336 requests"  # 179 on 28 prompts, that have one
    )
    assert "Informative only, because this run is too small for them to pass" in found.notes[0]


def test_a_demoted_gate_does_not_hold_up_a_pass_but_is_said() -> None:
    small = GoldenSet(name="test", prompts=[*golden().prompts[:2], *(prompt(f"plain-{i}") for i in range(26))])
    found = judge(of=planned(of=small))
    tool = gate(found, "tool_success")
    assert (tool.is_required, tool.outcome) == (False, Outcome.INCONCLUSIVE)
    assert tool.demoted_because is not None
    assert found.verdict is Verdict.PASS
    assert "Not judged, because the run is too small for it: task success and tool-call success." in found.sentence
    assert any(line.startswith("Tool-call success: Tool-call success has 14 trials") for line in found.not_verified)


def test_a_demoted_gate_still_fails_what_it_proves() -> None:
    small = GoldenSet(name="test", prompts=[*golden().prompts[:2], *(prompt(f"plain-{i}") for i in range(26))])
    found = judge(broken(1.0), of=planned(of=small))
    assert found.verdict is Verdict.FAIL
    assert any(line.startswith("tool-call success \N{MINUS SIGN}") for line in found.worst_case)


def test_an_informative_gate_never_fails_the_verdict() -> None:
    gates = Gates(ttft_p50=RatioGate(margin=1.25, required=False), ttft_p95=RatioGate(margin=1.5, required=False))
    found = judge(lambda one: timed(one, ttft=3.0, e2e=1.0), of=planned(Settings(verdict=gates)))
    assert gate(found, "ttft_p50").outcome is Outcome.FAIL
    assert found.verdict is Verdict.PASS
    beyond = "Beyond its margin, though not required: TTFT p50 is "
    assert beyond in found.sentence
    assert any(note.startswith(beyond) for note in found.notes)


def test_more_refusals_and_more_cut_answers_are_said_in_a_pass() -> None:
    def worse(one: Trial) -> Trial:
        is_speed = one.key.prompt_id.startswith("speed")
        return replace(one, was_refused=is_speed and one.key.repeat < 4, was_truncated=is_speed and one.key.repeat > 8)

    found = judge(worse)
    assert found.verdict is Verdict.PASS
    assert "though not required: refusals rose 9.2 points" in found.sentence
    assert "and truncated answers rose 6.9 points" in found.sentence


def test_a_set_without_checks_passes_with_the_words_that_no_answer_was_checked() -> None:
    unchecked = GoldenSet(name="test", prompts=[prompt(f"plain-{i}", decode=True) for i in range(28)])
    assert "No answer was checked: no prompt of the set has a check." in judge(of=planned(of=unchecked)).sentence
    assert "No answer was checked" not in judge().sentence


def test_one_prompt_leaves_all_timings_unjudged_and_the_sentence_says_so() -> None:
    one = GoldenSet(name="test", prompts=[prompt("only", decode=True)])
    found = judge(lambda trial: timed(trial, ttft=3.0), of=planned(Settings(plan=PlanSettings(repeats=180)), of=one))
    assert found.sentence.startswith("On this one prompt the candidate")
    assert (
        "Not judged, because the run is too small for it: TTFT p50, TTFT p95, decode rate p50, decode rate p5 and "
        "E2E p50." in found.sentence
    )


def test_a_quantile_that_lost_requests_below_its_least_n_is_told_how_many_repeats_would_do() -> None:
    def lost(one: Trial) -> Trial:
        return failed(one) if (one.key.prompt_id, one.key.repeat) == ("speed-0", 0) else one

    found = judge(lost)  # 6 prompts x 12 repeats are the 72 that p5 needs; one is lost
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.settle[-1] == (
        "Decode rate p5: 71 requests per side; an interval of this quantile needs 72. "
        f"With `{AGAIN} --repeats 13` it could be judged."
    )


def test_repeats_that_prompts_set_themselves_are_not_asked_of_the_command_line() -> None:
    fixed = GoldenSet(
        name="test",
        prompts=[msgspec.structs.replace(one, repeats=10) if one.is_tool_prompt else one for one in golden().prompts],
    )
    found = judge(broken(0.1, 5), broken(0.1, 6), of=planned(of=fixed))
    assert "tool-call success: raise the `repeats` that its prompts set themselves." in found.settle


def test_the_repeats_asked_for_make_up_for_requests_that_did_not_count() -> None:
    # 15 tool prompts x 5 repeats are 75 trials where 73 are needed; three cold ones leave 72.
    tools = GoldenSet(
        name="test",
        prompts=[*(tool_prompt(f"tool-{i}") for i in range(15)), *golden().prompts[-6:], *golden().prompts[16:22]],
    )
    settings = Settings(
        plan=PlanSettings(repeats=5, allocate=False), verdict=Gates(request_success=RateGate(margin=0.1))
    )
    cold = {("tool-0", 0), ("tool-1", 0), ("tool-2", 0)}
    found = judge(
        lambda one: replace(one, is_judged=(one.key.prompt_id, one.key.repeat) not in cold), of=planned(settings, tools)
    )
    assert gate(found, "tool_success").n_candidate == 72
    assert any(f"`{AGAIN} --repeats 6` adds 54 requests" in line for line in found.settle)


def test_margins_chosen_after_the_data_are_labelled_and_demote_afresh() -> None:
    of = planned()
    late = replace(
        of, settings=Settings(verdict=Gates(tool_success=RateGate(margin=0.01))), margins_are_from_plan=False
    )
    found = judge(of=late)
    assert found.notes[0].startswith("The margins were chosen after the data")
    assert gate(found, "tool_success").demoted_because is not None


def test_a_side_recorded_earlier_is_noted() -> None:
    of = planned()
    found = judge(of=replace(of, reference=replace(of.reference, was_recorded_earlier=True)))
    assert "The reference was recorded earlier (run run)" in found.notes[0]


def test_requests_without_a_partner_are_left_out_and_counted() -> None:
    def lost(one: Trial) -> Trial:
        return replace(one, is_judged=one.key.repeat > 0 or one.key.prompt_id != "text-1")

    found = judge(lost)
    assert "Requests without a partner on the other side are left out of the gates: 1 of the reference." in found.notes
    assert gate(found, "request_success").n_reference == gate(found, "request_success").n_candidate


def test_warmups_and_cold_requests_do_not_count() -> None:
    def cold_first(one: Trial) -> Trial:
        return timed(replace(one, is_judged=False), ttft=100.0, e2e=100.0) if one.key.repeat == 0 else one

    found = judge(cold_first, lambda one: replace(one, is_judged=one.key.repeat > 0))
    effect = gate(found, "ttft_p95").effect.value
    assert effect is not None
    assert effect < 1.2


def test_what_the_user_cancelled_is_nobodys_failure() -> None:
    found = judge(lambda one: failed(one, "cancelled") if one.key.repeat == 0 else one)
    assert gate(found, "request_success").successes_candidate == gate(found, "request_success").n_candidate


def test_what_was_not_verified_is_always_said() -> None:
    for found in (judge(), judge(garbage), judge(failed, failed)):
        text = " ".join(found.not_verified)
        for said in (
            "Traffic unlike these prompts",
            "Cold starts",
            "4 requests in flight on each side",
            "another hour",
        ):
            assert said in text


def test_the_traffic_bound_stands_beside_every_rate() -> None:
    found = judge()
    rates = [one for one in found.gates if one.successes_reference is not None]
    assert len(rates) == 6
    for one in rates:
        assert one.traffic_bound is not None
        assert one.bound is not None
        assert abs(one.traffic_bound) > abs(one.bound)


def test_better_answers_of_the_candidate_are_told() -> None:
    found = judge(reference=broken(0.2))
    assert found.verdict is not Verdict.FAIL
    assert any("the candidate was better in" in line for line in gate(found, "tool_success").evidence)


def test_nothing_worth_reading_is_nothing_listed() -> None:
    assert judge().read_first == ()


def test_demotions_of_the_plan_are_used_as_recorded() -> None:
    of = planned()
    assert of.plan is not None
    demotion = Demotion(gate="e2e_p50", n=1, needed=2, reason="a test")
    found = judge(of=replace(of, plan=replace(of.plan, demotions=(demotion,))))
    assert gate(found, "e2e_p50").demoted_because == "a test; a proven loss still fails"


def looked(look: int, scheme: LookScheme = LookScheme.TWO) -> Case:
    return replace(planned(Settings(plan=PlanSettings(looks=scheme))), look=look)


def test_each_planned_look_uses_its_own_level_and_a_further_one_is_exploratory() -> None:
    first, second, third = (judge(of=looked(look)) for look in (1, 2, 3))
    assert {one.level for one in (*first.gates, *second.gates, *third.gates)} == {0.97}
    assert not any("exploratory" in note for note in (*first.notes, *second.notes))
    assert any(note.startswith("This is look 3 at the data and the plan has 2") for note in third.notes)


def test_a_plan_without_looks_has_one_at_five_percent() -> None:
    found = judge(of=looked(1, LookScheme.SINGLE))
    assert {one.level for one in found.gates} == {0.95}
    assert judge_case(case(), [], both_instruments()).gates[0].level == 0.95


def test_the_reason_names_the_level_of_its_bound() -> None:
    assert "(one-sided 97 %), allowed −5" in gate(judge(broken(0.02)), "tool_success").reason


def test_a_screen_says_that_it_is_one() -> None:
    found = judge(of=planned(quick(Settings())))
    assert found.verdict is Verdict.PASS
    assert found.sentence.startswith("Quick screen: ")
    assert found.sentence.startswith(f"{SCREEN} On these 28 prompts the candidate can replace the reference within the")
    assert "within the screen's margins." in found.sentence
    assert "your margins" not in found.sentence
    assert {one.id for one in found.gates if one.is_required} == {
        *("task_success", "tool_success", "request_success", "json_validity"),
        *("ttft_p50", "decode_p50", "e2e_p50"),
    }


def test_a_loss_inside_the_margin_is_not_final_and_one_beyond_it_is() -> None:
    beyond = judge(lambda one: timed(one, ttft=1.6))
    assert gate(beyond, "ttft_p50").is_beyond_margin
    assert is_final(beyond)
    inside = replace(beyond, gates=tuple(replace(one, is_beyond_margin=False) for one in beyond.gates))
    assert not is_final(inside)
    assert is_final(judge())
    assert not is_final(judge(of=replace(planned(), reference=replace(planned().reference, unfinished="interrupted"))))


@pytest.mark.parametrize(("ends", "margin", "expected"), [((1.26, 1.7), 1.25, True), ((1.2, 1.7), 1.25, False)])
def test_a_loss_is_beyond_the_margin_where_even_its_better_bound_is(
    ends: tuple[float, float], margin: float, *, expected: bool
) -> None:
    found = SimpleNamespace(bounds=ends)
    scale = Scale(kind=GateKind.RATIO, higher_is_better=False)
    assert is_beyond(found, scale, margin) is expected  # type: ignore[arg-type]


def test_the_limit_of_what_traffic_shows_is_at_the_level_of_the_look() -> None:
    # z / sqrt(2) ... without disagreement s² = 2 / (K + 2): 1.8808 x sqrt(2) / 30 at 3 %
    assert any("can exclude a loss of 8.9 points at best (one-sided 97 %)" in line for line in judge().not_verified)


@pytest.mark.parametrize("seed", range(2))
def test_more_of_the_same_data_never_turns_a_pass_into_a_fail(seed: int) -> None:
    of = planned()
    verdicts = []
    for repeats in (12, 24):
        trials = [*side_trials(Arm.REFERENCE, repeats=repeats), *side_trials(Arm.CANDIDATE, seed=seed, repeats=repeats)]
        verdicts.append(judge_case(of, trials, both_instruments()).verdict)
    assert verdicts == [Verdict.PASS, Verdict.PASS]


def test_relabelling_the_prompts_changes_nothing_but_their_names() -> None:
    """Reversed names keep the order of no prompt, so draws differ: decisions and effects must not."""
    names = {one.id: f"{999 - i:03d}" for i, one in enumerate(golden().prompts)}
    renamed = GoldenSet(
        name="test", prompts=[msgspec.structs.replace(one, id=names[one.id]) for one in golden().prompts]
    )
    trials = [*side_trials(Arm.REFERENCE), *side_trials(Arm.CANDIDATE, broken(0.3))]
    again = [replace(one, key=replace(one.key, prompt_id=names[one.key.prompt_id])) for one in trials]
    before, after = (
        judge_case(case(), trials, both_instruments()),
        judge_case(case(of=renamed), again, both_instruments()),
    )
    assert [one.outcome for one in before.gates] == [one.outcome for one in after.gates]
    measured = [pair for pair in zip(before.gates, after.gates, strict=True) if pair[0].effect.value is not None]
    assert len(measured) >= 11
    for one, other in measured:
        assert one.effect.value == pytest.approx(other.effect.value)
        assert one.bound == pytest.approx(other.bound, rel=0.05, abs=1e-9)

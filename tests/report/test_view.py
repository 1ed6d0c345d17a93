from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from harness.analysis.catalog import CATALOG
from harness.analysis.certificate import certify
from harness.analysis.results.estimates import Quantile
from harness.analysis.results.gate import GateKind, Outcome
from harness.analysis.results.instrument import Instrument
from harness.analysis.results.prompts import AnswerGroup
from harness.analysis.results.trial import CheckResult, Rung, ToolResult
from harness.model.record import Arm
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.page import Cell, Headline, ReportView
from harness.report.untrusted import Excerpt
from harness.report.view import build_view
from harness.report.view_verdict import gate_view
from tests.report.cases import CASES, invalid
from tests.report.pages import view, view_of
from tests.report.sample import known, missing, sample


def test_the_verdict_is_said_in_the_judgements_words() -> None:
    verdict = view("sample").verdict
    assert (verdict.word, verdict.tone) == ("FAIL", "bad")
    assert verdict.sentence.startswith("Do not cut over: tool-call success fell 18.3 points")
    assert verdict.worst_case[0] == "tool-call success −27.2 points (allowed −5)"
    assert verdict.read_first == ("tool-nested", "tool-single", "json-invoice")


def test_gates_stand_required_first_and_worst_first() -> None:
    gates = view("sample").gates
    assert [gate.title for gate in gates][:3] == ["Tool-call success", "Task success", "TTFT p95"]
    assert [gate.role for gate in gates][-2:] == [
        "informative: 140 trials cannot show a change of 1 point",
        "informative",
    ]


def test_a_rate_gate_is_said_in_points_with_its_counts() -> None:
    gate = view("sample").gates[0]
    assert gate.reference == Cell(text="100.0\u00a0%", detail="60 of 60")
    assert gate.candidate == Cell(text="81.7\u00a0%", detail="49 of 60")
    assert gate.effect == Cell(text="−18.3\u00a0points", detail="−30.2 to −8.7")
    assert gate.worst_case == Cell(text="−27.2\u00a0points", detail="prompts like these −48.3\u00a0points")
    assert gate.allowed == "−5.0\u00a0points"


def test_a_ratio_gate_is_said_as_a_ratio_with_its_limit() -> None:
    gate = next(gate for gate in view("sample").gates if gate.id == "decode_p50")
    assert gate.reference == Cell(text="118.9\u00a0tok/s", detail="n 140")
    assert gate.effect == Cell(text="0.90×", detail="0.89 to 0.91")
    assert gate.allowed == "≥\u00a00.80×"


def test_a_gate_that_is_measurably_worse_says_so() -> None:
    gate = next(gate for gate in view("sample").gates if gate.id == "ttft_p50")
    assert "measurably worse, inside your margin" in gate.evidence


def test_the_first_screen_has_ttft_decode_and_rates() -> None:
    assert [head.label for head in view("sample").headlines] == [
        "TTFT p50",
        "TTFT p95",
        "Decode rate p50",
        "Tool-call success",
        "Task success",
        "Request success",
    ]
    assert view("sample").headlines[2] == Headline(
        label="Decode rate p50",
        value="0.90×",
        interval="0.89 to 0.91",
        sides="118.9 → 106.6\u00a0tok/s",
        worst="0.90×",
        allowed="≥\u00a00.80×",
        word="PASS",
        icon="✓",
        tone="good",
        margin_used=view("sample").headlines[2].margin_used,
    )


def test_a_required_gate_that_is_open_joins_the_first_screen() -> None:
    both = sample()
    assert both.judgement is not None
    gates = tuple(
        replace(gate, outcome=Outcome.FAIL) if gate.id == "json_validity" else gate for gate in both.judgement.gates
    )
    found = view_of(replace(both, judgement=replace(both.judgement, gates=gates))).headlines
    assert found[-1].label == "Valid JSON"


def test_one_endpoint_has_its_own_figures_on_the_first_screen() -> None:
    found = {head.label: (head.value, head.interval, head.sides) for head in view("single").headlines}
    assert found["TTFT p50"] == ("219\u00a0ms", "204 to 243", "n 140")
    assert found["Tool-call success"] == ("100.0\u00a0%", "", "20 of 20")


def test_one_endpoint_is_compared_with_nothing() -> None:
    found = view("single")
    assert (found.verdict.word, found.gates, found.forest) == ("MEASURED", (), None)
    assert [figure.id for figure in found.figures] == ["ecdf-ttft", "ecdf-decode-rate", "ecdf-gap", "ecdf-e2e"]


def test_tails_carry_n_failures_and_intervals() -> None:
    table = view("sample").tails[0]
    assert table.caption == "TTFT, ms"
    assert [column.title for column in table.columns] == [
        "side",
        "n",
        "failed",
        "p50",
        "p90",
        "p95",
        "p99",
        "slowest seen",
    ]
    reference, candidate = table.rows
    assert reference[1:4] == (Cell(text="140"), Cell(text="0"), Cell(text="219", detail="204 to 243"))
    assert candidate[2] == Cell(text="3", tone="bad")


def test_a_quantile_without_a_value_is_a_dash_and_its_reason_a_note() -> None:
    table = view("sample").tails[0]
    assert table.rows[0][6] == Cell(text="–", tone="muted")
    assert table.notes == ("p99 is not estimable from 140 requests: it needs 300",)


def test_a_note_names_the_side_when_only_one_has_it() -> None:
    both = sample()
    tails = tuple(
        replace(tail, undefined={"usage missing": 2}) if tail.arm is Arm.CANDIDATE else tail for tail in both.tails
    )
    notes = view_of(replace(both, tails=tails)).tails[0].notes
    assert notes[-1] == "a100-serverless: 2 requests without a value: usage missing"


@pytest.mark.parametrize(
    ("reason", "text", "detail"),
    [
        ("unattainable (9 of 140 failed)", "unattainable", "9 of 140 failed"),
        ("> 60 s (the limit; 9 of 140)", "> 60 s", "the limit; 9 of 140"),
    ],
)
def test_a_quantile_among_failures_says_how_many(reason: str, text: str, detail: str) -> None:
    both = sample()
    lost = (Quantile(q=0.95, value=missing(reason)),)
    tails = tuple(replace(tail, quantiles=lost) if tail.metric == "ttft" else tail for tail in both.tails)
    table = view_of(replace(both, tails=tails)).tails[0]
    assert table.rows[0][3] == Cell(text=text, detail=detail, tone="bad")
    assert table.notes == ()


def test_metrics_that_no_gate_looks_at_stand_apart() -> None:
    assert [table.caption for table in view("sample").more_tails] == ["Gap, ms"]
    assert view("sample").more_tails[0].columns[-1].title == "largest seen"
    assert view("sample").tails[2].columns[-1].title == "lowest seen"


def test_prompts_stand_worst_first() -> None:
    scores = {row.prompt_id: row.score for row in sample().prompts}
    found = [scores[prompt.id] for prompt in view("sample").prompts]
    assert found == sorted(found, reverse=True)


def test_distinct_answers_are_counted_for_each_side() -> None:
    prompt = next(prompt for prompt in view("sample").prompts if prompt.id == "tool-single")
    reference, candidate = prompt.sides
    assert reference.summary == "1 distinct answer in 5"
    assert [answer.count for answer in reference.answers] == ["5×"]
    assert [answer.count for answer in candidate.answers] == ["3×", "2×"]
    assert prompt.difference is not None


def test_the_candidates_answer_that_differs_is_compared_even_when_it_is_the_rarer_one() -> None:
    both = sample()
    row = next(row for row in both.prompts if row.prompt_id == "tool-single")
    assert row.candidate is not None
    same = AnswerGroup(canonical="same", count=4, keys=())
    other = AnswerGroup(canonical="same but", count=1, keys=())
    row = replace(
        row,
        reference=replace(row.reference, answers=(replace(same, count=5),)),
        candidate=replace(row.candidate, answers=(same, other)),
    )
    prompt = view_of(replace(both, prompts=(row,))).prompts[0]
    assert prompt.difference is not None
    assert [piece.text for piece in prompt.difference.pieces] == ["same", " but"]
    assert "(5 of 5)" in prompt.difference_note
    assert "(1 of 5)" in prompt.difference_note


def test_what_no_side_has_is_said_once_under_the_figures() -> None:
    both = sample()
    row = next(row for row in both.prompts if row.prompt_id == "tool-single")
    assert row.candidate is not None
    nothing = missing("not in the throughput class")
    row = replace(
        row,
        reference=replace(row.reference, decode_p50=nothing),
        candidate=replace(row.candidate, decode_p50=nothing),
    )
    figures = view_of(replace(both, prompts=(row,))).prompts[0].figures
    assert "decode rate, median" not in [line[0].text for line in figures.rows]
    assert figures.notes == (
        "decode rate, median: not in the throughput class",
        "Prompt-token ratio: 1.00×",
        "Completion-token ratio: 1.00×",
    )


def test_a_prompt_shows_what_was_asked() -> None:
    prompt = next(prompt for prompt in view("sample").prompts if prompt.id == "tool-single")
    assert prompt.asked == Excerpt(text="Say tool-single.")


def test_a_prompt_of_several_parts_shows_its_texts() -> None:
    both = sample()
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": parts}]
    prompts = [msgspec.structs.replace(prompt, request={"messages": messages}) for prompt in both.case.golden.prompts]
    golden = msgspec.structs.replace(both.case.golden, prompts=prompts)
    prompt = view_of(replace(both, case=replace(both.case, golden=golden))).prompts[0]
    assert (prompt.asked.text, prompt.asked_note) == ("What is this?", "last of 2 messages")


def test_a_fallen_tool_call_is_shown_with_its_rung() -> None:
    prompt = next(prompt for prompt in view("sample").prompts if prompt.id == "tool-nested")
    assert prompt.tools is not None
    assert [cell.text for cell in prompt.tools.rows[0]] == [
        "a100-serverless",
        "3×",
        "SchemaMismatch",
        "book_flight",
        "$.seats: 2 is expected to be an integer, came as the string '2'",
    ]


def test_a_fallen_tool_call_is_told_once_with_what_was_expected() -> None:
    both = sample()
    check = CheckResult(
        check='tool-called: {"name": "book_flight"}',
        passed=False,
        expected="calls book_flight",
        came="no call",
        where="rung decision",
    )
    fallen = ToolResult(rung=Rung.DECISION, tool="book_flight", detail="no call")
    trials = tuple(
        replace(trial, checks=(check,), tool=fallen, failure=None)
        for trial in both.trials
        if trial.key.prompt_id == "tool-nested"
    )
    prompt = next(found for found in view_of(replace(both, trials=trials)).prompts if found.id == "tool-nested")
    assert prompt.checks is None
    assert prompt.tools is not None
    assert prompt.tools.rows[0][4] == Cell(text="no call", detail='expected {"name": "book_flight"}')


def test_a_check_does_not_repeat_what_was_expected() -> None:
    both = sample()
    check = CheckResult(check="regex: ^a$", passed=False, expected="matches ^a$", came="b")
    trials = tuple(replace(trial, checks=(check,), tool=None) for trial in both.trials)
    prompt = view_of(replace(both, trials=trials)).prompts[0]
    assert prompt.checks is not None
    assert [cell.text for cell in prompt.checks.rows[0][2:]] == ["regex", "matches ^a$", "b"]


def test_throughput_is_given_at_full_load_and_over_the_whole_run() -> None:
    table = view("sample").throughput
    assert table is not None
    assert [cell.text for cell in table.rows[0][1:]] == ["431.6", "386.2", "3.750"]
    assert table.rows[1][1] == Cell(text="–", detail="never 4 requests in flight", tone="muted")


def test_quantiles_that_lack_a_value_for_one_reason_share_a_note() -> None:
    both = sample()
    lost = tuple(Quantile(q=q, value=missing("no request has a value")) for q in (0.5, 0.05))
    tails = tuple(replace(tail, quantiles=lost) if tail.metric == "decode_rate" else tail for tail in both.tails)
    assert view_of(replace(both, tails=tails)).tails[2].notes[0] == "p5, p50: no request has a value"


def test_a_gate_that_passed_leaves_its_reason_to_its_row() -> None:
    reasons = {gate.id: gate.reason for gate in view("sample").gates}
    assert reasons["ttft_p50"] == ""
    assert reasons["tool_success"]


def test_an_undefined_effect_gives_its_reason_once() -> None:
    both = sample()
    assert both.judgement is not None
    nothing = missing("no usage")
    gate = replace(both.judgement.gates[0], reference=nothing, candidate=nothing, effect=nothing, bound=None)
    found = view_of(replace(both, judgement=replace(both.judgement, gates=(gate,)))).gates[0]
    assert [cell.detail for cell in (found.reference, found.candidate, found.effect)] == ["", "", "no usage"]


def test_a_pass_is_told_to_read_what_was_not_verified() -> None:
    assert view("passed").next_step == "read the report's list of what was not verified before you cut over"


def test_requests_set_aside_are_counted() -> None:
    both = sample()
    trials = tuple(replace(trial, is_judged=trial.key.repeat > 0) for trial in both.trials)
    facts = {fact.label: fact.value for fact in view_of(replace(both, trials=trials)).facts}
    assert facts["set aside"] == "28 / 28"
    assert "set aside" not in {fact.label for fact in view("sample").facts}


def test_only_differences_that_were_not_asked_for_are_marked() -> None:
    rows = {row[0].text: row[0].detail for row in view("sample").endpoints.rows}
    assert rows["base_url"] == rows["labels.region"] == ""
    assert rows["labels.hardware"] == "differs"


def test_every_metric_is_defined() -> None:
    assert [found.id for found in view("sample").definitions] == list(CATALOG)


def test_a_report_without_a_header_says_so() -> None:
    found = build_view(sample(), None, CATALOG)
    assert found.manifest[0].facts[-1].value == "not given"
    assert [fact.label for fact in found.reproduce] == ["judge the recording again, offline"]


def test_two_runs_are_judged_again_by_naming_both() -> None:
    both = sample()
    case = replace(both.case, reference=replace(both.case.reference, run_id="old", was_recorded_earlier=True))
    found = view_of(replace(both, case=case))
    assert found.reproduce[-1].value == "bench compare results/old results/20261124T0231-h100-vs-a100-7f3a"
    assert found.sides[0].note == "recorded earlier, in old"


def test_money_is_said_when_a_side_has_a_price() -> None:
    both = sample()
    unpriced = tuple(replace(side, cost=missing("no price book")) for side in both.economics)
    found = view_of(replace(both, economics=(both.economics[0], unpriced[1])))
    assert {fact.label: fact.value for fact in found.facts}["cost"] == "$0.428 / –"
    assert "cost" not in {fact.label for fact in view_of(replace(both, economics=unpriced)).facts}
    assert found.economics is not None
    costs = {row[0].text: row[2] for row in found.economics.rows}
    assert costs["cost"] == Cell(text="–", detail="no price book", tone="muted")


def test_an_infinite_ratio_sorts_last_and_is_said_in_words() -> None:
    prompt = view("all_failed").prompts[0]
    cell = next(cell for cell in prompt.cells if cell.key == "ttft")
    assert (cell.text, cell.sort) == ("unbounded", 1e9)


def test_validity_checks_stand_broken_first() -> None:
    (check,) = view_of(invalid()).validity
    assert (check.word, check.tone, check.consequence) == ("not met", "void", "INVALID")
    assert [check.word for check in view("sample").validity] == ["not met", "met", "met"]


@pytest.mark.parametrize("case", CASES)
def test_every_case_names_a_next_step(case: str) -> None:
    assert view(case).next_step


def test_a_tiny_value_keeps_its_unit_through_a_row() -> None:
    both = sample()
    tails = tuple(
        replace(tail, values=(0.0004,), quantiles=(Quantile(q=0.5, value=known(0.0004)),), worst=0.0004)
        for tail in both.tails
        if tail.metric == "ttft"
    )
    assert view_of(replace(both, tails=tails)).tails[0].rows[0][3].text == "0.400"


def test_the_certificate_is_said_with_its_tone() -> None:
    assert (view("sample").certificate.word, view("sample").certificate.tone) == ("valid for timing", "good")
    assert (view("void").certificate.word, view("void").certificate.tone) == ("VOID for timing", "void")
    assert (view("nothing").certificate.word, view("nothing").certificate.tone) == ("timing not known", "warn")


def test_the_instrument_lays_limits_apart_from_what_explains_them() -> None:
    limits, reported = view("void").instrument
    assert [column.title for column in limits.columns] == ["", "h100-gateway", "a100-serverless", "limit", "result"]
    assert limits.rows[1] == (
        Cell(text="send lateness, p99"),
        Cell(text="1.20\u00a0ms"),
        Cell(text="12.3\u00a0ms", tone="bad"),
        Cell(text="≤ 5 ms"),
        Cell(text="beyond", tone="bad"),
    )
    assert limits.notes[0].startswith("candidate: 7.1 % of output events share a read, about 0 % because we read late")
    rows = {row[0].text: row[1:] for row in reported.rows}
    assert rows["clock source"][0] == Cell(text="kernel receive times", detail="SO_TIMESTAMPNS")
    assert rows["CPU of the client per event"][0] == Cell(text="31\u00a0µs", detail="both sides together")
    assert rows["load that was there"][1] == Cell(text="3.96", detail="asked: 4 requests in flight")


def _blind(arm: Arm) -> Instrument:
    nothing = missing("no read")
    return Instrument(
        arm=arm,
        n_reads=0,
        kernel_stamp_fraction=nothing,
        receive_lag_p50_s=nothing,
        receive_lag_p99_s=nothing,
        send_lateness_p99_s=nothing,
        shared_read_fraction=nothing,
    )


def test_what_the_instrument_did_not_measure_has_its_reason() -> None:
    both = sample()
    bare = tuple(_blind(one.arm) for one in both.instrument)
    limits, reported = view_of(replace(both, instrument=bare, certificate=certify(bare))).instrument
    assert limits.rows[1][1:] == (
        Cell(text="–", detail="no read", tone="muted"),
        Cell(text="–", detail="no read", tone="muted"),
        Cell(text="≤ 5 ms"),
        Cell(text="not known", tone="warn"),
    )
    assert all(cell.text == "–" for row in reported.rows[1:] for cell in row[1:])


def test_one_endpoint_has_one_column_of_instrument() -> None:
    limits, _ = view("single").instrument
    assert [column.title for column in limits.columns] == ["", "h100-gateway", "limit", "result"]
    assert view("nothing").instrument == ()


@pytest.mark.parametrize(("bound", "shown"), [(1.4998, "1.4998×"), (1.44, "1.44×"), (0.0, "not bounded")])
def test_a_worst_case_never_reads_as_if_at_its_limit(bound: float, shown: str) -> None:
    found = sample()
    assert found.judgement is not None
    gates = tuple(
        replace(gate, bound=bound, margin=1.5) if gate.id == "ttft_p95" else gate for gate in found.judgement.gates
    )
    told = view_of(replace(found, judgement=replace(found.judgement, gates=gates)))
    assert next(gate for gate in told.gates if gate.id == "ttft_p95").worst_case.text == shown


def test_no_tile_shows_a_timing_of_a_void_run_as_if_it_counted() -> None:
    told = {head.label: head for head in view("void").headlines}
    assert {head.value for label, head in told.items() if label.startswith(("TTFT", "Decode"))} == {"–"}
    assert {head.word for label, head in told.items() if label.startswith(("TTFT", "Decode"))} == {"VOID"}
    assert told["Tool-call success"] == view("sample").headlines[3]  # rates count all the same


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_no_gate_of_a_void_run_has_a_figure_of_time(render: Callable[[ReportView], str]) -> None:
    told = view("void")
    times = [gate for gate in told.gates if gate.id.startswith(("ttft", "e2e", "decode"))]
    assert times
    for gate in times:
        cells = (gate.reference, gate.candidate, gate.effect, gate.worst_case, gate.noise)
        assert {cell.text for cell in cells} == {"–"}
    assert told.forest is not None
    assert not any(gate.title in told.forest.csv for gate in times)
    assert f"{times[0].title} (timings do not count)" in told.forest.caption
    shown = next(gate for gate in view("sample").gates if gate.id == times[0].id)
    assert shown.effect.detail not in render(told)  # the interval of its effect


def test_what_rests_on_void_timings_is_withheld_and_the_tails_say_that_they_do_not_count() -> None:
    told = view("void")
    assert told.paired == ()
    withheld = {one.id: one.reasons for one in told.withheld if one.id.startswith("paired-")}
    assert withheld == dict.fromkeys(("paired-ttft", "paired-decode-rate", "paired-e2e"), ("timings do not count",))
    warning = "Timings do not count: what follows shows what this client saw"
    assert warning in render_markdown(told)
    assert "Timings do not count</strong>: what follows shows what this client saw" in render_html(told)
    assert warning not in render_markdown(view("sample"))


def test_money_is_written_in_its_currency() -> None:
    found = sample()
    assert found.judgement is not None
    money = replace(
        found.judgement.gates[0],
        id="cost_per_success",
        metric="cost_per_success",
        kind=GateKind.RATIO,
        reference=known(0.00172),
        candidate=known(0.002),
        currency="USD",
    )
    told = gate_view(money, CATALOG)
    assert (told.reference.text, told.candidate.text) == ("$0.00172", "$0.00200")


def test_an_invalid_run_has_no_tile() -> None:
    assert view("invalid").headlines == ()


def test_failures_and_findings_lead_to_their_prompts() -> None:
    assert view("sample").failures[0].prompts
    assert view("sample").failures[0].whose == "a quota or budget"
    both = sample()
    found = replace(both.findings[0], prompts=tuple(f"p{n}" for n in range(8)))
    (card,) = view_of(replace(both, findings=(found,))).findings
    assert (card.prompts, card.n_more_prompts) == (("p0", "p1", "p2", "p3", "p4", "p5"), 2)

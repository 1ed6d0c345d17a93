import re
from dataclasses import replace

import pytest

from harness.analysis.results.attempts import Attempts
from harness.analysis.results.gate import Outcome
from harness.analysis.sentences import SCREEN
from harness.model.record import Arm
from harness.report.terminal import MOST_LINES, end_block
from tests.report.cases import CASES, void
from tests.report.pages import hostile_view, view, view_of
from tests.report.sample import gates as sample_gates
from tests.report.sample import sample

PAGE = "reports/20261124T0231-h100-vs-a100-7f3a.html"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("case", CASES)
def test_a_block_is_short_and_never_wider_than_the_terminal(case: str, width: int) -> None:
    block = end_block(view(case), PAGE, width)
    n_unsettled = sum(one.word in {"FAIL", "INCONCLUSIVE"} for one in view(case).gate_rows)
    assert len(block) <= MOST_LINES + n_unsettled or width < 80
    assert all(len(line) <= width for line in block if PAGE not in line)
    assert not any("\n" in line for line in block)


def test_a_narrow_terminal_does_without_columns_and_never_without_what_decides() -> None:
    rows = [line for line in end_block(view("sample"), PAGE, 60) if line.startswith("FAIL  ")]
    assert rows
    assert "Tool-call success" in rows[0]
    assert "27.2" in rows[0]
    assert "60/60" not in rows[0]


def test_nobody_says_how_wide_it_is_so_it_is_eighty() -> None:
    assert end_block(view("sample"), PAGE) == end_block(view("sample"), PAGE, 80)


@pytest.mark.parametrize("case", CASES)
def test_a_block_says_before_any_figure_whether_timings_count_and_ends_with_the_next_step(case: str) -> None:
    block = end_block(view(case), PAGE)
    assert block[0].startswith("timing  ")
    after = next(line for line in block[1:] if not line.startswith(" "))
    assert after.startswith(f"{view(case).verdict.word}: ")
    assert f"report  {PAGE}" in block
    assert any(line.startswith("next    ") for line in block)
    assert any(line.startswith("failed  ") for line in block)


def test_the_block_of_a_failure() -> None:
    assert [line.replace("\u00a0", " ") for line in end_block(view("sample"), PAGE, 100)] == [
        "timing  valid: kernel stamps, read 0.41 ms, sent 1.20 ms late (p99), slots 99.8 %, shared 7.1 %",
        "FAIL: Do not cut over: tool-call success fell 18.3 points (95 % CI 8.7 to 30.2; allowed 5). 9 of 11",
        "losses are SchemaMismatch in book_flight.",
        "h100-gateway (reference) → a100-serverless (candidate)",
        "                                 effect     95 % interval  both sides           worst  allowed",
        "FAIL          Tool-call success  −18.3 pts  −30.2 to −8.7  60/60 → 49/60        −27.2  −5.0",
        "INCONCLUSIVE  Task success       −11.4 pts  −26.0 to +1.0  35/35 → 31/35        −23.4  −5.0",
        "INCONCLUSIVE  TTFT p95           1.34×      0.94 to 2.31   0.98 → 1.31 s        2.29×  ≤ 1.50×",
        "PASS          TTFT p50           1.13×      1.07 to 1.18   214 → 241 ms         1.17×  ≤ 1.25×",
        "PASS          E2E p50            1.10×      1.06 to 1.16   830 → 910 ms         1.15×  ≤ 1.25×",
        "PASS          Request success    −0.7 pts   −3.1 to +1.7   139/140 → 138/140    −2.8   −5.0",
        "PASS          Decode rate p50    0.90×      0.89 to 0.91   118.9 → 106.6 tok/s  0.90×  ≥ 0.80×",
        "PASS          Decode rate p5     0.89×      0.87 to 0.92   115.1 → 102.9 tok/s  0.88×  ≥ 0.67×",
        "PASS          Valid JSON         0.0 pts    −4.0 to +4.0   20/20 → 20/20        −3.6   −5.0",
        "worse   measurably, inside your margin: TTFT p50 1.13×, E2E p50 1.10×",
        "sent    prompts 28, requests 140 / 140, cost $0.428 / $0.212",
        "failed  reference 0 of 140 · candidate 3 of 140 (2 rate_limited, 1 timeout_idle)",
        f"report  {PAGE}",
        "next    bench compare h100.yml a100.yml --resume --repeats 12 adds 392 requests, about $1.79; 80 %",
        "        chance to settle TTFT p95 if the candidate is truly equal.",
    ]


def test_of_the_gates_that_passed_those_nearest_to_their_margin_are_shown() -> None:
    told = view("sample")
    passed = [replace(told.headlines[0], word="PASS", label=f"used {n}", margin_used=n / 10) for n in range(10)]
    block = end_block(replace(told, gate_rows=tuple(passed)), PAGE)
    shown = [line.split()[2] for line in block if line.startswith("PASS ")]
    assert shown == [str(9 - n) for n in range(len(shown))]
    assert shown


def test_what_passed_shows_its_tails_with_both_sides_before_rates_that_are_the_same() -> None:
    block = end_block(view("passed"), PAGE)
    rows = [line.replace("\u00a0", " ") for line in block if line.startswith("PASS ")]
    places = {name: next(n for n, row in enumerate(rows) if name in row) for name in ("TTFT p50", "TTFT p95", "Valid")}
    assert places["TTFT p50"] < places["TTFT p95"] < places["Valid"]
    assert "214 → 241 ms" in rows[places["TTFT p50"]]
    assert any("118.9 → 106.6 tok/s" in row for row in rows)
    assert "worse   measurably, inside your margin: TTFT p50 1.13×, E2E p50 1.10×" in block


def test_a_failure_that_decides_nothing_is_shown_as_that() -> None:
    gates = sample_gates()
    failed = replace(gates[0], outcome=Outcome.FAIL, is_required=False)
    assert failed.title == "Tool-call success"
    told = sample()
    assert told.judgement is not None
    lowered = replace(told, judgement=replace(told.judgement, gates=(failed, *gates[1:])))
    block = end_block(view_of(lowered), PAGE)
    assert any(line.startswith("FAIL ") and "Tool-call success (informative)" in line for line in block)


def test_an_endpoint_that_fails_most_requests_is_pointed_at_before_prompts() -> None:
    block = " ".join(line.strip() for line in end_block(view("all_failed"), PAGE))
    assert "next    look at the endpoint before the prompts: 140 of 140 requests to the candidate failed" in block
    both = " ".join(line.strip() for line in end_block(view("both_failed"), PAGE))
    assert "140 of 140 requests to the reference, 140 of 140 requests to the candidate failed" in both


def test_further_attempts_are_counted_beside_the_requests() -> None:
    tried = Attempts(
        arm=Arm.CANDIDATE, n_requests=140, n_first=100, n_eventually=130, n_attempts=165, most_attempts=3, allowed=3
    )
    told = view_of(replace(CASES["sample"](), attempts=(tried,)))
    (fact,) = (one for one in told.facts if one.label == "retries")
    assert fact.value == "0 / 25"
    assert any("requests 140 / 140, retries 0 / 25" in line for line in end_block(told, PAGE))
    assert not any(one.label == "retries" for one in view("sample").facts)


def test_every_gate_that_did_not_pass_is_shown_however_many_there_are() -> None:
    told = view("sample")
    failed = [replace(told.headlines[0], word="FAIL", label=f"gate {n}") for n in range(14)]
    block = end_block(replace(told, gate_rows=tuple(failed)), PAGE)
    assert sum(line.startswith("FAIL ") for line in block) == 14


def test_a_void_run_shows_no_time_as_if_it_counted() -> None:
    told = view_of(void())
    rows = [line for line in end_block(told, PAGE) if line.startswith(("FAIL ", "INCONCLUSIVE ", "PASS ", "VOID "))]
    outcomes = [row.split()[0] for row in rows]
    assert outcomes == sorted(outcomes, key=["FAIL", "INCONCLUSIVE", "PASS", "VOID"].index)
    times = tuple(one for one in told.gate_rows if one.word == "VOID")
    shown = [line for line in end_block(replace(told, gate_rows=times), PAGE) if line.startswith("VOID ")]
    assert any("TTFT p95" in row for row in shown)
    for one in times:
        assert (one.value, one.sides, one.worst, one.noise) == ("–", "", "", "")
    for row in shown:
        assert len(re.findall(r"\d+[.,]\d+", row)) == 1, row  # what is allowed


def test_a_screen_says_so_however_much_is_folded() -> None:
    told = view("sample")
    long = replace(told.verdict, sentence=f"{SCREEN} {'On these prompts and so on. ' * 40}")
    block = " ".join(end_block(replace(told, verdict=long), PAGE))
    assert "FAIL: Quick screen: " in block
    assert "it certifies nothing." in block


def test_a_figure_without_a_value_leaves_the_columns_of_the_others_alone() -> None:
    told = view("sample")
    nothing = replace(
        told.headlines[1], value="–", interval="75 of 75 requests have no value", has_interval=False, sides="", worst=""
    )
    rows = (told.headlines[0], nothing, *told.headlines[2:])
    block = end_block(replace(told, gate_rows=rows), PAGE, 100)
    row = next(line for line in block if "TTFT p95" in line)
    assert re.fullmatch(r"INCONCLUSIVE +TTFT p95 +– +no value +≤\u00a01\.50×", row)
    assert row.index("no value") == next(line for line in block if "both sides" in line).index("both sides")


def test_one_endpoint_is_told_how_to_compare() -> None:
    block = end_block(view("single"), PAGE)
    assert block[-1] == "next    measure a second endpoint with bench compare to judge a replacement"
    assert any(re.match(r"TTFT p50 +219\u00a0ms +204 to 243 +n 140", line) for line in block)
    assert "h100-gateway" in block
    assert "failed  0 of 140" in block


def test_a_long_sentence_is_cut_with_a_mark() -> None:
    told = replace(view("sample"), verdict=replace(view("sample").verdict, sentence="word " * 500))
    block = end_block(told, PAGE)
    assert any(line.endswith("word …") for line in block)


def test_a_path_is_never_cut() -> None:
    page = "/".join(["a-long-folder"] * 12) + "/run.html"
    assert f"report  {page}" in end_block(view("sample"), page)


def test_an_endpoint_cannot_colour_the_terminal() -> None:
    block = end_block(hostile_view(), PAGE)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", "".join(block))
    "".join(block).encode()


def test_a_void_run_says_so_and_why_before_its_figures() -> None:
    told = view_of(void())
    block = end_block(told, PAGE)
    assert len(block) <= MOST_LINES
    assert block[:2] == [
        "timing  VOID: candidate sent 12.30 ms late (p99, limit ≤ 5 ms); candidate free",
        "        slots filled 61 % (limit ≥ 95 %)",
    ]
    assert block[2].startswith("FAIL: ")


def test_what_did_not_pass_is_never_cut_for_what_did() -> None:
    told = view("sample")
    passed, failed = replace(told.headlines[0], word="PASS"), replace(told.headlines[0], word="FAIL", label="the last")
    block = end_block(replace(told, gate_rows=(*[passed] * 19, failed)), PAGE)
    assert any(line.startswith("FAIL ") and "the last" in line for line in block)
    n_rows = sum(line.startswith(("PASS ", "FAIL ")) for line in block)
    assert any(line.startswith(f"and {20 - n_rows} more in the report: ") for line in block)

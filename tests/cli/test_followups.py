"""Tool loops and unstreamed repeats end to end: what goes out after the levels, and what the report makes of it."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.model.record import Attempt, RunStatus
from harness.model.storage import ATTEMPTS, HEADER, StoredRun, load_run
from harness.simulator.truth import read_truth
from tests.cli.files import endpoint_file, golden_file, write_yaml
from tests.cli.simulated import PROMPTS, Bench, Outcome

LOOP: dict[str, Any] = {
    "id": "stock",
    "category": "tools",
    "intent": "What the tool returns must reach the user.",
    "request": {
        "messages": [{"role": "user", "content": "How many of article K-220 are left?"}],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "find_article",
                    "parameters": {
                        "type": "object",
                        "properties": {"article": {"type": "string"}},
                        "required": ["article"],
                    },
                },
            }
        ],
        "tool_choice": "required",
        "temperature": 0,
        "max_tokens": 64,
    },
    "checks": [{"tool_called": {"name": "find_article", "arguments": {"article": "K-220"}}}],
    "tool_results": {"find_article": {"shelf": "C14-OSPREY", "left": 37}},
    "final": [{"no_tool": True}, {"contains": "C14-OSPREY"}],
    "example": {
        "text": "There are 37 of them on shelf C14-OSPREY.",
        "tool_calls": [{"name": "find_article", "arguments": {"article": "K-220"}}],
    },
}
IGNORES = {"degradations": [{"one_of": ["ignore_result"], "rate": 1}]}
REPEATS = 20  # 80 tool trials and 180 requests on each side: as many as the gates need
N_STRUCTURED = 5


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    golden_file(tmp_path, *PROMPTS, LOOP)
    return Bench(folder=tmp_path)


def compared(
    bench: Bench, reference: dict[str, Any], candidate: dict[str, Any], *more: str, plan: dict[str, Any] | None = None
) -> Outcome:
    chosen = {"repeats": REPEATS, "allocate": False} | (plan or {})
    settings = write_yaml(bench.folder / "settings.yml", {"plan": chosen})
    with bench.pair(reference, candidate) as (a, b):
        return bench.compare(a, b, "--settings", str(settings), *more)


def followed(run: StoredRun) -> Iterator[Attempt]:
    return (attempt for attempt in run.attempts if attempt.key.is_follow_up)


def by_arm(outcome: Outcome, key: str) -> dict[str, Any]:
    return {row["arm"]: row for row in outcome.summary[key]}


def test_loops_are_played_after_the_levels_and_succeed_at_a_working_endpoint(bench: Bench) -> None:
    outcome = compared(bench, {}, {}, "--load", "2,4")
    run = load_run(outcome.run)
    assert outcome.gate("tool_success")["outcome"] == "PASS"
    assert outcome.gate("tool_success")["n_candidate"] == 4 * REPEATS
    assert outcome.gate("request_success")["n_candidate"] == 9 * REPEATS
    for arm, row in by_arm(outcome, "loops").items():
        assert (arm, row["n"], row["outcomes"]["answered"]) == (arm, REPEATS, REPEATS)
    kinds = Counter((attempt.key.turn, attempt.key.is_streamed) for attempt in followed(run))
    assert kinds == {(2, True): 2 * REPEATS, (1, False): 2 * N_STRUCTURED}
    measured = [attempt for attempt in run.attempts if not attempt.key.is_follow_up]
    assert max(attempt.ended_at_ns or 0 for attempt in measured) <= min(a.sent_at_ns or 0 for a in followed(run))
    assert {finding["kind"] for finding in outcome.summary["findings"]} <= {"synthetic_streaming"}
    page = outcome.report.read_text(encoding="utf-8")
    assert "Loops and streaming" in page
    assert "second answer uses what the tool returned" in page


def test_the_second_request_brings_the_first_answer_and_the_result_back(bench: Bench) -> None:
    """The simulator refuses a history without its own ids, and tells the example for the canned result alone."""
    compared(bench, {}, {}, plan={"repeats": 1})
    seconds = [line for line in read_truth(bench.folder / "truth-a.jsonl") if line.said and line.said.prompt_id is None]
    assert [line.said.text for line in seconds if line.said] == [LOOP["example"]["text"]]
    assert [line.status for line in seconds] == [200]


def test_an_endpoint_that_ignores_the_result_falls_at_the_loop(bench: Bench) -> None:
    outcome = compared(bench, {}, IGNORES)
    gate = outcome.gate("tool_success")
    assert (outcome.exit_code, gate["outcome"]) == (1, "FAIL")
    assert gate["successes_candidate"] == gate["successes_reference"] - REPEATS
    assert f"{REPEATS} of {REPEATS} losses are a broken tool loop in find_article" in gate["evidence"]
    assert outcome.gate("request_success")["outcome"] == "PASS"
    row = by_arm(outcome, "loops")["candidate"]["outcomes"]
    assert (row["lacks_value"], row["answered"]) == (REPEATS, 0)
    page = outcome.report.read_text(encoding="utf-8")
    assert "second answer lacks the value" in page
    assert "That is done. Is there anything else?" in page


def test_a_second_request_that_is_refused_falls_with_the_servers_words(bench: Bench) -> None:
    refusing = {"faults": [{"fault": "http_400_flat", "only": "second-turn"}]}
    outcome = compared(bench, {}, refusing)
    assert by_arm(outcome, "loops")["candidate"]["outcomes"]["failed"] == REPEATS
    (row,) = (row for row in outcome.summary["failures"] if row["arm"] == "candidate")
    assert (row["kind"], row["n"], row["n_follow_ups"]) == ("bad_request", REPEATS, REPEATS)
    assert outcome.gate("request_success")["outcome"] == "PASS"
    assert outcome.gate("tool_success")["outcome"] == "FAIL"
    assert "second request failed: bad_request" in outcome.report.read_text(encoding="utf-8")


OTHER_CALLS = {"degradations": [{"one_of": ["rename_argument"], "rate": 1, "only": "unstreamed"}]}
OTHER_JSON = {"degradations": [{"one_of": ["break_json"], "rate": 1, "only": "streamed"}]}
OTHER_COUNTS = {"faults": [{"fault": "usage_wrong", "only": "unstreamed"}]}
FAILS = {"faults": [{"fault": "http_500", "only": "unstreamed"}]}


@pytest.mark.parametrize(
    ("differing", "kinds", "n", "unstreamed"),
    [
        (OTHER_CALLS, {"unstreamed_tool_calls"}, 4, 1),
        (OTHER_JSON, {"unstreamed_json"}, 2, 2),  # of one prompt: a single difference may be variation
        (OTHER_COUNTS, {"unstreamed_completion_tokens"}, N_STRUCTURED, 1),
        (FAILS, {"unstreamed_answer"}, N_STRUCTURED, 1),
    ],
)
def test_an_endpoint_that_answers_otherwise_unstreamed_has_a_finding(
    differing: dict[str, Any], kinds: set[str], n: int, unstreamed: int, bench: Bench
) -> None:
    outcome = compared(bench, {}, differing, plan={"repeats": 3, "unstreamed": unstreamed})
    rows = [row for row in outcome.summary["findings"] if row["kind"].startswith("unstreamed")]
    assert {(row["arm"], row["kind"]) for row in rows} == {("candidate", kind) for kind in kinds}
    assert [row["n_responses"] for row in rows] == [n]
    assert rows[0]["example"]
    assert rows[0]["advice"]
    streaming = by_arm(outcome, "streaming")
    assert streaming["reference"]["n_unstreamed"] == streaming["candidate"]["n_unstreamed"] == unstreamed * N_STRUCTURED
    markdown = outcome.report.with_suffix(".md").read_text(encoding="utf-8")
    assert "Unstreamed answers unlike every streamed one" in markdown


def test_validity_is_told_streamed_and_unstreamed(bench: Bench) -> None:
    outcome = compared(bench, {}, OTHER_JSON, plan={"repeats": 3, "unstreamed": 2})
    held = {row["of"]: row for row in by_arm(outcome, "streaming")["candidate"]["validity"]}
    assert held["json"]["streamed"] == {"n": 3, "n_valid": 0}
    assert held["json"]["unstreamed"] == {"n": 2, "n_valid": 2}
    assert held["tool_calls"]["unstreamed"]["n"] == 2 * 4


def test_unstreamed_repeats_can_be_turned_off(bench: Bench) -> None:
    outcome = compared(bench, {}, {}, plan={"repeats": 2, "unstreamed": 0})
    assert all(attempt.key.is_streamed for attempt in load_run(outcome.run).attempts)
    assert [row["nothing"] for row in outcome.summary["streaming"]] == ["plan.unstreamed is 0"] * 2


@pytest.mark.parametrize("words", [("--isolate",), ("--workers", "2")])
def test_several_processes_follow_up_what_one_would_have(words: tuple[str, ...], bench: Bench) -> None:
    alone = compared(bench, {}, IGNORES, plan={"repeats": 4})
    shared = compared(bench, {}, IGNORES, *words, plan={"repeats": 4})
    keys = [Counter(attempt.key for attempt in load_run(outcome.run).attempts) for outcome in (alone, shared)]
    assert keys[0] == keys[1]
    assert max(keys[1].values()) == 1
    assert sum(key.turn == 2 for key in keys[1]) == 2 * 4
    assert by_arm(shared, "loops") == by_arm(alone, "loops")
    run = load_run(shared.run)
    assert run.notes == ()
    measured = [attempt for attempt in run.attempts if not attempt.key.is_follow_up]
    assert max(attempt.ended_at_ns or 0 for attempt in measured) <= min(a.sent_at_ns or 0 for a in followed(run))


def without_follow_ups(run: Path, n_kept: int = 0) -> None:
    """Leave of the journal what a run leaves that is stopped after so many follow-ups of the candidate."""
    lines = (run / ATTEMPTS).read_bytes().splitlines(keepends=True)
    is_follow_up = [json.loads(line)["key"] for line in lines]
    kept, seen = [], 0
    for line, key in zip(lines, is_follow_up, strict=True):
        follows = key["turn"] > 1 or not key["is_streamed"]
        seen += follows and key["arm"] == "candidate"
        if not follows or key["arm"] == "reference" or seen <= n_kept:
            kept.append(line)
    (run / ATTEMPTS).write_bytes(b"".join(kept))
    header = json.loads((run / HEADER).read_bytes())
    header["status"] = RunStatus.INTERRUPTED.value
    (run / HEADER).write_text(json.dumps(header), encoding="utf-8")


@pytest.mark.parametrize("n_kept", [0, 3])
def test_a_run_that_was_stopped_before_its_loops_has_no_failure_by_them(n_kept: int, bench: Bench) -> None:
    outcome = compared(bench, {}, {}, plan={"repeats": 6})
    without_follow_ups(outcome.run, n_kept)
    again = bench.bench("report", str(outcome.run))
    assert again.exit_code == 3  # it cannot pass, and nothing failed
    assert "FAIL" not in {gate["outcome"] for gate in again.summary["gates"]}
    assert again.gate("tool_success")["n_candidate"] == 3 * 6  # the other tool prompts
    assert by_arm(again, "loops")["candidate"]["outcomes"]["not_run"] == 6 - n_kept
    assert by_arm(again, "loops")["reference"]["outcomes"]["answered"] == 6
    row = next(row for row in again.summary["prompts"] if row["prompt_id"] == "stock")
    assert (row["reference"]["tool_successes"], row["candidate"]["tool_successes"]) == (6, None)


def test_a_run_of_before_there_were_follow_ups_is_judged_as_ever(bench: Bench) -> None:
    """Its set had no final checks, its keys no turn, its plan no word on unstreamed repeats."""
    outcome = compared(bench, {}, {}, plan={"repeats": 6, "unstreamed": 0})
    lines = []
    for line in (outcome.run / ATTEMPTS).read_bytes().splitlines():
        attempt = json.loads(line)
        if attempt["key"].pop("turn") == 1:
            del attempt["key"]["is_streamed"]
            lines.append(json.dumps(attempt) + "\n")
    (outcome.run / ATTEMPTS).write_text("".join(lines), encoding="utf-8")
    header = json.loads((outcome.run / HEADER).read_bytes())
    del header["plan"]["settings"]["plan"]["unstreamed"]
    for prompt in header["golden"]["prompts"]:
        prompt.pop("final", None)
    (outcome.run / HEADER).write_text(json.dumps(header), encoding="utf-8")
    again = bench.bench("report", str(outcome.run))
    assert again.exit_code in {0, 3}
    assert again.gate("tool_success")["n_candidate"] == 4 * 6
    assert again.gate("tool_success")["successes_candidate"] == 4 * 6
    assert again.summary["loops"] == []
    assert [row["nothing"] for row in again.summary["streaming"]] == ["not run"] * 2


@contextmanager
def priced(bench: Bench) -> Iterator[Path]:
    with bench.serving("a") as simulator:
        prices = {"currency": "USD", "input_per_mtok": 0, "output_per_mtok": 1_000_000}
        yield endpoint_file(bench.folder, "a", simulator.base_url, prices=prices)


def test_what_follows_is_in_the_estimate_and_under_the_limit_of_cost(bench: Bench) -> None:
    """9 prompts × 2 repeats + 2 warm-ups; 2 second turns and 5 unstreamed: 27 answers of 64 tokens at a dollar each."""
    settings = write_yaml(bench.folder / "settings.yml", {"plan": {"repeats": 2, "allocate": False}})
    words = ["run", "--golden", str(bench.golden), "--settings", str(settings), "--out", str(bench.folder / "results")]
    words += ["--reports", str(bench.folder / "reports")]
    with priced(bench) as endpoint:
        refused = CliRunner().invoke(main, [*words, str(endpoint), "--max-cost", str(27 * 64 - 1)])
        shown = CliRunner().invoke(main, [*words, str(endpoint), "--max-cost", str(27 * 64)])
    assert refused.exit_code == 2
    assert "the run may cost 1728.00, more than --max-cost 1727.00" in refused.output
    assert shown.exit_code == 0
    assert "a: 20 requests and at most 7 follow-ups" in shown.stderr
    assert "a 27/27 | done in " in shown.stderr


def test_a_set_without_tools_or_json_is_measured_as_before(tmp_path: Path) -> None:
    golden_file(tmp_path, *(prompt for prompt in PROMPTS if prompt["category"] == "facts"))
    outcome = compared(Bench(folder=tmp_path), {}, {}, plan={"repeats": 2})
    run = load_run(outcome.run)
    assert list(followed(run)) == []
    assert len(run.attempts) == 2 * len(run.header.plan.blocks)
    assert "Loops and streaming" not in outcome.report.read_text(encoding="utf-8")

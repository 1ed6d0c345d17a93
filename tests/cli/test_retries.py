"""Retries, dead endpoints and budgets end to end, against the simulator's faults."""

import json
import socket
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.model.record import Attempt, RunStatus
from harness.model.storage import StoredRun, load_run
from tests.cli.files import endpoint_file, write_yaml
from tests.cli.simulated import Bench

QUICK = {"backoff_s": 0.05, "max_backoff_s": 0.1, "delayed_s": 0.05}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


def ran(bench: Bench, command: str, *words: str, settings: dict[str, Any] | None = None) -> tuple[int, str, StoredRun]:
    """Run a command on the small set with these settings; give exit code, what was printed, the newest run."""
    plan = {"repeats": 2, "allocate": False, "unstreamed": 0, "warmup": 1}
    file = write_yaml(bench.folder / "settings.yml", {"plan": plan, **(settings or {})})
    given = [command, *words, "--golden", str(bench.golden), "--settings", str(file), "--json"]
    given += ["--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
    shown = CliRunner().invoke(main, given)
    newest = max((bench.folder / "results").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
    return shown.exit_code, shown.output, load_run(newest)


def measured(run: StoredRun) -> list[Attempt]:
    return [attempt for attempt in run.attempts if not attempt.key.is_warmup]


def tries(run: StoredRun) -> Counter[int]:
    """Count requests by how many attempts each took."""
    return Counter(Counter(attempt.key for attempt in measured(run)).values())


@pytest.mark.parametrize(
    ("fault", "attempts"),
    [
        ("http_502", 3),
        ("http_504", 2),
        ("cut_mid_event", 3),
        ("http_503_no_upstream", 1),
    ],
)
def test_each_fault_gets_the_attempts_of_its_policy(fault: str, attempts: int, bench: Bench) -> None:
    with bench.serving("a", faults=[{"fault": fault, "only": "streamed"}]) as simulator:
        file = endpoint_file(bench.folder, "a", simulator.base_url)
        off = {"breaker": {"unreachable": 0, "from_the_start": 0, "without_success": 0}, "retries": QUICK}
        plan = {"repeats": 1, "allocate": False, "unstreamed": 0, "warmup": 0}
        _, shown, run = ran(bench, "run", str(file), "--retries", "2", settings={**off, "plan": plan})
    assert tries(run) == {attempts: 8}, shown
    assert run.header.status is RunStatus.FINISHED


def test_what_the_server_asks_for_is_waited_for_and_stands_in_the_report(bench: Bench) -> None:
    with bench.serving("a", faults=[{"fault": "http_429", "rate": 0.3}]) as simulator:
        file = endpoint_file(bench.folder, "a", simulator.base_url)
        code, shown, run = ran(bench, "run", str(file), "--retries", "3", settings={"retries": QUICK})
    assert code == 0, shown
    assert sum(count for n, count in tries(run).items() if n > 1) >= 1
    by_key: dict[Any, list[Attempt]] = {}
    for attempt in measured(run):
        by_key.setdefault(attempt.key, []).append(attempt)
    for attempts in by_key.values():
        for before, after in pairwise(attempts):
            assert before.status == 429
            assert after.intended_at_ns - (before.ended_at_ns or 0) >= 1e9  # Retry-After: 1
    (row,) = json.loads(shown.splitlines()[-1])["attempts"]
    assert row["n_requests"] == len(by_key) == 16
    assert row["n_attempts"] == len(measured(run))
    assert row["n_first"] == sum(attempts[0].status == 200 for attempts in by_key.values()) < row["n_eventually"]
    assert [(limit["cause"], limit["n"]) for limit in row["limits"]] == [
        ("own quota", sum(attempt.status == 429 for attempt in run.attempts))
    ]
    page = next((bench.folder / "reports").glob("*.html")).read_text(encoding="utf-8")
    assert "Succeeded at first" in page


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def test_a_candidate_that_dies_ends_the_run_with_a_word_and_a_way_to_go_on(bench: Bench) -> None:
    dead = endpoint_file(bench.folder, "b", f"http://127.0.0.1:{closed_port()}/v1")
    with bench.serving("a") as simulator:
        alive = endpoint_file(bench.folder, "a", simulator.base_url)
        plan = {"repeats": 20, "allocate": False, "unstreamed": 0, "warmup": 0}
        code, shown, run = ran(bench, "compare", str(alive), str(dead), settings={"plan": plan})
    assert code == 75, shown
    assert "the candidate is dead: 8 requests in a row failed (8 connect)" in shown
    assert "--resume" in shown
    assert (run.header.status, run.header.status_reason) == (
        RunStatus.STOPPED,
        "the candidate is dead: 8 requests in a row failed (8 connect)",
    )
    assert len(run.attempts) < 60  # of 320
    assert not any(attempt.failure and attempt.failure.kind == "cancelled" for attempt in run.attempts)


def test_a_candidate_that_answers_500_to_everything_does_not_use_up_the_set(bench: Bench) -> None:
    with bench.pair({}, {"faults": [{"fault": "http_500"}]}) as (a, b):
        plan = {"repeats": 20, "allocate": False, "unstreamed": 0, "warmup": 0}
        code, shown, run = ran(bench, "compare", str(a), str(b), settings={"plan": plan})
    assert code == 75, shown
    assert "bench: the candidate never succeeded: all of its first 20 requests failed (20 server_error)" in shown
    assert len(run.attempts) < 80  # of 320, on both sides together


@pytest.mark.parametrize("words", [(), ("--workers", "2")])
def test_a_budget_stops_all_processes_cleanly_and_the_run_can_be_finished(words: Sequence[str], bench: Bench) -> None:
    plan = {"repeats": 4, "allocate": False, "unstreamed": 0, "warmup": 1}
    with bench.pair({}, {}) as (a, b):
        code, shown, run = ran(
            bench, "compare", str(a), str(b), "--max-requests", "21", *words, settings={"plan": plan}
        )
        assert code == 75, shown
        assert "--max-requests 21 is spent" in shown
        assert run.header.status is RunStatus.STOPPED
        assert 19 <= len(run.attempts) <= 21
        assert all(attempt.failure is None for attempt in run.attempts)
        output = ["--json", "--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
        resumed = CliRunner().invoke(main, ["compare", str(a), str(b), "--resume", str(run.folder), *output])
    assert resumed.exit_code in {0, 1, 3, 4}, resumed.output
    whole = load_run(run.folder)
    assert whole.header.status is RunStatus.FINISHED
    assert set(Counter(attempt.key for attempt in measured(whole)).values()) == {1}
    assert len(measured(whole)) == 2 * 8 * 4


def test_a_run_that_a_budget_stopped_is_reported_all_the_same(bench: Bench) -> None:
    with bench.serving("a") as simulator:
        file = endpoint_file(bench.folder, "a", simulator.base_url)
        code, shown, run = ran(bench, "run", str(file), "--max-tokens", "1600")
    assert code == 75
    assert "may pass --max-tokens 1,600" in shown
    assert 0 < len(run.attempts) < 17
    assert list((bench.folder / "reports").glob("*.html"))
    assert run.header.status is RunStatus.STOPPED


@pytest.mark.parametrize(("word", "said"), [("soon", "is no time"), ("0", "above 0"), ("-3m", "above 0")])
def test_a_time_that_is_none_is_refused(word: str, said: str) -> None:
    shown = CliRunner().invoke(main, ["run", "a.yml", f"--max-time={word}"])
    assert shown.exit_code == 2
    assert said in shown.output

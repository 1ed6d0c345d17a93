"""`--isolate` and `--workers`: several measuring processes, one run, whatever dies."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.cli.judging import decode_run
from harness.cli.sides import RecordedSide
from harness.model.record import Arm, Attempt, RequestKey, RunStatus
from harness.model.storage import ATTEMPTS, RECORDS, StoredRun, load_run
from tests.cli.files import endpoint_file, exact_repeats, measuring_failures, write_yaml
from tests.cli.simulated import Bench, Outcome

ARMS = (Arm.REFERENCE, Arm.CANDIDATE)
ISOLATED, TWO_EACH = ("--isolate",), ("--workers", "2")
CONCURRENCY = 4
N_STRUCTURED = 4  # prompts with tools or JSON, which are also asked for unstreamed once
SIMULATORS = {Arm.REFERENCE: "a", Arm.CANDIDATE: "b"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


def arrived(bench: Bench, arm: Arm) -> int:
    """Count the requests that a simulator has answered by its own log."""
    return (bench.folder / f"truth-{SIMULATORS[arm]}.jsonl").read_bytes().count(b"\n")


def sent(run: StoredRun) -> Counter[tuple[Arm, int]]:
    """Count what was sent of the plan, without what follows it."""
    return Counter((attempt.key.arm, attempt.block) for attempt in run.attempts if not attempt.key.is_follow_up)


def followed(run: StoredRun) -> Counter[RequestKey]:
    return Counter(attempt.key for attempt in run.attempts if attempt.key.is_follow_up)


def planned(run: StoredRun) -> Counter[tuple[Arm, int]]:
    return Counter({(arm, block.index): 1 for arm in ARMS for block in run.header.plan.blocks})


@pytest.mark.parametrize(("words", "n_workers"), [(ISOLATED, 1), (TWO_EACH, 2)])
def test_several_processes_send_what_one_would_have_sent_into_one_run_that_is_judged_alike(
    words: Sequence[str], n_workers: int, bench: Bench
) -> None:
    with bench.pair({}, {"faults": [{"fault": "http_500"}]}) as (a, b):
        repeats = ("--repeats", "6", "--settings", str(measuring_failures(bench.folder)))
        alone = bench.compare(a, b, *repeats)
        outcome = bench.compare(a, b, *repeats, *words)
    run, run_alone = load_run(outcome.run), load_run(alone.run)
    assert len(list((bench.folder / "results").iterdir())) == 2
    assert run.header.plan == run_alone.header.plan
    assert sent(run) == sent(run_alone) == planned(run)
    assert followed(run) == followed(run_alone)
    n_requests = len(run.header.plan.blocks) + N_STRUCTURED
    assert {arm: arrived(bench, arm) for arm in ARMS} == dict.fromkeys(ARMS, 2 * n_requests)
    assert (run.notes, run.header.status) == ((), RunStatus.FINISHED)
    assert (outcome.exit_code, alone.exit_code) == (1, 1)
    assert outcome.gate("request_success")["n_candidate"] == alone.gate("request_success")["n_candidate"] > 40
    assert (outcome.run / RECORDS).read_bytes().count(b"\n") == len(run.attempts)
    assert_facts_of_every_process(run, n_workers)


def assert_facts_of_every_process(run: StoredRun, n_workers: int) -> None:
    header = run.header
    assert [facts.arms for facts in header.client] == [(arm,) for arm in ARMS for _ in range(n_workers)]
    assert [facts.worker for facts in header.client] == 2 * list(range(n_workers))
    for arm in header.arms:
        assert arm.facts["processes"] == n_workers
        facts = header.clock[arm.arm]
        n_reads = sum(len(attempt.reads.at_ns) for attempt in run.attempts if attempt.key.arm is arm.arm)
        assert facts["reads_stamped_by_kernel"] + facts["reads_stamped_by_user"] == n_reads > 0


def test_a_profile_against_its_copy_passes_with_two_processes_each(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        outcome = bench.compare(a, b, "--repeats", "25", *TWO_EACH)
    assert outcome.exit_code in {0, 3}, outcome.summary["sentence"]  # a busy machine may leave a tail unsettled
    rates = ("task_success", "tool_success", "request_success")
    assert {gate: outcome.gate(gate)["outcome"] for gate in rates} == dict.fromkeys(rates, "PASS")


@pytest.mark.parametrize("words", [("--load", "2,4"), ("--load", "100,200", "--arrival", "constant")])
def test_levels_follow_each_other_in_all_processes(words: Sequence[str], bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        outcome = bench.compare(a, b, *words, *TWO_EACH, "--settings", str(exact_repeats(bench.folder)))
    run = load_run(outcome.run)
    assert sent(run) == planned(run)
    first, second = (
        [attempt for attempt in run.attempts if attempt.key.level == level and not attempt.key.is_warmup]
        for level in (0, 1)
    )
    assert len(first) == len(second) == 2 * 40
    assert max(attempt.ended_at_ns or 0 for attempt in first) <= min(attempt.sent_at_ns or 0 for attempt in second)


def test_both_sides_of_an_open_loop_are_due_at_the_same_instants(bench: Bench) -> None:
    words = ("--load", "100", "--arrival", "poisson", *ISOLATED)
    with bench.pair({}, {}) as (a, b):
        run = load_run(bench.compare(a, b, *words, "--settings", str(exact_repeats(bench.folder))).run)
    due: dict[Arm, dict[int, int]] = {arm: {} for arm in ARMS}
    for attempt in run.attempts:
        if not attempt.key.is_warmup:
            due[attempt.key.arm][attempt.block] = attempt.intended_at_ns
    assert len(due[Arm.REFERENCE]) == 40
    assert due[Arm.REFERENCE] == due[Arm.CANDIDATE]


@pytest.mark.parametrize("words", [ISOLATED, TWO_EACH])
def test_the_faster_side_stays_within_the_look_ahead(words: Sequence[str], bench: Bench) -> None:
    look_ahead, concurrency = 3, 2
    settings = write_yaml(
        bench.folder / "s.yml", {"plan": {"allocate": False, "look_ahead": look_ahead, "unstreamed": 0}}
    )
    slow = {"ttft": {"shape": "constant", "ms": 80}}
    with bench.pair({}, slow) as (a, b):
        outcome = bench.compare(a, b, *words, "--concurrency", str(concurrency), "--settings", str(settings))
    attempts = [attempt for attempt in load_run(outcome.run).attempts if not attempt.key.is_warmup]
    assert len(attempts) == 2 * 40
    assert 0 < furthest_ahead(attempts) <= look_ahead + 2 * concurrency  # the slow side's clock is read after its word


def furthest_ahead(attempts: Sequence[Attempt]) -> int:
    """By how many requests the reference had started more than the candidate, at most."""
    started = {Arm.REFERENCE: 0, Arm.CANDIDATE: 0}
    worst = 0
    for attempt in sorted(attempts, key=lambda attempt: attempt.admitted_at_ns or 0):
        started[attempt.key.arm] += 1
        worst = max(worst, started[Arm.REFERENCE] - started[Arm.CANDIDATE])
    return worst


def started(bench: Bench, a: Path, b: Path, *more: str, **environ: str) -> subprocess.Popen[bytes]:
    words = ["compare", str(a), str(b), "--golden", str(bench.golden), "--repeats", "1000", "--quiet", *more]
    folders = ["--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *words, *folders],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root, **environ},
    )


def wait_for_attempts(process: subprocess.Popen[bytes], bench: Bench, count: int) -> Path:
    """Give the run folder as soon as its journal holds so many attempts."""
    while process.poll() is None:
        for journal in bench.folder.glob(f"results/*/{ATTEMPTS}"):
            if journal.read_bytes().count(b"\n") >= count:
                return journal.parent
        time.sleep(0.01)
    raise AssertionError("the run ended before it was to be killed")


def children(pid: int) -> list[int]:
    """Find a process's own by the fourth field of their state, which follows the name in brackets."""
    everybody = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [other for other in everybody if _state(other)[1:] == [str(pid)]]


def is_running(pid: int) -> bool:
    return bool(state := _state(pid)) and state[0] not in "ZX"


def _state(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[:2]
    except OSError:
        return []


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.parametrize(
    ("killed_by", "words"), [(signal.SIGKILL, TWO_EACH), (signal.SIGINT, ISOLATED), (signal.SIGTERM, TWO_EACH)]
)
def test_a_run_that_dies_ends_its_workers_and_loses_at_most_what_was_in_flight(
    killed_by: signal.Signals, words: Sequence[str], bench: Bench
) -> None:
    with bench.pair({}, {}) as (a, b):
        process = started(bench, a, b, *words)
        folder = wait_for_attempts(process, bench, 60)
        workers = children(process.pid)
        os.kill(process.pid, killed_by)
        _, told = process.communicate(timeout=30)
        while any(map(is_running, workers)):
            time.sleep(0.01)
    answered = {arm: arrived(bench, arm) for arm in ARMS}
    assert len(workers) == len(ARMS) * (2 if words is TWO_EACH else 1)
    assert process.returncode == (-signal.SIGKILL if killed_by is signal.SIGKILL else 130)
    run = load_run(folder)
    for header in run.header.arms:
        records = decode_run(RecordedSide(run=run, header=header))
        assert answered[header.arm] - CONCURRENCY <= len(records)
        assert [record.failure for record in records if record.failure is not None] == []
    assert run.notes == ()
    if killed_by is signal.SIGKILL:
        assert run.header.status is RunStatus.RUNNING
    else:
        assert run.header.status is RunStatus.INTERRUPTED
        assert len(run.header.client) == len(workers)
        assert told.decode().splitlines()[-1] == "bench: interrupted"


@needs_proc
def test_a_worker_that_is_killed_ends_the_run_and_what_was_recorded_stays(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        process = started(bench, a, b, *TWO_EACH)
        folder = wait_for_attempts(process, bench, 60)
        victim, *others = children(process.pid)
        os.kill(victim, signal.SIGKILL)
        _, told = process.communicate(timeout=30)
        assert not any(map(is_running, others))
    answered = {arm: arrived(bench, arm) for arm in ARMS}
    assert process.returncode == 75
    reason = told.decode().splitlines()[-1]
    assert "number" in reason
    assert "was ended by SIGKILL before its time" in reason
    run = load_run(folder)
    assert run.header.status is RunStatus.STOPPED
    assert run.header.status_reason == reason.removeprefix("bench: ")
    assert len(run.header.client) == 3
    for arm in ARMS:
        assert answered[arm] - CONCURRENCY <= sum(attempt.key.arm is arm for attempt in run.attempts)
    outcome = bench.bench("report", str(folder))
    assert outcome.gate("request_success")["n_reference"] >= 20
    assert outcome.exit_code != 0


def last_line(bench: Bench, *words: str) -> tuple[int, str]:
    folders = ["--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
    shown = CliRunner().invoke(main, ["compare", *words, "--golden", str(bench.golden), *folders])
    return shown.exit_code, shown.stderr.splitlines()[-1]


def test_a_dead_endpoint_is_told_as_without(bench: Bench) -> None:
    dead = endpoint_file(bench.folder, "dead", "http://127.0.0.1:1/v1")
    with bench.serving("a") as simulator:
        alive = endpoint_file(bench.folder, "a", simulator.base_url)
        ends = [last_line(bench, str(alive), str(dead), *words) for words in ((), ISOLATED, TWO_EACH)]
    assert ends[1:] == ends[:1] * 2
    code, message = ends[0]
    assert code == 75
    assert message.startswith("bench: the candidate cannot be reached (connect: ")


MISTAKES: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "more workers than requests in flight": ({}, ("--workers", "5"), "more than the 4 requests in flight"),
    "at the lowest level": ({}, ("--workers", "2", "--load", "4,1"), "more than the 1 requests in flight"),
    "more than the quota": (
        {"limits": {"requests_per_minute": 1}},
        TWO_EACH,
        "more than the 1 requests per minute of b",
    ),
    "a variable that is not set": ({"api_key": "${BENCH_TEST_ABSENT}"}, ISOLATED, "BENCH_TEST_ABSENT is not set"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_before_anything_is_sent(mistake: str, bench: Bench) -> None:
    changes, words, told = MISTAKES[mistake]
    good = endpoint_file(bench.folder, "a", "http://127.0.0.1:1/v1")
    bad = endpoint_file(bench.folder, "b", "http://127.0.0.1:1/v1", **changes)
    code, message = last_line(bench, str(good), str(bad), *words)
    assert (code, told in message) == (2, True), message
    assert not list(bench.folder.glob("results/*"))


def test_recorded_sides_leave_nothing_to_isolate(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        outcome: Outcome = bench.compare(a, b, "--repeats", "1")
    code, message = last_line(bench, str(outcome.run), str(outcome.run), *TWO_EACH, "--isolate")
    assert code == 2
    assert "--isolate, --workers would have no effect" in message


def test_a_standard_loop_measures_in_processes_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_LOOP", "asyncio")
    with bench.pair({}, {}) as (a, b):
        run = load_run(bench.compare(a, b, "--repeats", "1", *ISOLATED).run)
    assert [facts.loop for facts in run.header.client] == ["asyncio", "asyncio"]
    assert sent(run) == planned(run)


def test_an_internal_error_of_a_worker_is_ours_and_is_not_told_with_what_it_quotes(
    bench: Bench, tmp_path: Path
) -> None:
    """A package that shadows ours breaks the worker's session; the run's own process is not touched."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'harness.measure.worker' in sys.orig_argv:\n"
        "    import harness.measure.runner as runner\n"
        "    def fail(*_): raise KeyError('a prompt')\n"
        "    runner.Runner.walk = fail\n"
    )
    with bench.pair({}, {}) as (a, b):
        process = started(bench, a, b, *ISOLATED, PYTHONPATH=f"{broken}:{Path(__file__).resolve().parents[2]}")
        _, told = process.communicate(timeout=60)
    assert process.returncode == 70
    assert "internal error in the process that measured the " in told.decode()
    assert "KeyError. Please report it" in told.decode()
    assert "a prompt" not in told.decode()

"""The loopback twin: played beside a run, it says how wrong the client was."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.analysis.twin import NO_STREAM, arrivals_of
from harness.cli import main
from harness.measure.twin import NO_PATTERN, Twin
from harness.measure.wire.exchange import Exchange
from harness.model.record import Arm, RunStatus
from harness.model.storage import load_run
from harness.model.twin import TWIN, TwinLog, TwinStream, read_twin
from harness.simulator import process, truth
from tests.cli.files import measuring_failures, write_yaml
from tests.cli.simulated import Bench, Outcome


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


def streams_of(outcome: Outcome) -> tuple[TwinStream, ...]:
    """Give what was replayed; nothing fails the test."""
    log = read_twin(outcome.run)
    assert log is not None
    assert log.streams, log.notes
    return log.streams


def twin_rows(outcome: Outcome) -> dict[str, Any]:
    return {row["id"]: row for row in outcome.summary["certificate"]["rows"] if row["id"].startswith("twin")}


def twin_notes(outcome: Outcome) -> list[str]:
    return [note for note in outcome.summary["certificate"]["notes"] if "twin: " in note]


def is_finished(outcome: Outcome) -> bool:
    return load_run(outcome.run).header.status is RunStatus.FINISHED


def test_a_twin_replays_the_shape_of_both_sides_and_its_bias_is_on_the_page(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        outcome = bench.compare(a, b, "--repeats", "4", "--twin")
    streams = streams_of(outcome)
    assert {stream.arm for stream in streams} == {Arm.REFERENCE, Arm.CANDIDATE}
    for stream in streams:
        assert sum(stream.reads.n_bytes) == sum(stream.written_bytes) > 0
        arrivals = arrivals_of(stream)
        assert arrivals is not None
        assert all(at >= sent - 1000 for at, sent in zip(arrivals, stream.written_at_ns, strict=True))  # the mapping
    rows = {row["id"]: row for row in outcome.summary["certificate"]["rows"]}
    assert all(side["value"]["value"] > 0 for side in rows["twin_late_p50"]["sides"])
    assert "twin: TTFT off by, largest" in outcome.report.read_text()
    run = load_run(outcome.run)
    sent = [attempt for attempt in run.attempts if not attempt.key.is_follow_up]
    assert len(sent) == 2 * len(run.header.plan.blocks)  # the twin's requests are none of the run's


def test_a_twin_has_the_pattern_of_the_warm_up(bench: Bench) -> None:
    """The server's writes lie as far apart as the reads that the warm-up showed."""
    with bench.pair({}, {}) as (a, b):
        outcome = bench.compare(a, b, "--repeats", "4", "--twin")
    run = load_run(outcome.run)
    shown = {attempt.key.arm: attempt for attempt in run.attempts if attempt.key.is_warmup}  # the last of each arm
    for stream in streams_of(outcome):
        attempt = shown[stream.arm]
        assert attempt.sent_at_ns is not None
        last = attempt.reads.at_ns[-1] - attempt.sent_at_ns
        assert stream.written_at_ns[-1] - stream.arrived_at_ns >= last  # a truth server is never early


def test_without_a_twin_there_is_no_file_and_no_row(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        outcome = bench.compare(a, b, "--repeats", "1")
    assert not (outcome.run / TWIN).exists()
    assert outcome.summary["certificate"]["rows"]
    assert not twin_rows(outcome)
    assert not twin_notes(outcome)


def test_a_twin_beside_isolated_processes_is_refused(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        shown = CliRunner().invoke(
            main, ["compare", str(a), str(b), "--twin", "--isolate", "--golden", str(bench.golden)]
        )
    assert shown.exit_code == 2
    assert "--twin" in shown.output


def test_a_twin_that_only_saw_errors_replays_nothing_and_says_so(bench: Bench) -> None:
    failing = {"faults": [{"fault": "http_500"}]}
    with bench.pair(failing, failing) as (a, b):
        settings = str(measuring_failures(bench.folder))
        outcome = bench.compare(a, b, "--repeats", "1", "--twin", "--settings", settings)
    assert is_finished(outcome)
    assert read_twin(outcome.run) == TwinLog(notes=(NO_PATTERN,))
    reasons = {side["value"]["reason"] for row in twin_rows(outcome).values() for side in row["sides"]}
    assert reasons == {NO_STREAM}
    assert f"twin: {NO_PATTERN}" in twin_notes(outcome)


def test_a_twin_without_a_warm_up_is_refused_before_anything_is_sent(bench: Bench) -> None:
    settings = write_yaml(bench.folder / "cold.yml", {"plan": {"warmup": 0}})
    words = ["--golden", str(bench.golden), "--settings", str(settings), "--out", str(bench.folder / "results")]
    with bench.pair({}, {}) as (a, b):
        shown = CliRunner().invoke(main, ["compare", str(a), str(b), "--twin", *words])
    assert shown.exit_code == 2
    assert "--twin needs a warm-up to learn from" in shown.output
    assert not (bench.folder / "results").exists()
    assert [(bench.folder / f"truth-{name}.jsonl").read_bytes() for name in "ab"] == [b"", b""]


def test_a_twin_whose_server_dies_costs_the_run_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []
    start, keep = process._start, Twin._keep

    def started(words: list[str]) -> subprocess.Popen[bytes]:
        child = start(words)
        pids.extend([child.pid] if "harness.simulator.metronome" in words else [])
        return child

    def kept(twin: Twin, arm: Arm, exchange: Exchange) -> bool:
        os.kill(pids[0], signal.SIGKILL)
        return keep(twin, arm, exchange)

    monkeypatch.setattr(Twin, "_keep", kept)
    with bench.pair({}, {}) as (a, b):
        monkeypatch.setattr(process, "_start", started)
        outcome = bench.compare(a, b, "--repeats", "4", "--twin")
    assert is_finished(outcome)
    early, lost, *_ = twin_notes(outcome)
    assert early.startswith("twin: it ended early: ")
    assert lost == "twin: 1 of 1 replayed streams are not in its server's log"
    assert "twin: it ended early: " in outcome.output


def test_a_bad_log_costs_the_twin_and_not_the_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    read = truth.read_truth

    def read_damaged(file: Path) -> list[truth.TruthLine]:
        file.write_bytes(file.read_bytes()[:-9])
        return read(file)

    monkeypatch.setattr(truth, "read_truth", read_damaged)
    with bench.pair({}, {}) as (a, b):
        outcome = bench.compare(a, b, "--repeats", "2", "--twin")
    assert is_finished(outcome)
    (note, *_) = twin_notes(outcome)
    assert note.startswith("twin: its server's log cannot be read: ")
    assert twin_rows(outcome)["twin_late_p50"]["sides"][0]["value"]["reason"] == NO_STREAM
    assert "twin: its server's log cannot be read" in outcome.output

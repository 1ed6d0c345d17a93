"""Going on with a run: after a death, for a further look, look after look; and what is refused."""

import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from harness.analysis.looks import looks_of
from harness.cli import main
from harness.cli.redacting import redact_run
from harness.cli.resuming import Resumed, _runs, growth_warning, resume
from harness.errors import ConfigError
from harness.model.digest import plan_sha256
from harness.model.looks import read_looks
from harness.model.record import Arm, LookScheme, Plan, RunStatus
from harness.model.storage import ATTEMPTS, STREAMS, load_run
from tests.cli.files import endpoint_file, write_yaml
from tests.cli.recordedrun import write_run
from tests.cli.simulated import Bench, Outcome
from tests.cli.test_interruption import _wait_for_attempts

ARMS = (Arm.REFERENCE, Arm.CANDIDATE)
REACHABLE = {"request_success": {"margin": 0.05}}  # 8 prompts at 10 repeats are 80 trials
EXACT = {"plan": {"allocate": False, "unstreamed": 1}}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


def _settings(bench: Bench, **changes: Any) -> str:
    return str(write_yaml(bench.folder / "settings.yml", {**EXACT, **changes}))


def _refused(bench: Bench, *words: str) -> str:
    """Give what a command says that is refused with exit code 2."""
    folders = ["--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
    shown = CliRunner().invoke(main, ["compare", *words, *folders])
    assert shown.exit_code == 2, shown.output
    return shown.output


def _go_on(bench: Bench, *words: str | Path) -> Outcome:
    return bench.bench("compare", *map(str, words))


def _measured(folder: Path) -> Counter[Any]:
    return Counter(attempt.key for attempt in load_run(folder).attempts if not attempt.key.is_warmup)


def _killed(bench: Bench, a: Path, b: Path, *, by: signal.Signals, repeats: int) -> Path:
    words = ["compare", str(a), str(b), "--golden", str(bench.golden), "--repeats", str(repeats), "--quiet"]
    folders = ["--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
    more = ["--settings", _settings(bench)]
    process = subprocess.Popen([sys.executable, "-m", "harness", *words, *folders, *more])
    folder = _wait_for_attempts(process, bench.folder, 40)
    os.kill(process.pid, by)
    process.wait(30)
    return folder


@pytest.mark.parametrize("killed_by", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_died_goes_on_to_what_it_would_have_been(killed_by: signal.Signals, bench: Bench) -> None:
    repeats = 12
    with bench.pair({}, {}) as (a, b):
        folder = _killed(bench, a, b, by=killed_by, repeats=repeats)
        with (folder / ATTEMPTS).open("ab") as journal, (folder / STREAMS).open("ab") as streams:
            journal.write(b'{"key":{"arm":"refer')  # torn, and bytes to which no line points
            streams.write(b"HTTP/1.1 200")
        before = len(load_run(folder).attempts)
        registered = load_run(folder).header.plan_sha256
        outcome = _go_on(bench, a, b, "--resume")
    run = load_run(folder)
    plan = run.header.plan
    whole = [attempt for attempt in run.attempts if not attempt.key.is_warmup and not attempt.key.is_follow_up]
    sound = [attempt for attempt in whole if attempt.failure is None]
    assert 40 <= before < len(run.attempts)
    assert {attempt.part for attempt in run.attempts} == {0, 1}
    assert Counter((attempt.key.arm, attempt.block) for attempt in sound) == Counter(
        {
            (arm, block.index): 1
            for arm in (Arm.REFERENCE, Arm.CANDIDATE)
            for block in plan.blocks
            if not block.is_warmup
        }
    )
    assert len(sound) == 2 * 8 * repeats
    assert all(run.wire(attempt).startswith(b"HTTP/1.1 200 ") for attempt in sound)
    assert run.header.plan_sha256 == registered == plan_sha256(plan)
    assert [part.status for part in run.header.parts] == [RunStatus.INTERRUPTED, RunStatus.FINISHED]
    assert run.header.status is RunStatus.FINISHED
    assert len(run.header.parts[1].notes) == 1
    assert [looked.n_attempts for looked in read_looks(folder)] == [len(_measured(folder))]
    assert outcome.gate("request_success")["n_reference"] == outcome.gate("request_success")["n_candidate"] >= 90


def test_further_repeats_are_a_second_look_and_then_a_third(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        first = bench.compare(a, b, "--repeats", "2", "--settings", _settings(bench))
        registered = load_run(first.run).header
        assert "nothing is left to send" in _refused(bench, str(a), str(b), "--resume", str(first.run))
        assert "has 2 repeats" in _refused(bench, str(a), str(b), "--resume", str(first.run), "--repeats", "2")
        _go_on(bench, a, b, "--resume", first.run, "--repeats", "4")
        second = load_run(first.run)
        _go_on(bench, a, b, "--resume", "--repeats", "5")
        third = load_run(first.run)
    assert [part.look for part in third.header.parts] == [1, 2, 3]
    assert second.header.plan.blocks[: len(registered.plan.blocks)] == registered.plan.blocks
    assert second.header.plan_sha256 == registered.plan_sha256
    assert second.header.parts[1].plan_sha256 == plan_sha256(second.header.plan) != registered.plan_sha256
    assert len(read_looks(first.run)) == 3
    streamed = [a for a in third.attempts if not a.key.is_warmup and not a.key.is_follow_up]
    assert len(streamed) == len({a.key for a in streamed}) == 2 * 8 * 5


def test_a_verdict_on_an_interrupted_run_uses_a_look_up(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        folder = _killed(bench, a, b, by=signal.SIGINT, repeats=12)
        assert read_looks(folder) == ()
        bench.bench("report", str(folder))
        assert len(read_looks(folder)) == 1
        _go_on(bench, a, b, "--resume", folder)
    assert len(read_looks(folder)) == 2


def test_another_run_than_the_planned_one_is_refused_by_name(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        folder = bench.compare(a, b, "--repeats", "1", "--settings", _settings(bench)).run
        base_url = msgspec.yaml.decode(b.read_bytes())["base_url"]
        words = ["--resume", str(folder), "--repeats", "2"]
        other = endpoint_file(bench.folder, "other", base_url, sampling={"temperature": 1})
        said = _refused(bench, str(a), str(other), *words)
        assert 'sampling of the candidate was not given, is {"temperature":1}' in said
        assert "--seed was 20260101, is 5" in _refused(bench, str(a), str(b), *words, "--seed", "5")
        looser = _settings(bench, verdict={"task_success": {"margin": 0.2}})
        assert "verdict.task_success was" in _refused(bench, str(a), str(b), *words, "--settings", looser)
        assert "--load would have no effect" in _refused(bench, str(a), str(b), *words, "--load", "3")
        assert "--workers is 1" in _refused(bench, str(a), str(b), *words, "--isolate")
        assert "it measured reference and candidate" in _refused_run(bench, a, folder)
        assert "no run of these endpoints" in _refused(bench, str(b), str(a), "--resume")
    assert len(load_run(folder).header.parts) == 1


def _refused_run(bench: Bench, a: Path, folder: Path) -> str:
    shown = CliRunner().invoke(main, ["run", str(a), "--resume", str(folder), "--out", str(bench.folder / "results")])
    assert shown.exit_code == 2, shown.output
    return shown.output


def test_a_sequential_run_stops_at_the_look_that_fails(bench: Bench) -> None:
    bad = {"degradations": [{"one_of": ["garbage"], "rate": 1}]}
    with bench.pair({}, bad) as (a, b):
        outcome = bench.compare(a, b, "--sequential", "--settings", _settings(bench, verdict=REACHABLE))
    header = load_run(outcome.run).header
    assert outcome.exit_code == 1
    assert len(header.parts) == 1
    assert set(header.plan.repeats.values()) == {3}


def test_a_sequential_run_goes_on_until_its_last_look(bench: Bench) -> None:
    tight = {**REACHABLE, "ttft_p50": {"margin": 1.0001}}
    with bench.pair({}, {}) as (a, b):
        outcome = bench.compare(a, b, "--sequential", "--settings", _settings(bench, verdict=tight))
    header = load_run(outcome.run).header
    assert [part.look for part in header.parts] == [1, 2, 3]
    assert set(header.plan.repeats.values()) == {10}
    assert len(read_looks(outcome.run)) == 3
    assert "look 1: INCONCLUSIVE; going on" not in outcome.output  # --json is quiet


def test_a_sequence_that_cannot_pass_at_its_last_look_is_refused_before_anything_is_sent(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        said = _refused(bench, str(a), str(b), "--golden", str(bench.golden), "--sequential")
    assert "no look of this sequence can PASS" in said
    assert "Use 16 prompts or more" in said  # 80 trials per side at 10 repeats of 8 prompts; 2 points need 153 at 4.8 %
    assert not (bench.folder / "results").exists()


def test_a_second_look_at_far_more_data_is_warned_of(tmp_path: Path) -> None:
    first = Plan(
        seed=1,
        look_ahead=0,
        blocks=(),
        settings={},
        golden_sha256="",
        estimators="3",
        repeats={"a": 5, "b": 5},
        looks=looks_of(LookScheme.TWO, 5),
    )

    def warned(repeats: int, look: int = 2) -> str | None:
        plan = replace(first, repeats={"a": 5, "b": repeats})
        return growth_warning(first, Resumed(folder=tmp_path, header=None, plan=plan, look=look))  # type: ignore[arg-type]

    assert warned(35) is None  # 40 in place of 10
    assert "4.1 times the data" in (warned(36) or "")
    assert warned(36, look=3) is None  # exploratory anyway


def test_a_placebo_is_a_third_arm_of_the_same_run(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        alone = bench.compare(a, b, "--placebo", "--repeats", "2", "--settings", _settings(bench))
        apart = bench.compare(a, b, "--placebo", "--repeats", "1", "--isolate", "--settings", _settings(bench))
        resumed = _go_on(bench, a, b, "--resume", apart.run, "--repeats", "2")  # by workers, as the run was begun
    assert len(load_run(apart.run).header.client) == 2 * 3
    resumed = replace(resumed, run=apart.run)
    for outcome, repeats in ((alone, 2), (resumed, 2)):
        run = load_run(outcome.run)
        arms = Counter(a.key.arm for a in run.attempts if not a.key.is_warmup and not a.key.is_follow_up)
        assert arms == {Arm.REFERENCE: 8 * repeats, Arm.CANDIDATE: 8 * repeats, Arm.PLACEBO: 8 * repeats}
        assert [header.endpoint["name"] for header in run.header.arms] == ["a", "b", "a"]
        assert "-a-vs-b-" in outcome.run.name
        assert outcome.gate("request_success")["n_reference"] == 8 * repeats


def test_the_report_of_a_run_that_stopped_says_so_first_and_it_can_go_on(bench: Bench) -> None:
    with bench.serving("a") as one:
        a = endpoint_file(bench.folder, "a", one.base_url)
        golden = ["--golden", str(bench.golden), "--repeats", "3", "--settings", _settings(bench)]
        run = bench.bench("run", str(a), *golden).run
        header = (run / "run.json").read_text(encoding="utf-8")
        lines = (run / ATTEMPTS).read_bytes().splitlines(keepends=True)
        (run / ATTEMPTS).write_bytes(b"".join(lines[:9]))
        (run / "run.json").write_text(header.replace('"finished"', '"interrupted"'), encoding="utf-8")
        stopped = bench.bench("report", str(run))
        assert "MEASURED IN PART" in stopped.report.read_text(encoding="utf-8")
        again = bench.bench("run", str(a), "--resume")
    assert "MEASURED IN PART" not in again.report.read_text(encoding="utf-8")
    measured = [a.key for a in load_run(run).attempts if not a.key.is_warmup and not a.key.is_follow_up]
    assert len(measured) == len(set(measured)) == 8 * 3


def test_a_redacted_copy_is_refused_as_one_and_is_never_the_newest_run(tmp_path: Path) -> None:
    run = write_run(tmp_path / "results" / "20260101T000000-one", status=RunStatus.STOPPED)
    copy = redact_run(run, None, hides_endpoints=True)
    with pytest.raises(ConfigError, match="it cannot be resumed"):
        resume({"resume": str(copy)}, {})
    assert [folder for folder, _ in _runs(run.parent)] == [run]

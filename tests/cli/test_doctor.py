"""What the doctor says for which findings, and the whole command on a short regimen."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import doctorload, main
from harness.cli.doctordiagnosis import Diagnosis, advice
from harness.cli.doctorload import Regimen, climb
from harness.cli.doctorpage import WIDTH, page, stamps_sentence, trust_sentence
from harness.cli.doctorstep import Short, Step, trust_in
from harness.clock import ClockSource
from harness.simulator.metronomeshape import Shape
from tests.cli.doctored import MS, a_diagnosis, a_step

TINY = Regimen(rest_s=0.1, shape=Shape(ttft_ms=5, itl_ms=4, tokens=10), n_rounds=2, steps=(1, 3), n_spare=0)
NO_FILES = Step(n_streams=4, short=(Short.FILES,))


@pytest.mark.parametrize(
    ("bad", "short"),
    [
        ({}, ()),
        ({"late_p99_ns": 100_000}, ()),
        ({"late_p99_ns": 100_001}, (Short.LATE,)),
        ({"late_p99_ns": 1 * MS, "kernel_stamp_fraction": 0.5}, ()),
        ({"late_p99_ns": 1 * MS + 1, "kernel_stamp_fraction": 0.5}, (Short.LATE,)),
        ({"shared_fraction": 0.021}, (Short.SHARED,)),
        ({"in_flight_fraction": 0.949}, (Short.IN_FLIGHT,)),
        ({"n_failed": 1}, (Short.FAILED,)),
        ({"n_requests": 0}, (Short.FAILED,)),
        ({"server_late_p99_ns": 10 * MS + 1}, (Short.SERVER,)),
        ({"late_p99_ns": None}, (Short.LATE,)),
        ({"shared_fraction": None, "in_flight_fraction": None}, (Short.SHARED, Short.IN_FLIGHT)),
        ({"server_late_p99_ns": None}, (Short.SERVER,)),
    ],
)
def test_a_step_falls_short_in_what_is_beyond_its_limit_or_unknown(
    bad: dict[str, Any], short: tuple[Short, ...]
) -> None:
    assert a_step(4, **bad).short == short


def test_trust_ends_before_the_first_step_that_falls_short() -> None:
    bad = a_step(16, n_failed=1)
    assert trust_in([a_step(1), a_step(4)]).n_streams == 4
    assert trust_in([a_step(1), a_step(4)]).beyond is None
    assert trust_in([a_step(1), a_step(4), bad, a_step(64)]).n_streams == 4
    assert trust_in([a_step(1), a_step(4), bad, a_step(64)]).beyond == bad
    assert trust_in([bad]).n_streams == trust_in([]).n_streams == 0


UP_TO_1 = "Timing can be trusted here with up to 1 stream of 50 tokens/s each. With 4 streams: "
AT_LEAST_1 = (
    "Timing can be trusted here with at least 1 stream of 50 tokens/s each; beyond, the truth server on the same "
)
NOT_1 = "Timing cannot be trusted here. With 1 stream: "


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (
            (a_step(1), a_step(4)),
            "Timing can be trusted here with 4 streams of 50 tokens/s each: the most that was tried.",
        ),
        (
            (a_step(1), a_step(4, late_p99_ns=310_000, shared_fraction=0.031)),
            f"{UP_TO_1}arrivals 0.310 ms late at p99 (limit 0.100 ms); 3.1 % of tokens shared a read (limit 2.0 %).",
        ),
        (
            (a_step(1), a_step(4, server_late_p99_ns=12 * MS)),
            f"{AT_LEAST_1}machine is the limit. With 4 streams: its writes 12.0 ms late at p99 (limit 10.0 ms).",
        ),
        ((a_step(1), NO_FILES), f"{UP_TO_1}more files than may be open."),
        ((a_step(1, late_p99_ns=1_800_000),), f"{NOT_1}arrivals 1.8 ms late at p99 (limit 0.100 ms)."),
        (
            (a_step(1, n_requests=2, n_failed=2, late_p99_ns=None),),
            f"{NOT_1}2 of 2 requests without a whole answer.",
        ),
    ],
)
def test_the_first_sentence_says_how_far_and_why_no_further(steps: tuple[Step, ...], sentence: str) -> None:
    assert trust_sentence(a_diagnosis(*steps)) == sentence


@pytest.mark.parametrize(
    ("found", "says", "advises"),
    [
        (a_diagnosis(), "yes: 100.0 % of the reads", None),
        (a_diagnosis(stamps_refused="this is no Linux (darwin)"), "no: this is no Linux (darwin);", "a Linux machine"),
        (
            a_diagnosis(stamps_refused="setsockopt(SO_TIMESTAMPNS) is refused: EPERM, Operation not permitted"),
            "no: setsockopt(SO_TIMESTAMPNS) is refused: EPERM",
            "passes SO_TIMESTAMPNS on",
        ),
        (a_diagnosis(a_step(1, kernel_stamp_fraction=0.0)), "no: switched on, but no read", "this sandbox"),
        (a_diagnosis(a_step(1, kernel_stamp_fraction=0.4)), "yes: 40.0 % of the reads", "this sandbox"),
        (a_diagnosis(NO_FILES), "unknown: switched on", None),
    ],
)
def test_kernel_stamps_are_there_or_the_reason_is(found: Diagnosis, says: str, advises: str | None) -> None:
    assert says in stamps_sentence(found)
    on_stamps = [text for text in advice(found) if "sandbox" in text or "Linux" in text]
    assert len(on_stamps) == (advises is not None)
    assert advises is None or advises in on_stamps[0]


def test_a_good_machine_needs_no_advice() -> None:
    assert advice(a_diagnosis()) == ()
    assert page(a_diagnosis(), 64)[-1].split() == ["advice", "-", "Nothing", "to", "change."]


@pytest.mark.parametrize(
    ("found", "advises"),
    [
        (a_diagnosis(a_step(1), a_step(4, late_p99_ns=MS)), "Keep below 4 streams"),
        (a_diagnosis(a_step(1), a_step(4, late_p99_ns=MS), load_average=4.1), "load average 4.1 on 8 CPUs"),
        (a_diagnosis(a_step(1), a_step(4, server_late_p99_ns=99 * MS)), "this client's own limit"),
        (a_diagnosis(a_step(1), NO_FILES), "ulimit -n 65536"),
        (a_diagnosis(n_files_allowed=256), "open files (256)"),
        (a_diagnosis(rest={"loop": "asyncio"}), "uvloop"),
        (a_diagnosis(n_cpus_usable=1), "two CPUs or more"),
        (a_diagnosis(cpu_quota=1.5), "CPU quota of this container (1.5 CPUs)"),
        (a_diagnosis(rest={"loop_lag_p99_ns": 6 * MS}), "taskset"),
        (a_diagnosis(monotonic=ClockSource(name="c", resolution_ns=15_600_000)), "steps of 15600 µs"),
        (a_diagnosis(reading_cost_ns=900, hardware_clock="hpet"), "clock (hpet)"),
        (a_diagnosis(a_step(1, n_clock_steps=2)), "it jumped 2x"),
    ],
)
def test_each_finding_has_its_advice(found: Diagnosis, advises: str) -> None:
    assert any(advises in text for text in advice(found))


def test_a_crowded_machine_is_no_matter_while_all_is_well() -> None:
    assert advice(a_diagnosis(load_average=7.9)) == ()


@pytest.mark.parametrize(
    "found",
    [
        a_diagnosis(),
        a_diagnosis(a_step(1, late_p99_ns=99 * MS, shared_fraction=1.0, n_failed=2, server_late_p99_ns=5000 * MS)),
        a_diagnosis(a_step(1), a_step(512), NO_FILES, cpu_quota=0.5, n_cpus_usable=1, rest={"loop": "asyncio"}),
        a_diagnosis(a_step(1, late_p50_ns=None, late_p99_ns=None, n_requests=0, cpu_ns_per_event=None)),
        a_diagnosis(n_files_allowed=None, n_cpus_usable=None, hardware_clock=None, load_average=None),
    ],
)
def test_the_page_fits_in_80_columns_and_holds_every_part(found: Diagnosis) -> None:
    lines = page(found, 64)
    assert max(map(len, lines)) <= WIDTH
    assert not any(line != line.rstrip() for line in lines)
    text = "\n".join(lines)
    for part in ("streams", "clock ", "kernel stamps ", "open files ", "processors ", "loop ", "cost ", "advice "):
        assert f"\n{part}" in text or part == "streams"


def test_the_table_has_a_row_per_step() -> None:
    lines = page(a_diagnosis(a_step(1), a_step(64, late_p99_ns=250_000)), 64)
    rows = [line.split() for line in lines if line.strip()[:2] in {"1 ", "64"}]
    good = ["1", "0.005", "/", "0.040", "ms", "0.1", "%", "99.0", "%", "0.300", "ms", "ok"]
    late = ["64", "0.005", "/", "0.250", "ms", "0.1", "%", "99.0", "%", "0.300", "ms", "late"]
    assert rows == [good, late]


def test_a_step_that_has_too_few_files_is_not_tried() -> None:
    assert list(climb(TINY, n_files=64)) == [Step(n_streams=1, short=(Short.FILES,))]


def test_a_step_raises_the_soft_limit_as_a_run_does(monkeypatch: pytest.MonkeyPatch) -> None:
    raised = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (65, 1000))
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: raised.append(new))
    monkeypatch.setattr(doctorload, "_step", lambda _, n_streams: a_step(n_streams))
    tried = [step.n_streams for step in climb(TINY, n_files=1000)]
    assert tried == [1, 3]
    assert raised == [(67, 1000)]  # 65 are enough for one stream


def test_sigterm_ends_the_command_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "doctor", "--quick"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not any(tmp_path.glob("*/truth.jsonl")):
        pass
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.split("\n")) == (130, ["", "bench: interrupted", ""])
    assert list(tmp_path.iterdir()) == []


def test_the_command_reads_streams_and_says_how_far_it_got(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctorload, "QUICK", TINY)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # loopback needs none
    shown = CliRunner().invoke(main, ["doctor", "--quick", "--json"])
    (line,) = shown.stdout.splitlines()
    found = json.loads(line)
    first = found["steps"][0]
    assert (first["n_streams"], first["n_requests"], first["n_failed"], first["n_events"]) == (1, 2, 0, 20)
    assert first["late_p50_ns"] > -MS // 10  # nothing arrives before it was written
    assert first["cpu_ns_per_event"] > 0
    assert found["tokens_per_s"] == 250
    assert found["rest"]["n_loop_ticks"] > 0
    assert shown.exit_code == (0 if found["trusted_streams"] else 3)
    assert (found["trusted_streams"] == 0) == bool(first["short"])


def test_the_command_without_json_prints_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctorload, "FULL", TINY)
    shown = CliRunner().invoke(main, ["doctor"])
    assert shown.exit_code in {0, 3}
    assert shown.stdout.startswith("Timing can")
    assert shown.stderr.startswith("1 stream: ")
    assert max(map(len, shown.stdout.splitlines())) <= WIDTH

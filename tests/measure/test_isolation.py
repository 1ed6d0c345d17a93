"""Which runs can be split among processes, and how the end of one is understood."""

import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from harness.clock import ManualClock
from harness.errors import BenchError, ConfigError, IncompleteRunError
from harness.measure.isolation import IsolatedSession, follows, refuse_idle_workers
from harness.measure.job import Ended, Going, Job
from harness.measure.worker import Teller
from harness.measure.workerprocess import WorkerProcess
from harness.model.endpoint import Endpoint, Limits
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Arrival, Plan
from harness.model.settings import ArrivalSettings
from harness.units import NS_PER_MS
from tests.model.runs import a_plan, an_attempt


def an_endpoint(**limits: Any) -> Endpoint:
    return Endpoint(name="a", base_url="http://127.0.0.1:9/v1", model="m", limits=Limits(**limits))


def planned(*load: float, process: Arrival = Arrival.CLOSED, max_in_flight: int = 512, requests: int = 20) -> Plan:
    arrival = msgspec.to_builtins(ArrivalSettings(process=process, max_in_flight=max_in_flight))
    return replace(a_plan(), repeats={"p": requests}, load=load, arrival=process, settings={"arrival": arrival})


def a_job(**changes: Any) -> Job:
    given: dict[str, Any] = {
        "plan": planned(4),
        "golden": GoldenSet(name="g", prompts=[]),
        "endpoint": an_endpoint(),
        "arm": Arm.CANDIDATE,
        "arms": (Arm.REFERENCE, Arm.CANDIDATE),
        "worker": 1,
        "n_workers": 2,
        "folder": "r",
        "pace_file": 3,
    }
    return Job(**{**given, **changes})


@pytest.mark.parametrize(
    ("plan", "limits", "n_workers", "words"),
    [
        (planned(8, 4, 16), {}, 5, "--workers 5 is more than the 4 requests in flight at the lowest level of load"),
        (planned(8), {"requests_per_minute": 3}, 4, "--workers 4 is more than the 3 requests per minute of a"),
        (planned(64, requests=3), {}, 4, "--workers 4 is more than the 3 requests of a level"),
        (planned(0.5, process=Arrival.POISSON, max_in_flight=2), {}, 3, "more than the 2 .*arrival.max_in_flight"),
    ],
)
def test_a_worker_that_would_stand_idle_is_refused_and_one_fewer_is_not(
    plan: Plan, limits: dict[str, Any], n_workers: int, words: str
) -> None:
    endpoints = {Arm.REFERENCE: an_endpoint(), Arm.CANDIDATE: an_endpoint(**limits)}
    with pytest.raises(ConfigError, match=f"{words}.*Give --workers {n_workers - 1} or fewer"):
        refuse_idle_workers(plan, endpoints, n_workers)
    refuse_idle_workers(plan, endpoints, n_workers - 1)


def test_a_system_without_file_locks_is_told_which_options_need_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)  # importing it fails, as on Windows
    with pytest.raises(ConfigError, match="--isolate and --workers need file locks"):
        IsolatedSession(GoldenSet(name="g", prompts=[]), {Arm.REFERENCE: an_endpoint()}, planned(4), 1)


def test_an_arm_follows_the_last_one_before_it_that_is_the_same_endpoint() -> None:
    one, other = an_endpoint(), msgspec.structs.replace(an_endpoint(), model="n")
    endpoints = {Arm.REFERENCE: one, Arm.CANDIDATE: other, Arm.PLACEBO: one}
    assert [follows(arm, endpoints) for arm in endpoints] == [None, None, 0]
    assert [follows(arm, dict.fromkeys(endpoints, one)) for arm in endpoints] == [None, 0, 1]


def test_a_job_reads_back_as_it_was_written() -> None:
    job = a_job()
    assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job


def ended(exit_code: int, message: str) -> Ended:
    return Ended(exit_code=exit_code, message=message, done=1, failed=0)


@pytest.mark.parametrize(
    ("said", "returncode", "kind", "words"),
    [
        (ended(2, "b: no key. Set it"), 2, ConfigError, "^b: no key. Set it$"),
        (ended(75, "the candidate cannot be reached"), 75, IncompleteRunError, "^the candidate cannot be reached$"),
        (ended(70, "KeyError"), 70, BenchError, "internal error in .* the candidate, number 2 of 2: KeyError"),
        (ended(130, "interrupted"), 130, IncompleteRunError, "candidate, number 2 of 2 was ended by a signal"),
        (None, -signal.SIGKILL, IncompleteRunError, "was ended by SIGKILL before its time"),
        (ended(0, ""), -signal.SIGSEGV, IncompleteRunError, "was ended by SIGSEGV"),
        (None, 1, BenchError, "internal error in .* the candidate, number 2 of 2: exit code 1"),
    ],
)
def test_how_a_worker_ended_is_how_the_run_ends(
    said: Ended | None, returncode: int, kind: type[BenchError], words: str
) -> None:
    process = WorkerProcess(a_job(), lambda: None)
    process.ended = said
    with pytest.raises(BenchError, match=words) as raised:
        process._raise_what_ended_it(returncode)
    assert type(raised.value) is kind


def test_a_worker_that_ended_well_raises_nothing() -> None:
    process = WorkerProcess(a_job(), lambda: None)
    process.ended = ended(0, "")
    process._raise_what_ended_it(0)


def test_a_worker_of_one_is_not_numbered() -> None:
    assert a_job(worker=0, n_workers=1).name == "the process that measured the candidate"


def read_all(pipe: int) -> bytes:
    os.set_blocking(pipe, False)
    content = b""
    with suppress(BlockingIOError):
        while piece := os.read(pipe, 1 << 16):
            content += piece
    return content


def test_it_is_told_how_a_worker_goes_now_and_then() -> None:
    ours, theirs = os.pipe()
    clock = ManualClock(start_ns=1)
    teller = Teller(theirs, clock)
    for status in (200, 200, 500, 200, 429):
        teller.observe(an_attempt(status=status))
        clock.at_ns += 60 * NS_PER_MS
    lines = [msgspec.json.decode(line, type=Going | Ended) for line in read_all(ours).splitlines()]
    assert lines == [Going(done=1, failed=0), Going(done=3, failed=1), Going(done=5, failed=2)]
    os.close(ours)
    os.close(theirs)


def test_a_pipe_that_nobody_reads_holds_no_measurement_up_and_a_later_line_makes_up_for_it() -> None:
    ours, theirs = os.pipe()
    clock = ManualClock(start_ns=1)
    teller = Teller(theirs, clock)
    for filling in (b" " * 4096, b" "):
        with suppress(BlockingIOError):
            while True:
                os.write(theirs, filling)
    for _ in range(3):
        teller.observe(an_attempt(status=500))
        clock.at_ns += 200 * NS_PER_MS
    assert read_all(ours).strip(b" ") == b""
    teller.observe(an_attempt())
    assert msgspec.json.decode(read_all(ours), type=Going | Ended) == Going(done=4, failed=3)
    os.close(ours)
    os.close(theirs)


def test_the_last_line_is_written_in_full_however_long() -> None:
    ours, theirs = os.pipe()
    steps = [{"between_ns": i, "and_ns": i, "by_ns": i} for i in range(20_000)]
    teller = Teller(theirs, ManualClock())
    teller.observe(an_attempt())
    telling = threading.Thread(target=teller.end, args=(0, ""), kwargs={"clock": {"steps": steps}})
    telling.start()
    with os.fdopen(ours, "rb") as listening:
        going, last = listening.readline(), listening.readline()
    telling.join()
    os.close(theirs)
    assert msgspec.json.decode(going, type=Going | Ended) == Going(done=1, failed=0)
    expected = Ended(exit_code=0, message="", done=1, failed=0, clock={"steps": steps})
    assert msgspec.json.decode(last, type=Going | Ended) == expected


def test_a_worker_whose_run_has_died_ends_without_a_word() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    teller = Teller(theirs, ManualClock(start_ns=1))
    teller.observe(an_attempt())
    teller.end(130, "interrupted")
    os.close(theirs)

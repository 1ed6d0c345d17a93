"""The journal that several processes write: every append is whole, whoever dies beside it."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import IncompleteRunError
from harness.model.record import Attempt
from harness.model.sharedjournal import SharedJournal
from harness.model.storage import ATTEMPTS, STREAMS, RunWriter, StoredRun, load_run
from tests.model.runs import a_header, an_attempt
from tests.model.strategies import values_of

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from pathlib import Path
from harness.model.sharedjournal import SharedJournal
from tests.model.runs import an_attempt

worker, count = int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with SharedJournal(Path(sys.argv[1])) as journal:
    for repeat in range(count):
        journal.append(an_attempt(repeat, block=worker), b"%d/%d;" % (worker, repeat) * (repeat % 50))
"""

HOLDER = """
import fcntl, sys
with open(sys.argv[1]) as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with RunWriter(tmp_path / "r", a_header()) as writer:
        return writer.folder


@contextmanager
def writers(folder: Path, *counts: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start a process per count of appends; all begin together."""
    with ExitStack() as stack:
        processes = []
        for worker, count in enumerate(counts):
            words = [sys.executable, "-c", WRITER, str(folder), str(worker), str(count)]
            process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()
        yield processes


def assert_whole(run: StoredRun) -> None:
    assert run.notes == ()
    for attempt in run.attempts:
        assert run.wire(attempt) == b"%d/%d;" % (attempt.block, attempt.key.repeat) * (attempt.key.repeat % 50)


def test_thousands_of_appends_of_several_processes_are_all_whole(folder: Path) -> None:
    with writers(folder, 1500, 1500, 1500) as processes:
        assert [process.wait(60) for process in processes] == [0, 0, 0]
    run = load_run(folder)
    assert_whole(run)
    assert Counter((attempt.block, attempt.key.repeat) for attempt in run.attempts) == Counter(
        {(worker, repeat): 1 for worker in range(3) for repeat in range(1500)}
    )
    order = [attempt.block for attempt in run.attempts]
    assert sum(one != other for one, other in pairwise(order)) > 2  # they did take turns


def test_a_process_that_is_killed_takes_no_other_line_with_it(folder: Path) -> None:
    with writers(folder, 10**9, 1500) as (victim, other):
        while (folder / ATTEMPTS).read_bytes().count(b'"block":0') < 200:
            assert victim.poll() is None
        victim.kill()
        assert (victim.wait(60), other.wait(60)) == (-signal.SIGKILL, 0)
    run = load_run(folder)
    of_other = sorted(attempt.key.repeat for attempt in run.attempts if attempt.block == 1)
    assert of_other == list(range(1500))
    assert sum(attempt.block == 0 for attempt in run.attempts) >= 200
    assert len(run.notes) <= 1  # a line that the kill tore


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_torn_line_is_named_and_swallows_none_that_follows(folder: Path, kept: int) -> None:
    with SharedJournal(folder) as one, SharedJournal(folder) as other:
        one.append(an_attempt(0), b"wire0")
        whole = (folder / ATTEMPTS).read_bytes()
        with (folder / ATTEMPTS).open("ab") as torn:
            torn.write(whole[:kept])
        other.append(an_attempt(1), b"wire1")
        one.append(an_attempt(2), b"wire2")
    run = load_run(folder)
    is_whole = kept == -1  # a line that lacked its end only
    assert [attempt.key.repeat for attempt in run.attempts] == ([0, 0, 1, 2] if is_whole else [0, 1, 2])
    assert [run.wire(attempt) for attempt in run.attempts][-2:] == [b"wire1", b"wire2"]
    assert [f"line 2 (byte {len(whole)}) is damaged" in note for note in run.notes] == ([] if is_whole else [True])


def test_bytes_that_no_line_points_to_are_passed_over(folder: Path) -> None:
    with SharedJournal(folder) as journal:
        journal.append(an_attempt(0), b"wire0")
        with (folder / STREAMS).open("ab") as streams:
            streams.write(b"of a request whose process died before its line")
        journal.append(an_attempt(1), b"wire1")
    run = load_run(folder)
    assert [run.wire(attempt) for attempt in run.attempts] == [b"wire0", b"wire1"]


def test_an_append_waits_for_the_process_that_has_its_turn_and_no_longer_than_that_lives(folder: Path) -> None:
    words = [sys.executable, "-c", HOLDER, str(folder / STREAMS)]
    holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder, SharedJournal(folder) as journal:
        assert holder.stdout is not None
        holder.stdout.readline()
        appending = threading.Thread(target=journal.append, args=(an_attempt(), b"wire"))
        appending.start()
        appending.join(0.1)
        assert appending.is_alive()
        assert load_run(folder).attempts == ()
        os.kill(holder.pid, signal.SIGKILL)
        appending.join(30)
    assert len(load_run(folder).attempts) == 1


@given(attempts=st.lists(st.tuples(values_of(Attempt), st.binary(max_size=20), st.booleans()), max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=25)
def test_it_leaves_the_files_that_one_process_would_have_left(
    tmp_path_factory: pytest.TempPathFactory, attempts: Sequence[tuple[Attempt, bytes, bool]]
) -> None:
    alone, shared = (tmp_path_factory.mktemp("any") / name for name in ("alone", "shared"))
    with RunWriter(alone, a_header()) as writer:
        expected = [writer.append(attempt, wire) for attempt, wire, _ in attempts]
    with RunWriter(shared, a_header()), SharedJournal(shared) as one, SharedJournal(shared) as other:
        placed = [(one if is_first else other).append(attempt, wire) for attempt, wire, is_first in attempts]
    assert placed == expected
    for name in (ATTEMPTS, STREAMS):
        assert (shared / name).read_bytes() == (alone / name).read_bytes()


def test_a_journal_that_is_missing_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(IncompleteRunError, match=r"attempts\.jsonl: cannot be written: No such file"):
        SharedJournal(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_ends_the_run_with_a_word_and_lets_go_of_the_turn(folder: Path) -> None:
    with SharedJournal(folder) as journal:
        full = os.open("/dev/full", os.O_RDWR)
        os.dup2(full, journal._attempts.fileno())
        os.close(full)
        with pytest.raises(IncompleteRunError, match=r"cannot write the journal: No space left"):
            journal.append(an_attempt(), b"wire")
        with (folder / STREAMS).open("rb") as streams:
            fcntl.flock(streams, fcntl.LOCK_EX | fcntl.LOCK_NB)

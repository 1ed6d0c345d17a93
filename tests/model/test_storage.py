"""The run folder: nothing that was flushed is lost, nothing torn is used."""

import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import ConfigError, DamagedFileError, IncompleteRunError
from harness.model.appending import GrowingFile
from harness.model.looks import Looked, note_look, read_looks
from harness.model.record import Attempt, Reads, Record, RunStatus, Stamps
from harness.model.storage import (
    ATTEMPTS,
    HEADER,
    LOCK,
    LOOKS,
    RECORDS,
    STREAMS,
    RunWriter,
    load_run,
    lock_run,
    write_atomically,
    write_records,
)
from tests.model.runs import a_header, an_attempt
from tests.model.strategies import values_of


def a_run(folder: Path, n: int = 3) -> Path:
    with RunWriter(folder, a_header()) as writer:
        for repeat in range(n):
            writer.append(an_attempt(repeat), f"wire{repeat}".encode())
        writer.finish(RunStatus.FINISHED, "2026-01-01T00:01:00+00:00")
    return folder


def crc32_by_the_book(content: bytes) -> int:
    """ISO 3309, bit by bit."""
    register = 0xFFFFFFFF
    for byte in content:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    run = load_run(a_run(tmp_path / "r"))
    assert [attempt.key.repeat for attempt in run.attempts] == [0, 1, 2]
    assert [run.wire(attempt) for attempt in run.attempts] == [b"wire0", b"wire1", b"wire2"]
    assert run.header.status is RunStatus.FINISHED
    assert run.notes == ()


def test_a_writer_reads_back_what_it_stored(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", a_header()) as writer:
        stored = [writer.append(an_attempt(n), f"wire{n}".encode()) for n in range(3)]
        assert [writer.wire(attempt) for attempt in reversed(stored)] == [b"wire2", b"wire1", b"wire0"]


def test_every_prefix_of_the_journal_reads_as_a_prefix_of_its_attempts(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    whole = (folder / ATTEMPTS).read_bytes()
    counts = []
    for end in range(len(whole) + 1):
        (folder / ATTEMPTS).write_bytes(whole[:end])
        run = load_run(folder)
        counts.append(len(run.attempts))
        assert [attempt.key.repeat for attempt in run.attempts] == list(range(len(run.attempts)))
        unfinished = whole[:end].rpartition(b"\n")[2]
        is_torn = bool(unfinished) and unfinished not in whole.splitlines()
        assert bool(run.notes) == is_torn
    assert counts[0] == 0
    assert counts[-1] == 3
    assert counts == sorted(counts)


def test_a_damaged_line_is_named_by_its_byte_and_the_rest_is_used(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    lines = (folder / ATTEMPTS).read_bytes().splitlines(keepends=True)
    lines[1] = b'{"key": 7}\n'
    (folder / ATTEMPTS).write_bytes(b"".join(lines))
    run = load_run(folder)
    assert [attempt.key.repeat for attempt in run.attempts] == [0, 2]
    assert f"line 2 (byte {len(lines[0])})" in run.notes[0]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\r",
        b"a\rb",
        b"\xe2\x80\xa8",
        b"\x0b\x1c",
        b"\xff",
        b"[" * 100_000,
        b'{"key":{"arm":"nobody"}}',
        b"null",
        b"\x00",
    ],
)
def test_a_damaged_line_in_the_middle_is_one_line_whatever_stands_in_it(tmp_path: Path, damage: bytes) -> None:
    folder = a_run(tmp_path / "r")
    lines = (folder / ATTEMPTS).read_bytes().split(b"\n")
    (folder / ATTEMPTS).write_bytes(b"\n".join([lines[0], damage, *lines[1:]]))
    run = load_run(folder)
    assert [attempt.key.repeat for attempt in run.attempts] == [0, 1, 2]
    (note,) = run.notes
    assert note.startswith(f"attempts.jsonl: line 2 (byte {len(lines[0]) + 1}) is damaged (")


def test_a_torn_last_line_is_named_as_torn(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    whole = (folder / ATTEMPTS).read_bytes()
    (folder / ATTEMPTS).write_bytes(whole[:-9])
    run = load_run(folder)
    assert [attempt.key.repeat for attempt in run.attempts] == [0, 1]
    (note,) = run.notes
    assert "line 3" in note
    assert "torn off by the end of the process" in note


@given(attempts=st.lists(st.tuples(values_of(Attempt), st.binary(max_size=20)), max_size=3))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=40)
def test_any_attempts_come_back_from_the_folder_with_their_bytes(
    tmp_path_factory: pytest.TempPathFactory, attempts: list[tuple[Attempt, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("any") / "r"
    with RunWriter(folder, a_header()) as writer:
        placed = [writer.append(attempt, wire) for attempt, wire in attempts]
    run = load_run(folder)
    assert list(run.attempts) == placed
    assert [run.wire(attempt) for attempt in run.attempts] == [wire for _, wire in attempts]
    assert [replace(attempt, offset=0, length=0, crc32=0) for attempt in placed] == [
        replace(attempt, offset=0, length=0, crc32=0) for attempt, _ in attempts
    ]
    assert [attempt.crc32 for attempt in placed] == [crc32_by_the_book(wire) for _, wire in attempts]
    assert run.notes == ()


def test_a_run_is_locked_while_it_is_written_and_not_longer(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    with RunWriter(folder, a_header()), (folder / LOCK).open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (folder / LOCK).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_two_processes_cannot_go_on_with_one_run(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from harness.errors import IncompleteRunError\n"
        "from harness.model.storage import lock_run\n"
        "try: lock_run(Path(sys.argv[1]))\n"
        "except IncompleteRunError as error: sys.exit(str(error))\n"
    )
    folder = a_run(tmp_path / "r")
    words, root = [sys.executable, "-c", script, str(folder)], Path(__file__).resolve().parents[2]
    with lock_run(folder):
        other = subprocess.run(words, cwd=root, check=False, capture_output=True)
    assert other.stderr.decode().strip() == f"{folder}: another process is writing this run"
    assert subprocess.run(words, cwd=root, check=False).returncode == 0


def test_a_reader_s_look_at_the_lock_keeps_nobody_from_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = a_run(tmp_path / "r")
    with (folder / LOCK).open("rb") as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        paused: list[float] = []

        def pause(pause_s: float) -> None:
            paused.append(pause_s)
            reader.close()

        monkeypatch.setattr(time, "sleep", pause)
        lock_run(folder).close()
    assert 0 < sum(paused) < 0.1


def test_a_run_that_is_being_written_can_be_read(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", a_header()) as writer:
        writer.append(an_attempt(), b"wire")
        run = load_run(tmp_path / "r")
        assert (len(run.attempts), run.header.status) == (1, RunStatus.RUNNING)
        assert run.is_being_written
        (note,) = run.notes
        assert "still writing this run" in note
    ended = load_run(tmp_path / "r")
    assert (ended.is_being_written, ended.notes) == (False, ())


def test_without_a_lock_file_nothing_is_said_about_its_writer(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    (folder / LOCK).unlink()
    run = load_run(folder)
    assert (run.is_being_written, run.notes) == (None, ())


def test_a_run_is_written_and_read_where_the_system_has_no_such_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)  # importing it fails, as on Windows
    run = load_run(a_run(tmp_path / "r"))
    assert len(run.attempts) == 3
    assert run.is_being_written is None


def test_the_module_is_imported_where_the_system_has_no_such_lock() -> None:
    script = "import sys; sys.modules['fcntl'] = None; import harness.model.storage"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_the_outputs_exist_before_anything_is_sent(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", a_header()):
        assert {file.name for file in (tmp_path / "r").iterdir()} == {HEADER, ATTEMPTS, STREAMS, LOCK}


def test_records_are_written_in_one_step_and_can_be_made_again(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    record = Record(key=an_attempt().key, attempt=1, block=0, stamps=Stamps(intended_at_ns=1))
    for n in (3, 1):
        write_records(folder, (record,) * n)
        lines = (folder / RECORDS).read_bytes().splitlines()
        assert [msgspec.json.decode(line, type=Record) for line in lines] == [record] * n


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(IncompleteRunError, match=r"taken: cannot be written: "):
        write_atomically(tmp_path / "taken", b"x")
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"cannot create the run folder: .* Choose another --out"):
        RunWriter(tmp_path / "file" / "r", a_header())


def test_an_attempt_without_its_bytes_is_left_out_and_named(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    (folder / STREAMS).write_bytes(b"wire0wire1")
    run = load_run(folder)
    assert [attempt.key.repeat for attempt in run.attempts] == [0, 1]
    assert "reference/p/r2" in run.notes[0]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b'{"run_id": 3}', r"\$\.run_id"),
        (b"{}", "run_id"),
        (b"", "truncated"),
        (b"[]", "object"),
        (b'{"run_id": "\xff"}', "damaged"),
        (b'{"golden": ' + b"[" * 100_000, "recursion"),
        (b'{"format_version": "new"}', r"\$\.format_version"),
    ],
)
def test_a_damaged_header_names_the_path_to_the_fault(tmp_path: Path, content: bytes, fault: str) -> None:
    folder = a_run(tmp_path / "r")
    (folder / HEADER).write_bytes(content)
    with pytest.raises(DamagedFileError, match=rf"run\.json: damaged: .*{fault}.*|run\.json: {fault}"):
        load_run(folder)


def test_a_newer_format_is_refused_with_the_remedy(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    header = msgspec.json.decode((folder / HEADER).read_bytes())
    header["format_version"] = 99
    header["plan"] = header.pop("arms")  # whatever a later format means by it
    (folder / HEADER).write_bytes(msgspec.json.encode(header))
    with pytest.raises(ConfigError, match=r"format 99 .* Upgrade"):
        load_run(folder)


def test_an_existing_run_is_never_written_over(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    with pytest.raises(ConfigError, match="exists already"):
        RunWriter(folder, a_header())


def test_a_folder_without_a_run_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a run folder"):
        load_run(tmp_path)


@contextmanager
def a_full_disk(room: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes; the kernel writes what still fits."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("lacking", [1, 5, 300])
def test_a_full_disk_ends_the_run_with_a_word_and_leaves_nothing_torn(tmp_path: Path, lacking: int) -> None:
    """Once there is room again, the same writer goes on where the last whole attempt ended."""
    with RunWriter(tmp_path / "r", a_header()) as writer:
        writer.append(an_attempt(0), b"wire0" * 200)
        n_lines, n_bytes = (tmp_path / "r" / ATTEMPTS).stat().st_size, (tmp_path / "r" / STREAMS).stat().st_size
        with (
            a_full_disk(n_bytes + 400 - lacking),
            pytest.raises(IncompleteRunError, match="cannot write the journal: "),
        ):
            writer.append(an_attempt(1), b"wire1" * 80)
        sizes = [(tmp_path / "r" / name).stat().st_size for name in (ATTEMPTS, STREAMS)]
        assert sizes == [n_lines, n_bytes]
        writer.append(an_attempt(2), b"wire2")
    run = load_run(tmp_path / "r")
    assert [(attempt.key.repeat, run.wire(attempt)) for attempt in run.attempts] == [
        (0, b"wire0" * 200),
        (2, b"wire2"),
    ]
    assert run.notes == ()


def test_a_line_that_finds_no_room_leaves_bytes_that_nobody_points_to(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", a_header()) as writer:
        for repeat in range(3):
            writer.append(an_attempt(repeat), b"w")
        n_lines = (tmp_path / "r" / ATTEMPTS).stat().st_size
        with a_full_disk(n_lines + 20), pytest.raises(IncompleteRunError, match="cannot write the journal: "):
            writer.append(an_attempt(3), b"lost")
        assert (tmp_path / "r" / ATTEMPTS).stat().st_size == n_lines
        assert (tmp_path / "r" / STREAMS).read_bytes() == b"wwwlost"
        writer.append(an_attempt(4), b"kept")
    run = load_run(tmp_path / "r")
    assert [run.wire(attempt) for attempt in run.attempts] == [b"w", b"w", b"w", b"kept"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_the_systems_word_on_a_full_disk_is_passed_on(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "r", a_header()) as writer:
        writer._streams.close()
        writer._streams = GrowingFile(Path("/dev/full"))
        with pytest.raises(IncompleteRunError, match="No space left"):
            writer.append(an_attempt(), b"wire")
    assert writer._lock.closed


def test_a_byte_that_changed_in_the_flight_recorder_costs_its_attempt_and_no_other(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    wires = bytearray((folder / STREAMS).read_bytes())
    wires[7] ^= 1  # of wire1, at 5 to 10
    (folder / STREAMS).write_bytes(wires)
    run = load_run(folder)
    assert [attempt.key.repeat for attempt in run.attempts] == [0, 2]
    assert run.notes == ("streams.bin: the bytes of reference/p/r1 (5 to 10) are damaged; that attempt is left out",)


def test_bytes_of_a_version_that_kept_no_checksum_are_taken_as_they_are(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    lines = [msgspec.json.decode(line) for line in (folder / ATTEMPTS).read_bytes().splitlines()]
    (folder / ATTEMPTS).write_bytes(
        b"".join(msgspec.json.encode({k: v for k, v in line.items() if k != "crc32"}) + b"\n" for line in lines)
    )
    (folder / STREAMS).write_bytes(b"WIRE0wire1wire2")
    assert len(load_run(folder).attempts) == 3


def test_a_line_of_another_place_than_the_recorder_has_is_named(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r", 1)
    (line,) = (folder / ATTEMPTS).read_bytes().splitlines()
    (folder / ATTEMPTS).write_bytes(msgspec.json.encode({**msgspec.json.decode(line), "offset": -3}) + b"\n")
    run = load_run(folder)
    assert run.attempts == ()
    assert "(-3 to 2) are no part of it" in run.notes[0]


def test_a_damaged_line_of_the_looks_is_named_by_its_byte(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "r")
    for n in (60, 120):
        note_look(folder, Looked(at="t", n_attempts=n, verdict="INCONCLUSIVE"))
    assert load_run(folder).notes == ()
    looks = (folder / LOOKS).read_bytes()
    (folder / LOOKS).write_bytes(looks.replace(b'{"at"', b'{"a', 1))
    (note,) = load_run(folder).notes
    assert note.startswith("looks.jsonl: line 2 (byte 1) is damaged (")
    assert [looked.n_attempts for looked in read_looks(folder)] == [120]


def test_a_header_is_on_the_disk_before_anything_is_sent_and_the_journal_before_the_run_counts_as_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name.removesuffix(f".{os.getpid()}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    with RunWriter(tmp_path / "r", a_header()) as writer:
        assert synced == [f".{HEADER}", "r"]
        writer.append(an_attempt(), b"wire")
        assert synced == [f".{HEADER}", "r"]  # none in between: it would hold the requests up
        writer.finish(RunStatus.FINISHED, "2026-01-01T00:01:00+00:00")
    assert synced[2:] == [STREAMS, ATTEMPTS, f".{HEADER}", "r"]


def test_kill_9_loses_at_most_what_was_in_flight(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from harness.model.storage import RunWriter\n"
        "from tests.model.runs import a_header, an_attempt\n"
        "writer = RunWriter(Path(sys.argv[1]), a_header())\n"
        "for repeat in range(5): writer.append(an_attempt(repeat), b'wire')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    folder = tmp_path / "r"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(folder)], cwd=root, env={**os.environ}, check=False)
    assert done.returncode == -signal.SIGKILL
    run = load_run(folder)
    assert len(run.attempts) == 5
    assert run.header.status is RunStatus.RUNNING


instants = st.integers(min_value=0, max_value=2**62)


@given(
    reads=st.lists(st.tuples(instants, instants, st.integers(0, 2**31), st.sampled_from("ku")), max_size=20),
    headers=st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=4),
    sent=st.none() | instants,
)
def test_writing_then_reading_an_attempt_is_the_identity(
    reads: list[tuple[int, int, int, str]], headers: dict[str, str], sent: int | None
) -> None:
    columns = tuple(zip(*reads, strict=True)) or ((), (), (), ())
    attempt = an_attempt(
        headers=headers,
        sent_at_ns=sent,
        reads=Reads(at_ns=columns[0], seen_at_ns=columns[1], n_bytes=columns[2], source="".join(columns[3])),
    )
    assert msgspec.json.decode(msgspec.json.encode(attempt), type=Attempt) == attempt

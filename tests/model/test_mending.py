"""A journal that a killed process left, made fit to be appended to; and parts on one time line."""

import os
import random
from pathlib import Path

import pytest

from harness.model.looks import Looked, OtherRun, n_judgeable, note_look, read_looks, which_look
from harness.model.mending import mend_journal
from harness.model.record import Arm, Attempt, Failure, FailureKind, Reads, RequestKey
from harness.model.storage import ATTEMPTS, STREAMS, RunWriter, load_run, lock_run
from harness.model.timeline import on_one_line
from tests.model.runs import a_header, an_attempt


def _wire(repeat: int) -> bytes:
    return bytes([65 + repeat]) * (20 + repeat)


def _written(folder: Path, n: int = 8) -> Path:
    with RunWriter(folder, a_header()) as writer:
        for repeat in range(n):
            writer.append(an_attempt(repeat), _wire(repeat))
    return folder


def _resume(folder: Path, n: int = 8) -> None:
    """Send again what is not on record, as a resumed run does."""
    lock = lock_run(folder)
    mend_journal(folder)
    done = {attempt.key.repeat for attempt in load_run(folder).attempts}
    with RunWriter(folder, a_header(), lock=lock) as writer:
        for repeat in sorted(set(range(n)) - done):
            writer.append(an_attempt(repeat, part=1), _wire(repeat))


def test_a_mended_journal_is_on_the_disk_before_it_takes_the_old_one_s_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, synced = _written(tmp_path / "r", 3), []
    (folder / ATTEMPTS).write_bytes((folder / ATTEMPTS).read_bytes()[:-9])
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    assert mend_journal(folder)
    assert synced == [(folder / ATTEMPTS).stat().st_ino, folder.stat().st_ino]


@pytest.mark.parametrize("seed", range(40))
def test_a_journal_cut_anywhere_loses_nothing_and_doubles_nothing_once_resumed(seed: int, tmp_path: Path) -> None:
    folder, chance = _written(tmp_path / "r"), random.Random(seed)
    for name in (ATTEMPTS, STREAMS):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: chance.randrange(len(content) + 1)] if chance.random() < 0.8 else content)
    _resume(folder)
    run = load_run(folder)
    assert sorted(attempt.key.repeat for attempt in run.attempts) == list(range(8))
    assert all(run.wire(attempt) == _wire(attempt.key.repeat) for attempt in run.attempts)
    assert not [note for note in run.notes if "another process" not in note]


def test_what_was_taken_out_is_said_and_a_damaged_line_in_the_middle_stays_named(tmp_path: Path) -> None:
    folder = _written(tmp_path / "r", 3)
    lines = (folder / ATTEMPTS).read_bytes().splitlines(keepends=True)
    (folder / ATTEMPTS).write_bytes(lines[0] + b'{"key":\n' + lines[2][:-30])
    assert [note.split(";")[0] for note in mend_journal(folder)] == [
        "attempts.jsonl: line 3 was torn off by the end of the process"
    ]
    _resume(folder, 3)
    run = load_run(folder)
    assert sorted(attempt.key.repeat for attempt in run.attempts) == [0, 1, 2]
    assert [note for note in run.notes if "line 2" in note]


def test_what_a_dead_process_left_of_a_replaced_header_is_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = _written(tmp_path / "r", 2)
    for name in (".run.json.17", ".attempts.jsonl.17", ".verdict.json.17"):  # a report may be writing the last
        (folder / name).write_bytes(b"half")
    before = {file.name for file in folder.iterdir()}
    mend_journal(folder)
    assert before - {file.name for file in folder.iterdir()} == {".run.json.17", ".attempts.jsonl.17"}


def test_a_whole_last_line_without_its_end_is_kept(tmp_path: Path) -> None:
    folder = _written(tmp_path / "r", 2)
    (folder / ATTEMPTS).write_bytes((folder / ATTEMPTS).read_bytes()[:-1])
    assert mend_journal(folder) == ()
    assert (folder / ATTEMPTS).read_bytes().count(b"\n") == 2


def test_a_run_that_lists_no_parts_was_made_in_one() -> None:
    (part,) = a_header(status="finished", ended_at="2026-01-01T00:01:00+00:00").all_parts
    assert (part.status, part.look, part.ended_at) == ("finished", 1, "2026-01-01T00:01:00+00:00")


def _at(part: int, sent_ns: int, repeat: int, level: int = 0, *, is_warmup: bool = False) -> Attempt:
    key = RequestKey(arm=Arm.REFERENCE, prompt_id="p", repeat=repeat, level=level, is_warmup=is_warmup)
    reads = Reads(at_ns=(sent_ns + 5,), seen_at_ns=(sent_ns + 6,), n_bytes=(1,), source="k")
    instants = {"intended_at_ns": sent_ns - 2, "admitted_at_ns": sent_ns - 1, "sent_at_ns": sent_ns}
    return an_attempt(repeat, key=key, part=part, ended_at_ns=sent_ns + 10, reads=reads, **instants)


def test_parts_follow_each_other_level_by_level_without_a_pause() -> None:
    first = [_at(0, 100, 0, is_warmup=True), _at(0, 200, 0), _at(0, 300, 0, level=1)]
    second = [_at(1, 7, 1, is_warmup=True), _at(1, 50, 1), _at(1, 90, 1, level=1)]  # another boot: its clock is younger
    sent = {(a.key.level, a.key.is_warmup, a.part): a.sent_at_ns for a in on_one_line([*first, *second])}
    # by hand: each segment takes 12 ns from intended to ended, and begins where the one before ended
    assert sent == {
        (0, True, 0): 100,
        (0, True, 1): 112,
        (0, False, 0): 124,
        (0, False, 1): 136,
        (1, False, 0): 148,
        (1, False, 1): 160,
    }


def test_a_run_in_one_part_keeps_its_instants() -> None:
    attempts = [_at(0, 100, 0), _at(0, 500, 1)]
    assert on_one_line(attempts) == tuple(attempts)


def test_a_later_state_of_the_data_is_a_later_look_and_the_same_state_is_not(tmp_path: Path) -> None:
    assert which_look(tmp_path, 60) == 1
    for _ in range(2):
        note_look(tmp_path, Looked(at="t", n_attempts=60, verdict="INCONCLUSIVE"))
    assert len(read_looks(tmp_path)) == 1
    assert which_look(tmp_path, 60) == 1
    assert which_look(tmp_path, 120) == 2
    note_look(tmp_path, Looked(at="t", n_attempts=120, verdict="PASS"))
    assert [which_look(tmp_path, n) for n in (60, 120, 121)] == [1, 2, 3]


def test_the_same_requests_beside_another_run_are_another_state(tmp_path: Path) -> None:
    pair = ("m at here", "m at there")
    others = [OtherRun(run_id=f"run {i}", n_attempts=60) for i in range(3)]  # a blank in an id must not tear the line
    for other in others[:2]:
        note_look(tmp_path, Looked(at="t", n_attempts=60, verdict="PASS", other=other, endpoints=pair))
    assert [which_look(tmp_path, 60, other, pair) for other in others] == [1, 2, 3]
    assert which_look(tmp_path, 60, others[2], ("m at elsewhere", "m at here")) == 1  # another question
    note_look(tmp_path, Looked(at="t", n_attempts=60, verdict="PASS"))  # of a version that named no endpoints
    assert which_look(tmp_path, 60, others[2], ("m at elsewhere", "m at here")) == 2


def test_warm_ups_and_requests_that_were_cut_are_no_state_of_the_data() -> None:
    cut = an_attempt(1, failure=Failure(kind=FailureKind.CANCELLED, message="stopped"))
    assert n_judgeable((an_attempt(0), cut, _at(0, 100, 0, is_warmup=True))) == 1

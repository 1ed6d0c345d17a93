"""The twin's file: written, read back, damaged."""

from pathlib import Path

from harness.model.record import Arm, Reads
from harness.model.twin import TWIN, TwinLog, TwinStream, read_twin, write_twin

STREAM = TwinStream(
    id="7",
    arm=Arm.CANDIDATE,
    sent_at_ns=1,
    reads=Reads(at_ns=(3, 5), seen_at_ns=(4, 6), n_bytes=(10, 20), source="kk"),
    arrived_at_ns=2,
    written_at_ns=(2, 4),
    written_bytes=(10, 20),
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    log = TwinLog(streams=(STREAM, STREAM), notes=("it ended early",))
    write_twin(tmp_path, log)
    assert read_twin(tmp_path) == log


def test_an_empty_file_means_that_a_twin_was_asked_for(tmp_path: Path) -> None:
    assert read_twin(tmp_path) is None
    write_twin(tmp_path, TwinLog())
    assert (tmp_path / TWIN).read_bytes() == b""
    assert read_twin(tmp_path) == TwinLog()


def test_a_damaged_line_is_a_note_and_the_others_count(tmp_path: Path) -> None:
    write_twin(tmp_path, TwinLog(streams=(STREAM,)))
    file = tmp_path / TWIN
    whole = file.read_bytes()
    uneven = whole.replace(b'"written_bytes":[10,20]', b'"written_bytes":[10]')
    assert uneven != whole
    file.write_bytes(whole + b'{"stream":\xff\n' + b"{}\n" + uneven)
    found = read_twin(tmp_path)
    assert found is not None
    assert found.streams == (STREAM,)
    assert [note.split(" (")[0] for note in found.notes] == [f"{TWIN}: line {n} is damaged" for n in (2, 3, 4)]

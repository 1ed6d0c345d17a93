"""The ledger: appended to by whoever measures, merged by git, never silently of two minds."""

import multiprocessing
import subprocess
from pathlib import Path

import msgspec
import pytest

from harness.errors import ConfigError, DamagedFileError
from harness.model.ledger import (
    ATTRIBUTES,
    LEDGER_VERSION,
    Remark,
    append_line,
    comparable_digest,
    differences,
    encode_line,
    entry_sha256,
    read_ledger,
    read_lines,
)
from tests.model.ledgers import PARTS, an_entry, decoding


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history" / "ledger.jsonl"


def ids(file: Path) -> list[str]:
    return [entry.run_id for entry in read_ledger(file).entries]


def test_entries_come_back_in_the_order_of_their_starts(file: Path) -> None:
    later, earlier = an_entry("b", 2), an_entry("a", 1)
    assert append_line(file, later)
    assert append_line(file, earlier)
    assert read_ledger(file).entries == (earlier, later)
    assert len(file.read_bytes().splitlines()) == 2


def test_the_same_line_is_appended_once_and_read_once(file: Path) -> None:
    assert append_line(file, an_entry())
    assert not append_line(file, an_entry())
    file.write_bytes(file.read_bytes() * 2)
    assert ids(file) == ["r1"]


def test_two_lines_that_contradict_are_refused_and_both_are_named(file: Path) -> None:
    append_line(file, an_entry("a"))
    append_line(file, an_entry("b"))
    with file.open("ab") as ledger:
        ledger.write(encode_line(an_entry("a", verdict="PASS")) + b"\n")
    with pytest.raises(DamagedFileError, match="lines 1 and 3 say different things of run a"):
        read_ledger(file)


def test_appending_a_contradiction_changes_nothing(file: Path) -> None:
    append_line(file, an_entry())
    before = file.read_bytes()
    with pytest.raises(DamagedFileError):
        append_line(file, an_entry(timing="VOID"))
    assert file.read_bytes() == before


def test_of_a_run_that_went_on_the_entry_with_the_most_data_counts(file: Path) -> None:
    append_line(file, an_entry(n_requests=80, verdict="PASS"))
    append_line(file, an_entry(n_requests=40, verdict="INCONCLUSIVE"))
    assert [entry.verdict for entry in read_ledger(file).entries] == ["PASS"]


def test_a_torn_line_is_left_out_and_said_and_the_next_one_stands_alone(file: Path) -> None:
    append_line(file, an_entry("a"))
    with file.open("ab") as ledger:
        ledger.write(encode_line(an_entry("b"))[:50])
    append_line(file, an_entry("c", 3))
    assert ids(file) == ["a", "c"]
    assert read_ledger(file).problems == ("line 2 is torn off; it is left out",)


def test_a_line_may_be_torn_anywhere(file: Path) -> None:
    """After the brace of a figure or a side, too; one that has its last brace and nothing behind it is whole."""
    whole = encode_line(decoding("b", 2, 99.0))
    append_line(file, an_entry("a"))
    before = file.read_bytes()
    for n_kept in range(1, len(whole)):
        file.write_bytes(before + whole[:n_kept] + b"\n")
        found = read_ledger(file)
        assert (len(found.entries), len(found.problems)) == (1, 1), whole[:n_kept][-30:]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"type":"run"}', "no line of a ledger"),
        (b'{"type":"run"}}', "no line of a ledger"),
        (b"<<<<<<< HEAD", "merge=union"),
        (b"nonsense", "no line of a ledger"),
        (b'{"type":"else"}', "no line of a ledger"),
        (b'{"type":"run","format_version":99}', "newer than this bench reads"),
    ],
)
def test_what_is_no_line_is_refused_with_its_place(file: Path, line: bytes, words: str) -> None:
    append_line(file, an_entry())
    file.write_bytes(file.read_bytes() + line + b"\n")
    with pytest.raises(ConfigError, match=words) as found:
        read_ledger(file)
    assert found.value.where == f"{file}:2"


def test_no_ledger_is_said_with_a_remedy(file: Path) -> None:
    with pytest.raises(ConfigError, match="--ledger"):
        read_ledger(file)


def test_labels_are_put_on_and_taken_off_and_notes_stay(file: Path) -> None:
    append_line(file, an_entry())
    remarks = (
        Remark(at="2026-01-01", run_id="r1", label="x"),
        Remark(at="2026-01-02", run_id="r1", label="y"),
        Remark(at="2026-01-03", run_id="r1", label="x", is_taken_off=True),
        Remark(at="2026-01-04", run_id="r1", note="odd"),
        Remark(at="2026-01-05", run_id="r1", label="x"),
    )
    for remark in reversed(remarks):  # their instants order them, not the lines
        append_line(file, remark)
    found = read_ledger(file)
    assert found.labels_of("r1") == ("y", "x")
    assert found.notes_of("r1") == ("odd",)
    assert found.labels_of("r2") == ()


def test_a_run_is_found_by_how_it_begins(file: Path) -> None:
    for name in ("20260101-a", "20260101-b", "20260101-bc"):
        append_line(file, an_entry(name))
    found = read_ledger(file)
    assert found.find("20260101-a").run_id == "20260101-a"
    assert found.find("20260101-b").run_id == "20260101-b"  # in full, though another begins so
    for begin, words in (("20260101", "begins 3 runs"), ("x", "no run")):
        with pytest.raises(ConfigError, match=words):
            found.find(begin)


def test_parts_say_what_may_stand_in_one_series() -> None:
    other = {**PARTS, "definitions": "4", "reference.sampling": '{"temperature": 1}'}
    entries = [an_entry("a"), an_entry("b"), an_entry("c", parts=other)]
    assert entries[0].comparable == entries[1].comparable != entries[2].comparable
    assert [str(found) for found in differences(entries)] == [
        "definitions: 3 (2 runs), 4 (1 run)",
        'reference.sampling: none (2 runs), {"temperature": 1} (1 run)',
    ]
    assert differences(entries[:2]) == ()
    assert comparable_digest(dict(reversed(PARTS.items()))) == comparable_digest(PARTS)


def test_an_entry_has_one_encoding_and_survives_it(file: Path) -> None:
    entry = decoding("a", 1, None)
    append_line(file, entry)
    assert read_ledger(file).entries[0] == entry
    assert entry_sha256(read_ledger(file).entries[0]) == entry_sha256(entry)
    assert list(read_lines(file)) == [entry]
    line = file.read_bytes()
    keys = list(msgspec.json.decode(line))
    assert keys == sorted(keys)
    assert msgspec.json.decode(line)["format_version"] == LEDGER_VERSION


def _append_many(file: Path, name: str, n: int) -> None:
    for day in range(n):
        append_line(file, an_entry(f"{name}{day}", 1 + day))


def test_processes_that_append_at_once_lose_nothing(file: Path) -> None:
    fresh = multiprocessing.get_context("spawn")
    writers = [fresh.Process(target=_append_many, args=(file, name, 15)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert len(ids(file)) == 45
    assert read_ledger(file).problems == ()


def git(folder: Path, *words: str) -> str:
    names = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", "-C", str(folder), *names, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def committed(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


@pytest.mark.parametrize("is_begun_before", [True, False])
def test_two_clones_that_both_appended_merge_without_a_conflict(tmp_path: Path, is_begun_before: bool) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    git(one, "init", "-q")
    (one / "README").write_text("x\n", encoding="utf-8")
    if is_begun_before:
        append_line(one / "history/ledger.jsonl", an_entry("common", 1))
    committed(one, "begin")
    git(tmp_path, "clone", "-q", str(one), str(two))
    for clone, day in ((one, 3), (two, 2)):
        append_line(clone / "history/ledger.jsonl", an_entry(clone.name, day))
        append_line(clone / "history/ledger.jsonl", an_entry("both", 5))
        append_line(clone / "history/ledger.jsonl", Remark(at="2026-01-09", run_id=clone.name, label=clone.name))
        committed(clone, clone.name)
    git(two, "pull", "-q", "--no-rebase", "--no-edit")
    merged = read_ledger(two / "history/ledger.jsonl")
    expected = ["two", "one", "both"]
    assert [entry.run_id for entry in merged.entries] == (["common", *expected] if is_begun_before else expected)
    assert merged.labels_of("one") == ("one",)
    assert merged.problems == ()
    git(one, "pull", "-q", "--no-rebase", "--no-edit", str(two), "main")
    assert set(ids(one / "history/ledger.jsonl")) == set(ids(two / "history/ledger.jsonl"))


def test_attributes_of_somebody_else_are_left_alone(file: Path) -> None:
    file.parent.mkdir()
    (file.parent / ATTRIBUTES).write_text("* text\n", encoding="utf-8")
    append_line(file, an_entry())
    assert (file.parent / ATTRIBUTES).read_text(encoding="utf-8") == "* text\n"

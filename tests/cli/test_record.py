"""`bench record`: a run that stands alone is compared with elsewhere, when its endpoint is gone."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.model.goldenfile import load_golden_set
from harness.model.keptrun import read_kept, refuse_changed
from harness.model.ledger import read_ledger
from harness.model.probestorage import load_probing
from harness.model.record import Arm
from harness.model.storage import encode_header, load_header, write_atomically
from tests.cli.files import endpoint_file, exact_repeats
from tests.cli.recordedrun import write_run
from tests.cli.simulated import Bench, Outcome
from tests.model.probings import a_folder, a_report, a_result

TIMINGS = {"ttft_p50", "ttft_p95", "decode_p50", "decode_p5", "e2e_p50"}


def bench(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    run: Path
    shown: Result
    later: Outcome  # compared elsewhere
    ledger: Path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    here = Bench(folder=tmp_path_factory.mktemp("here"))
    ledger = here.folder / "ledger.jsonl"
    settings = ("--settings", str(exact_repeats(here.folder)), "--repeats", "3")
    out = ("--out", here.folder / "results", "--reports", here.folder / "reports", "--ledger", ledger)
    with here.pair({}, {"ttft": {"shape": "lognormal", "median_ms": 60, "sigma": 0.05}}) as (a, b):
        words = ("--golden", here.golden, *settings, "--label", "before", "--note", "it is shut down")
        shown = bench("record", a, *words, *out)
        run = next((here.folder / "results").iterdir())
        elsewhere = Bench(folder=tmp_path_factory.mktemp("elsewhere"))
        moved = elsewhere.folder / "kept"
        shutil.copytree(run, moved)
        _as_if_long_ago(moved)
        assert bench("record", moved).exit_code == 0  # its digests anew: the header was changed on purpose
        later = elsewhere.compare(moved, b, "--ledger", str(ledger))
    return Recorded(run=run, shown=shown, later=later, ledger=ledger)


def _as_if_long_ago(folder: Path) -> None:
    header = load_header(folder)
    text = encode_header(header).replace(header.started_at.encode(), b"2020-01-01T00:00:00+00:00")
    host = header.provenance["host"].encode()
    write_atomically(folder / "run.json", text.replace(host, b"0" * len(host)))


def test_the_folder_holds_all_that_a_comparison_needs(recorded: Recorded) -> None:
    assert recorded.shown.exit_code == 0, recorded.shown.output
    kept = read_kept(recorded.run)
    assert kept is not None
    assert (kept.labels, kept.note) == (("before",), "it is shut down")
    assert load_golden_set(recorded.run / "golden.yml").sha256 == kept.golden_sha256
    readme = (recorded.run / "README.md").read_text(encoding="utf-8")
    for said in ("it is shut down", "bench compare", kept.files["streams.bin"], "before", "--recorded-timings"):
        assert said in readme
    assert str(recorded.run.parent) not in readme
    refuse_changed(recorded.run)


def test_the_ledger_has_the_run_with_its_label_and_note(recorded: Recorded) -> None:
    found = read_ledger(recorded.ledger)
    names = [recorded.run.name, f"{recorded.later.run.name}-against-{recorded.run.name}"]
    assert [entry.run_id for entry in found.entries] == names
    assert found.labels_of(recorded.run.name) == ("before",)
    assert found.notes_of(recorded.run.name) == ("it is shut down",)


def test_elsewhere_time_and_place_are_said_and_timings_do_not_decide(recorded: Recorded) -> None:
    summary = recorded.later.summary
    told = " ".join(recorded.later.output.split())
    assert "WARNING: The sides were not measured together" in told
    assert "from another machine" in told
    assert any("days before the candidate (2020-01-01" in note for note in summary["notes"])
    assert {gate["id"] for gate in summary["gates"] if gate["is_required"]} & TIMINGS == set()
    assert recorded.later.exit_code in {0, 3}  # five times the wait is shown, and fails nothing
    page = recorded.later.report.read_text(encoding="utf-8")
    assert "The sides were not measured together" in page
    assert (
        recorded.later.gate("request_success")["n_reference"] == recorded.later.gate("request_success")["n_candidate"]
    )


@pytest.mark.parametrize("is_asked", [True, False])
def test_they_decide_where_that_is_asked(tmp_path: Path, is_asked: bool) -> None:
    old = write_run(tmp_path / "old", [Arm.REFERENCE], started_at="2025-06-01T00:00:00+00:00")
    new = write_run(tmp_path / "new", [Arm.CANDIDATE])
    shown = bench("compare", old, new, "--reports", tmp_path, "--json", *["--recorded-timings"] * is_asked)
    summary = json.loads(shown.stdout.splitlines()[-1])
    deciding = {gate["id"] for gate in summary["gates"] if gate["is_required"] or gate["demoted_because"]}
    assert deciding & TIMINGS == (TIMINGS if is_asked else set())
    assert is_asked == any("decide all the same" in note for note in summary["notes"])


def test_a_new_run_against_it_is_at_its_first_look(recorded: Recorded) -> None:
    entry = next(entry for entry in read_ledger(recorded.ledger).entries if entry.kind == "compare")
    assert entry.look == 1
    assert {side.arm for side in entry.sides} == {Arm.REFERENCE, Arm.CANDIDATE}
    assert entry.side(Arm.REFERENCE).started_at.startswith("2020")  # type: ignore[union-attr]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "r1", [Arm.REFERENCE])


def test_a_run_that_is_there_is_made_to_stand_alone(run: Path, tmp_path: Path) -> None:
    shown = bench("record", run, "--label", "x", "--out", tmp_path)
    assert shown.exit_code == 0, shown.output
    assert bench("record", run, "--label", "y", "--out", tmp_path).exit_code == 0
    kept = read_kept(run)
    assert kept is not None
    assert kept.labels == ("x", "y")


def test_evidence_that_was_changed_is_refused(run: Path, tmp_path: Path) -> None:
    bench("record", run, "--out", tmp_path)
    with (run / "streams.bin").open("ab") as streams:
        streams.write(b"x")
    other = write_run(tmp_path / "other", [Arm.REFERENCE])
    shown = bench("compare", run, other, "--reports", tmp_path / "reports")
    assert shown.exit_code == 2
    assert "streams.bin: not what was recorded" in shown.output


def test_an_unfinished_run_is_not_kept(run: Path, tmp_path: Path) -> None:
    text = (run / "run.json").read_bytes().replace(b'"finished"', b'"interrupted"')
    (run / "run.json").write_bytes(text)
    shown = bench("record", run, "--out", tmp_path)
    assert shown.exit_code == 2
    assert "--resume" in shown.output


def test_a_run_that_failed_is_no_reference(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "r1", [Arm.CANDIDATE])  # one of six requests was lost
    shown = bench("record", folder, "--out", tmp_path)
    assert shown.exit_code == 4
    assert "NOT A REFERENCE: 1 of 6 requests were lost, more than the 5 %" in " ".join(shown.output.split())


def test_timings_of_one_run_need_no_option(tmp_path: Path) -> None:
    sides = [endpoint_file(tmp_path, name, "http://127.0.0.1:9/v1") for name in "ab"]
    shown = bench("compare", *sides, "--recorded-timings", "--out", tmp_path / "results")
    assert shown.exit_code == 2
    assert "would have no effect" in shown.output


def test_probes_of_this_very_endpoint_are_kept_with_it(run: Path, tmp_path: Path) -> None:
    own = load_header(run).arms[0].endpoint
    out = tmp_path / "out"
    a_folder(out, a_report(a_result(), endpoint=own, probing_id="own-probe"), b"HTTP/1.1 200 OK\r\n\r\n")
    a_folder(out, a_report(a_result(), endpoint={**own, "model": "another"}, probing_id="other-probe"))
    for _ in range(2):  # a second call keeps what is there
        assert bench("record", run, "--out", out).exit_code == 0
    kept = read_kept(run)
    assert kept is not None
    assert kept.probes == ("own-probe",)
    assert load_probing(run / "probes" / "own-probe").report.results == (a_result(),)
    assert "own-probe" in (run / "README.md").read_text(encoding="utf-8")

"""`bench bundle`, `bench verify` of what it wrote, and `bench recompute`."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.analysis.estimators import ESTIMATORS
from harness.cli import main
from harness.model.bundle import MANIFEST
from harness.model.digest import plan_sha256
from harness.model.goldenfile import load_golden_set
from harness.model.record import Arm
from harness.model.storage import load_header
from tests.cli.published import RECORDED, bench, copied, edit, files, refused
from tests.cli.recordedrun import write_run


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundled") / "run.zip"
    assert bench("bundle", RECORDED, "-o", out).exit_code == 0
    return out


def rewritten(archive: Path, out: Path, name: str, content: bytes) -> Path:
    """Write the archive once more with another content of one file."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, content if entry.filename == name else old.read(entry))
    return out


def test_an_archive_holds_the_run_its_golden_set_and_every_digest(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        manifest = json.loads(opened.read(MANIFEST))
        (tmp_path / "golden.yml").write_bytes(opened.read("golden.yml"))
    inside = {f"runs/{RECORDED.name}/{file.name}" for file in RECORDED.iterdir()}
    assert set(names) == {MANIFEST, "SHA256SUMS", "README.txt", "golden.yml", *inside}
    assert {one["path"] for one in manifest["files"]} == set(names) - {MANIFEST, "SHA256SUMS"}
    assert load_golden_set(tmp_path / "golden.yml").sha256 == manifest["golden_sha256"]
    assert (manifest["run_id"], manifest["definitions"]) == (RECORDED.name, ESTIMATORS)


def test_a_stranger_verifies_it_and_judges_it_again(archive: Path) -> None:
    shown = bench("verify", archive)
    assert shown.exit_code == 0
    assert "6 files" not in shown.stdout
    assert f"judged again under definitions {ESTIMATORS}: INCONCLUSIVE; every number is the same" in shown.stdout


def test_packing_reads_only_what_a_run_leaves(tmp_path: Path) -> None:
    run = copied(tmp_path)
    (run / "run.lock").touch()
    (run / ".env").write_text("KEY=sk-canary")
    shown = bench("bundle", run, "-o", tmp_path / "x.tar.gz")
    assert "left out of" in shown.stderr
    assert ".env" in shown.stderr
    assert "run.lock" not in shown.stderr
    again = bench("bundle", RECORDED, "-o", tmp_path / "y.tar.gz")
    assert again.exit_code == 0
    assert (tmp_path / "x.tar.gz").read_bytes() == (tmp_path / "y.tar.gz").read_bytes()
    assert bench("verify", tmp_path / "x.tar.gz").exit_code == 0


def test_a_link_in_a_run_folder_is_not_followed(tmp_path: Path) -> None:
    run = copied(tmp_path)
    (run / "looks.jsonl").unlink()
    (run / "looks.jsonl").symlink_to("/etc/passwd")
    assert "link" in refused("bundle", run, "-o", tmp_path / "x.zip")
    assert files(tmp_path) == {}


def test_a_changed_file_is_named_by_its_digest(archive: Path, tmp_path: Path) -> None:
    name = f"runs/{RECORDED.name}/streams.bin"
    shown = bench("verify", rewritten(archive, tmp_path / "x.zip", name, (RECORDED / "streams.bin").read_bytes()[::-1]))
    assert shown.exit_code == 1
    assert shown.stdout.startswith(f"{name}: ")
    assert "not judged" in shown.stdout


def test_a_number_that_the_bytes_do_not_give_is_named_though_every_digest_is_right(tmp_path: Path) -> None:
    run = copied(tmp_path)
    gates = [gate["id"] for gate in json.loads((run / "verdict.json").read_bytes())["gates"]]
    edit(run / "verdict.json", "gates", gates.index("decode_p50"), "effect", "value", to=1.25)
    edit(run / "verdict.json", "verdict", to="PASS")
    bench("bundle", run, "-o", tmp_path / "x.zip")
    for thing in (tmp_path / "x.zip", run):
        shown = bench("verify", thing)
        assert shown.exit_code == 1
        assert "gates[decode_p50" in shown.stdout
        assert "has 1.25" in shown.stdout
        assert "verdict: " in shown.stdout
        assert shown.stdout.rstrip().endswith("2 differences")


def with_verdict(run: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change verdict.json as a whole, or replace it by what is returned."""
    file = run / "verdict.json"
    content = json.loads(file.read_bytes())
    file.write_text(json.dumps(change(content) or content), encoding="utf-8")


FALSE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "certificate.verdict": lambda summary: summary["certificate"].update(verdict="VOID for timing"),
    "sentence": lambda summary: summary.update(sentence="The candidate is a safe replacement. 9"),
    "verdict": lambda summary: summary.update(verdict="nothing"),
    "gates": lambda summary: summary.update(gates=[]),
    "certificate": lambda summary: {name: summary[name] for name in ("sides", "format_version", "estimators")},
    "format_version": lambda summary: {"sides": summary["sides"]},
}


@pytest.mark.parametrize("number", FALSE)
def test_what_a_verdict_states_falsely_or_keeps_quiet_is_named(tmp_path: Path, number: str) -> None:
    run = copied(tmp_path)
    with_verdict(run, FALSE[number])
    shown = bench("verify", run)
    assert shown.exit_code == 1
    assert any(line.startswith(number) for line in shown.stdout.splitlines()), shown.stdout


def test_a_false_sentence_is_named_in_an_archive_too(tmp_path: Path) -> None:
    run = copied(tmp_path)
    with_verdict(run, FALSE["sentence"])
    bench("bundle", run, "-o", tmp_path / "x.zip")
    shown = bench("verify", tmp_path / "x.zip")
    assert (shown.exit_code, shown.stdout.startswith("sentence: ")) == (1, True)


def test_a_verdict_that_says_two_things_is_damaged(tmp_path: Path) -> None:
    run = copied(tmp_path)
    text = (run / "verdict.json").read_text(encoding="utf-8")
    (run / "verdict.json").write_text(text.replace("{", '{"verdict": "PASS", ', 1), encoding="utf-8")
    assert "'verdict' stands twice" in refused("verify", run)


def test_a_verdict_without_definitions_is_not_packed(tmp_path: Path) -> None:
    run = copied(tmp_path)
    with_verdict(run, lambda summary: summary.pop("estimators") and None)
    assert "under which definitions" in refused("bundle", run, "-o", tmp_path / "x.zip")
    assert files(tmp_path) == {}


def test_definitions_of_the_manifest_are_those_of_the_verdict(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        manifest = json.loads(opened.read(MANIFEST))
    other = json.dumps({**manifest, "definitions": None}).encode()
    shown = bench("verify", rewritten(archive, tmp_path / "x.zip", MANIFEST, other))
    assert shown.exit_code == 1
    assert shown.stdout.startswith(f"definitions: {tmp_path / 'x.zip'}: manifest.json has null, the run gives ")


def test_a_golden_set_that_cannot_be_judged_is_refused(tmp_path: Path) -> None:
    run = copied(tmp_path)
    edit(run / "run.json", "golden", "prompts", 1, "checks", 1, "argument", to=-1)
    bench("bundle", run, "-o", tmp_path / "x.zip")
    assert "finish_reason: takes a finish reason" in refused("verify", tmp_path / "x.zip")


def test_a_golden_set_that_is_not_the_plan_s_is_named(tmp_path: Path) -> None:
    run = copied(tmp_path)
    edit(run / "run.json", "golden", "prompts", 1, "intent", to="another")
    bench("bundle", run, "-o", tmp_path / "x.zip")
    shown = bench("verify", tmp_path / "x.zip")
    assert shown.exit_code == 1
    assert shown.stdout.startswith("golden set of the plan: ")
    assert "not judged" in shown.stdout


def test_a_manifest_of_another_run_is_named(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        manifest = json.loads(opened.read(MANIFEST))
    other = json.dumps({**manifest, "plan_sha256": "0"}).encode()
    shown = bench("verify", rewritten(archive, tmp_path / "x.zip", MANIFEST, other))
    assert shown.exit_code == 1
    assert shown.stdout.startswith(f"plan_sha256: {tmp_path / 'x.zip'}: manifest.json has 0, the run gives ")


def test_a_run_that_was_not_judged_can_be_packed_and_its_digests_verified(tmp_path: Path) -> None:
    run = copied(tmp_path)
    (run / "verdict.json").unlink()
    bench("bundle", run, "-o", tmp_path / "x.zip")
    shown = bench("verify", tmp_path / "x.zip")
    assert shown.exit_code == 0
    assert "no verdict.json" in shown.stderr


def test_a_verdict_of_two_runs_takes_both_of_them_along(tmp_path: Path) -> None:
    one = write_run(tmp_path / "results" / "one", [Arm.REFERENCE])
    two = write_run(tmp_path / "results" / "two", [Arm.CANDIDATE], started_at="2026-01-05T00:00:00+00:00")
    for run in (one, two):
        edit(run / "run.json", "plan_sha256", to=plan_sha256(load_header(run).plan))
    CliRunner().invoke(main, ["compare", str(one), str(two), "--quiet", "--reports", str(tmp_path / "reports")])
    assert {side["run_id"] for side in json.loads((two / "verdict.json").read_bytes())["sides"]} == {"one", "two"}
    assert bench("bundle", two, "-o", tmp_path / "x.zip").exit_code == 0
    with zipfile.ZipFile(tmp_path / "x.zip") as opened:
        assert {name.split("/")[1] for name in opened.namelist() if name.startswith("runs/")} == {"one", "two"}
    for thing in (tmp_path / "x.zip", two):
        shown = bench("verify", thing)
        assert (shown.exit_code, "every number is the same" in shown.stdout) == (0, True), shown.output
    one.rename(tmp_path / "one")
    assert "judged together with run one, which is not beside it" in refused("bundle", two, "-o", tmp_path / "y.zip")
    assert bench("verify", two, "--results", tmp_path).exit_code == 0


def test_a_redacted_copy_can_be_packed_and_verified(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    bench("redact", RECORDED, "-o", copy)
    struck = {"kind": "json_schema", "argument": "[9 characters, digest 0]"}  # no schema: a set to be sent is refused
    edit(copy / "run.json", "golden", "prompts", 0, "checks", to=[struck])
    CliRunner().invoke(main, ["report", str(copy), "--quiet", "--reports", str(tmp_path / "reports")])
    packed = bench("bundle", copy, "-o", tmp_path / "x.zip")
    assert (packed.exit_code, packed.stderr, (copy / "verdict.json").exists()) == (0, "", True)
    shown = bench("verify", tmp_path / "x.zip")
    assert (shown.exit_code, "every number is the same" in shown.stdout) == (0, True), shown.output
    assert "a redacted copy" in shown.stderr


def test_a_redacted_copy_that_lost_its_outcomes_is_not_judged_without_them(tmp_path: Path) -> None:
    bench("redact", RECORDED, "-o", tmp_path / "copy")
    (tmp_path / "copy" / "kept.jsonl").unlink()
    assert "outcomes stand in it" in refused("report", tmp_path / "copy", "--reports", tmp_path / "reports")


def test_another_golden_set_beside_a_redacted_copy_is_named_though_every_digest_is_right(tmp_path: Path) -> None:
    bench("redact", RECORDED, "-o", tmp_path / "copy")
    bench("bundle", tmp_path / "copy", "-o", tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as opened:
        text = opened.read("golden.yml").replace(b"(struck out)", b"(was another)")
        manifest = json.loads(opened.read(MANIFEST))
    (entry,) = (one for one in manifest["files"] if one["path"] == "golden.yml")
    entry |= {"sha256": hashlib.sha256(text).hexdigest(), "n_bytes": len(text)}
    other = rewritten(tmp_path / "x.zip", tmp_path / "y.zip", "golden.yml", text)
    shown = bench("verify", rewritten(other, tmp_path / "z.zip", MANIFEST, json.dumps(manifest).encode()))
    assert (shown.exit_code, shown.stdout.startswith("digest of golden.yml: ")) == (1, True), shown.stdout


def test_an_archive_has_a_known_ending_and_a_place(tmp_path: Path) -> None:
    assert "called .zip or .tar.gz" in refused("bundle", RECORDED, "-o", tmp_path / "x.rar")
    assert "its folder does not exist" in refused("bundle", RECORDED, "-o", tmp_path / "no" / "x.zip")
    assert "not a run folder" in refused("bundle", tmp_path, "-o", tmp_path / "x.zip")


def test_recomputing_under_the_same_definitions_moves_nothing(tmp_path: Path) -> None:
    run = copied(tmp_path)
    before = files(run)
    shown = bench("recompute", run)
    assert shown.stdout == f"{run}: definitions {ESTIMATORS}: nothing moved\n"
    assert files(run) == before


def test_recomputing_shows_what_moved_and_writes_only_when_asked(tmp_path: Path) -> None:
    run = copied(tmp_path)
    true = json.loads((run / "verdict.json").read_bytes())
    place = next(
        i for i, one in enumerate(true["tails"]) if (one["metric"], one["arm"]) == ("decode_rate", "candidate")
    )
    value = true["tails"][place]["quantiles"][0]["value"]["value"]
    edit(run / "verdict.json", "tails", place, "quantiles", 0, "value", "value", to=value / 2)
    edit(run / "verdict.json", "estimators", to="2")
    before = files(run)
    shown = bench("recompute", run, "--all")
    assert shown.stdout.startswith(f"{run}: definitions 2 -> {ESTIMATORS}: 2 values moved\n")
    (row,) = (line.split() for line in shown.stdout.splitlines() if "decode_rate" in line)
    assert row[:2] == [f"{value / 2:.6g}", f"{value:.6g}"]
    assert row[2:4] == ["+100.00", "%"]
    assert files(run) == before

    shown = bench("recompute", run, "--write")
    after = files(run)
    assert json.loads(after["verdict.json"]) == true
    (kept,) = after.keys() - before.keys()
    assert kept.startswith("verdict.definitions-2-")
    assert after[kept] == before["verdict.json"]
    assert {name: after[name] for name in before if name != "verdict.json"} == {
        name: content for name, content in before.items() if name != "verdict.json"
    }
    assert kept in shown.stdout
    assert "nothing moved" in bench("recompute", run, "--write").stdout
    assert files(run) == after


def test_recomputing_a_run_without_verdict_says_so_and_writes_nothing(tmp_path: Path) -> None:
    run = copied(tmp_path)
    (run / "verdict.json").unlink()
    (run / "looks.jsonl").unlink()
    before = files(run)
    shown = bench("recompute", run, "--write", "--json")
    (found,) = json.loads(shown.stdout)["recomputed"]
    assert (found["old_definitions"], found["moved"], found["kept"]) == (None, [], None)
    assert files(run) == before

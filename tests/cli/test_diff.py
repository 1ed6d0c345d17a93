"""`bench diff`: the sides' answers to a prompt, and two runs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.model.golden import GoldenSet
from harness.model.record import Arm, RunStatus
from harness.model.storage import encode_header, load_header
from tests.cli.recordedrun import capital, send_late, write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("diff")


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    return write_run(folder / "one")


@pytest.fixture(scope="module")
def other(folder: Path) -> Path:
    """The same requests under another plan, of another set, on another machine, and not to the end."""
    written = write_run(folder / "other", provenance={"cpu": "another CPU", "cpus": 2})
    header = load_header(written)
    golden = GoldenSet(
        name="small",
        prompts=[
            msgspec.structs.replace(capital(), intent="Another."),
            msgspec.convert(header.golden["prompts"][1], type(capital())),
            msgspec.structs.replace(capital(), id="more"),
        ],
    )
    arms = tuple(replace(arm, endpoint={**arm.endpoint, "model": "m2"}) for arm in header.arms)
    changed = replace(
        header,
        golden=msgspec.to_builtins(golden),
        plan=replace(header.plan, load=(8,), seed=2),
        arms=arms,
        status=RunStatus.INTERRUPTED,
    )
    (written / "run.json").write_bytes(encode_header(changed))
    (written / "verdict.json").write_text('{"verdict": "FAIL"}')
    return written


def diff(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, words)])


def told(*words: str | Path) -> str:
    shown = diff(*words)
    assert shown.exit_code == 0, shown.output
    return shown.stdout


def as_json(*words: str | Path) -> Any:
    return json.loads(told(*words, "--json"))


def test_answers_are_counted_and_aligned_where_they_part(run: Path) -> None:
    lines = told(run, "capital").splitlines()
    assert "reference-end (reference): 3 requests, 1 distinct answer" in lines
    assert "candidate-end (candidate): 3 requests, 2 distinct answers" in lines
    assert lines[lines.index("candidate-end (candidate): 3 requests, 2 distinct answers") + 1] == "  2× It is Prague."
    assert lines[-2:] == [
        "the reference's 3× and the candidate's 1× part after 6 characters: [-reference-] {+candidate+}",
        "It is [-Prague.-]{+Brno, |␛[31mred␛[0m⟨U+202E⟩gnp+}",
    ]


def test_json_is_compared_by_path(run: Path) -> None:
    text = told(run, "invoice")
    assert "candidate-end (candidate): 3 requests, 1 failed, 1 distinct answer" in text
    assert text.endswith('by path, reference → candidate\n  $.total: 12 3× → "12" 2×\n')
    found = as_json(run, "invoice")
    assert found["paths"] == [
        {
            "path": "$.total",
            "reference": [{"value": "12", "count": 3}],
            "candidate": [{"value": '"12"', "count": 2}],
        }
    ]
    assert found["candidate"]["n_failed"] == 1
    assert found["difference"]["diverges_at"] == 10


def test_a_run_is_like_itself(run: Path) -> None:
    text = told(run, run)
    assert "Comparable as they are" in text
    for title in ("Settings", "Endpoints", "Golden prompts", "Client"):
        assert f"{title}: nothing differs" in text
    assert "reference  TTFT p50                 50.0 ms (n 6) → 50.0 ms (n 6)  1.00×" in text


def test_two_runs_differ_in_what_is_said_and_nothing_is_refused(run: Path, other: Path) -> None:
    found = as_json(run, other)
    assert (found["verdict_a"], found["verdict_b"]) == (None, "FAIL")
    assert {"path": "reference.model", "a": '"m"', "b": '"m2"'} in found["endpoints"]
    assert {"path": '["as planned"].seed', "a": "1", "b": "2"} in found["settings"]
    assert found["prompts_only_in_b"] == ["more"]
    assert found["prompts_only_in_a"] == []
    assert found["prompts_changed"] == [{"path": "capital.intent", "a": '"A fact is known."', "b": '"Another."'}]
    assert found["provenance"] == [{"path": "cpu", "a": '"some CPU"', "b": '"another CPU"'}]


def test_what_is_not_comparable_is_said_first(run: Path, other: Path) -> None:
    text = told(run, other)
    reasons = text[text.index("Not comparable") : text.index("Figures")]
    for words in (
        "the golden sets differ",
        "the load differs",
        "the clients differ (cpu)",
        "B did not go to the end of its plan (interrupted)",
    ):
        assert words in reasons
    assert "the repeats differ" not in reasons


def test_void_timings_are_named_and_not_compared(run: Path, tmp_path: Path) -> None:
    void = send_late(write_run(tmp_path / "void"))
    lines = told(run, void).splitlines()
    assert lines[0].endswith("no verdict")
    assert lines[1].endswith("no verdict, timings VOID")
    assert "Comparable as they are" not in lines
    (reason,) = [line for line in lines if "VOID (" in line]
    assert reason.startswith("  the timings of B are VOID (sent 49 ms late on both sides (p99, limit ≤ 5 ms)")  # less 2
    assert reason.endswith("no latency and no rate of tokens is compared")
    assert "  reference  TTFT p50                 50.0 ms (n 6) → – (n 6)" in lines
    assert any(line.startswith("  reference  task success") and "–" not in line for line in lines)
    rows = {row["title"]: row for row in as_json(void, void)["figures"]}
    assert (rows["E2E p50"]["a"]["reason"], rows["E2E p50"]["ratio"]) == ("timings do not count", None)


def test_runs_without_a_common_side_say_so(run: Path, tmp_path: Path) -> None:
    alone = write_run(tmp_path / "alone", [Arm.CANDIDATE])
    reference = write_run(tmp_path / "reference", [Arm.REFERENCE])
    assert "the runs have no side in common" in told(alone, reference)
    assert {row["arm"] for row in as_json(run, alone)["figures"]} == {"candidate"}


def test_an_undefined_figure_has_its_reason_and_no_ratio(run: Path) -> None:
    row = next(one for one in as_json(run, run)["figures"] if one["title"] == "decode rate p50")
    assert row["a"]["value"] is None
    assert row["a"]["reason"]
    assert row["ratio"] is None


def test_equal_answers_are_said_to_be_equal(tmp_path: Path) -> None:
    copy = write_run(tmp_path / "copy")
    header = load_header(copy)
    arms = tuple(replace(arm, arm=Arm(arm.arm)) for arm in header.arms)
    (copy / "run.json").write_bytes(encode_header(replace(header, arms=arms)))
    lines = [line for line in (copy / "attempts.jsonl").read_text().splitlines() if "candidate" not in line]
    same = [line.replace('"arm":"reference"', '"arm":"candidate"') for line in lines]
    (copy / "attempts.jsonl").write_text("\n".join([*lines, *same]) + "\n")
    assert told(copy, "capital").endswith("\nthe answers are equal, letter by letter\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["capitol"], "no request of prompt 'capitol' is recorded. Did you mean capital?"),
        (["results/none"], "results/none: no such run folder. Give a folder below results/, or a prompt's id"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(run: Path, words: list[str], message: str) -> None:
    shown = diff(run, *words)
    assert shown.exit_code == 2
    assert message in " ".join(shown.stderr.split())


def test_one_side_has_nothing_to_compare_with(tmp_path: Path) -> None:
    shown = diff(write_run(tmp_path / "alone", [Arm.REFERENCE]), "capital")
    assert shown.exit_code == 2
    assert "Name a second run folder instead of the prompt" in " ".join(shown.stderr.split())

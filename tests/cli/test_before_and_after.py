"""What is said before a run and after it: plan, memo and sabotage as whole commands."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from tests.cli.files import endpoint_file, exact_repeats
from tests.cli.recordedrun import send_late, write_run
from tests.cli.simulated import Bench, Outcome

PRICES = {"input_per_mtok": 2.0, "output_per_mtok": 8.0, "per_request": 0.01}
REPEATS = 6
NOWHERE = "http://127.0.0.1:9/v1"


def bench(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("before-and-after")


@pytest.fixture(scope="module")
def compared(folder: Path) -> Outcome:
    here = Bench(folder=folder)
    with here.pair({}, {}) as (reference, candidate):
        settings = str(exact_repeats(folder))
        return here.compare(reference, candidate, "--repeats", f"{REPEATS}", "--settings", settings)


def planned(folder: Path, *words: str | Path) -> dict[str, Any]:
    sides = [endpoint_file(folder, f"plan-{name}", NOWHERE, prices=PRICES) for name in "ab"]
    golden = Bench(folder=folder).golden
    shown = bench("plan", *sides, "--golden", golden, "--json", *words)
    assert shown.exit_code == 0, shown.output
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def gate(plan: dict[str, Any], gate_id: str) -> dict[str, Any]:
    return next(found for found in plan["gates"] if found["gate"] == gate_id)


def test_a_plan_says_what_each_gate_can_show_and_sends_nothing(tmp_path: Path) -> None:
    found = planned(tmp_path, "--repeats", "3")
    tool = gate(found, "tool_success")
    assert [rate["rate"] for rate in tool["rates"]] == [1.0, 0.97, 0.9]
    chances = [rate["chance_to_pass"] for rate in gate(found, "json_validity")["rates"]]
    assert all(0 <= chance <= 1 for chance in chances)
    assert tool["rates"][0]["chance_to_pass"] == 0  # of perfect sides: too few trials exclude nothing
    assert tool["demoted_because"]  # three prompts, twenty repeats at most: 60 of 73
    assert tool["n"] < tool["needed"]
    assert "8 prompts can never support" in found["never_shown"][0]
    assert found["expected_per_side"]["minutes"]["value"] is None


def test_a_wider_margin_needs_fewer_trials(tmp_path: Path) -> None:
    wide = gate(planned(tmp_path, "--margin", "tool_success=0.2"), "tool_success")
    assert wide["margin"] == 0.2
    assert wide["demoted_because"] is None
    assert wide["needed"] < gate(planned(tmp_path), "tool_success")["needed"]


@pytest.mark.parametrize(
    ("margin", "words"),
    [
        ("nothing=0.1", "no gate is called nothing"),
        ("tool_success=3", "out of range"),
        ("tool_success", "no gate with"),
    ],
)
def test_a_margin_that_cannot_be_is_refused(tmp_path: Path, margin: str, words: str) -> None:
    sides = [endpoint_file(tmp_path, name, NOWHERE) for name in "ab"]
    shown = bench("plan", *sides, "--margin", margin)
    assert shown.exit_code == 2 or "ConfigError" in repr(shown.exception)
    assert words in f"{shown.output} {shown.exception}"


def test_a_plan_from_a_run_uses_its_rates_spread_tokens_and_times(folder: Path, compared: Outcome) -> None:
    found = planned(folder, "--from", compared.run)
    tool = gate(found, "tool_success")
    assert tool["rates"][0] == {**tool["rates"][0], "rate": 1.0, "is_measured": True}
    assert gate(found, "ttft_p50")["ratio"]["is_assumed"] is False
    work = found["expected_per_side"]
    assert work["minutes"]["value"] > 0
    assert work["completion_tokens"]["value"] > 0
    assert not any("assumed" in note for note in found["notes"]) or gate(found, "decode_p50")["ratio"] is None


def test_a_plan_is_a_table_for_people(folder: Path, compared: Outcome) -> None:
    sides = [endpoint_file(folder, f"table-{name}", NOWHERE, prices=PRICES) for name in "ab"]
    shown = bench("plan", *sides, "--golden", Bench(folder=folder).golden, "--from", compared.run)
    assert shown.exit_code == 0, shown.output
    for text in ("Tool-call success", "USD", "min, both sides at once", "can never support", "nothing was sent"):
        assert text in shown.output


def test_a_comparison_leaves_a_memo_beside_its_report(compared: Outcome) -> None:
    memo = compared.report.with_name(f"{compared.report.stem}.memo.html")
    assert compared.summary["verdict"] in memo.read_text(encoding="utf-8")
    assert memo.with_suffix(".md").exists()


def test_a_memo_is_written_again_with_the_verdicts_exit_code(tmp_path: Path, compared: Outcome) -> None:
    shown = bench("memo", compared.run, "--reports", tmp_path)
    assert shown.exit_code == compared.exit_code, shown.output
    assert [Path(line).parent for line in shown.stdout.split()] == [tmp_path, tmp_path]
    assert compared.run.name in next(tmp_path.glob("*.memo.md")).read_text(encoding="utf-8")


def test_a_run_without_a_verdict_has_no_memo(tmp_path: Path) -> None:
    here = Bench(folder=tmp_path)
    with here.serving("alone") as one:
        alone = here.bench("run", str(endpoint_file(tmp_path, "alone", one.base_url)), "--golden", str(here.golden))
    shown = bench("memo", alone.run, "--reports", tmp_path / "memos")
    assert "has no verdict" in f"{shown.output} {shown.exception}"
    assert not (tmp_path / "memos").exists()


def test_sabotage_says_what_the_run_would_have_caught(compared: Outcome) -> None:
    shown = bench("sabotage", compared.run, "--draws", "2", "--json")
    assert shown.exit_code == 0, shown.output
    damages = {damage["id"]: damage for damage in json.loads(shown.stdout)["damages"]}
    assert damages["none"]["verdicts"].get("FAIL", 0) == 0
    assert damages["drop_call_5"]["n_strikable"] == 3 * REPEATS
    assert damages["prose_for_json"]["n_strikable"] == REPEATS
    assert sum(damages["fail"]["verdicts"].values()) == 2


def test_sabotage_of_a_void_run_says_so_before_its_table(tmp_path: Path) -> None:
    void = send_late(write_run(tmp_path / "void"))
    shown = " ".join(bench("sabotage", void, "--draws", "2").output.split())
    assert shown.index("VOID for timing. Timings are void: sent 49 ms late") < shown.index("by which gate")
    assert "no draw can PASS" in shown
    assert "not always: the gates of time, which are VOID" in shown
    assert "TTFT p50 0 %" not in shown
    assert json.loads(bench("sabotage", void, "--draws", "2", "--json").stdout)["void_timing"]


def test_sabotage_is_a_table_for_people(compared: Outcome) -> None:
    shown = bench("sabotage", compared.run, "--draws", "2")
    for text in ("False alarms: 0 of 2", "resamples the reference against itself", "needs a live candidate"):
        assert text in " ".join(shown.output.split())

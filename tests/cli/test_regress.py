"""`bench regress`: exit codes, what is said, what is written, and a rerun on simulated endpoints."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from harness.analysis.ledgerentry import endpoint_parts
from harness.cli import main
from harness.cli.rerunning import refuse_others
from harness.errors import ConfigError
from harness.model.endpointfile import load_endpoint
from harness.model.ledger import LedgerEntry, LedgerPrompt, LedgerSide, append_line, comparable_digest, read_ledger
from harness.model.record import Arm
from harness.model.storage import load_header
from tests.analysis.nightcases import START, a_compared, a_prompt, a_share, a_side, a_timing
from tests.cli.files import endpoint_file, exact_repeats
from tests.cli.simulated import Bench
from tests.model.ledgers import PARTS

WAVE = (0.4, -0.6, 0.1, -0.2, 0.5, -0.4)
GARBAGE: dict[str, Any] = {"degradations": [{"one_of": ["garbage"], "rate": 1}]}


def bench(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def a_ledger(file: Path, *last: float, n: int = 20) -> Path:
    """Write even nights, then nights with these decode rates of the candidate, and make the first the baseline."""
    for place, decode in enumerate([100.0] * n + list(last)):
        told = decode + WAVE[place % 6]
        sides = [_side(Arm.REFERENCE, 100 - WAVE[place % 6]), _side(Arm.CANDIDATE, told)]
        append_line(file, a_compared(place, sides))
    shown = bench("baseline", "set", "run-000", "--reason", "a test", "--by", "me", "--ledger", file)
    assert shown.exit_code == 0, shown.output
    return file


def _side(arm: Arm, decode: float) -> LedgerSide:
    figures = {"decode_p50": a_timing(decode), "ttft_p50": a_timing(0.2), "request_success": a_share(200, 200)}
    return a_side(arm, figures, [a_prompt("long", decode), a_prompt("short", decode)])


def test_an_even_night_is_no_regression(tmp_path: Path) -> None:
    shown = bench("regress", "--ledger", a_ledger(tmp_path / "ledger.jsonl"))
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith("NOTHING: run-019, candidate, against the baseline run-000")
    assert "No regression in 3 figures." in shown.stdout
    assert "cost" not in shown.stdout  # what the runs do not have is left out


def test_a_drop_is_a_suspicion_until_it_is_confirmed(tmp_path: Path) -> None:
    file, page = a_ledger(tmp_path / "ledger.jsonl", 85), tmp_path / "regress.md"
    shown = bench("regress", "--ledger", file, "--markdown", page)
    assert shown.exit_code == 3, shown.output
    assert "Worse than the baseline, and not confirmed: decode rate p50 14.9 % lower." in shown.stdout
    assert "who moved: the candidate moved" in shown.stdout
    assert "2 stand out" in shown.stdout
    assert f"bench regress --confirm a.yml b.yml --ledger {file} --markdown {page}\n" in shown.stdout
    markdown = page.read_text(encoding="utf-8")
    assert "SUSPICION: run-020, candidate, against the baseline run-000" in markdown
    assert "| decode rate p50 | 99.95 tok/s | 85.1 tok/s | 14.9 % lower | 5.0 % lower |" in markdown


def test_the_command_that_confirms_has_what_the_check_had(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    for place in range(21):
        append_line(file, a_compared(place, [_side(Arm.REFERENCE, 100 + WAVE[place % 6] - 20 * (place == 20))]))
    options = ["--ledger", str(file), "--baseline", "run-000", "--threshold", "decode_p50=4", "--threshold"]
    options += ["ttft_p50=7.5", "--repeats", "7", "--load", "1.5,4", "--out", "nights", "--probe"]
    shown = bench("regress", *options, "--quiet")
    assert (shown.exit_code, shown.stdout) == (3, "")
    (said,) = [line for line in bench("regress", *options).stdout.splitlines() if "--confirm" in line]
    words = shlex.split(said.partition(": bench ")[2])
    assert words[:3] == ["regress", "--confirm", "a.yml"]
    meant, given = (main.commands["regress"].make_context("regress", one).params for one in (words[1:], options))
    assert meant == given | {"confirm": True, "endpoints": ("a.yml",)}


def test_other_endpoints_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    file, other = (endpoint_file(tmp_path, name, f"http://127.0.0.1:9/{name}") for name in "ab")
    parts = endpoint_parts(msgspec.to_builtins(load_endpoint(file)))
    of_run = {f"reference.{name}": value for name, value in parts.items()} | {"reference.load": "closed 1"}
    entry = a_compared(3, [_side(Arm.REFERENCE, 100)], parts={**PARTS, **of_run})
    refuse_others([str(file)], entry)
    with pytest.raises(ConfigError, match=r"reference\.address was http://127.0.0.1:9/a, and http://127.0.0.1:9/b is"):
        refuse_others([str(other)], entry)
    recorded = msgspec.structs.replace(entry, parts={**entry.parts, "reference.recorded": "r0"})
    with pytest.raises(ConfigError, match="a side of run-003 was recorded earlier"):
        refuse_others([str(file)], recorded)
    shown = bench(
        *("regress", "--ledger", a_ledger(tmp_path / "ledger.jsonl", 85), "--confirm", file, other),
        *("--out", tmp_path / "results"),
    )
    assert shown.exit_code == 2, shown.output
    assert "these endpoints are not those of run-020" in shown.output
    assert not (tmp_path / "results").exists()


def test_one_line_of_json_holds_all_of_it(tmp_path: Path) -> None:
    shown = bench("regress", "--ledger", a_ledger(tmp_path / "ledger.jsonl", 85), "--json")
    (line,) = shown.stdout.splitlines()
    found = json.loads(line)
    assert (found["word"], found["exit_code"]) == ("SUSPICION", 3)
    (suspicion,) = found["suspicions"]
    assert suspicion["night"]["metric"]["id"] == "decode_p50"
    assert {prompt["prompt_id"] for prompt in suspicion["blame"]["prompts"]} == {"long", "short"}


def test_thresholds_and_figures_are_the_users(tmp_path: Path) -> None:
    file = a_ledger(tmp_path / "ledger.jsonl", 85)
    assert bench("regress", "--ledger", file, "--threshold", "decode_p50=20").exit_code == 0
    assert bench("regress", "--ledger", file, "--figure", "ttft_p50").exit_code == 0
    assert bench("regress", "--ledger", file, "--night", "run-015").exit_code == 0
    assert bench("regress", "--ledger", file, "--threshold", "decode_p50=x").exit_code == 2
    assert bench("regress", "--ledger", file, "--figure", "speed").exit_code == 2
    assert bench("regress", "--ledger", file, "a.yml").exit_code == 2


def test_few_nights_and_the_baseline_itself_are_not_judged(tmp_path: Path) -> None:
    few = bench("regress", "--ledger", a_ledger(tmp_path / "few" / "ledger.jsonl", 85, n=4))
    assert few.exit_code == 3
    assert "NOT JUDGED" in few.stdout
    assert "4 comparable earlier nights have a value, and the variation needs 6" in few.stdout
    (decode,) = [line for line in few.stdout.splitlines() if line.startswith("decode rate p50")]
    assert decode.split()[3:7] == ["100.4", "tok/s", "85.5", "tok/s"]  # WAVE's first and fifth, unjudged
    file = a_ledger(tmp_path / "ledger.jsonl")
    assert bench("regress", "--ledger", file, "--night", "run-000").exit_code == 3


def test_a_night_without_a_value_of_what_is_watched_is_not_judged(tmp_path: Path) -> None:
    file = a_ledger(tmp_path / "ledger.jsonl")
    sides = [_side(Arm.REFERENCE, 100), _side(Arm.CANDIDATE, 80)]
    append_line(file, a_compared(20, sides, timing="VOID", reasons=("the loop was late",)))
    shown = bench("regress", "--ledger", file)
    assert shown.exit_code == 3, shown.output
    assert "NOT JUDGED" in shown.stdout
    assert "Without a value tonight, so not judged: TTFT p50, decode rate p50" in shown.stdout
    assert bench("regress", "--ledger", file, "--figure", "request_success").exit_code == 0


def test_a_cost_has_its_currency(tmp_path: Path) -> None:
    parts = {**PARTS, "reference.currency": "EUR"}
    for place in range(9):
        side = a_side(Arm.REFERENCE, {"cost_per_success": a_timing(0.02), "decode_p50": a_timing(100.0)})
        append_line(
            tmp_path / "ledger.jsonl", a_compared(place, [side], parts=parts, comparable=comparable_digest(parts))
        )
    shown = bench("regress", "--ledger", tmp_path / "ledger.jsonl", "--baseline", "run-000")
    (cost,) = [line for line in shown.stdout.splitlines() if line.startswith("cost per success")]
    assert cost.split()[3:7] == ["0.02", "EUR", "0.02", "EUR"]


def test_an_upgrade_is_refused_by_the_part_that_differs(tmp_path: Path) -> None:
    file = a_ledger(tmp_path / "ledger.jsonl")
    last = read_ledger(file).entries[-1]
    parts = {**last.parts, "definitions": "4"}
    sides = [_side(Arm.REFERENCE, 50), _side(Arm.CANDIDATE, 50)]
    append_line(file, a_compared(30, sides, parts=parts, comparable=comparable_digest(parts), definitions="4"))
    shown = bench("regress", "--ledger", file)
    assert shown.exit_code == 3
    assert "Not comparable with the baseline: definitions differs." in shown.stdout
    assert "bench baseline set run-030 --reason WHY." in shown.stdout
    assert "definitions: 3 (1 run), 4 (1 run)" in shown.stdout
    assert bench("regress", "--ledger", file, "--baseline", "run-000").exit_code == 3


def test_without_a_baseline_it_says_how_to_set_one(tmp_path: Path) -> None:
    append_line(tmp_path / "ledger.jsonl", a_compared(0, [_side(Arm.REFERENCE, 100), _side(Arm.CANDIDATE, 100)]))
    shown = bench("regress", "--ledger", tmp_path / "ledger.jsonl")
    assert shown.exit_code == 2
    assert "bench baseline set RUN --reason WHY" in shown.output


def _before(entry: LedgerEntry, n: int, prompts: Sequence[LedgerPrompt]) -> list[LedgerEntry]:
    """Give earlier nights of a run in which these prompts went so."""
    (side,) = entry.sides
    count = side.figures["task_success"].n
    passed = sum(one.n_passed or 0 for one in prompts)
    figures = {"task_success": a_share(passed, count), "request_success": a_share(count, count)}
    earlier = msgspec.structs.replace(side, prompts=tuple(prompts), figures=figures)
    days = [START.replace(month=place // 28 + 1, day=place % 28 + 1).replace(year=2020) for place in range(n)]
    return [
        msgspec.structs.replace(entry, run_id=f"early-{place:02d}", started_at=day.isoformat(), sides=(earlier,))
        for place, day in enumerate(days)
    ]


@pytest.mark.parametrize(("is_broken", "code"), [(True, 1), (False, 0)])
def test_a_rerun_confirms_what_is_there_and_refutes_what_is_not(tmp_path: Path, is_broken: bool, code: int) -> None:
    """The endpoint answers garbage, or it does not and the ledger's last night says that it had."""
    bed = Bench(folder=tmp_path)
    ledger, exact = tmp_path / "history" / "ledger.jsonl", exact_repeats(tmp_path)
    options: list[str | Path] = ["--settings", exact, "--repeats", "3", "--out", tmp_path / "results"]
    with bed.serving("a", **(GARBAGE if is_broken else {})) as server:
        file = endpoint_file(tmp_path, "a", server.base_url)
        run = bed.bench("run", str(file), "--golden", str(bed.golden), "--ledger", str(ledger), *map(str, options[:4]))
        (tonight,) = read_ledger(ledger).entries
        prompts = [
            msgspec.structs.replace(one, n_passed=0 if one.prompt_id == "metal" else one.n)
            for one in tonight.sides[0].prompts
        ]
        (tmp_path / "forged").mkdir()
        forged = tmp_path / "forged" / "ledger.jsonl"
        for entry in _before(tonight, 12, prompts):
            append_line(forged, entry)
        append_line(forged, tonight if is_broken else _failing(tonight))
        shown = bench(
            *("regress", "--ledger", forged, "--baseline", "early-00", "--threshold", "task_success=50", "--json"),
            *("--figure", "task_success"),
            *("--confirm", file, *options, "--rerun-set", tmp_path / "again.yml"),
        )
    assert shown.exit_code == code, shown.output
    found = json.loads(shown.stdout.splitlines()[-1])
    assert found["word"] == ("REGRESSION" if is_broken else "NOTHING")
    told = next(one for one in found["suspicions"] if one["night"]["metric"]["id"] == "task_success")
    assert told["rerun"]["word"] == ("confirmed" if is_broken else "refuted")
    assert set(told["rerun"]["prompts"]) == {prompt.prompt_id for prompt in prompts} - {"metal"}
    assert (tmp_path / "again.yml").exists()
    assert told["rerun"]["run_id"] != run.run.name
    assert load_header(tmp_path / "results" / told["rerun"]["run_id"]).rerun_of == tonight.run_id
    itself = bench("regress", "--ledger", forged, "--baseline", "early-00", "--rerun", run.run)
    assert itself.exit_code == 2, itself.output
    assert "this run confirms nothing: it is a night of this series itself" in itself.output
    assert len(read_ledger(ledger).entries) == 1  # a rerun is no night of its own


def _failing(entry: LedgerEntry) -> LedgerEntry:
    """Let the prompts with a check fail in a night's line."""
    (side,) = entry.sides
    prompts = [msgspec.structs.replace(one, n_passed=0 if one.n_passed is not None else None) for one in side.prompts]
    figures = {**side.figures, "task_success": a_share(0, side.figures["task_success"].n)}
    return msgspec.structs.replace(
        entry, sides=(msgspec.structs.replace(side, prompts=tuple(prompts), figures=figures),)
    )


def test_what_an_endpoint_said_cannot_act_in_a_terminal(tmp_path: Path) -> None:
    file = a_ledger(tmp_path / "ledger.jsonl")
    sides = [_side(Arm.REFERENCE, 100), _side(Arm.CANDIDATE, 100)]
    append_line(file, a_compared(20, sides, is_valid=False, reasons=("model changed to \x1b[31mred",)))
    shown = bench("regress", "--ledger", file, "--markdown", tmp_path / "page.md")
    assert shown.exit_code == 3
    assert "model changed to \u241b[31mred" in shown.stdout
    assert "\x1b" not in shown.stdout + (tmp_path / "page.md").read_text(encoding="utf-8")

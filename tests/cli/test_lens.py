"""`bench lens`: a table for each figure, per side, and the same as JSON."""

import json
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.cli.lens import _lines
from harness.model.record import Arm
from tests.cli.published import RECORDED, copied
from tests.cli.recordedrun import write_run

TOOLS = ["vLLM bench serve", "SGLang bench_serving", "guidellm", "AIPerf", "inference-perf", "LLMPerf"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("lens") / "hand")


def lens(run: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["lens", str(run), *words])


def sides(run: Path, *words: str) -> Any:
    found = lens(run, *words, "--json")
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)["sides"]


def values(report: Any, family: str) -> list[float | None]:
    return [figure["value"]["value"] for figure in report["figures"] if figure["family"] == family]


def test_each_side_is_seen_through_every_tool(run: Path) -> None:
    found = sides(run)
    assert [side["arm"] for side in found] == ["reference", "candidate"]
    for side in found:
        assert [tool["tool"] for tool in side["tools"]] == TOOLS
        assert all(tool["source"] for tool in side["tools"])


def test_warmups_and_retries_are_no_request_and_a_failure_is_one(run: Path) -> None:
    (side,) = sides(run, "--side", "candidate")
    assert (side["n_requests"], side["n_left_out"]) == (6, 0)
    assert [(report["n_counted"], report["n_failed"]) for report in (side["own"], *side["tools"])] == [(5, 1)] * 7


def test_the_first_token_of_ours_and_theirs(run: Path) -> None:
    """Sent at 0, output at 50 ms; the slot, from which their clocks run, was got at -1 ms."""
    (side,) = sides(run, "--side", "reference")
    own = side["own"]["figures"]
    assert [figure["value"]["reason"] for figure in own[:1]] == ["not given, since a failure has no finite latency"]
    assert values(side["own"], "ttft")[1] == pytest.approx(0.050)
    for tool in side["tools"]:
        assert values(tool, "ttft") == pytest.approx([0.051] * 3)


def test_the_rates_of_ours_and_theirs(run: Path) -> None:
    """Blocks 1 to 3 and 11 to 13, ten seconds each; 2 tokens a request, the last output 80 ms after the last start."""
    (side,) = sides(run, "--side", "reference")
    by_name = {tool["tool"]: tool for tool in side["tools"]}
    assert values(side["own"], "requests_per_s") == pytest.approx([6 / 120.080])
    assert values(by_name["vLLM bench serve"], "output_tokens_per_s") == pytest.approx([12 / 120.111])
    assert values(by_name["guidellm"], "output_tokens_per_s") == pytest.approx([12 / 120.030])
    assert values(by_name["AIPerf"], "requests_per_s") == pytest.approx([6 / 120.081])


def test_the_text_has_a_table_for_each_figure_with_its_reasons(run: Path) -> None:
    found = lens(run)
    assert found.exit_code == 0, found.output
    lines = found.stdout.splitlines()
    assert "reference, reference-end: 6 requests of level 0" in lines
    heads = [line.split("  ")[0] for line, below in pairwise(lines) if below.startswith("-----")]
    assert heads == ["requests", "TTFT", "TPOT", "ITL", "E2E", "output rate", "request rate"] * 2
    assert (
        "guidellm              51.0\N{NO-BREAK SPACE}ms  51.0\N{NO-BREAK SPACE}ms  51.0\N{NO-BREAK SPACE}ms  6" in lines
    )
    assert "  guidellm: (last output − start) / N, TTFT included; requests weighted by N" in lines
    assert "  AIPerf: the tool prints no such figure: its ITL is one" in lines
    assert "≈ is the nearest without the tool's own tokenizer" in found.stdout
    assert lines[-1] == "Formulas with their sources: docs/lens.md"


def late(run: Path) -> Path:
    """Have every request of a copied run wait 100 ms of our own before it was sent."""
    attempts = [json.loads(line) for line in (run / "attempts.jsonl").read_text().splitlines()]
    for attempt in attempts:
        for name in ("intended_at_ns", "claimed_at_ns", "admitted_at_ns"):
            attempt[name] -= 100_000_000
    (run / "attempts.jsonl").write_text("".join(json.dumps(attempt) + "\n" for attempt in attempts))
    return run


def test_timings_that_are_void_are_said_to_be_above_every_table(tmp_path: Path) -> None:
    run = late(copied(tmp_path))
    words = " ".join(lens(run, "--side", "candidate").stdout.split())
    assert words.startswith("The timings below are VOID through every lens: reference sent 100")
    assert words.index("VOID") < words.index("TTFT")
    found = json.loads(lens(run, "--json").stdout)
    assert found["timing"] == "VOID for timing"
    assert "sent" in found["timing_reasons"][0]


def test_of_timings_that_are_valid_nothing_is_said(run: Path) -> None:
    assert lens(RECORDED).stdout.startswith("reference, sim-h100: 9 requests of level 0\n")
    found = json.loads(lens(RECORDED, "--json").stdout)
    assert (found["level"], found["timing"], found["timing_reasons"]) == (0, "valid for timing", [])
    unknown = json.loads(lens(run, "--json").stdout)
    assert (unknown["timing"], bool(unknown["timing_reasons"])) == ("not known", True)
    assert lens(run).stdout.startswith("The timings below are of unknown worth")


def test_one_request_is_one_request() -> None:
    side = SimpleNamespace(arm="reference", endpoint="a", n_requests=1, level=0, n_left_out=1, own=None, tools=())
    assert next(_lines(cast("Any", side))) == "reference, a: 1 request of level 0; left out, as not streamed: 1 answer"


def test_a_run_of_one_side_has_one(tmp_path: Path) -> None:
    alone = write_run(tmp_path / "alone", [Arm.CANDIDATE])
    assert [side["arm"] for side in sides(alone)] == ["candidate"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--level", "3"], "the run has no level 3. It has: 0"),
        (["--side", "placebo"], "the run has no placebo side. It has: reference, candidate"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(run: Path, words: list[str], message: str) -> None:
    found = lens(run, *words)
    assert found.exit_code == 2
    assert message in " ".join(found.stderr.split())

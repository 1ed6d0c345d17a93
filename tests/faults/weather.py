"""Every fault of the simulator through one `bench run`, and what it left behind."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from harness.cli import main
from harness.cli.judging import decode_run
from harness.cli.sides import RecordedSide
from harness.model.record import Record, RunStatus
from harness.model.storage import load_run
from harness.simulator.faults import calls
from harness.simulator.process import running_simulator
from harness.simulator.truth import TruthLine, read_truth
from tests.cli.files import endpoint_file, golden_file, write_yaml
from tests.cli.simulated import FAST, WEATHER_TOOL

TEXT = "As far as anybody who was asked knows, příliš žluťoučký kůň pěl ďábelské ódy; that is the whole answer."
OF_TOOLS = frozenset(calls.FAULTS)
ALONE = "close_between_requests"  # whoever is sent on its connection in that moment would be struck too
KEY = "sk-canary-0123456789abcdef"
LIMITS = {"first_output_s": 2, "idle_s": 3, "total_s": 4}  # the fault `pause` is silent for two seconds
# Once each, one after the other in no order: nothing that ends a run because much of it fails.
SETTINGS: dict[str, Any] = {
    "plan": {"allocate": False, "warmup": 0, "unstreamed": 0},
    "breaker": {"unreachable": 0, "from_the_start": 0, "without_success": 0},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What became of each fault's request, by the fault's name."""

    status: RunStatus
    records: Mapping[str, Record]
    truth: Mapping[str, TruthLine]
    n_records: int
    page: str
    output: str  # of both commands
    folder: Path
    key_was_printed: int  # how often


def prompt(fault: str, text: str = TEXT) -> dict[str, Any]:
    """Give a golden prompt that asks for a fault."""
    request: dict[str, Any] = {
        "messages": [{"role": "user", "content": f"Once more, please. [[fault:{fault}]]"}],
        "max_tokens": 64,
    }
    example: dict[str, Any] = {"text": text}
    if fault in OF_TOOLS:
        request["tools"] = [WEATHER_TOOL]
        calls_ = [{"name": "get_weather", "arguments": {"city": city, "unit": "C"}} for city in ("Oslo", "Lima")]
        example = {"tool_calls": calls_}
    return {"id": fault, "category": "facts", "intent": "One fault.", "request": request, "example": example}


def weather_of(folder: Path, faults: Sequence[str]) -> Weather:
    """Run them all, and the one that has to run by itself."""
    together = _run(folder / "together", [fault for fault in faults if fault != ALONE])
    alone = _run(folder / "alone", [ALONE])
    assert alone.status is RunStatus.FINISHED
    return replace(
        together,
        records={**together.records, **alone.records},
        truth={**together.truth, **alone.truth},
        n_records=together.n_records + alone.n_records,
        output=together.output + alone.output,
        key_was_printed=together.key_was_printed + alone.key_was_printed,
        folder=folder,
    )


def _run(folder: Path, faults: Sequence[str]) -> Weather:
    folder.mkdir()
    golden = golden_file(folder, *map(prompt, faults))
    settings = write_yaml(folder / "settings.yml", SETTINGS)
    truth = folder / "truth.jsonl"
    with running_simulator(
        write_yaml(folder / "fast.yml", FAST | {"echo": True}), golden=golden, truth=truth
    ) as simulator:
        key = _printing(folder, KEY)
        endpoint = endpoint_file(
            folder, "stormy", simulator.base_url, limits={"concurrency": 32}, timeouts=LIMITS, api_key=key
        )
        words = ["run", str(endpoint), "--golden", str(golden), "--settings", str(settings), "--repeats", "1"]
        words += ["--out", str(folder / "results"), "--reports", str(folder / "reports"), "--quiet"]
        shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0, shown.output
    return _recorded(folder, truth, shown.output)


def _printing(folder: Path, key: str) -> dict[str, list[str]]:
    """Give a command that prints the key, and notes in a file that it was run."""
    script = folder / "key.py"
    parts = ", ".join(repr(part) for part in (key[:9], key[9:]))  # so that the key itself stands in no file
    script.write_text(f"print(*({parts}), sep='')\nopen({str(folder / 'printed')!r}, 'a').write('x')\n")
    return {"command": [sys.executable, str(script)]}


def _recorded(folder: Path, truth: Path, output: str) -> Weather:
    run = load_run(next((folder / "results").iterdir()))
    records = decode_run(RecordedSide(run=run, header=run.header.arms[0]))
    return Weather(
        status=run.header.status,
        records={record.key.prompt_id: record for record in records},
        truth={line.fault: line for line in read_truth(truth) if line.fault},
        n_records=len(records),
        output=output,
        folder=folder,
        key_was_printed=len((folder / "printed").read_text()),
        page=next((folder / "reports").glob("*.html")).read_text(encoding="utf-8"),
    )

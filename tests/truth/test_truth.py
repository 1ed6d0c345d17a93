"""What the run folder says against what the simulator really sent: text and counts exactly, instants by its log."""

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.analysis.rates import decode_rate
from harness.cli import main
from harness.cli.judging import decode_run
from harness.cli.sides import RecordedSide
from harness.model.record import Record
from harness.model.shipped import shipped_profile
from harness.model.storage import load_run
from harness.simulator.process import running_simulator
from harness.simulator.truth import TruthLine, read_truth
from tests.cli.files import endpoint_file, exact_repeats, golden_file
from tests.cli.simulated import PROMPTS

KNOWN_RATES = {"sim-h100": 118.9, "sim-a100": 106.6}
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One request: what we recorded beside what was sent."""

    record: Record
    truth: TruthLine

    @property
    def token_writes_ns(self) -> list[int]:
        """Instants of the writes that carried tokens."""
        return [at for at, n in zip(self.truth.at_ns, self.truth.n_tokens, strict=True) if n]

    @property
    def sent_at_ns(self) -> int:
        assert self.record.stamps.sent_at_ns is not None
        return self.record.stamps.sent_at_ns

    @property
    def token_1_at_ns(self) -> int:
        assert self.record.stamps.token_1_at_ns is not None
        return self.record.stamps.token_1_at_ns


def _long(prompt_id: str) -> Mapping[str, object]:
    text = " ".join(f"{number}. item number {number}" for number in range(1, 45))
    return {
        "id": prompt_id,
        "category": "throughput",
        "intent": "A long plain answer.",
        "request": {"messages": [{"role": "user", "content": f"List {prompt_id}"}], "max_tokens": 600},
        "measure": {"decode": True},
        "example": {"text": text},
    }


def measured(profile: str, folder: Path) -> list[Told]:
    """Run one endpoint over a small set; pair every answer with its line of the truth log."""
    golden = golden_file(folder, *PROMPTS, *(dict(_long(f"long-{i}")) for i in range(2)))
    truth = folder / "truth.jsonl"
    with running_simulator(shipped_profile(profile), golden=golden, truth=truth) as simulator:
        endpoint = endpoint_file(folder, profile, simulator.base_url, limits={"concurrency": 2})
        words = ["--golden", str(golden), "--settings", str(exact_repeats(folder)), "--repeats", "3"]
        words += ["--out", str(folder / "results"), "--quiet"]
        shown = CliRunner().invoke(main, ["run", str(endpoint), "--reports", str(folder / "reports"), *words])
    assert shown.exit_code == 0, shown.output
    run = load_run(next((folder / "results").iterdir()))
    lines = {line.id: line for line in read_truth(truth)}
    records = decode_run(RecordedSide(run=run, header=run.header.arms[0]))
    pairs = [Told(record=record, truth=_line_of(record, lines)) for record in records]
    assert len(pairs) == len(lines) == 2 + 3 * (len(PROMPTS) + 2)
    return pairs


def _line_of(record: Record, lines: Mapping[str, TruthLine]) -> TruthLine:
    assert record.response_id is not None
    return next(line for line_id, line in lines.items() if record.response_id.endswith(line_id))


@pytest.fixture(scope="module", params=sorted(KNOWN_RATES))
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Told]]:
    profile = str(request.param)
    return profile, measured(profile, tmp_path_factory.mktemp(profile))


def test_every_answer_is_the_one_that_was_sent(told: tuple[str, list[Told]]) -> None:
    for one in told[1]:
        said = one.truth.said
        assert said is not None
        assert one.record.failure is None
        assert one.record.answer.text == said.text
        calls = [(call.name, json.loads(call.arguments)) for call in one.record.answer.tool_calls]
        assert calls == [(call["name"], json.loads(call["arguments"])) for call in said.tool_calls]
        assert one.record.answer.finish_reason == said.finish_reason


def test_usage_and_arrivals_count_what_was_sent(told: tuple[str, list[Told]]) -> None:
    for one in told[1]:
        assert one.record.usage is not None
        assert one.record.usage.completion_tokens == sum(one.truth.n_tokens)
        assert len(one.record.arrivals.at_ns) == len(one.token_writes_ns)


def test_every_read_counts_the_bytes_of_the_response(told: tuple[str, list[Told]]) -> None:
    for one in told[1]:
        assert sum(one.record.reads.n_bytes) == sum(one.truth.n_bytes)


def test_nothing_arrives_before_it_was_written(told: tuple[str, list[Told]]) -> None:
    slack_ns = NS_PER_MS // 10  # the two readings that map the kernel's clock are not taken in one instant
    for one in told[1]:
        for arrived, written in zip(one.record.arrivals.at_ns, one.token_writes_ns, strict=True):
            assert arrived > written - slack_ns


def test_output_arrives_within_a_tenth_of_a_millisecond_of_its_write_at_the_median(
    told: tuple[str, list[Told]],
) -> None:
    late = [
        arrived - written
        for one in told[1]
        for arrived, written in zip(one.record.arrivals.at_ns, one.token_writes_ns, strict=True)
    ]
    assert len(late) > 500
    assert statistics.median(late) < NS_PER_MS / 10


def test_the_median_ttft_is_within_a_millisecond_of_the_logged_one(told: tuple[str, list[Told]]) -> None:
    ours = statistics.median(one.token_1_at_ns - one.sent_at_ns for one in told[1])
    logged = statistics.median(one.token_writes_ns[0] - one.truth.arrived_at_ns for one in told[1])
    assert abs(ours - logged) < NS_PER_MS


def test_the_median_decode_rate_is_within_half_a_percent_of_the_known_one(told: tuple[str, list[Told]]) -> None:
    profile, pairs = told
    rates = [decode_rate(one.record).value for one in pairs if one.record.key.prompt_id.startswith("long-")]
    known = [rate for rate in rates if rate is not None]
    assert len(known) >= 6
    assert statistics.median(known) == pytest.approx(KNOWN_RATES[profile], rel=0.005)


def test_each_decode_rate_is_that_of_the_logged_writes(told: tuple[str, list[Told]]) -> None:
    errors = []
    for one in told[1]:
        ours, writes = decode_rate(one.record).value, one.token_writes_ns
        if ours is not None:
            errors.append(abs(ours / ((len(writes) - 1) / (writes[-1] - writes[0]) * 1e9) - 1))
    assert len(errors) >= 6
    assert statistics.median(errors) < 0.002

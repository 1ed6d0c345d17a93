"""Every fault of the simulator through `bench run`: each is named, nothing hangs, nothing that was sent is lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.cli.judging import decode_run
from harness.cli.sides import RecordedSide
from harness.model.record import FailureKind, FindingKind, Record, RunStatus
from harness.model.storage import load_run
from harness.simulator.faults.table import FAULTS
from harness.simulator.process import running_simulator
from harness.simulator.truth import TruthLine, read_truth
from tests.cli.files import endpoint_file, golden_file, write_yaml
from tests.cli.simulated import FAST, WEATHER_TOOL

TEXT = "As far as anybody who was asked knows, příliš žluťoučký kůň pěl ďábelské ódy; that is the whole answer."
OF_TOOLS = {"tool_index_missing", "tool_index_repeated", "tool_calls_as_object", "arguments_as_object"}

FAILURES: Mapping[str, FailureKind] = {
    "refuse_connection": FailureKind.RESET_BEFORE_RESPONSE,
    "reset_before_response": FailureKind.RESET_BEFORE_RESPONSE,
    "malformed_http": FailureKind.MALFORMED_HTTP,
    "redirect": FailureKind.REDIRECT,
    "http_400_flat": FailureKind.BAD_REQUEST,
    "http_401": FailureKind.AUTHENTICATION,
    "http_404": FailureKind.NOT_FOUND,
    "http_409": FailureKind.CONFLICT,
    "http_422_detail": FailureKind.BAD_REQUEST,
    "http_429": FailureKind.RATE_LIMITED,
    "http_500": FailureKind.SERVER_ERROR,
    "http_502": FailureKind.BAD_GATEWAY,
    "http_503_no_upstream": FailureKind.NO_UPSTREAM,
    "http_503_loading": FailureKind.UNAVAILABLE,
    "http_504": FailureKind.GATEWAY_TIMEOUT,
    "html_error": FailureKind.BAD_GATEWAY,
    "html_200": FailureKind.NOT_A_COMPLETION,
    "json_error_200": FailureKind.ERROR_IN_STREAM,
    "empty_200": FailureKind.EMPTY_ANSWER,
    "error_in_stream": FailureKind.ERROR_IN_STREAM,
    "error_in_stream_flat": FailureKind.ERROR_IN_STREAM,
    "error_field_in_stream": FailureKind.ERROR_IN_STREAM,
    "error_event_in_stream": FailureKind.ERROR_IN_STREAM,
    "cut_mid_event": FailureKind.CUT_OFF,
    "cut_mid_character": FailureKind.CUT_OFF,
    "cut_between_events": FailureKind.CUT_OFF,
    "reset_mid_stream": FailureKind.CUT_OFF,
    "ends_early": FailureKind.TRUNCATED_STREAM,
    "empty_stream": FailureKind.EMPTY_ANSWER,
    "filtered": FailureKind.REFUSED_BY_BUDGET,
    "stall": FailureKind.TIMEOUT_IDLE,
    "keepalive_then_stall": FailureKind.TIMEOUT_FIRST_OUTPUT,
}
FINDINGS: Mapping[str, FindingKind] = {
    "error_field_in_stream": FindingKind.NONSTANDARD_ERROR_FIELD,
    "no_done": FindingKind.NO_DONE,
    "unknown_finish_reason": FindingKind.FINISH_REASON_UNKNOWN,
    "json_for_stream": FindingKind.STREAM_ANSWERED_WITH_JSON,
    "gzip_buffered": FindingKind.COMPRESSED,
    "empty_data_events": FindingKind.EMPTY_DATA,
    "comments": FindingKind.COMMENTS,
    "invalid_json_event": FindingKind.UNDECODABLE_EVENT,
    "bom": FindingKind.BYTE_ORDER_MARK,
    "duplicate_finish": FindingKind.FINISH_REASON_REPEATED,
    "tool_index_missing": FindingKind.TOOL_INDEX_MISSING,
    "tool_index_repeated": FindingKind.TOOL_INDEX_REUSED,
    "tool_calls_as_object": FindingKind.TOOL_CALLS_NOT_LIST,
    "arguments_as_object": FindingKind.TOOL_ARGUMENTS_NOT_TEXT,
    "usage_missing": FindingKind.USAGE_MISSING,
    "model_other": FindingKind.MODEL_DIFFERS,
}
# What shows in metrics, not in one response: the pace, and a usage that only its own server could deny. What is
# within the contract: line ends, the blank behind the colon, an end held open, a finish reason that [DONE] stands for.
UNSEEN = {
    "slow_drip",
    "pause",
    "buffered",
    "several_events_per_write",
    "split_writes",
    "usage_wrong",
    "crlf",
    "no_space_after_data",
    "hold_after_done",
    "close_between_requests",
    "no_finish_reason",
}
# Its connection closes unannounced, so that whoever is sent on it in that moment is struck too: it runs by itself.
ALONE = "close_between_requests"
WITH_ANSWER = sorted(set(FAULTS) - set(FAILURES) - OF_TOOLS)
PARTLY_SAID = sorted(
    name
    for name in FAILURES
    if name.startswith(("cut_", "error_")) or name in {"stall", "reset_mid_stream", "ends_early"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What became of each fault's request, by the fault's name."""

    status: RunStatus
    records: Mapping[str, Record]
    truth: Mapping[str, TruthLine]
    n_records: int
    page: str


def _prompt(fault: str) -> dict[str, Any]:
    request: dict[str, Any] = {
        "messages": [{"role": "user", "content": f"Once more, please. [[fault:{fault}]]"}],
        "max_tokens": 64,
    }
    example: dict[str, Any] = {"text": TEXT}
    if fault in OF_TOOLS:
        request["tools"] = [WEATHER_TOOL]
        calls = [{"name": "get_weather", "arguments": {"city": city, "unit": "C"}} for city in ("Oslo", "Lima")]
        example = {"tool_calls": calls}
    return {"id": fault, "category": "facts", "intent": "One fault.", "request": request, "example": example}


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Weather:
    together = _weather(tmp_path_factory.mktemp("weather"), [fault for fault in FAULTS if fault != ALONE])
    alone = _weather(tmp_path_factory.mktemp("alone"), [ALONE])
    assert alone.status is RunStatus.FINISHED
    return replace(
        together,
        records={**together.records, **alone.records},
        truth={**together.truth, **alone.truth},
        n_records=together.n_records + alone.n_records,
    )


def _weather(folder: Path, faults: Sequence[str]) -> Weather:
    golden = golden_file(folder, *map(_prompt, faults))
    settings = write_yaml(folder / "settings.yml", {"plan": {"allocate": False, "warmup": 0, "unstreamed": 0}})
    truth = folder / "truth.jsonl"
    with running_simulator(write_yaml(folder / "fast.yml", FAST), golden=golden, truth=truth) as simulator:
        endpoint = endpoint_file(
            folder,
            "stormy",
            simulator.base_url,
            limits={"concurrency": 16},
            timeouts={"first_output_s": 3, "idle_s": 3, "total_s": 30},
        )
        words = ["run", str(endpoint), "--golden", str(golden), "--settings", str(settings), "--repeats", "1"]
        words += ["--out", str(folder / "results"), "--reports", str(folder / "reports"), "--quiet"]
        shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0, shown.output
    return _recorded(folder, truth)


def _recorded(folder: Path, truth: Path) -> Weather:
    run = load_run(next((folder / "results").iterdir()))
    records = decode_run(RecordedSide(run=run, header=run.header.arms[0]))
    return Weather(
        status=run.header.status,
        records={record.key.prompt_id: record for record in records},
        truth={line.fault: line for line in read_truth(truth) if line.fault},
        n_records=len(records),
        page=next((folder / "reports").glob("*.html")).read_text(encoding="utf-8"),
    )


def test_every_fault_has_an_expectation_and_struck() -> None:
    assert set(FAILURES) | set(FINDINGS) | UNSEEN == set(FAULTS)
    assert not UNSEEN & (set(FAILURES) | set(FINDINGS))
    assert len(FAULTS) >= 50


def test_the_run_goes_to_its_end_with_one_record_for_each_request(weather: Weather) -> None:
    assert weather.status is RunStatus.FINISHED
    assert set(weather.truth) == set(FAULTS)
    assert set(weather.records) == set(FAULTS)
    assert weather.n_records == len(FAULTS)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_is_named(weather: Weather, fault: str) -> None:
    record = weather.records[fault]
    assert (record.failure.kind if record.failure else None) is FAILURES.get(fault)
    found = {finding.kind for finding in record.findings}
    if fault in FINDINGS:
        assert FINDINGS[fault] in found
    if fault in UNSEEN:
        assert found == set()


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_byte_that_was_sent_is_on_the_record(weather: Weather, fault: str) -> None:
    recorded, sent = sum(weather.records[fault].reads.n_bytes), sum(weather.truth[fault].n_bytes)
    if fault == "reset_mid_stream":  # what the sender's kernel still held is never sent
        assert 0 < recorded <= sent
    else:
        assert recorded == sent


@pytest.mark.parametrize("fault", WITH_ANSWER)
def test_an_answer_that_did_not_fail_is_whole(weather: Weather, fault: str) -> None:
    said = weather.truth[fault].said
    assert said is not None
    assert weather.records[fault].answer.text == said.text == TEXT


@pytest.mark.parametrize("fault", PARTLY_SAID)
def test_what_was_said_before_a_failure_is_kept(weather: Weather, fault: str) -> None:
    text = weather.records[fault].answer.text
    assert 0 < len(text) < len(TEXT)
    assert TEXT.startswith(text)


def test_the_page_names_every_kind_of_failure(weather: Weather) -> None:
    missing = {kind for kind in FAILURES.values() if kind.replace("_", " ") not in weather.page.replace("_", " ")}
    assert missing == set()

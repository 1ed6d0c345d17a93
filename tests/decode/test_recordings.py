"""Twelve exchanges with four real servers, recorded in November 2026, and a folder of more where there is one."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.decode.sdk_view import both_views, sdk_view
from harness.decode.watch import last_output_at_ns
from harness.model.record import Answer, FailureKind, FindingKind, Record, ToolCall, Usage
from tests.decode.recordings import DATA, a_recording, ns, read_recording

F = FindingKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a recording holds, read from it by eye; the instants of its first and last output."""

    name: str
    answer: Answer = field(default_factory=Answer)
    usage: Usage | None = None
    findings: dict[FindingKind, int] = field(default_factory=dict)
    failure: FailureKind | None = None
    message: str | None = None
    first_and_last_ms: tuple[float, float] | None = None
    n_events: int = 0
    sdk: str = "answer"


TRUTHS = (
    Truth(
        name="llama-cpp-usage",
        answer=Answer(text="STMEProunk]]) = CAD.", finish_reason="stop"),
        usage=Usage(prompt_tokens=17, completion_tokens=16, total_tokens=33, cached_tokens=16),
        first_and_last_ms=(56.06, 211.55),
        n_events=19,
    ),
    Truth(
        name="llama-cpp-two-choices",
        answer=Answer(text="URLIDiate([1.", finish_reason="stop"),
        findings={F.SEVERAL_CHOICES: 24},
        first_and_last_ms=(15.11, 66.76),
        n_events=38,
    ),
    Truth(
        name="llama-cpp-tool-calls",
        answer=Answer(
            tool_calls=(
                ToolCall(
                    name="get_weather",
                    arguments='{"city": "", "unit": "C" }',
                    id="e5oIOC8CiVDUS3AAof3Z9cwSa7SJqqmx",
                    index=0,
                ),
                ToolCall(name="get_time", arguments='{"tz": "" }', id="EqcKr39kjBBrO8KG5o3PjWuUzwi4Fa2W", index=1),
                ToolCall(name="get_time", arguments='{"tz": ": They.2', id="aWDghD3YHSAcWd0gSkw5jWS5cBMWVElf", index=2),
            ),
            finish_reason="length",
        ),
        first_and_last_ms=(136.75, 552.94),
        n_events=46,
    ),
    Truth(
        name="llama-cpp-prompt-too-long",
        failure=FailureKind.BAD_REQUEST,
        message="request (12011 tokens) exceeds the available context size (1024 tokens), try increasing it",
        sdk="exception",
    ),
    Truth(
        name="aimock-two-tool-calls",
        answer=Answer(
            tool_calls=(
                ToolCall(
                    name="get_weather", arguments='{"city":"Oslo","unit":"C"}', id="call_3JeawztBGvkGly84", index=0
                ),
                ToolCall(name="get_time", arguments='{"tz":"CET"}', id="call_eSw9zGn_vOOl5dWG", index=1),
            ),
            finish_reason="tool_calls",
        ),
        first_and_last_ms=(123.61, 123.79),
        n_events=8,
    ),
    Truth(
        name="aimock-reasoning",
        answer=Answer(text="Forty-two.", reasoning="First I think. Then I think more.", finish_reason="stop"),
        findings={F.REASONING_FIELD: 2},
        first_and_last_ms=(117.6, 117.73),
        n_events=6,
    ),
    Truth(
        name="aimock-dropped-line",
        answer=Answer(text="This answer streams slowly and the conne"),
        failure=FailureKind.CUT_OFF,
        findings={F.CHUNK_FRAMING_LOST: 1},
        first_and_last_ms=(131.05, 191.89),
        n_events=3,
    ),
    Truth(
        name="aimock-slow-first-token",
        answer=Answer(text="Sorry for the wait. Here is the answer.", finish_reason="stop"),
        first_and_last_ms=(1630.83, 1640.74),  # the role came at 1621.32
        n_events=5,
    ),
    Truth(
        name="aimock-rate-limited",
        failure=FailureKind.RATE_LIMITED,
        message="Rate limit exceeded. Please retry after 2 seconds.",
        sdk="exception",
    ),
    Truth(
        name="llm-katan-json-for-a-stream",
        answer=Answer(
            tool_calls=(
                ToolCall(
                    name="get_weather",
                    arguments='{"city": "test_city", "unit": "C"}',
                    id="call_04eeb53b77144496a4f5ef62",
                    index=0,
                ),
            ),
            finish_reason="tool_calls",
        ),
        usage=Usage(prompt_tokens=2, completion_tokens=10, total_tokens=12),
        findings={F.STREAM_ANSWERED_WITH_JSON: 1},
        first_and_last_ms=(3.49, 3.49),
        sdk="empty",
    ),
    Truth(
        name="llm-katan-gateway-timeout",
        failure=FailureKind.GATEWAY_TIMEOUT,
        message="upstream request timeout",
        sdk="exception",
    ),
    Truth(
        name="mockllm-usage-ignored",
        answer=Answer(text="I do not know the answer to that.", finish_reason="stop"),
        findings={F.USAGE_MISSING: 1},
        first_and_last_ms=(666.66, 1482.27),
        n_events=36,
    ),
)


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.name)
def test_a_recorded_exchange_decodes_to_what_is_in_it(truth: Truth) -> None:
    record = read_recording(truth.name).decoded()
    stamps = record.stamps
    assert record.answer == truth.answer
    assert record.usage == truth.usage
    assert {finding.kind: finding.count for finding in record.findings} == truth.findings
    assert (record.failure and record.failure.kind) == truth.failure
    if truth.message is not None:
        assert record.failure is not None
        assert record.failure.message == truth.message
    expected = (None, None) if truth.first_and_last_ms is None else tuple(map(ns, truth.first_and_last_ms))
    assert (stamps.token_1_at_ns, stamps.token_n_at_ns) == expected
    assert record.n_events == truth.n_events


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.name)
def test_a_recorded_exchange_looks_to_an_application_as_the_sdk_shows_it(truth: Truth) -> None:
    recording = read_recording(truth.name)
    plain = sdk_view(recording.wire, recording.reads)
    assert plain.outcome == truth.sdk
    helper = sdk_view(recording.wire, recording.reads, through_helper=True)
    assert both_views(recording.wire, recording.reads) == (plain, helper)


def test_every_recording_has_its_truth_here() -> None:
    assert {file.stem for file in DATA.glob("*.json")} == {truth.name for truth in TRUTHS}
    assert len(TRUTHS) >= 8


FOLDER = os.environ.get("BENCH_TRANSCRIPTS")


@pytest.mark.skipif(not FOLDER, reason="BENCH_TRANSCRIPTS names no folder of recorded exchanges")
def test_every_exchange_of_a_folder_decodes_to_what_its_status_and_body_say() -> None:
    n_checked = 0
    for file in sorted(Path(FOLDER or "").rglob("*.json")):
        found = json.loads(file.read_text(encoding="utf-8"))
        response = found.get("response")
        if not file.name.startswith("_") and response is not None and "headers" in response:
            _check(file, _decoded(found, response), response)
            n_checked += 1
    assert n_checked > 0


def _decoded(found: dict[str, Any], response: dict[str, Any]) -> Record:
    sent = found["request"].get("body")
    sent = sent if isinstance(sent, dict) else {}
    options = sent.get("stream_options")
    asked = {
        "model": sent.get("model"),
        "stream": bool(sent.get("stream")),
        "include_usage": isinstance(options, dict) and bool(options.get("include_usage")),
    }
    body = [[response.get("t_total_ms", 1), response["body"]]] if response.get("body") else []
    recording = a_recording(
        {
            "status": response.get("status") or response["status_before_break"],
            "headers": response["headers"],
            "head_at_ms": response.get("t_headers_ms") or 0,
            "reads": response.get("raw_chunks") or body,
            "is_whole": "exception" not in response,
        },
        asked,
    )
    record = recording.decoded()
    if record.was_streamed and F.SEVERAL_CHOICES not in {finding.kind for finding in record.findings}:
        assert last_output_at_ns(recording.wire, recording.reads) == record.stamps.token_n_at_ns
    return record


def _check(file: Path, record: Record, response: dict[str, Any]) -> None:
    """A success has a status of success, output and an end; nothing else is one."""
    pieces = response.get("raw_chunks") or [[0, response.get("body") or ""]]
    text = "".join(piece for _, piece in pieces)
    is_completion = '"choices"' in text and ("[DONE]" in text or text.lstrip().startswith("{"))
    is_success = response.get("status") == 200 and is_completion
    assert (record.failure is None) == is_success, (file, record.failure)
    unexpected = {F.UNDECODABLE_EVENT, F.INVALID_UTF8, F.UNFINISHED_LAST_EVENT, F.EMPTY_DATA}
    assert not unexpected & {finding.kind for finding in record.findings}, file

"""Probes against servers that we did not write."""

import json
import os
from pathlib import Path

import pytest

from harness.measure.probing import Probing, run_probing
from harness.model.endpoint import Endpoint
from harness.model.probe import ProbeReport
from harness.probes.catalogue import chosen
from tests.real.servers import (
    installed_aimock,
    installed_llm_katan,
    running_aimock,
    running_llama_server,
    running_llm_katan,
)
from tests.real.test_real import free_port

pytestmark = pytest.mark.real
KEY = "sk-test-0123456789"
FAST_RATE = 100_000
UNPACED = "true_streaming"  # the echo sends as fast as it can: how that arrives is the machine's
WINDOW = 2000  # as told: these servers know none


def probe(base_url: str, model: str, folder: Path) -> ProbeReport:
    endpoint = Endpoint(name="real", base_url=base_url, model=model, api_key="${REAL_SERVER_KEY}")
    probing = Probing(
        endpoint=endpoint,
        probes=chosen(),
        probing_id="real",
        environ={"REAL_SERVER_KEY": KEY},
        requests_per_minute=FAST_RATE,
        window=WINDOW,
        deadline_s=60,
    )
    return run_probing(probing, folder)


def outcomes(report: ProbeReport, *ids: str) -> list[str]:
    return [str(result.outcome) if (result := report.result(probe_id)) else "skipped" for probe_id in ids]


def by_class(report: ProbeReport, *but: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for result in (result for result in report.results if result.id not in but):
        found.setdefault(result.outcome.value, set()).add(result.id)
    return found


# It repeats the prompt beside its own name, in JSON where asked, knows no limit and no key, and calls the first tool.
ECHO = {
    "supported": {
        *("models", "chat", "stream", "stream_usage", "usage_agreement", "greedy_repeat"),
        *("json_object", "tool_auto", "tool_required"),
        *("error_bad_json", "error_wrong_type", "error_in_stream"),
    },
    "ignored": {
        *("max_tokens", "max_completion_tokens", "n", "logprobs", "json_schema_enforced", "json_schema_stream"),
        *("schema_keywords", "tool_stream", "tool_named", "tool_none", "tool_strict", "tool_result", "messages"),
        *("image", "error_unknown_model", "error_bad_key", "error_over_long"),
    },
    "accepted": {
        *("compression", "logit_bias", "reasoning", "unknown_field", "headers_cache_responses", "budget_overflow"),
        "context_overflow",
    },
    "inconclusive": {
        *("stop_string", "stop_array5", "seed", "temperature", "top_p", "penalties", "json_truncated"),
        *("tool_stream_parity", "parallel", "error_rate_limit"),
    },
}
CANNED = {  # it answers by the last message, with what it was given to say
    "supported": {
        *("models", "chat", "stream", "stream_usage", "usage_agreement", "true_streaming", "greedy_repeat"),
        *("tool_auto", "tool_stream", "tool_stream_parity", "error_bad_key", "error_bad_json", "error_wrong_type"),
    },
    "ignored": {
        *("max_tokens", "max_completion_tokens", "stop_string", "stop_array5", "temperature", "n", "logprobs"),
        *("json_object", "json_schema_enforced", "json_schema_stream", "schema_keywords", "tool_required"),
        *("tool_named", "tool_none", "tool_result", "messages", "image"),
        *("error_unknown_model", "error_in_stream", "error_over_long"),
    },
    "accepted": {
        *("compression", "logit_bias", "reasoning", "unknown_field", "headers_cache_responses", "budget_overflow"),
        "context_overflow",
    },
    "inconclusive": {
        *("seed", "top_p", "penalties", "json_truncated", "parallel", "tool_strict", "error_rate_limit"),
    },
}


def test_an_echo_server_is_seen_through_in_every_probe(tmp_path: Path) -> None:
    with running_llm_katan(installed_llm_katan(), free_port()) as base_url:
        report = probe(base_url, "tiny-echo", tmp_path / "p")
    assert by_class(report, UNPACED) == ECHO
    assert report.result(UNPACED) is not None
    assert report.skipped == {}


def test_a_mock_server_is_seen_through_in_every_probe(tmp_path: Path) -> None:
    with running_aimock(installed_aimock(), free_port(), canned(tmp_path / "fixtures.json"), KEY) as base_url:
        report = probe(base_url, "gpt-4o", tmp_path / "p")
    assert by_class(report) == CANNED
    assert report.skipped == {}


def canned(file: Path) -> Path:
    """Write what a mock server says: to some of the probes' prompts as asked, to any other the same."""
    call = {"toolCalls": [{"name": "get_weather", "arguments": '{"city":"Oslo"}'}]}
    said = {
        "weather in Oslo": call,
        "Count from": {"content": " ".join(map(str, range(1, 121)))},
        "a b c d": {"content": "a b c d"},
        "single word: ready": {"content": "ready"},
        "": {"content": "All right."},
    }
    pace = {"ttft": 1, "tps": 2000, "jitter": 0}
    fixtures = [
        {"match": {"userMessage": words}, "response": answer, "streamingProfile": pace}
        for words, answer in said.items()
    ]
    file.write_text(json.dumps({"fixtures": fixtures}))
    return file


def test_the_two_catalogues_of_classes_name_every_probe_once() -> None:
    everything = {one.id for one in chosen()}
    for classes, left_out in ((ECHO, {UNPACED}), (CANNED, set())):
        named = [probe for probes in classes.values() for probe in probes]
        assert (set(named), len(named)) == (everything - left_out, len(everything - left_out))


@pytest.mark.skipif(
    not {"BENCH_LLAMA_SERVER", "BENCH_LLAMA_MODEL"} <= set(os.environ),
    reason="BENCH_LLAMA_SERVER and BENCH_LLAMA_MODEL name no llama.cpp server and model",
)
def test_llama_cpp_obeys_what_needs_no_understanding(tmp_path: Path) -> None:
    command, model = Path(os.environ["BENCH_LLAMA_SERVER"]), Path(os.environ["BENCH_LLAMA_MODEL"])
    with running_llama_server(command, model, free_port()) as base_url:
        report = probe(base_url, "tiny", tmp_path / "p")
    assert outcomes(report, "stream", "stream_usage", "max_tokens", "n", "logprobs") == ["supported"] * 5

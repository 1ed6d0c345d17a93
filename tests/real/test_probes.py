"""Probes against servers that we did not write."""

import os
from pathlib import Path

import pytest

from harness.measure.probing import Probing, run_probing
from harness.model.endpoint import Endpoint
from harness.model.goldenfile import load_golden_set
from harness.model.probe import ProbeReport
from harness.model.shipped import shipped_golden_set
from harness.probes.catalogue import chosen
from tests.real.fixtures import write_fixtures
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


def probe(base_url: str, model: str, folder: Path) -> ProbeReport:
    endpoint = Endpoint(name="real", base_url=base_url, model=model, api_key="${REAL_SERVER_KEY}")
    probing = Probing(
        endpoint=endpoint,
        probes=chosen(),
        probing_id="real",
        environ={"REAL_SERVER_KEY": KEY},
        requests_per_minute=FAST_RATE,
        deadline_s=60,
    )
    return run_probing(probing, folder)


def outcomes(report: ProbeReport, *ids: str) -> list[str]:
    return [str(result.outcome) if (result := report.result(probe_id)) else "skipped" for probe_id in ids]


def test_an_echo_server_streams_and_ignores_its_limits(tmp_path: Path) -> None:
    with running_llm_katan(installed_llm_katan(), free_port()) as base_url:
        report = probe(base_url, "tiny-echo", tmp_path / "p")
    assert outcomes(report, "models", "chat", "stream", "stream_usage") == ["supported"] * 4
    assert outcomes(report, "max_tokens", "n", "logprobs", "tool_none") == ["ignored"] * 4


def test_a_mock_server_checks_keys_and_ignores_sampling(tmp_path: Path) -> None:
    fixtures = write_fixtures(
        tmp_path / "fixtures.json", load_golden_set(shipped_golden_set()), ttft_ms=1, tokens_per_s=1000
    )
    with running_aimock(installed_aimock(), free_port(), fixtures, KEY) as base_url:
        report = probe(base_url, "gpt-4o", tmp_path / "p")
    assert outcomes(report, "models") == ["supported"]
    assert outcomes(report, "error_bad_key") != ["ignored"]


@pytest.mark.skipif(
    not {"BENCH_LLAMA_SERVER", "BENCH_LLAMA_MODEL"} <= set(os.environ),
    reason="BENCH_LLAMA_SERVER and BENCH_LLAMA_MODEL name no llama.cpp server and model",
)
def test_llama_cpp_obeys_what_needs_no_understanding(tmp_path: Path) -> None:
    command, model = Path(os.environ["BENCH_LLAMA_SERVER"]), Path(os.environ["BENCH_LLAMA_MODEL"])
    with running_llama_server(command, model, free_port()) as base_url:
        report = probe(base_url, "tiny", tmp_path / "p")
    assert outcomes(report, "stream", "stream_usage", "max_tokens", "n", "logprobs") == ["supported"] * 5

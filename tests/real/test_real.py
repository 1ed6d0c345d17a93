"""`bench compare` against servers that we did not write."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harness.model.goldenfile import load_golden_set
from harness.model.shipped import shipped_golden_set
from tests.cli.files import endpoint_file
from tests.cli.simulated import Bench, Outcome
from tests.real.fixtures import write_fixtures
from tests.real.servers import installed_aimock, installed_llm_katan, running_aimock, running_llm_katan

pytestmark = pytest.mark.real
ECHO = Path(__file__).parent / "echo.yml"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def compare(bench: Bench, a: Path, b: Path, golden: Path, *more: str) -> Outcome:
    return bench.bench("compare", str(a), str(b), "--golden", str(golden), *more)


KEY = "sk-test-0123456789"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REAL_SERVER_KEY", KEY)


def real_endpoint(bench: Bench, name: str, base_url: str, model: str) -> Path:
    return endpoint_file(bench.folder, name, base_url, model=model, api_key="${REAL_SERVER_KEY}")


@contextmanager
def llm_katan_pair(bench: Bench, *flags: str) -> Iterator[tuple[Path, Path]]:
    command = installed_llm_katan()
    with running_llm_katan(command, free_port()) as one, running_llm_katan(command, free_port(), *flags) as other:
        yield real_endpoint(bench, "a", one, "tiny-echo"), real_endpoint(bench, "b", other, "tiny-echo")


def test_two_echo_servers_are_the_same_but_for_what_a_busy_machine_leaves_open(bench: Bench) -> None:
    with llm_katan_pair(bench) as (a, b):
        outcome = compare(bench, a, b, ECHO)
    assert outcome.exit_code in {0, 3}, outcome.summary["sentence"]
    assert outcome.gate("task_success")["outcome"] == "PASS"
    assert outcome.gate("tool_success")["successes_candidate"] >= 50


def test_an_echo_server_that_errs_at_random_fails(bench: Bench) -> None:
    with llm_katan_pair(bench, "--error-rate", "0.3") as (a, b):
        outcome = compare(bench, a, b, ECHO)
    assert outcome.exit_code == 1
    assert outcome.gate("request_success")["outcome"] == "FAIL"


@contextmanager
def aimock_pair(bench: Bench, rates: tuple[float, float]) -> Iterator[tuple[Path, Path]]:
    command, golden = installed_aimock(), load_golden_set(shipped_golden_set())
    with ExitStack() as stack:
        files = []
        for name, rate in zip(("a", "b"), rates, strict=True):
            fixtures = write_fixtures(bench.folder / f"{name}.json", golden, ttft_ms=40, tokens_per_s=rate)
            server = running_aimock(command, free_port(), fixtures, KEY)
            base_url = stack.enter_context(server)
            files.append(real_endpoint(bench, name, base_url, "mock"))
        yield files[0], files[1]


def test_the_shipped_set_on_two_equal_mock_servers_keeps_every_rate(bench: Bench) -> None:
    with aimock_pair(bench, (200, 200)) as (a, b):
        outcome = compare(bench, a, b, shipped_golden_set())
    assert outcome.exit_code in {0, 3}, outcome.summary["sentence"]
    for gate in ("tool_success", "request_success", "json_validity"):
        assert outcome.gate(gate)["outcome"] == "PASS", outcome.gate(gate)["reason"]


def test_a_mock_server_that_decodes_at_half_the_rate_is_measured_so_and_never_passes(bench: Bench) -> None:
    with aimock_pair(bench, (200, 100)) as (a, b):
        outcome = compare(bench, a, b, shipped_golden_set(), "--repeats", "3")
    gate = outcome.gate("decode_p50")
    assert gate["effect"]["value"] == pytest.approx(0.5, rel=0.1)
    assert gate["outcome"] == "FAIL" or "void" in gate["reason"]  # a busy machine's timings decide nothing
    assert outcome.exit_code == (1 if gate["outcome"] == "FAIL" else 3)

"""The simulator as a process: ready, serving, ending, and the truth that it leaves."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import BenchError, ConfigError, DamagedFileError
from harness.model.shipped import shipped_profile
from harness.simulator.__main__ import endpoint_file
from harness.simulator.process import RunningSimulator, running_simulator
from harness.simulator.profile import Cold, RateLimit
from harness.simulator.tokens import count_tokens
from harness.simulator.truth import TruthLine, read_truth
from tests.simulator.client import Raw, ask, chat, connect, exchange, http, read_all
from tests.simulator.deciding import CAPITAL, CAPITAL_TEXT, FAST, GOLDEN_FILE, a_profile

ROOT = Path(__file__).parents[2]
MS = 1_000_000


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return tmp_path / "truth.jsonl"


@pytest.fixture
def simulator(truth: Path) -> Iterator[RunningSimulator]:
    with running_simulator(FAST, golden=GOLDEN_FILE, truth=truth) as running:
        yield running


def written(folder: Path, text: str) -> Path:
    file = folder / "profile.yml"
    file.write_text(f"name: p\n{text}")
    return file


def test_a_stream_over_the_wire_is_the_example_and_the_log_says_so(truth: Path) -> None:
    with running_simulator(FAST, golden=GOLDEN_FILE, truth=truth) as running:
        assert running.base_url == f"http://127.0.0.1:{running.port}/v1"
        models = exchange(running.port, http("GET", "/v1/models")).json
        raw = ask(running.port, CAPITAL)
    assert models["data"][0]["id"] == "sim-model"
    assert raw.text == CAPITAL_TEXT
    assert raw.usages[-1]["completion_tokens"] == count_tokens(CAPITAL_TEXT)
    listed, line = read_truth(truth)
    assert (listed.path, listed.said) == ("/v1/models", None)
    assert raw.payloads[0]["id"].endswith(line.id)
    assert raw.headers["x-request-id"].endswith(line.id)
    _check_columns(line, raw)
    assert line.said is not None
    assert (line.said.text, line.said.usage) == (CAPITAL_TEXT, raw.usages[-1])


def _check_columns(line: TruthLine, raw: Raw) -> None:
    """The log's columns agree with each other and with the bytes."""
    assert line.outcome == "complete"
    assert len(line.at_ns) == len(line.n_bytes) == len(line.n_tokens) > 18
    assert sum(line.n_bytes) == len(raw.wire)
    assert sum(line.n_tokens) == raw.usages[-1]["completion_tokens"]
    assert line.at_ns == sorted(line.at_ns)
    assert line.arrived_at_ns <= line.started_at_ns <= line.at_ns[0]
    assert line.at_ns[-1] <= line.ended_at_ns


def test_the_logged_rate_of_400_tokens_is_the_profiles(truth: Path) -> None:
    with running_simulator(shipped_profile("sim-h100"), golden=GOLDEN_FILE, truth=truth) as running:
        raw = ask(running.port, "Go [[tokens:400]]")
    assert raw.usages[-1]["completion_tokens"] == 400
    (line,) = read_truth(truth)
    output = [at for at, n_tokens in zip(line.at_ns, line.n_tokens, strict=True) if n_tokens]
    assert len(output) == 400
    assert 399 / (output[-1] - output[0]) * 1e9 == pytest.approx(118.9, rel=0.005)
    assert line.said is not None
    due = [line.started_at_ns + line.said.ttft_ns + round(k / 118.9 * 1e9) for k in range(400)]
    assert min(at - instant for at, instant in zip(output, due, strict=True)) >= 0  # never early


def test_a_connection_serves_one_request_after_the_other(simulator: RunningSimulator) -> None:
    one = http("POST", "/v1/chat/completions", chat(CAPITAL, stream=False))
    with connect(simulator.port) as sock:
        sock.sendall(one + http("GET", "/v1/models") + one.replace(b"Host", b"Connection: close\r\nHost"))
        wire = read_all(sock).wire
    assert wire.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert wire.count(CAPITAL_TEXT.encode()) == 2


def test_a_client_that_asks_first_is_invited_to_send_its_body(simulator: RunningSimulator) -> None:
    request = http("POST", "/v1/chat/completions", chat(CAPITAL, stream=False), Expect="100-continue")
    head, _, body = request.partition(b"\r\n\r\n")
    with connect(simulator.port) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body.replace(b"\r\n\r\n", b""))
        assert sock.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")


def test_what_is_no_http_gets_400_and_ends_the_connection(simulator: RunningSimulator) -> None:
    assert exchange(simulator.port, b"\x16\x03\x01 hello\r\n\r\n").status == 400


def test_a_client_that_leaves_is_on_the_log(truth: Path, tmp_path: Path) -> None:
    profile = written(tmp_path, "ttft: {shape: constant, ms: 1}\ndecode: {tokens_per_s: 200}\n")
    with running_simulator(profile, golden=GOLDEN_FILE, truth=truth) as running:
        with connect(running.port) as sock:
            sock.sendall(http("POST", "/v1/chat/completions", chat("Go [[tokens:2000]]")))
            assert sock.recv(1) == b"H"
        for _ in range(2000):  # every exchange gives the simulator a turn
            _ = exchange(running.port, http("GET", "/v1/models"))
            if "client_left" in truth.read_text():
                break
    left = [line for line in read_truth(truth) if line.outcome == "client_left"]
    assert len(left) == 1
    assert sum(left[0].n_tokens) < 2000


def test_sigterm_leaves_a_whole_log_of_what_was_under_way(truth: Path, tmp_path: Path) -> None:
    profile = written(tmp_path, "ttft: {shape: constant, ms: 1}\ndecode: {tokens_per_s: 20}\n")
    with running_simulator(profile, golden=GOLDEN_FILE, truth=truth) as running:
        _ = exchange(running.port, http("GET", "/v1/models"))
        with connect(running.port) as sock:
            sock.sendall(http("POST", "/v1/chat/completions", chat("Go [[tokens:2000]]")))
            assert sock.recv(1) == b"H"
            os.kill(running.pid, signal.SIGTERM)
            raw = read_all(sock)
    listed, cut = read_truth(truth)
    assert (listed.outcome, cut.outcome) == ("complete", "interrupted")
    assert sum(cut.n_bytes) == 1 + len(raw.wire)


def test_a_concurrency_limit_lets_requests_wait_or_refuses_them(truth: Path, tmp_path: Path) -> None:
    profile = written(tmp_path, "ttft: {shape: constant, ms: 20}\ncapacity: {slots: 1, queue: 1}\n")
    request = http("POST", "/v1/chat/completions", chat(CAPITAL), Connection="close")
    with running_simulator(profile, golden=GOLDEN_FILE, truth=truth) as running:
        socks = [connect(running.port) for _ in range(3)]
        for sock in socks:
            sock.sendall(request)
        statuses = sorted(read_all(sock).status for sock in socks)
        for sock in socks:
            sock.close()
    assert statuses == [200, 200, 503]
    served = sorted((line for line in read_truth(truth) if line.status == 200), key=lambda line: line.started_at_ns)
    assert served[0].started_at_ns == served[0].arrived_at_ns
    assert served[1].started_at_ns > max(served[0].at_ns)


def test_a_cold_endpoint_wakes_once(truth: Path, tmp_path: Path) -> None:
    profile = written(tmp_path, "ttft: {shape: constant, ms: 1}\ncold: {wake_s: 0.2}\n")
    with running_simulator(profile, golden=GOLDEN_FILE, truth=truth) as running:
        assert [ask(running.port, CAPITAL, stream=False).status for _ in range(2)] == [200, 200]
    waits = [line.started_at_ns - line.arrived_at_ns for line in read_truth(truth)]
    assert waits == [200 * MS, 0]


def test_a_seed_given_replaces_the_profiles(truth: Path) -> None:
    drawn = []
    for seed in (1, 1, 2):
        with running_simulator(shipped_profile("garbage"), golden=GOLDEN_FILE, truth=truth, seed=seed) as running:
            assert ask(running.port, CAPITAL).text == "zzz"
        drawn += [line.said.ttft_ns for line in read_truth(truth) if line.said]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_child_ends_when_its_parent_does() -> None:
    words = [sys.executable, "-P", "-m", "harness.simulator", str(FAST), "--golden", str(GOLDEN_FILE)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["port"] > 0
        process.stdin.close()
        assert process.wait(20) == 0


def test_ctrl_c_ends_the_foreground_with_zero() -> None:
    call = "import sys; from pathlib import Path; from harness.simulator.__main__ import serve_profile"
    run = f"sys.exit(serve_profile(Path({str(FAST)!r}), port=0, golden=Path({str(GOLDEN_FILE)!r}), truth=None))"
    with subprocess.Popen(
        [sys.executable, "-c", f"{call}; {run}"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert re.fullmatch(r"fast serves at http://127\.0\.0\.1:\d+/v1 until Ctrl-C\..*\n", lines[0])
    assert [line.split(":")[0] for line in lines[2:]] == ["name", "base_url", "model"]


def test_an_endpoint_file_says_what_the_profile_expects() -> None:
    profile = a_profile(
        api_key="${SIM_KEY}", rate_limit=RateLimit(requests_per_minute=9), cold=Cold(wake_s=1.0), model="m"
    )
    assert endpoint_file(profile, 81).splitlines() == [
        "name: p",
        "base_url: http://127.0.0.1:81/v1",
        "model: m",
        "api_key: ${SIM_KEY}",
        "limits: {requests_per_minute: 9}",
        "cold: {scales_to_zero: true}",
    ]


def test_a_wrong_profile_is_refused_before_anything_starts(tmp_path: Path) -> None:
    profile = written(tmp_path, "colour: red\n")
    with pytest.raises(ConfigError, match="colour"), running_simulator(profile, golden=GOLDEN_FILE):
        pass


def test_a_port_that_is_taken_is_said(simulator: RunningSimulator, capfd: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(BenchError, match="exit code 2"),
        running_simulator(FAST, golden=GOLDEN_FILE, port=simulator.port),
    ):
        pass
    assert f"cannot listen on 127.0.0.1:{simulator.port}" in capfd.readouterr().err


def test_a_damaged_log_is_named_by_line(tmp_path: Path) -> None:
    file = tmp_path / "truth.jsonl"
    file.write_text('{"id": "a", "connection": 0, "arrived_at_ns": 1, "started_at_ns": 1, "ended_at_ns": 1}\n{"id"\n')
    with pytest.raises(DamagedFileError, match=r"truth\.jsonl:2"):
        read_truth(file)

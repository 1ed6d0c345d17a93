"""The metronome over the wire: whole streams, at the instants that its log says and never before they are due."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.errors import BenchError
from harness.model.shipped import shipped_profile
from harness.simulator.metronome import main
from harness.simulator.metronomeresponse import Response
from harness.simulator.metronomescript import Asked, stream_score
from harness.simulator.metronomeshape import Shape
from harness.simulator.process import RunningSimulator, running_metronome
from harness.simulator.truth import TruthLine, read_truth
from tests.simulator.client import Raw, connect, exchange, http, read_all

ROOT = Path(__file__).parents[2]
PATH = "/v1/chat/completions"
MS = 1_000_000
QUICK = Shape(ttft_ms=3, itl_ms=1, tokens=5)


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return tmp_path / "truth.jsonl"


@pytest.fixture
def metronome(truth: Path) -> Iterator[RunningSimulator]:
    with running_metronome(QUICK, truth) as running:
        yield running


def body(**more: Any) -> bytes:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps({"model": "some/model", "messages": [], **options, **more}).encode()


def request(headers: dict[str, str] | None = None, **more: Any) -> bytes:
    return http("POST", PATH, body(**more), **(headers or {}))


def responses(wire: bytes) -> list[Raw]:
    """Take the responses of one connection apart; no body holds the words that a head begins with."""
    heads = wire.split(b"HTTP/1.1 ")
    assert heads[0] == b""
    return [Raw(wire=b"HTTP/1.1 " + rest) for rest in heads[1:]]


def token_instants(line: TruthLine) -> list[int]:
    return [at for at, n_tokens in zip(line.at_ns, line.n_tokens, strict=True) for _ in range(n_tokens)]


def check_line(line: TruthLine, raw: Raw) -> None:
    """The line is of this response, and its columns agree with the bytes."""
    assert raw.payloads[0]["id"] == f"chatcmpl-{line.id}"
    assert raw.headers["x-request-id"] == f"req_{line.id}"
    assert (line.outcome, line.status, line.is_stream) == ("complete", 200, True)
    assert (line.method, line.path) == ("POST", PATH)
    assert len(line.at_ns) == len(line.n_bytes) == len(line.n_tokens)
    assert sum(line.n_bytes) == len(raw.wire)
    assert line.at_ns == sorted(line.at_ns)
    assert line.arrived_at_ns <= line.started_at_ns <= line.at_ns[0]
    assert line.at_ns[-1] <= line.ended_at_ns


def test_a_stream_is_whole_and_its_line_is_of_it(truth: Path) -> None:
    with running_metronome(QUICK, truth) as running:
        raw = exchange(running.port, request())
    (line,) = read_truth(truth)
    check_line(line, raw)
    assert raw.status == 200
    assert raw.is_whole
    assert raw.events[-1] == b"[DONE]"
    assert {payload["model"] for payload in raw.payloads} == {"some/model"}
    assert len({payload["id"] for payload in raw.payloads}) == 1
    assert raw.deltas[0] == {"role": "assistant", "content": ""}
    assert raw.text == " tick tock tick tock tick"
    assert [choice["finish_reason"] for p in raw.payloads for choice in p["choices"]] == [None] * 6 + ["stop"]
    assert raw.usages == [{"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6}]
    assert line.n_tokens == [0, 0, 1, 1, 1, 1, 1, 0, 0, 0]  # head, role, tokens, finish, usage, [DONE]


def test_usage_comes_only_where_it_is_asked_for(metronome: RunningSimulator) -> None:
    assert exchange(metronome.port, request(stream_options=None)).usages == []


def test_no_token_goes_out_before_it_is_due(truth: Path) -> None:
    with running_metronome(Shape(ttft_ms=4, itl_ms=0.5, tokens=40), truth) as running:
        assert exchange(running.port, request()).is_whole
    (line,) = read_truth(truth)
    due = [line.arrived_at_ns + 4 * MS + k * MS // 2 for k in range(40)]
    assert len(token_instants(line)) == 40
    assert all(at >= instant for at, instant in zip(token_instants(line), due, strict=True))


@pytest.mark.parametrize(
    ("asked", "n_tokens"),
    [
        ({"metronome": {"tokens": 2}}, 2),
        ({"metronome": {"tokens": 9, "itl_ms": 0}}, 9),
        ({"max_tokens": 4}, 4),
        ({"max_completion_tokens": 3, "max_tokens": 4}, 3),
        ({"max_tokens": 99}, 5),
    ],
)
def test_a_request_may_ask_for_another_length(
    metronome: RunningSimulator, asked: dict[str, Any], n_tokens: int
) -> None:
    raw = exchange(metronome.port, request(**asked))
    assert raw.is_whole
    assert raw.usages[-1]["completion_tokens"] == n_tokens
    assert sum(bool(delta.get("content")) for delta in raw.deltas) == n_tokens


def test_a_request_may_ask_for_another_pace(truth: Path) -> None:
    with running_metronome(QUICK, truth) as running:
        assert exchange(running.port, request(metronome={"ttft_ms": 20, "itl_ms": 6, "tokens": 4})).is_whole
    (line,) = read_truth(truth)
    instants = token_instants(line)
    assert len(instants) == 4
    assert all(at >= line.arrived_at_ns + (20 + 6 * k) * MS for k, at in enumerate(instants))


@pytest.mark.parametrize("itl_ms", [0, 0.1])
def test_several_events_may_share_a_write(truth: Path, itl_ms: float) -> None:
    with running_metronome(Shape(ttft_ms=0, itl_ms=itl_ms, tokens=10, events_per_write=4), truth) as running:
        raw = exchange(running.port, request())
    (line,) = read_truth(truth)
    check_line(line, raw)
    assert raw.text.split() == ["tick", "tock"] * 5
    assert line.n_tokens == [0, 3, 4, 3, 0]  # head; role and 3; 4; 3 and finish; usage and [DONE]
    assert token_instants(line)[-1] >= line.arrived_at_ns + round(9 * itl_ms * MS)


def test_blasts_take_turns(truth: Path) -> None:
    with running_metronome(Shape(ttft_ms=0, itl_ms=0, tokens=3000), truth) as running:
        socks = [connect(running.port) for _ in range(3)]
        for sock in socks:
            sock.sendall(request({"Connection": "close"}))
        raws = [read_all(sock) for sock in socks]
        for sock in socks:
            sock.close()
    lines = read_truth(truth)
    assert [raw.usages[-1]["completion_tokens"] for raw in raws] == [3000] * 3
    assert [sum(line.n_tokens) for line in lines] == [3000] * 3
    last_begun = max(token_instants(line)[0] for line in lines)
    assert all(token_instants(line)[-1] > last_begun for line in lines)  # none was served whole before another began


def test_a_client_that_does_not_read_loses_nothing(truth: Path) -> None:
    with running_metronome(Shape(ttft_ms=0, itl_ms=0, tokens=60_000), truth) as running, connect(running.port) as slow:
        slow.sendall(request({"Connection": "close"}))
        assert slow.recv(1) == b"H"
        assert exchange(running.port, request(metronome={"tokens": 1})).is_whole  # others are served meanwhile
        wire = b"H" + read_all(slow).wire
    line = read_truth(truth)[0]
    assert wire.count(b'{"content":" tick"}') == wire.count(b'{"content":" tock"}') == 30_000
    assert wire.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert (line.outcome, sum(line.n_bytes), sum(line.n_tokens)) == ("complete", len(wire), 60_000)


class Narrow:
    """A socket with room for so many bytes at each call."""

    def __init__(self) -> None:
        self.taken = b""
        self.room = [1000, 7, 0, 3, 1000, 1000]

    def send(self, piece: memoryview) -> int:
        room = self.room.pop(0)
        if not room:
            raise BlockingIOError
        self.taken += bytes(piece[:room])
        return min(room, len(piece))


def test_what_a_full_socket_takes_in_parts_is_logged_in_parts() -> None:
    shape = Shape(ttft_ms=0, itl_ms=0, tokens=1, events_per_write=2)
    score = stream_score(Asked(shape=shape, model="m", includes_usage=False))
    response = Response(7, score, connection=0, arrived_at_ns=5, started_at_ns=5)
    narrow: Any = Narrow()
    n_full = 0
    while narrow.room:
        try:
            assert response.send_due(narrow) is None
        except BlockingIOError:
            n_full += 1
    response.end("complete")
    line = response.line()
    head, role_and_token, ending = (after - before for before, after in pairwise([0, *score.ends]))
    assert n_full == 3
    assert line.n_bytes == [head, 7, 3, role_and_token - 10, ending]
    assert line.n_tokens == [0, 0, 0, 1, 0]
    assert Raw(wire=narrow.taken).text == " tick"
    assert Raw(wire=narrow.taken).is_whole


def test_a_recorded_pattern_is_written_byte_for_byte(truth: Path) -> None:
    at_ns, n_bytes = [0, 2 * MS, 2 * MS, 5 * MS, 9 * MS], [260, 1, 20, 64, 300]
    with running_metronome(QUICK, truth) as running:
        raw = exchange(running.port, request(metronome={"at_ns": at_ns, "n_bytes": n_bytes}))
    (line,) = read_truth(truth)
    check_line(line, raw)
    assert [len(chunk) for chunk in raw.chunks[:-1]] == n_bytes
    assert line.n_tokens == [0, 1, 0, 0, 1, 1]  # the head; a line break and a comment carry none
    assert len([delta for delta in raw.deltas if delta.get("content")]) == 3
    assert raw.usages == [{"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}]
    assert raw.events[-1] == b"[DONE]"
    assert all(at >= line.arrived_at_ns + due for at, due in zip(line.at_ns[1:], at_ns, strict=True))


def test_a_connection_serves_one_request_after_the_other(truth: Path) -> None:
    with running_metronome(QUICK, truth) as running, connect(running.port) as sock:
        sock.sendall(request())
        first = sock.recv(1)  # the second is asked while the first is under way
        sock.sendall(request() + request({"Connection": "close"}))
        raws = responses(first + read_all(sock).wire)
    lines = read_truth(truth)
    assert [line.connection for line in lines] == [0, 0, 0]
    assert len(raws) == 3
    for line, raw in zip(lines, raws, strict=True):
        check_line(line, raw)
    assert lines[1].started_at_ns >= lines[0].ended_at_ns > lines[1].arrived_at_ns


def test_a_request_may_come_in_pieces(truth: Path) -> None:
    whole = request(metronome={"tokens": 1})
    with running_metronome(QUICK, truth) as running, connect(running.port) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for position in range(len(whole)):
            sock.sendall(whole[position : position + 1])
        sock.shutdown(socket.SHUT_WR)
        raw = read_all(sock)
    (line,) = read_truth(truth)
    check_line(line, raw)


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        (http("GET", "/v1/models"), 404, "only POST"),
        (http("GET", PATH), 404, "only POST"),
        (http("POST", PATH, b"{"), 400, "cannot be read"),
        (http("POST", PATH, b'{"model": 1}'), 400, "model"),
        (request(stream=False), 400, "only streams"),
        (request(metronome={"tempo": 1}), 400, "tempo"),
        (request(metronome={"itl_ms": -1}), 400, "itl_ms must"),
        (request(metronome={"tokens": 0}), 400, "tokens must"),
        (request(metronome={"events_per_write": 0}), 400, "events_per_write must"),
        (request(metronome={"at_ns": [0]}), 400, "one length"),
        (request(metronome={"at_ns": [1, 0], "n_bytes": [200, 200]}), 400, "descend"),
        (request(metronome={"at_ns": [0], "n_bytes": [0]}), 400, "1 or more"),
        (request(metronome={"at_ns": [0], "n_bytes": [99]}), 400, "too few"),
        (request({"Transfer-Encoding": "chunked"}), 411, "Content-Length"),
        (http("POST", PATH, b"", Content_Length="99999999999"), 413, "too large"),
        (b"\x16\x03\x01 hello\r\n\r\n", 400, "no HTTP"),
    ],
)
def test_what_cannot_be_played_is_refused_and_logged(truth: Path, asked: bytes, status: int, says: str) -> None:
    with running_metronome(QUICK, truth) as running:
        raw = exchange(running.port, asked)
    (line,) = read_truth(truth)
    assert raw.status == line.status == status
    assert says in raw.json["error"]["message"]
    assert (line.is_stream, line.outcome, sum(line.n_bytes)) == (False, "complete", len(raw.wire))


def test_a_connection_goes_on_after_a_refused_body_but_not_after_what_is_no_http(metronome: RunningSimulator) -> None:
    good = request(metronome={"tokens": 1})
    wire = exchange(metronome.port, request(stream=False) + good + b"nonsense\r\n\r\n" + good).wire
    assert [raw.status for raw in responses(wire)] == [400, 200, 400]


def test_a_client_that_leaves_is_on_the_log_and_others_go_on(truth: Path) -> None:
    with running_metronome(Shape(ttft_ms=0, itl_ms=0.5, tokens=100_000), truth) as running:
        with connect(running.port) as sock:
            sock.sendall(request())
            assert sock.recv(1) == b"H"
        raw = exchange(running.port, request(metronome={"itl_ms": 2, "tokens": 20}))
    left, other = read_truth(truth)
    assert left.outcome == "client_left"
    assert sum(left.n_tokens) < 100_000
    check_line(other, raw)


def test_sigterm_leaves_a_whole_log_of_what_was_under_way(truth: Path) -> None:
    with running_metronome(Shape(ttft_ms=1, itl_ms=20, tokens=5000), truth) as running:
        assert exchange(running.port, request(metronome={"tokens": 1})).is_whole
        with connect(running.port) as sock:
            sock.sendall(request())
            assert sock.recv(1) == b"H"
            os.kill(running.pid, signal.SIGTERM)
            raw = read_all(sock)
    done, cut = read_truth(truth)
    assert (done.outcome, cut.outcome) == ("complete", "interrupted")
    assert sum(cut.n_bytes) == 1 + len(raw.wire)


def test_it_says_where_it_listens_and_ends_with_its_parent(truth: Path) -> None:
    words = [sys.executable, "-P", "-m", "harness.simulator.metronome", "--truth", str(truth), "--tokens", "1"]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ready = msgspec.json.decode(process.stdout.readline())
        assert ready == {"port": ready["port"], "base_url": f"http://127.0.0.1:{ready['port']}/v1"}
        assert exchange(ready["port"], request()).is_whole
        process.stdin.close()
        assert process.wait(20) == 0
    assert len(read_truth(truth)) == 1


@pytest.mark.parametrize(
    "words", [("harness.simulator.metronome",), ("harness.simulator", str(shipped_profile("sim-h100")))]
)
def test_a_parent_that_has_gone_before_it_listens_is_no_error(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-P", "-m", *words],
        input=b"",
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_shape_that_cannot_be_played_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tokens", "0"]) == 2
    assert "tokens must be" in capsys.readouterr().err


def test_a_log_that_cannot_be_written_is_said_before_anything_is_served(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BenchError, match="exit code 2"), running_metronome(truth=tmp_path):
        pass
    assert "cannot be written" in capfd.readouterr().err

"""Keys come from the environment and are written nowhere, not even when the endpoint echoes them."""

import asyncio
import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.files import endpoint_file, golden_file

KEY, TOKEN = "sk-canary-0123456789abcdef", "canary-token-fedcba9876543210"


class Echo:
    """An endpoint that repeats every request, key and all, in an answer, an error body and a header."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        self.heard: list[str] = []
        self.seen_command_lines: set[bytes] = set()  # of all processes while they measured
        self.stalls_after: int | None = None  # requests; those after them are not answered
        self.stalled = threading.Event()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._answer, "127.0.0.1", 0)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        length = next(lengths, 0)
        await reader.readexactly(length)
        self.heard.append(head.decode())
        self.seen_command_lines |= _command_lines()
        if self.stalls_after is not None and len(self.heard) > self.stalls_after:
            self.stalled.set()
            await reader.read()
            writer.close()
            return
        is_error = len(self.heard) % 3 == 0
        body = _error(head.decode()) if is_error else _stream(head.decode())
        status = "401 Unauthorized" if is_error else "200 OK"
        kind = "application/json" if is_error else "text/event-stream"
        answer = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nX-Echo: {KEY} {TOKEN}\r\nX-Request-Id: {KEY}\r\n"
        writer.write(f"{answer}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    def close(self) -> None:
        async def end() -> None:
            self._server.close()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _command_lines() -> set[bytes]:
    found = set()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.add(file.read_bytes())
    return found


def _error(text: str) -> bytes:
    return json.dumps({"error": {"message": f"wrong key in {text}", "code": KEY, "type": TOKEN}}).encode()


def _stream(text: str) -> bytes:
    """The key whole, in base64, and a few characters in each of many events."""
    coded = base64.b64encode(f"user:{KEY}".encode()).decode()
    parts = [f"Prague {text} {coded} ", *(KEY[at : at + 4] for at in range(0, len(KEY), 4)), " ", *TOKEN]
    events = [_event(part) for part in parts]
    return "".join((*events, _event("", "stop"), "data: [DONE]\n\n")).encode()


def _event(text: str, reason: str | None = None) -> str:
    delta = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]}
    return f"data: {json.dumps(delta)}\n\n"


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How a command ended and all that it said."""

    code: int
    output: bytes


def environment(folder: Path, debug: str) -> dict[str, str]:
    root = Path(__file__).resolve().parents[2]
    (folder / "tmp").mkdir(exist_ok=True)
    return {
        **os.environ,
        "CANARY_KEY": KEY,
        "CANARY_TOKEN": TOKEN,
        "BENCH_DEBUG": debug,
        "PYTHONPATH": str(root),
        "TMPDIR": str(folder / "tmp"),
    }


def told(folder: Path, *words: str, debug: str = "1", starting: tuple[str, ...] = ("-m", "harness")) -> Told:
    """Run a command to its end."""
    command = [sys.executable, *starting, *words]
    done = subprocess.run(
        command, cwd=folder, env=environment(folder, debug), capture_output=True, check=False, timeout=120
    )
    return Told(code=done.returncode, output=done.stdout + done.stderr)


def keyed(folder: Path, base_url: str, name: str = "a", **more: object) -> str:
    given = {"api_key": "${CANARY_KEY}", "headers": {"X-Token": "${CANARY_TOKEN}"}} | more
    return str(endpoint_file(folder, name, base_url, **given))


def assert_nothing_leaked(folder: Path, echo: Echo, *all_told: Told) -> set[str]:
    """No file, output or command line holds a canary; gives the names of the files."""
    assert echo.heard == [] or all(KEY in head and TOKEN in head for head in echo.heard), "they did go over the wire"
    written = [path for path in folder.rglob("*") if path.is_file()]
    for content in (*(one.output for one in all_told), *(path.read_bytes() for path in written)):
        assert b"canary" not in content.replace(b"CANARY", b"").replace(str(folder).encode(), b"")
    assert b"canary" not in b"".join(echo.seen_command_lines)
    assert base64.b64encode(f"user:{KEY}".encode()) not in b"".join(path.read_bytes() for path in written)
    for path in written:
        if path.name == "records.jsonl":
            assert_no_record_spells_it(path)
    return {path.name for path in written}


def assert_no_record_spells_it(file: Path) -> None:
    """What the deltas spell is the answer's text, joined."""
    texts = [json.loads(line)["answer"]["text"] for line in file.read_text().splitlines()]
    assert any("Prague" in text for text in texts)
    assert not any(TOKEN in text or KEY in text for text in texts)


@pytest.mark.parametrize(("debug", "more_words"), [("", ()), ("1", ("--workers", "2"))])
def test_a_key_that_the_endpoint_echoes_stands_in_no_file_and_no_output(
    debug: str, more_words: tuple[str, ...], echo: Echo, tmp_path: Path
) -> None:
    file = keyed(tmp_path, echo.base_url)
    golden = str(golden_file(tmp_path))
    done = told(tmp_path, "compare", file, file, "--golden", golden, "--repeats", "6", *more_words, debug=debug)
    assert done.code in {0, 1, 3, 4}, done.output.decode()
    assert len(echo.heard) == 2 * (6 + 2)
    names = assert_nothing_leaked(tmp_path, echo, done)
    assert {"run.json", "attempts.jsonl", "streams.bin", "records.jsonl", "verdict.json"} <= names
    assert any(name.endswith(".html") for name in names)
    n_workers = sum(b"harness.measure.worker" in line for line in echo.seen_command_lines)
    assert n_workers == (1 if more_words and Path("/proc/self/cmdline").exists() else 0)  # equal lines are one


def test_probes_write_no_key(echo: Echo, tmp_path: Path) -> None:
    words = [word for probe in ("chat", "stream", "models", "error_bad_key") for word in ("--probe", probe)]
    done = told(tmp_path, "probe", keyed(tmp_path, echo.base_url), *words, "--rate", "6000")
    assert done.code in {0, 3, 75}, done.output.decode()
    echo.heard = [head for head in echo.heard if "sk-bench-wrong-key" not in head]
    assert echo.heard
    assert any(name.endswith(".html") for name in assert_nothing_leaked(tmp_path, echo, done))


def test_a_run_that_is_interrupted_and_resumed_writes_no_key(echo: Echo, tmp_path: Path) -> None:
    words = ["run", keyed(tmp_path, echo.base_url), "--golden", str(golden_file(tmp_path)), "--repeats", "40"]
    echo.stalls_after = 12
    command = [sys.executable, "-m", "harness", *words]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path, "1"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as running:
        assert echo.stalled.wait(60)
        running.send_signal(signal.SIGINT)
        output, _ = running.communicate(timeout=60)
    interrupted = Told(code=running.returncode, output=output)
    assert interrupted.code == 130, output.decode()
    echo.stalls_after = None
    resumed = told(tmp_path, *words, "--resume")
    assert resumed.code in {0, 1, 3, 4}, resumed.output.decode()
    assert "records.jsonl" in assert_nothing_leaked(tmp_path, echo, interrupted, resumed)


_CRASHING = """
import sys
from harness.cli import main
from harness.measure.wire.player import Player

async def play(self, request, limits):
    raise RuntimeError(f"cannot send {request.head.decode()}")

Player.play = play
main(sys.argv[1:])
"""


@pytest.mark.parametrize("debug", ["", "1"])
def test_an_internal_error_that_quotes_the_request_shows_no_key(debug: str, echo: Echo, tmp_path: Path) -> None:
    words = ["run", keyed(tmp_path, echo.base_url), "--golden", str(golden_file(tmp_path)), "--repeats", "1"]
    done = told(tmp_path, *words, debug=debug, starting=("-c", _CRASHING))
    assert done.code == 70, done.output.decode()
    assert (b"Traceback" in done.output) == bool(debug)
    assert (b"Bearer ****" in done.output) == bool(debug)
    assert_nothing_leaked(tmp_path, echo, done)


def test_endpoints_that_cannot_be_reached_are_named_without_the_key(echo: Echo, tmp_path: Path) -> None:
    """A host without an address against a port that speaks no TLS, with the key in a file."""
    file = tmp_path / "key.txt"
    file.write_text(KEY)
    file.chmod(0o600)
    nowhere = keyed(tmp_path, "http://nowhere.invalid/v1", "nowhere", api_key={"file": "key.txt"})
    plain = keyed(tmp_path, echo.base_url.replace("http:", "https:"), "plain")
    done = told(tmp_path, "compare", nowhere, plain, "--golden", str(golden_file(tmp_path)), "--repeats", "1")
    file.unlink()
    assert done.code in {1, 4, 75}, done.output.decode()
    assert echo.heard == []
    assert_nothing_leaked(tmp_path, echo, done)

"""Keys come from the environment and are written nowhere, not even when the endpoint echoes them."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
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

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._answer, "127.0.0.1", 0)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        self.heard.append(head.decode())
        self.seen_command_lines |= _command_lines()
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
    delta = {"choices": [{"index": 0, "delta": {"content": f"Prague {text}"}, "finish_reason": "stop"}]}
    return f"data: {json.dumps(delta)}\n\ndata: [DONE]\n\n".encode()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.mark.parametrize(("debug", "more_words"), [("", ()), ("1", ()), ("1", ("--workers", "2"))])
def test_a_key_that_the_endpoint_echoes_stands_in_no_file_and_no_output(
    debug: str, more_words: tuple[str, ...], echo: Echo, tmp_path: Path
) -> None:
    more = {"api_key": "${CANARY_KEY}", "headers": {"X-Token": "${CANARY_TOKEN}"}}
    file = endpoint_file(tmp_path, "a", echo.base_url, **more)
    words = ["compare", str(file), str(file), "--golden", str(golden_file(tmp_path)), "--repeats", "6"]
    environ = {**os.environ, "CANARY_KEY": KEY, "CANARY_TOKEN": TOKEN, "BENCH_DEBUG": debug}
    command = [sys.executable, "-m", "harness", *words, *more_words]
    root = Path(__file__).resolve().parents[2]
    environ["PYTHONPATH"] = str(root)
    environ["TMPDIR"] = str(tmp_path / "tmp")
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=False)
    assert done.returncode in {0, 1, 3, 4}, done.stderr.decode()
    assert len(echo.heard) == 2 * (6 + 2)
    assert all(KEY in head and TOKEN in head for head in echo.heard)  # they did go over the wire
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"run.json", "attempts.jsonl", "streams.bin", "records.jsonl", "verdict.json"} <= {p.name for p in written}
    assert any(path.suffix == ".html" for path in written)
    for content in (done.stdout, done.stderr, *(path.read_bytes() for path in written)):
        assert b"canary" not in content.replace(b"CANARY", b"").replace(str(tmp_path).encode(), b"")
    assert b"canary" not in b"".join(echo.seen_command_lines)
    n_workers = sum(b"harness.measure.worker" in line for line in echo.seen_command_lines)
    assert n_workers == (1 if more_words and Path("/proc/self/cmdline").exists() else 0)  # equal lines are one

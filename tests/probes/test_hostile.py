"""Servers that answer badly: survived, named, and none keeps the next probe from being asked."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from harness.model.probe import ProbeClass, ProbeReport
from tests.probes.probed import ENVIRON, probe_port, result_of

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
READY = b'{"choices":[{"index":0,"message":{"content":"ready"},"finish_reason":"stop"}]}'
KEY = ENVIRON["PROBE_KEY"].encode()


def body(status: str, content: bytes, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Content-Type: application/json", *more, "", ""]
    return "\r\n".join(lines).encode() + content


@contextlib.asynccontextmanager
async def serving(handler: Handler, requests: list[bytes]) -> AsyncIterator[int]:
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(x[15:]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:")), 0)
                requests.append(head + await reader.readexactly(length))
                await handler(requests[-1], writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations)


def probe(handler: Handler, folder: Path, *ids: str, deadline_s: float = 5) -> tuple[ProbeReport, list[bytes]]:
    requests: list[bytes] = []

    async def main() -> ProbeReport:
        async with serving(handler, requests) as port:
            return await probe_port(port, folder, ids, deadline_s=deadline_s)

    return asyncio.run(main()), requests


def where(field: bytes, bad: Handler) -> Handler:
    """Answer well, but for requests with a field."""

    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        if field in request:
            await bad(request, writer)
        else:
            writer.write(body("200 OK", READY))
            await writer.drain()

    return handle


def saying(response: bytes) -> Handler:
    async def handle(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response)
        await writer.drain()

    return handle


def test_a_page_is_no_answer_and_the_next_probe_is_asked(tmp_path: Path) -> None:
    page = saying(body("200 OK", b"<html><title>Sign in</title></html>"))
    report, _ = probe(where(b'"seed"', page), tmp_path / "p", "seed", "logit_bias")
    assert result_of(report, "seed").outcome is ProbeClass.BROKEN
    assert "Sign in" in result_of(report, "seed").evidence
    assert result_of(report, "logit_bias").outcome is ProbeClass.ACCEPTED


def test_a_body_without_measure_is_cut_off_and_named(tmp_path: Path) -> None:
    report, _ = probe(where(b'"seed"', saying(body("200 OK", b"x" * 10_000_000))), tmp_path / "p", "seed")
    assert result_of(report, "seed").outcome is ProbeClass.BROKEN
    assert "body_too_large" in result_of(report, "seed").evidence
    assert (tmp_path / "p" / "streams.bin").stat().st_size < 64_000_000


def test_an_endless_stream_ends_with_the_deadline(tmp_path: Path) -> None:
    async def endless(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while not writer.is_closing():
            writer.write(b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')
            await writer.drain()
            await asyncio.sleep(0.01)

    report, _ = probe(where(b'"stream"', endless), tmp_path / "p", "stream", "logit_bias", deadline_s=0.2)
    assert result_of(report, "stream").outcome is ProbeClass.BROKEN
    assert "timeout_total" in result_of(report, "stream").evidence
    assert result_of(report, "logit_bias").outcome is ProbeClass.ACCEPTED


def test_a_hang_ends_with_the_deadline(tmp_path: Path) -> None:
    async def hang(_: bytes, writer: asyncio.StreamWriter) -> None:
        del writer

    report, _ = probe(where(b'"seed"', hang), tmp_path / "p", "seed", deadline_s=0.2)
    assert result_of(report, "seed").outcome is ProbeClass.BROKEN
    assert "timeout" in result_of(report, "seed").evidence


def test_a_redirect_is_not_followed_with_the_key(tmp_path: Path) -> None:
    elsewhere: list[bytes] = []

    async def main() -> ProbeReport:
        async with serving(saying(body("200 OK", READY)), elsewhere) as other:
            moved = body("307 Moved", b"", f"Location: http://127.0.0.1:{other}/v1/chat/completions")
            async with serving(where(b'"seed"', saying(moved)), []) as port:
                return await probe_port(port, tmp_path / "p", ("seed",))

    report = asyncio.run(main())
    assert result_of(report, "seed").outcome is ProbeClass.BROKEN
    evidence = result_of(report, "seed").evidence
    assert re.search(r"307 to 127\.0\.0\.1:\d+: never followed", evidence), evidence
    assert "/v1" not in evidence
    assert elsewhere == []


def test_the_key_reaches_the_server_and_no_file(tmp_path: Path) -> None:
    echo = body("400 Bad Request", b'{"error":{"message":"no such field for ' + KEY + b'"}}', "X-Echo: " + KEY.decode())
    report, requests = probe(where(b'"seed"', saying(echo)), tmp_path / "p", "seed")
    assert any(KEY in request for request in requests)
    assert result_of(report, "seed").outcome is ProbeClass.REJECTED
    for file in (tmp_path / "p").iterdir():
        assert KEY not in file.read_bytes(), file.name


def test_a_wrong_key_takes_the_place_of_the_right_one(tmp_path: Path) -> None:
    _, requests = probe(saying(body("200 OK", READY)), tmp_path / "p", "error_bad_key")
    control, wrong = requests
    assert (KEY in control, KEY in wrong) == (True, False)


def test_a_server_that_is_down_is_asked_three_times_in_all(tmp_path: Path) -> None:
    report, requests = probe(
        saying(body("503 Unavailable", b"{}")), tmp_path / "p", "seed", "n", "top_p", "logprobs", "image"
    )
    assert {result.outcome for result in report.results} == {ProbeClass.INCONCLUSIVE}
    assert len(requests) == 3


def test_a_server_that_breaks_in_between_is_not_blamed_on_the_feature(tmp_path: Path) -> None:
    n = 0

    async def dying(_: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal n
        n += 1
        writer.write(body("200 OK", READY) if n == 1 else body("500 Oops", b"{}"))
        await writer.drain()

    report, _ = probe(dying, tmp_path / "p", "seed")
    assert result_of(report, "seed").outcome is ProbeClass.INCONCLUSIVE

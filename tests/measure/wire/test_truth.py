"""Arrival instants against a server that logs when it really wrote; runs where BENCH_TRUTHD names its binary."""

import asyncio
import json
import os
import socket
import struct
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.decode.http import split_wire
from harness.decode.sse import split_events
from harness.measure.wire.player import Exchange
from tests.measure.wire.builders import PATIENT, a_player, a_request, an_endpoint, exchanged
from tests.measure.wire.conftest import Run

BINARY = os.environ.get("BENCH_TRUTHD", "")
HEAD, EVENT = struct.Struct("<QQQQQQIIIIII"), struct.Struct("<QQIIQ")  # one log row, one write of it
HEADERS_KIND = 5
N_STREAMS = 8
BODY = b'{"stream":true,"stream_options":{"include_usage":true}}'

pytestmark = pytest.mark.skipif(not BINARY, reason="BENCH_TRUTHD names no server with a true log")


@dataclass
class Truth:
    """The running server and its log."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def writes(self) -> dict[int, list[tuple[int, int]]]:
        """Stop the server and give, by request, the instants before and after each write of an event."""
        self.process.terminate()
        self.process.wait(10)
        data, at, rows = self.log.read_bytes(), 0, {}
        while at < len(data):
            head = HEAD.unpack_from(data, at)
            at += HEAD.size
            events = [EVENT.unpack_from(data, at + i * EVENT.size) for i in range(head[6])]
            at += head[6] * EVENT.size
            rows[head[1]] = [(event[0], event[4]) for event in events if event[2] != HEADERS_KIND]
        return rows


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[Truth]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    log = tmp_path / "log.bin"
    words = ["--port", str(port), "--ttft-ms", "20", "--itl-ms", "5", "--tokens", "40", "--log", str(log)]
    with subprocess.Popen([BINARY, *words], stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline()  # it says that it listens
            yield Truth(process, port, log)
        finally:
            process.kill()


async def played(port: int) -> list[Exchange]:
    player = a_player(an_endpoint(port))
    exchanges = await asyncio.gather(
        *(exchanged(player, a_request(port, body=BODY), PATIENT) for _ in range(N_STREAMS))
    )
    await player.close()
    return list(exchanges)


def test_no_event_arrives_before_its_write_and_most_within_it(run: Run, truth: Truth) -> None:
    exchanges: list[Exchange] = []

    async def main() -> None:
        exchanges.extend(await played(truth.port))

    run(main())
    writes = truth.writes()
    n_own = n_within = 0
    for exchange in exchanges:
        response = split_wire(exchange.wire, exchange.reads)
        events = split_events(response.body).events
        number = int(json.loads(events[0].data or b"")["id"].rpartition("-")[2], 16)
        assert len(events) == len(writes[number]) == 44
        reads = [response.read_of(event.end) for event in events]
        for read, (before, after) in zip(reads, writes[number], strict=True):
            assert read is not None
            at = exchange.reads.at_ns[read]
            assert at >= before - 1000  # the bound of the clocks' mapping
            if Counter(reads)[read] == 1 and exchange.reads.source[read] == "k":
                n_own += 1
                n_within += at <= after + 1000
    assert n_own > N_STREAMS
    assert n_within / n_own > 0.9

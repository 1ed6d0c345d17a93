"""Bad weather: responses that break, drip, flood or never end, each a named failure that keeps what arrived."""

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable

import pytest

from harness.decode.http import split_wire
from harness.measure.wire.framing import MAX_HEAD_BYTES
from harness.measure.wire.tls import READ_SIZE
from harness.model.endpoint import Tls
from harness.model.record import FailureKind
from tests.measure.wire.builders import (
    CHUNKED_HEAD,
    DONE,
    LAST_CHUNK,
    PATIENT,
    WHOLE,
    a_player,
    a_request,
    an_endpoint,
    chunk,
    exchanged,
    limits,
    said,
    sized,
)
from tests.measure.wire.certificates import Certificates
from tests.measure.wire.conftest import Run
from tests.measure.wire.servers import Caller, answering, serving
from tests.measure.wire.stage import kind_of, staged

EVENT = said("half")
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("end", "n_data"),
    [
        (b"1", 0),  # inside a size
        (b"1f", 0),
        (b"1f;na", 0),  # inside an extension
        (b"1f\r", 0),
        (b"1f\r\n", 0),
        (b"1f\r\ndata: {", 7),  # inside the data
        (chunk(EVENT)[:-2], len(EVENT)),
        (chunk(EVENT)[:-1], len(EVENT)),
        (chunk(EVENT), len(EVENT)),  # before the last chunk
        (b"0", 0),
        (b"0\r\n", 0),
        (b"0\r\nDate: a\r\n", 0),
    ],
)
def test_a_chunked_body_that_ends_early_is_cut_off_wherever_it_ends(run: Run, end: bytes, n_data: int) -> None:
    async def main() -> None:
        async with staged(answering(CHUNKED_HEAD + chunk(EVENT) + end, hold=False)) as at:
            exchange = await at.play()
            assert kind_of(exchange) is FailureKind.CUT_OFF
            assert exchange.failure is not None
            assert f"closed inside the response, after {len(EVENT) + n_data} bytes of body" in exchange.failure.message
            assert exchange.wire == CHUNKED_HEAD + chunk(EVENT) + end
            assert exchange.ended_at_ns is not None
            assert exchange.ended_at_ns >= exchange.reads.seen_at_ns[-1]

    run(main())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", FailureKind.RESET_BEFORE_RESPONSE),
        (CHUNKED_HEAD[:20], FailureKind.RESET_BEFORE_RESPONSE),
        (CHUNKED_HEAD, FailureKind.CUT_OFF),
        (CHUNKED_HEAD + chunk(EVENT), FailureKind.CUT_OFF),
        (CHUNKED_HEAD + chunk(EVENT) + chunk(DONE), None),  # nothing is missing
        (b"HTTP/1.1 200 OK\r\n\r\nhalf of it", FailureKind.CUT_OFF),  # a reset is no end, unlike a close
    ],
)
def test_a_reset_keeps_the_bytes_that_came_right_before_it(run: Run, answer: bytes, kind: FailureKind | None) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.request()
            if answer:
                await caller.send(answer)
            caller.reset()

        async with staged(script) as at:
            exchange = await at.play()
            assert kind_of(exchange) is kind
            assert exchange.wire == answer
            assert exchange.sent_at_ns is not None
            if exchange.failure is not None:
                assert "was reset" in exchange.failure.message

    run(main())


def test_a_reset_under_tls_keeps_the_bytes_too(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.request()
            await caller.send(CHUNKED_HEAD + chunk(EVENT))
            caller.reset()

        async with serving(script, context=certificates.server()) as server:
            player = a_player(an_endpoint(server.port, scheme="https", tls=Tls(ca_file=certificates.ca_file)))
            exchange = await exchanged(player, a_request(server.port, scheme="https"), PATIENT)
            await player.close()
            assert kind_of(exchange) is FailureKind.CUT_OFF
            assert exchange.wire == CHUNKED_HEAD + chunk(EVENT)

    run(main())


DRIPPED = CHUNKED_HEAD + b"".join(chunk(said(f"word {number}")) for number in range(40)) + chunk(DONE) + LAST_CHUNK


async def dripping(caller: Caller) -> None:
    """Answer every request a byte at a time, each byte in a turn of the loop of its own."""
    while await caller.request():
        for byte in DRIPPED:
            caller.writer.write(bytes([byte]))
            await asyncio.sleep(0)
            await asyncio.sleep(0)


@pytest.mark.parametrize("is_secure", [False, True])
def test_a_byte_at_a_time_arrives_as_it_was_sent(run: Run, certificates: Certificates, is_secure: bool) -> None:
    async def main() -> None:
        scheme = "https" if is_secure else "http"
        async with serving(dripping, context=certificates.server() if is_secure else None) as server:
            player = a_player(an_endpoint(server.port, scheme=scheme, tls=Tls(ca_file=certificates.ca_file)))
            exchanges = [await exchanged(player, a_request(server.port, scheme=scheme), PATIENT) for _ in range(2)]
            await player.close()
            for exchange in exchanges:
                assert exchange.failure is None
                assert exchange.wire == DRIPPED
                reads = exchange.reads
                assert sum(reads.n_bytes) == len(DRIPPED) > 3000
                assert len(reads.n_bytes) > len(DRIPPED) / 2, "the bytes came together: nothing was tested"
                assert len(reads.at_ns) == len(reads.seen_at_ns) == len(reads.source) == len(reads.n_bytes)
                assert list(reads.at_ns) == sorted(reads.at_ns)
                assert split_wire(exchange.wire, reads).body.count(b"data: ") == 41
            assert server.n_connections == 1  # the end was found: the connection stays

    run(main())


@pytest.mark.parametrize("n_events", [1, 10])
def test_events_of_a_mebibyte_at_once_arrive_whole(run: Run, n_events: int) -> None:
    async def main() -> None:
        answer = CHUNKED_HEAD + b"".join(chunk(said("x" * MIB)) for _ in range(n_events)) + chunk(DONE) + LAST_CHUNK
        async with staged(answering(answer)) as at:
            exchange = await at.play()
            assert exchange.failure is None
            assert len(exchange.wire) > n_events * MIB
            assert exchange.wire == answer
            assert max(exchange.reads.n_bytes) <= READ_SIZE
            assert (await at.play()).connection is not None
            assert at.server.n_connections == 1

    run(main())


INTERIM = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
)


@pytest.mark.parametrize("pieces", [(*INTERIM, WHOLE), (b"".join(INTERIM) + WHOLE,), (*INTERIM * 20, WHOLE)])
def test_interim_heads_are_kept_and_are_not_the_answer(run: Run, pieces: tuple[bytes, ...]) -> None:
    async def main() -> None:
        async with staged(answering(*pieces)) as at:
            exchange = await at.play()
            assert (exchange.failure, exchange.status) == (None, 200)
            assert len(exchange.wire) == len(b"".join(pieces))
            assert exchange.wire.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert exchange.wire.endswith(WHOLE)
            assert "link" not in exchange.headers
            await at.play()
            assert at.server.n_connections == 1

    run(main())


@pytest.mark.parametrize(
    ("is_closed", "kind"), [(True, FailureKind.RESET_BEFORE_RESPONSE), (False, FailureKind.TIMEOUT_FIRST_OUTPUT)]
)
def test_an_interim_head_alone_is_no_answer(run: Run, is_closed: bool, kind: FailureKind) -> None:
    async def main() -> None:
        async with staged(answering(INTERIM[0], hold=not is_closed)) as at:
            exchange = await at.play(limits(first_output_s=0.15))
            assert kind_of(exchange) is kind
            assert exchange.status is None
            assert exchange.wire == INTERIM[0]

    run(main())


class Flood:
    """Sends a head and then the same bytes until the client leaves; counts what it could send."""

    def __init__(self, head: bytes, piece: bytes, n_most: int) -> None:
        self.head = head
        self.piece = piece
        self.n_most = n_most
        self.n_sent = 0
        self.left = asyncio.Event()

    async def __call__(self, caller: Caller) -> None:
        await caller.request()
        try:
            await caller.send(self.head)
            while self.n_sent < self.n_most:
                await caller.send(self.piece)
                self.n_sent += len(self.piece)
        except ConnectionError:
            self.left.set()


GIB = 1024 * MIB
ZEROS = bytes(65_536)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIB, ZEROS),
        (CHUNKED_HEAD, chunk(ZEROS)),
        (b"HTTP/1.1 200 OK\r\n\r\n", ZEROS),
        (CHUNKED_HEAD + b"%x\r\n" % GIB, ZEROS),
    ],
)
def test_a_body_of_a_gibibyte_is_given_up_at_the_limit(run: Run, head: bytes, piece: bytes) -> None:
    limit = 4 * MIB

    async def main() -> None:
        flood = Flood(head, piece, GIB)
        async with staged(flood, max_body_bytes=limit) as at:
            tracemalloc.start()
            exchange = await at.play()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert kind_of(exchange) is FailureKind.BODY_TOO_LARGE
            assert exchange.failure is not None
            assert exchange.failure.message == f"a body of more than {limit} bytes"
            assert limit < len(exchange.wire) < limit + 2 * READ_SIZE
            assert exchange.wire.startswith(head)
            assert peak < 8 * limit  # the pieces, and what striking secrets out of them takes
            await asyncio.wait_for(flood.left.wait(), 20)
            assert flood.n_sent < GIB / 10

    run(main())


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-Filler: %s\r\n" % (b"y" * 1000)),
        (b"HTTP/1.1 200 OK\r\nX-Filler: ", b"y" * 1000),
        (b"HTTP/1.1 200 ", b"y" * 1000),
        (b"", INTERIM[2] * 20),
    ],
)
def test_a_head_without_end_is_refused_at_its_limit(run: Run, head: bytes, piece: bytes) -> None:
    async def main() -> None:
        flood = Flood(head, piece, 16 * MIB)
        async with staged(flood) as at:
            exchange = await at.play()
            assert kind_of(exchange) is FailureKind.MALFORMED_HTTP
            assert exchange.failure is not None
            assert f"head of more than {MAX_HEAD_BYTES} bytes" in exchange.failure.message
            assert exchange.status is None
            assert MAX_HEAD_BYTES < len(exchange.wire) <= MAX_HEAD_BYTES + READ_SIZE
            await asyncio.wait_for(flood.left.wait(), 20)

    run(main())


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (CHUNKED_HEAD + b"0\r\n", b"Date: %s\r\n" % (b"y" * 1000)),  # trailers
        (CHUNKED_HEAD + b"0\r\nDate: ", b"y" * 1000),
        (CHUNKED_HEAD + b"1;", b"y" * 1000),  # an extension
        (CHUNKED_HEAD, b"1;%s\r\nx\r\n" % (b"y" * 1000)),
    ],
)
def test_framing_without_a_body_is_bounded_too(run: Run, head: bytes, piece: bytes) -> None:
    async def main() -> None:
        flood = Flood(head, piece, 16 * MIB)
        async with staged(flood, max_body_bytes=MIB) as at:
            exchange = await at.play()
            assert kind_of(exchange) is FailureKind.MALFORMED_HTTP
            assert len(exchange.wire) < 6 * MIB
            await asyncio.wait_for(flood.left.wait(), 20)

    run(main())


def test_a_stream_that_speaks_for_ever_ends_at_the_total_limit(run: Run) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.request()
            await caller.send(CHUNKED_HEAD)
            closed = asyncio.ensure_future(caller.closed_by_peer())
            try:
                while not closed.done():
                    await caller.send(chunk(said("a")))
                    await asyncio.wait({closed}, timeout=0.005)
            except ConnectionError:
                pass
            finally:
                closed.cancel()
                left.set()

        left = asyncio.Event()
        async with staged(script) as at:
            exchange = await at.play(limits(total_s=0.6))
            assert kind_of(exchange) is FailureKind.TIMEOUT_TOTAL
            assert exchange.failure is not None
            assert exchange.failure.message.startswith("the total limit of 0.6 s passed")
            assert exchange.wire.count(b"data: ") > 3
            await left.wait()

    run(main())


async def silent(caller: Caller) -> None:
    await caller.request()
    await caller.closed_by_peer()


async def silent_after_head(caller: Caller) -> None:
    await caller.request()
    await caller.send(CHUNKED_HEAD)
    await caller.closed_by_peer()


@pytest.mark.parametrize(("script", "status"), [(silent, None), (silent_after_head, 200)])
def test_a_server_that_says_nothing_ends_at_the_first_output_limit(
    run: Run, script: Callable[[Caller], Awaitable[None]], status: int | None
) -> None:
    async def main() -> None:
        async with staged(script) as at:
            exchange = await at.play(limits(first_output_s=0.15))
            assert kind_of(exchange) is FailureKind.TIMEOUT_FIRST_OUTPUT
            assert exchange.status == status
            assert exchange.sent_at_ns is not None

    run(main())


def long_stream(*events: bytes, then: bytes, n: int = 60) -> Callable[[Caller], Awaitable[None]]:
    """Send the events n times, each in a chunk and a write of its own; then the same comment until the client left."""

    async def script(caller: Caller) -> None:
        await caller.request()
        await caller.send(CHUNKED_HEAD)
        for _ in range(n):
            for event in events:
                await caller.send(chunk(event))
                await asyncio.sleep(0)
        closed = asyncio.ensure_future(caller.closed_by_peer())
        try:
            while not closed.done():
                await caller.send(chunk(then))
                await asyncio.wait({closed}, timeout=0.005)
        except ConnectionError:
            pass
        finally:
            closed.cancel()

    return script


@pytest.mark.parametrize("events", [(EVENT,), (EVENT[:20], EVENT[20:])])
def test_comments_behind_a_long_stream_do_not_keep_it_alive(run: Run, events: tuple[bytes, ...]) -> None:
    async def main() -> None:
        async with staged(long_stream(*events, then=b": keep-alive\n\n")) as at:
            exchange = await at.play(limits(idle_s=0.3))
            assert kind_of(exchange) is FailureKind.TIMEOUT_IDLE
            assert exchange.failure is not None
            assert exchange.failure.message.startswith("the idle limit of 0.3 s passed")
            assert len(exchange.reads.n_bytes) > 60

    run(main())


def test_events_that_chunks_cut_in_two_keep_a_long_stream_alive(run: Run) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.request()
            await caller.send(CHUNKED_HEAD)
            for number in range(120):
                await caller.send(chunk(EVENT[:20]), chunk(EVENT[20:]))
                await asyncio.sleep(0.02 if number > 60 else 0)  # together they outlast the limit
            await caller.send(chunk(DONE) + LAST_CHUNK)

        async with staged(script) as at:
            exchange = await at.play(limits(idle_s=0.6))
            assert exchange.failure is None

    run(main())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", FailureKind.RESET_BEFORE_RESPONSE),
        (CHUNKED_HEAD + chunk(EVENT), FailureKind.CUT_OFF),
        (sized(b"whole"), None),
        (b"HTTP/1.1 200 OK\r\n\r\nwhole", None),
    ],
)
def test_a_server_that_closes_its_half_only_has_said_all(run: Run, answer: bytes, kind: FailureKind | None) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.request()
            await caller.send(answer)
            caller.writer.write_eof()
            await caller.closed_by_peer()
            left.set()

        left = asyncio.Event()
        async with staged(script) as at:
            exchange = await at.play()
            assert kind_of(exchange) is kind
            assert exchange.wire == answer
            again = await at.play()  # the half-open connection is not used again
            assert again.connection is not None
            assert not again.connection.reused
            await left.wait()

    run(main())


def test_after_a_failure_the_next_request_goes_out_on_a_connection_of_its_own(run: Run) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.request()
            if caller.number == 1:
                await caller.send(CHUNKED_HEAD + b"no chunk\r\n")
                await caller.closed_by_peer()
            await caller.send(WHOLE)

        async with staged(script) as at:
            assert kind_of(await at.play()) is FailureKind.MALFORMED_HTTP
            exchange = await at.play()
            assert exchange.wire == WHOLE
            assert at.server.n_connections == 2
            assert at.player.most_open == 1

    run(main())

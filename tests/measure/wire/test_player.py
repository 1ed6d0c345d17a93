"""The player against scripted servers, on both loops."""

import asyncio
import sys

import pytest

from harness.clock import SystemClock
from harness.measure.wire.intake import DRAIN_S
from harness.measure.wire.player import TimeLimits
from harness.model.record import FailureKind, Reads
from harness.units import nanoseconds
from tests.measure.wire.builders import (
    CANARY,
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
from tests.measure.wire.conftest import Run
from tests.measure.wire.servers import Caller, answering, serving
from tests.measure.wire.stage import kind_of, staged

MANY = 2000


def test_a_whole_answer_is_kept_byte_for_byte_with_its_instants(run: Run) -> None:
    async def main() -> None:
        async with staged(answering(CHUNKED_HEAD, chunk(said("a")), chunk(said("b")) + chunk(DONE) + LAST_CHUNK)) as at:
            exchange = await at.play()
            assert exchange.failure is None
            assert exchange.status == 200
            assert exchange.wire == CHUNKED_HEAD + chunk(said("a")) + chunk(said("b")) + chunk(DONE) + LAST_CHUNK
            assert exchange.headers == {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
            assert exchange.sent_at_ns is not None
            assert exchange.sent_at_ns <= exchange.reads.at_ns[0]
            assert exchange.ended_at_ns == exchange.reads.at_ns[-1]

    run(main())


def test_the_request_arrives_as_composed(run: Run) -> None:
    async def main() -> None:
        got = []

        async def script(caller: Caller) -> None:
            got.append(await caller.request())
            await caller.send(WHOLE)

        async with staged(script) as at:
            await at.play()
            assert got == [at.request.head + at.request.body]

    run(main())


def test_a_connection_is_kept_and_says_so(run: Run) -> None:
    async def main() -> None:
        async with staged(answering(WHOLE)) as at:
            first, second = (await at.play()).connection, (await at.play()).connection
            assert first is not None
            assert second is not None
            assert (first.reused, second.reused) == (False, True)
            assert first.tcp_ns is not None
            assert first.tcp_ns > 0
            assert (second.dns_ns, second.tcp_ns, second.tls_ns) == (None, None, None)
            assert first.peer == second.peer == f"127.0.0.1:{at.server.port}"
            assert first.local_port == second.local_port
            assert at.server.n_connections == 1
            assert at.player.clock_facts()["connections_opened"] == 1

    run(main())


def test_concurrent_requests_use_connections_of_their_own(run: Run) -> None:
    async def main() -> None:
        async with staged(answering(WHOLE)) as at:
            exchanges = await asyncio.gather(*(at.play() for _ in range(8)))
            assert [exchange.wire for exchange in exchanges] == [WHOLE] * 8
            assert at.server.n_connections == 8
            again = await asyncio.gather(*(at.play() for _ in range(8)))
            assert all(exchange.connection and exchange.connection.reused for exchange in again)
            assert at.server.n_connections == 8

    run(main())


def test_a_kept_connection_that_was_closed_meanwhile_is_not_used(run: Run) -> None:
    async def main() -> None:
        closed = asyncio.Event()

        async def script(caller: Caller) -> None:
            await caller.request()
            await caller.send(WHOLE)
            if caller.number == 1:
                caller.writer.close()
                await caller.writer.wait_closed()
                closed.set()

        async with staged(script) as at:
            await at.play()
            await closed.wait()
            exchange = await at.play()
            assert exchange.wire == WHOLE
            assert exchange.connection is not None
            assert not exchange.connection.reused

    run(main())


@pytest.mark.parametrize("by_reset", [False, True])
def test_a_request_that_a_kept_connection_closes_on_is_a_failure_and_not_sent_again(run: Run, by_reset: bool) -> None:
    async def main() -> None:
        requests = []

        async def script(caller: Caller) -> None:
            requests.append(await caller.request())
            await caller.send(WHOLE)
            requests.append(await caller.request())
            if by_reset:
                caller.reset()

        async with staged(script) as at:
            await at.play()
            exchange = await at.play()
            assert kind_of(exchange) is FailureKind.RESET_BEFORE_RESPONSE
            assert exchange.connection is not None
            assert exchange.connection.reused
            assert [bool(request) for request in requests] == [True, True]
            assert at.server.n_connections == 1

    run(main())


class FastClock(SystemClock):
    """The machine's clock, put forward by hand."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.ahead_ns


@pytest.mark.parametrize(
    ("keep_alive", "idle_s", "n_connections"),
    [(None, 3, 1), (None, 5, 2), (b"timeout=60", 3, 1), (b"timeout=60", 5, 2), (b"max=9, timeout=3", 2.5, 2)],
)
def test_a_connection_that_its_server_may_be_closing_is_not_used_again(
    run: Run, keep_alive: bytes | None, idle_s: float, n_connections: int
) -> None:
    async def main() -> None:
        clock = FastClock()
        answer = sized(b"{}", "200 OK", *([] if keep_alive is None else [b"Keep-Alive: " + keep_alive]))
        async with serving(answering(answer)) as server:
            player = a_player(an_endpoint(server.port), clock=clock)
            await exchanged(player, a_request(server.port), PATIENT)
            clock.ahead_ns = round(idle_s * 1e9)
            exchange = await exchanged(player, a_request(server.port), PATIENT)
            await player.close()
            assert exchange.failure is None
            assert server.n_connections == n_connections

    run(main())


@pytest.mark.parametrize(
    "answer",
    [
        WHOLE + b"HTTP/1.1 408 Request Timeout\r\n\r\n",
        sized(b"hi", "200 OK", b"Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    ],
)
def test_a_connection_is_not_kept_when_it_may_not_carry_more(run: Run, answer: bytes) -> None:
    async def main() -> None:
        async with staged(answering(answer)) as at:
            for _ in range(2):
                exchange = await at.play()
                assert exchange.failure is None
                assert exchange.connection is not None
                assert not exchange.connection.reused
            assert at.server.n_connections == 2

    run(main())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", FailureKind.RESET_BEFORE_RESPONSE),
        (b"HTTP/1.1 200 OK\r\nContent-Le", FailureKind.RESET_BEFORE_RESPONSE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", FailureKind.CUT_OFF),
        (CHUNKED_HEAD + chunk(said("half")), FailureKind.CUT_OFF),
        (CHUNKED_HEAD + b"ff\r\ndata: {", FailureKind.CUT_OFF),
        (b"SSH-2.0-OpenSSH_9.6\r\n", FailureKind.MALFORMED_HTTP),
        (CHUNKED_HEAD + b"no chunk\r\n", FailureKind.MALFORMED_HTTP),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", FailureKind.MALFORMED_HTTP),
        (sized(b"x" * 2000), FailureKind.BODY_TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\n\r\nthe close ends it", None),
        (CHUNKED_HEAD + chunk(said("all")) + chunk(DONE), None),
        (sized(b"", "302 Found", b"Location: http://127.0.0.1:1/"), None),
        (sized(b"no", "500 Internal Server Error"), None),
        (b"HTTP/1.1 204 No Content\r\n\r\n", None),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE, None),
    ],
)
def test_what_the_server_sends_before_it_closes_decides_the_failure(
    run: Run, answer: bytes, kind: FailureKind | None
) -> None:
    async def main() -> None:
        async with staged(answering(answer, hold=False), max_body_bytes=1000) as at:
            exchange = await at.play()
            assert kind_of(exchange) is kind
            assert len(exchange.wire) == len(answer)
            assert at.server.n_connections == 1

    run(main())


def test_a_reset_inside_the_answer_is_a_cut_that_keeps_the_bytes(run: Run) -> None:
    async def main() -> None:
        seen = asyncio.Event()

        async def script(caller: Caller) -> None:
            await caller.request()
            await caller.send(CHUNKED_HEAD + chunk(said("half")))
            await seen.wait()
            caller.reset()

        def noticing(wire: bytes, _reads: Reads) -> int | None:
            if wire:
                seen.set()
            return None

        async with serving(script) as server:
            player = a_player(an_endpoint(server.port), last_output_at=noticing)
            exchange = await exchanged(player, a_request(server.port), limits(idle_s=0.02))
            await player.close()
            assert kind_of(exchange) is FailureKind.CUT_OFF
            assert exchange.wire == CHUNKED_HEAD + chunk(said("half"))

    run(main())


def test_nobody_listening_is_a_connect_failure(run: Run) -> None:
    async def main() -> None:
        async with serving(answering()) as server:
            port = server.port
        player = a_player(an_endpoint(port))
        exchange = await exchanged(player, a_request(port), PATIENT)
        await player.close()
        assert kind_of(exchange) is FailureKind.CONNECT
        assert (exchange.sent_at_ns, exchange.status, exchange.wire) == (None, None, b"")
        assert exchange.ended_at_ns is not None

    run(main())


def test_a_host_without_an_address_is_a_dns_failure(run: Run) -> None:
    async def main() -> None:
        host = f"{'a' * 64}.invalid"  # a label longer than DNS allows: no resolver is asked
        player = a_player(an_endpoint(80, host=host))
        exchange = await exchanged(player, a_request(80, host=host), PATIENT)
        await player.close()
        assert kind_of(exchange) is FailureKind.DNS
        assert exchange.connection is None

    run(main())


def test_a_name_is_looked_up_and_the_lookup_timed(run: Run) -> None:
    async def main() -> None:
        async with serving(answering(WHOLE)) as server:
            player = a_player(an_endpoint(server.port, host="localhost"))
            exchange = await exchanged(player, a_request(server.port, host="localhost"), PATIENT)
            await player.close()
            assert exchange.wire == WHOLE
            assert exchange.connection is not None
            assert exchange.connection.dns_ns is not None

    run(main())


def test_an_ipv6_address_is_reached(run: Run) -> None:
    async def main() -> None:
        try:
            context = serving(answering(WHOLE), host="::1")
            server = await context.__aenter__()
        except OSError:
            pytest.skip("no IPv6 here")
        player = a_player(an_endpoint(server.port, host="[::1]"))
        exchange = await exchanged(player, a_request(server.port, host="::1"), PATIENT)
        await player.close()
        await context.__aexit__(None, None, None)
        assert exchange.wire == WHOLE
        assert exchange.connection is not None
        assert exchange.connection.peer == f"[::1]:{server.port}"

    run(main())


async def keep_alives(caller: Caller, *first: bytes) -> None:
    """Send the pieces, then comments until the client has had enough."""
    await caller.request()
    await caller.send(CHUNKED_HEAD, *map(chunk, first))
    closed = asyncio.ensure_future(caller.closed_by_peer())
    try:
        while not closed.done():
            await caller.send(chunk(b": keep-alive\n\n"))
            await asyncio.wait({closed}, timeout=0.01)
    except ConnectionError:
        pass
    finally:
        closed.cancel()


@pytest.mark.parametrize(
    ("first", "within", "kind"),
    [
        ((), limits(first_output_s=0.4), FailureKind.TIMEOUT_FIRST_OUTPUT),
        ((said("a"),), limits(idle_s=0.4), FailureKind.TIMEOUT_IDLE),
        ((said("a"),), limits(total_s=0.4), FailureKind.TIMEOUT_TOTAL),
    ],
)
def test_keep_alives_re_arm_no_limit(run: Run, first: tuple[bytes, ...], within: TimeLimits, kind: FailureKind) -> None:
    async def main() -> None:
        async with staged(lambda caller: keep_alives(caller, *first)) as at:
            exchange = await at.play(within)
            assert kind_of(exchange) is kind
            assert exchange.failure is not None
            assert "limit of 0.4 s passed" in exchange.failure.message
            assert "status 200" in exchange.failure.message
            assert exchange.wire.startswith(CHUNKED_HEAD)

    run(main())


def test_output_re_arms_the_idle_limit(run: Run) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.request()
            await caller.send(CHUNKED_HEAD)
            for _ in range(15):
                await caller.send(chunk(said("a")))
                await asyncio.sleep(0.05)  # the gap under test: together they outlast the limit
            await caller.send(chunk(DONE) + LAST_CHUNK)

        async with staged(script) as at:
            exchange = await at.play(limits(idle_s=0.6, first_output_s=0.6))
            assert exchange.failure is None

    run(main())


def test_silence_inside_the_handshake_is_a_connect_timeout(run: Run) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.closed_by_peer()

        async with serving(script) as server:
            player = a_player(an_endpoint(server.port, scheme="https"))
            exchange = await exchanged(player, a_request(server.port, scheme="https"), limits(connect_s=0.15))
            await player.close()
            assert kind_of(exchange) is FailureKind.TIMEOUT_CONNECT
            assert exchange.failure is not None
            assert "limit of 0.15 s (shaking hands" in exchange.failure.message
            assert exchange.connection is not None
            assert exchange.connection.peer == f"127.0.0.1:{server.port}"

    run(main())


def test_a_connection_held_open_after_done_is_given_up_without_a_failure(run: Run) -> None:
    async def main() -> None:
        left = asyncio.Event()

        async def script(caller: Caller) -> None:
            await caller.request()
            await caller.send(CHUNKED_HEAD + chunk(said("a")) + chunk(DONE))
            await caller.closed_by_peer()
            left.set()

        async with staged(script) as at:
            exchange = await at.play()
            assert exchange.failure is None
            assert exchange.ended_at_ns == exchange.reads.at_ns[-1]
            await left.wait()

    run(main())


def test_time_that_a_server_takes_to_end_after_done_is_not_our_turn_round(run: Run) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.request()
            await caller.send(CHUNKED_HEAD + chunk(said("a")) + chunk(DONE))
            await caller.closed_by_peer()

        async with staged(script) as at:
            landed = await at.player.play(at.request, PATIENT)
            ended_at_ns = landed.settle().ended_at_ns
            assert ended_at_ns is not None
            assert landed.free_at_ns - ended_at_ns >= nanoseconds(DRAIN_S * 0.9)  # uvloop wakes early

    run(main())


def test_the_framed_end_after_done_is_waited_for_so_that_the_connection_stays(run: Run) -> None:
    async def main() -> None:
        async with staged(answering(CHUNKED_HEAD + chunk(said("a")) + chunk(DONE), LAST_CHUNK)) as at:
            first, second = await at.play(), await at.play()
            assert first.wire.endswith(LAST_CHUNK)
            assert second.connection is not None
            assert second.connection.reused

    run(main())


def test_a_key_that_the_server_echoes_is_struck_out_wherever_it_is_cut(run: Run) -> None:
    async def main() -> None:
        head = CHUNKED_HEAD.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\nX-Request-Id: r-%s\r\n\r\n" % CANARY)
        echo = [chunk(b"data: " + CANARY[:7]), chunk(CANARY[7:] + b" and " + CANARY[:3]), chunk(CANARY[3:] + b"\n\n")]
        async with staged(answering(head[:-30], head[-30:], *echo, LAST_CHUNK)) as at:
            exchange = await at.play()
            stars = b"*" * len(CANARY)
            assert exchange.headers["x-request-id"] == f"r-{stars.decode()}"
            assert b"\r\nSet-Cookie:****\r\n" in exchange.wire
            assert exchange.wire.endswith(
                chunk(b"data: " + stars[:7])
                + chunk(stars[7:] + b" and " + stars[:3])
                + chunk(stars[3:] + b"\n\n")
                + LAST_CHUNK
            )

    run(main())


def test_cancelling_closes_the_connection(run: Run) -> None:
    async def main() -> None:
        asked, left = asyncio.Event(), asyncio.Event()

        async def script(caller: Caller) -> None:
            await caller.request()
            asked.set()
            await caller.closed_by_peer()
            left.set()

        async with staged(script) as at:
            playing = asyncio.ensure_future(at.play())
            await asked.wait()
            playing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await playing
            await left.wait()

    run(main())


def test_cancelling_while_connecting_leaves_no_socket(run: Run) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            called.set()
            await caller.closed_by_peer()
            left.set()

        called, left = asyncio.Event(), asyncio.Event()
        async with serving(script) as server:
            player = a_player(an_endpoint(server.port, scheme="https"))
            playing = asyncio.ensure_future(exchanged(player, a_request(server.port, scheme="https"), PATIENT))
            await called.wait()
            playing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await playing
            await left.wait()
            await player.close()

    run(main())


def test_a_request_larger_than_the_socket_buffers_goes_out_whole(run: Run) -> None:
    async def main() -> None:
        body = b"[" + b"1," * 4_000_000 + b"1]"
        got = []

        async def script(caller: Caller) -> None:
            got.append(len(await caller.request()))
            await caller.send(WHOLE)

        async with serving(script) as server:
            player = a_player(an_endpoint(server.port))
            request = a_request(server.port, body=body)
            exchange = await exchanged(player, request, PATIENT)
            await player.close()
            assert got == [request.n_bytes]
            assert exchange.sent_at_ns is not None
            assert exchange.wire == WHOLE

    run(main())


@pytest.mark.parametrize("by_reset", [False, True])
def test_an_answer_before_the_request_is_out_is_taken_and_ends_it(run: Run, by_reset: bool) -> None:
    async def main() -> None:
        refusal = sized(b"too much", "413 Content Too Large", b"Connection: close")

        async def script(caller: Caller) -> None:
            await caller.reader.readuntil(b"\r\n\r\n")
            await caller.send(refusal)
            if by_reset:
                caller.reset()
            else:
                await caller.closed_by_peer()

        async with serving(script) as server:
            player = a_player(an_endpoint(server.port))
            exchange = await exchanged(player, a_request(server.port, body=b"x" * 20_000_000), PATIENT)
            await player.close()
            assert exchange.sent_at_ns is None
            if not by_reset:  # a reset may reach us before the answer does
                assert exchange.status == 413
                assert exchange.failure is None

    run(main())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux stamps reads")
def test_the_kernel_stamps_reads(run: Run) -> None:
    async def main() -> None:
        async with staged(answering(WHOLE)) as at:
            sources = ""
            while "k" not in sources and len(sources) < MANY:  # the machine's first stamping socket switches it on late
                sources += (await at.play()).reads.source
            assert "k" in sources
            facts = at.player.clock_facts()
            assert facts["stamps"] == "SO_TIMESTAMPNS"
            assert facts["reads_stamped_by_kernel"] > 0
            assert facts["mapping_bound_ns"] > 0

    run(main())


def test_without_stamps_our_own_clock_counts(run: Run) -> None:
    async def main() -> None:
        async with staged(answering(WHOLE), wants_stamps=False) as at:
            exchange = await at.play()
            assert set(exchange.reads.source) == {"u"}
            assert exchange.reads.at_ns == exchange.reads.seen_at_ns
            assert at.player.clock_facts()["stamps"] is None
            assert at.player.clock_facts()["reads_stamped_by_user"] == len(exchange.reads.at_ns)

    run(main())

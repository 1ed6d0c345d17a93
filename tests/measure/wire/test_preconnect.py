"""Connections opened ahead: all at once, used by the next requests, replaced when they went bad."""

import asyncio

import pytest

from harness.measure.wire.player import Exchange
from harness.model.endpoint import Tls
from harness.model.record import Connection, FailureKind
from tests.measure.wire.builders import PATIENT, WHOLE, a_player, a_request, an_endpoint, exchanged
from tests.measure.wire.certificates import Certificates
from tests.measure.wire.conftest import Run
from tests.measure.wire.kernel import Kernel
from tests.measure.wire.servers import Caller, answering, serving
from tests.measure.wire.stage import Stage, kind_of, staged
from tests.measure.wire.test_address import a_closed_port

N = 5
S = 1_000_000_000


class Hall:
    """Answers nobody before everybody has come."""

    def __init__(self, n_expected: int) -> None:
        self.n_expected = n_expected
        self.n_in = 0
        self.is_full = asyncio.Event()

    async def __call__(self, caller: Caller) -> None:
        self.n_in += 1
        if self.n_in == self.n_expected:
            self.is_full.set()
        await self.is_full.wait()
        await answering(WHOLE)(caller)


async def together(at: Stage, n: int) -> list[Exchange]:
    return await asyncio.gather(*(at.play() for _ in range(n)))


def connections(exchanges: list[Exchange]) -> list[Connection]:
    found = [exchange.connection for exchange in exchanges]
    assert all(exchange.wire == WHOLE for exchange in exchanges)
    return [connection for connection in found if connection is not None]


def test_they_are_opened_together_and_used_by_the_next_requests(run: Run) -> None:
    async def main() -> None:
        async with staged(hall := Hall(N)) as at:
            await at.player.preconnect(at.request, N, 20)
            await asyncio.wait_for(hall.is_full.wait(), 20)
            assert at.player.most_open == at.player.clock_facts()["connections_opened"] == N
            first = connections(await together(at, N))
            assert [(used.reused, used.is_preopened) for used in first] == [(False, True)] * N
            assert all(used.tcp_ns is not None and used.tcp_ns > 0 for used in first)
            assert len({used.local_port for used in first}) == N
            again = connections(await together(at, N))
            assert [(used.reused, used.is_preopened, used.tcp_ns) for used in again] == [(True, False, None)] * N
            assert {used.local_port for used in again} == {used.local_port for used in first}
            assert at.server.n_connections == at.player.most_open == N

    run(main())


def test_a_request_more_opens_its_own_connection(run: Run) -> None:
    async def main() -> None:
        async with staged(answering(WHOLE)) as at:
            await at.player.preconnect(at.request, N, 20)
            used = connections(await together(at, N + 1))
            assert sorted(connection.is_preopened for connection in used) == [False] + [True] * N
            assert not any(connection.reused for connection in used)
            assert at.player.most_open == N + 1

    run(main())


def test_what_is_kept_already_counts(run: Run) -> None:
    async def main() -> None:
        async with staged(answering(WHOLE)) as at:
            await together(at, 2)
            await at.player.preconnect(at.request, N, 20)
            await at.player.preconnect(at.request, N - 1, 20)
            assert at.player.clock_facts()["connections_opened"] == at.player.most_open == N
            used = connections(await together(at, N))
            assert sorted(connection.reused for connection in used) == [False] * (N - 2) + [True] * 2

    run(main())


def test_their_tls_is_done_ahead_too(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        async with serving(answering(WHOLE), context=certificates.server()) as server:
            player = a_player(an_endpoint(server.port, scheme="https", tls=Tls(ca_file=certificates.ca_file)))
            request = a_request(server.port, scheme="https")
            await player.preconnect(request, 2, 20)
            (used,) = connections([await exchanged(player, request, PATIENT)])
            assert (used.reused, used.is_preopened, used.tls_version) == (False, True, "TLSv1.3")
            assert used.tls_ns is not None
            await player.close()
            assert server.n_connections == 2

    run(main())


def test_one_that_its_server_closed_is_noticed_and_replaced(run: Run) -> None:
    async def main() -> None:
        gone = asyncio.Semaphore(0)

        async def script(caller: Caller) -> None:
            if caller.number <= N:
                caller.writer.close()
                await caller.writer.wait_closed()
                gone.release()
                return
            await answering(WHOLE)(caller)

        async with staged(script) as at:
            await at.player.preconnect(at.request, N, 20)
            for _ in range(N):
                await gone.acquire()
            (used,) = connections([await at.play()])
            assert (used.reused, used.is_preopened) == (False, False)
            assert at.server.n_connections == N + 1
            assert at.player.most_open == N  # those that were closed no longer count

    run(main())


def test_preconnecting_again_replaces_what_went_bad(run: Run) -> None:
    async def main() -> None:
        gone = asyncio.Event()

        async def script(caller: Caller) -> None:
            if caller.number == 1:
                caller.writer.close()
                await caller.writer.wait_closed()
                gone.set()
                return
            await answering(WHOLE)(caller)

        async with staged(script) as at:
            await at.player.preconnect(at.request, 1, 20)
            await gone.wait()
            await at.player.preconnect(at.request, 1, 20)
            assert at.server.n_connections == 2
            (used,) = connections([await at.play()])
            assert (used.reused, used.is_preopened) == (False, True)
            assert at.server.n_connections == 2
            assert at.player.most_open == 1

    run(main())


@pytest.mark.parametrize(("idle_s", "is_preopened"), [(3.5, True), (4.5, False)])
def test_one_that_waited_too_long_is_dropped(run: Run, idle_s: float, is_preopened: bool) -> None:
    async def main() -> None:
        kernel = Kernel()
        async with staged(answering(WHOLE), clock=kernel) as at:
            await at.player.preconnect(at.request, N, 20)
            kernel.let_pass(round(idle_s * S))
            (used,) = connections([await at.play()])
            assert (used.reused, used.is_preopened) == (False, is_preopened)
            assert at.server.n_connections == (N if is_preopened else N + 1)
            assert at.player.most_open == N

    run(main())


def test_an_endpoint_that_refuses_is_a_failure_of_its_request_only(run: Run) -> None:
    async def main() -> None:
        port = await a_closed_port()
        player = a_player(an_endpoint(port))
        await player.preconnect(a_request(port), N, 20)
        assert player.most_open == player.clock_facts()["connections_opened"] == 0
        exchange = await exchanged(player, a_request(port), PATIENT)
        assert kind_of(exchange) is FailureKind.CONNECT
        assert player.most_open == 0
        await player.close()

    run(main())


def test_an_endpoint_that_is_silent_costs_the_connect_limit_once(run: Run) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.closed_by_peer()  # no handshake

        async with serving(script) as server:
            player = a_player(an_endpoint(server.port, scheme="https"))
            await player.preconnect(a_request(server.port, scheme="https"), N, 0.15)
            assert player.most_open == 0
            await player.close()
            assert server.n_connections == N

    run(main())


def test_the_most_that_were_open_falls_with_nothing(run: Run) -> None:
    async def main() -> None:
        async def script(caller: Caller) -> None:
            await caller.request()
            await caller.send(WHOLE if caller.number <= 3 else b"no HTTP\r\n\r\n")
            await caller.closed_by_peer()

        async with staged(script) as at:
            await together(at, 3)
            assert at.player.most_open == 3
            await at.player.close()
            for _ in range(4):  # each opens a connection, fails and drops it
                assert kind_of(await at.play()) is FailureKind.MALFORMED_HTTP
            assert at.player.most_open == 3
            assert at.player.clock_facts()["connections_opened"] == 7

    run(main())


def test_cancelling_gives_up_what_is_being_opened(run: Run) -> None:
    async def main() -> None:
        here, left = asyncio.Event(), asyncio.Event()

        async def script(caller: Caller) -> None:
            here.set()
            await caller.closed_by_peer()
            left.set()

        async with serving(script) as server:
            player = a_player(an_endpoint(server.port, scheme="https"))
            opening = asyncio.create_task(player.preconnect(a_request(server.port, scheme="https"), 1, 20))
            await here.wait()
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            await left.wait()
            assert player.most_open == 0
            await player.close()

    run(main())

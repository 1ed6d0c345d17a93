"""Addresses and the race between them."""

import asyncio
import errno
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from harness.measure.wire import address as module
from harness.measure.wire.address import Address, alternated, connect_first, literal_address
from harness.measure.wire.exchange import WireError
from harness.model.record import Failure, FailureKind
from tests.measure.virtual_time import run_in_virtual_time
from tests.measure.wire.builders import PATIENT, WHOLE, a_player, a_request, an_endpoint, exchanged, limits
from tests.measure.wire.conftest import Run
from tests.measure.wire.servers import answering, serving

V4, V6 = socket.AF_INET, socket.AF_INET6
REFUSED = errno.ECONNREFUSED


def at(port: int) -> Address:
    return Address(family=V4, address=("127.0.0.1", port))


def of(family: int, number: int) -> Address:
    """Give an address for documents, of a family."""
    address = (f"192.0.2.{number}", 1) if family == V4 else (f"2001:db8::{number}", 1, 0, 0)
    return Address(family=family, address=address)


A, B, C = of(V6, 1), of(V4, 1), of(V6, 2)
SILENT = 3600.0


async def a_closed_port() -> int:
    async with serving(answering()) as server:
        return server.port


def test_a_literal_address_needs_no_resolver() -> None:
    assert literal_address("127.0.0.1", 80) == at(80)
    assert str(literal_address("::1", 80)) == "[::1]:80"
    assert literal_address("localhost", 80) is None
    assert literal_address("127.1", 80) is None


@pytest.mark.parametrize(
    ("families", "expected"),
    [
        ([V6, V6, V6, V4, V4], [V6, V4, V6, V4, V6]),
        ([V4, V4, V6], [V4, V6, V4]),
        ([V4, V4], [V4, V4]),
        ([V6], [V6]),
    ],
)
def test_families_alternate_beginning_with_the_resolvers_first_choice(families: list[int], expected: list[int]) -> None:
    addresses = [of(family, number) for number, family in enumerate(families)]
    ordered = alternated(addresses)
    assert [address.family for address in ordered] == expected
    for family in (V4, V6):  # within one family the resolver's order stays
        kept = [address for address in ordered if address.family == family]
        assert kept == [address for address in addresses if address.family == family]


@dataclass
class Race:
    """Addresses that answer after so many virtual seconds: 0 for a connection, else the error's number."""

    manners: Mapping[Address, tuple[float, int]]
    patience_s: float = SILENT
    started_s: dict[Address, float] = field(default_factory=dict)
    sockets: dict[Address, socket.socket] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    winner: Address | None = None
    failure: Failure | None = None
    took_s: float = 0

    async def connect(self, address: Address) -> socket.socket:
        self.started_s[address] = asyncio.get_running_loop().time()
        after_s, error = self.manners[address]
        sock = self.sockets[address] = socket.socket()
        try:
            await asyncio.sleep(after_s)
        except asyncio.CancelledError:
            sock.close()
            raise
        if error:
            sock.close()
            raise OSError(error, os.strerror(error))
        return sock

    async def run(self) -> None:
        try:
            async with asyncio.timeout(self.patience_s):
                sock, self.winner = await connect_first(list(self.manners), self.problems, to="the endpoint")
            assert sock is self.sockets[self.winner]
        except WireError as error:
            self.failure = error.failure
        except TimeoutError:
            pass
        self.took_s = asyncio.get_running_loop().time()
        assert len(asyncio.all_tasks()) == 1


def raced(
    manners: Mapping[Address, tuple[float, int]], monkeypatch: pytest.MonkeyPatch, *, patience_s: float = SILENT
) -> Race:
    """Run a race; only the winner's socket may be left open."""
    race = Race(manners, patience_s)
    monkeypatch.setattr(module, "_connect", race.connect)
    run_in_virtual_time(race.run)
    assert [address for address, sock in race.sockets.items() if sock.fileno() >= 0] == [race.winner][
        : bool(race.winner)
    ]
    for sock in race.sockets.values():
        sock.close()
    return race


def test_the_first_address_wins_alone_when_it_answers_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    race = raced({A: (0.2, 0), B: (0.0, 0)}, monkeypatch)
    assert race.winner == A
    assert race.started_s == {A: 0}


def test_after_a_quarter_of_a_second_the_next_address_joins_and_may_win(monkeypatch: pytest.MonkeyPatch) -> None:
    race = raced({A: (SILENT, 0), B: (0.1, 0), C: (0.0, 0)}, monkeypatch)
    assert race.winner == B
    assert race.started_s == pytest.approx({A: 0, B: 0.25})
    assert race.took_s == pytest.approx(0.35)


def test_an_address_that_was_started_earlier_may_still_win(monkeypatch: pytest.MonkeyPatch) -> None:
    race = raced({A: (0.3, 0), B: (SILENT, 0)}, monkeypatch)
    assert race.winner == A
    assert race.took_s == pytest.approx(0.3)


def test_an_address_that_refuses_gives_way_to_the_next_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    race = raced({A: (0.01, REFUSED), B: (SILENT, 0), C: (0.01, 0)}, monkeypatch)
    assert race.winner == C
    assert race.started_s == pytest.approx({A: 0, B: 0.01, C: 0.26})
    assert race.problems == [f"{A}: Connection refused"]


def test_two_that_connect_in_one_turn_leave_one_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    race = raced({A: (0.3, 0), B: (0.05, 0)}, monkeypatch)
    assert race.winner == A


def test_the_failure_names_every_address_that_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    race = raced({A: (0.01, REFUSED), B: (0.5, errno.EHOSTUNREACH)}, monkeypatch)
    assert race.failure is not None
    assert race.failure.kind is FailureKind.CONNECT
    said = f"({A}: Connection refused; {B}: No route to host)"
    assert race.failure.message == f"no connection to the endpoint {said}"


def test_what_is_silent_when_patience_ends_is_named_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    race = raced({A: (0.01, REFUSED), B: (SILENT, 0), C: (SILENT, 0)}, monkeypatch, patience_s=10)
    assert (race.winner, race.failure, race.took_s) == (None, None, 10)
    assert race.problems == [f"{A}: Connection refused", f"{B}: silent", f"{C}: silent"]


async def looked_up(*addresses: Address) -> list[Address]:
    return list(addresses)


def test_the_player_reaches_the_address_that_answers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        closed = at(await a_closed_port())
        async with serving(answering(WHOLE)) as server:
            monkeypatch.setattr("harness.measure.wire.opening.look_up", lambda *_: looked_up(closed, at(server.port)))
            player = a_player(an_endpoint(server.port, host="llm.test"))
            exchange = await exchanged(player, a_request(server.port, host="llm.test"), PATIENT)
            await player.close()
            assert exchange.wire == WHOLE
            assert exchange.connection is not None
            assert exchange.connection.peer == f"127.0.0.1:{server.port}"
            assert exchange.connection.dns_ns is not None

    run(main())


def test_a_connect_limit_that_passes_says_which_addresses_were_tried(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(_: Address) -> socket.socket:
        never: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()
        return await never

    async def main() -> None:
        monkeypatch.setattr("harness.measure.wire.opening.look_up", lambda *_: looked_up(A, B))
        monkeypatch.setattr(module, "_connect", silent)
        player = a_player(an_endpoint(81, host="llm.test"))
        exchange = await exchanged(player, a_request(81, host="llm.test"), limits(connect_s=0.1))
        await player.close()
        assert exchange.failure is not None
        assert exchange.failure.kind is FailureKind.TIMEOUT_CONNECT
        assert exchange.failure.message.endswith(f"(connecting to llm.test port 81; {A}: silent)")

    run(main())

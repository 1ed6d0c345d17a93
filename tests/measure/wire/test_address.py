"""Addresses and the order in which they are tried."""

import socket

import pytest

from harness.measure.wire.address import Address, connect_first, literal_address
from harness.measure.wire.exchange import WireError
from harness.model.record import FailureKind
from tests.measure.wire.builders import WHOLE
from tests.measure.wire.conftest import Run
from tests.measure.wire.servers import answering, serving


def at(port: int) -> Address:
    return Address(family=socket.AF_INET, address=("127.0.0.1", port))


async def a_closed_port() -> int:
    async with serving(answering()) as server:
        return server.port


def test_a_literal_address_needs_no_resolver() -> None:
    assert literal_address("127.0.0.1", 80) == at(80)
    assert str(literal_address("::1", 80)) == "[::1]:80"
    assert literal_address("localhost", 80) is None
    assert literal_address("127.1", 80) is None


def test_an_address_that_refuses_gives_way_to_the_next(run: Run) -> None:
    async def main() -> None:
        closed = at(await a_closed_port())
        async with serving(answering(WHOLE)) as server:
            sock, address = await connect_first([closed, at(server.port)], 10)
            sock.close()
            assert address == at(server.port)

    run(main())


def test_the_failure_names_every_address_that_was_tried(run: Run) -> None:
    async def main() -> None:
        first, second = at(await a_closed_port()), at(await a_closed_port())
        with pytest.raises(WireError) as failed:
            await connect_first([first, second], 10)
        assert failed.value.failure.kind is FailureKind.CONNECT
        assert str(first) in failed.value.failure.message
        assert str(second) in failed.value.failure.message

    run(main())

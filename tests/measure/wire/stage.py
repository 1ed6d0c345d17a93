"""A scripted server with a player for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from harness.measure.compose import ComposedRequest
from harness.measure.wire.player import Exchange, Player, TimeLimits
from harness.model.record import FailureKind
from tests.measure.wire.builders import CANARY, PATIENT, a_player, a_request, an_endpoint, exchanged
from tests.measure.wire.servers import Script, Server, serving


class Stage:
    """The two and their request; whatever is played is checked for what always holds."""

    def __init__(self, server: Server, player: Player) -> None:
        self.server = server
        self.player = player
        self.request = a_request(server.port)

    async def play(self, within: TimeLimits = PATIENT, request: ComposedRequest | None = None) -> Exchange:
        exchange = await exchanged(self.player, request or self.request, within)
        assert sum(exchange.reads.n_bytes) == len(exchange.wire)
        assert len(exchange.reads.at_ns) == len(exchange.reads.seen_at_ns) == len(exchange.reads.source)
        assert list(exchange.reads.at_ns) == sorted(exchange.reads.at_ns)
        assert all(at <= seen for at, seen in zip(exchange.reads.at_ns, exchange.reads.seen_at_ns, strict=True))
        assert CANARY not in exchange.wire
        assert CANARY.decode() not in repr(exchange)
        return exchange


@asynccontextmanager
async def staged(script: Script, **options: Any) -> AsyncIterator[Stage]:
    async with serving(script) as server:
        player = a_player(an_endpoint(server.port), **options)
        try:
            yield Stage(server, player)
        finally:
            await player.close()


def kind_of(exchange: Exchange) -> FailureKind | None:
    return None if exchange.failure is None else exchange.failure.kind

"""An endpoint that fails as scripted: what it answers to the n-th attempt at a block's request."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.measure.wire.exchange import Exchange, Landed
from harness.model.record import Block, Connection, Failure, FailureKind, Reads

_USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":30,"completion_tokens":20}}\n\n'
_WORD = b'data: {"choices":[{"index":0,"delta":{"content":"yes"},"finish_reason":"stop"}]}\n\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One response, or a failure of the transport."""

    status: int | None = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = _WORD + _USAGE + b"data: [DONE]\n\n"
    failure: Failure | None = None
    takes_s: float = 1.0

    @property
    def wire(self) -> bytes:
        """The bytes, framed by their length."""
        if self.status is None:
            return b""
        kind = "text/event-stream" if self.status == 200 else "application/json"
        named = {"content-type": kind, "content-length": str(len(self.body)), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return f"HTTP/1.1 {self.status} X\r\n{lines}\r\n".encode() + self.body


GOOD = Reply()
REFUSED = Reply(status=None, failure=Failure(kind=FailureKind.CONNECT, message="refused"), takes_s=0.1)


def error(status: int, code: str = "oops", **headers: str) -> Reply:
    """Give an error in the contract's envelope."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = b'{"error":{"message":"no","type":"t","code":"' + code.encode() + b'"}}'
    return Reply(status=status, headers=named, body=body, takes_s=0.1)


class FlakySender:
    """Answers by script: given block and how often it was asked for, from 1."""

    def __init__(self, answer: Callable[[Block, int], Reply]) -> None:
        """Have been asked for nothing."""
        self._answer = answer
        self._asked: Counter[tuple[int, int, bool]] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self.most_in_warmup = 0
        self.started: list[tuple[float, int]] = []

    def fingerprint(self, block: Block) -> tuple[str, int]:
        """Give any digest, and a size that its usage will name as its prompt's tokens."""
        return f"digest of {block.prompt_id}", 30

    async def send(self, block: Block) -> Landed:
        """Answer after the reply's time."""
        loop = asyncio.get_running_loop()
        key = (block.index, block.repeat, block.is_warmup)
        self._asked[key] += 1
        reply = self._answer(block, self._asked[key])
        self.started.append((loop.time(), block.index))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        sent = round(loop.time() * 1e9)
        await asyncio.sleep(reply.takes_s)
        self.in_flight -= 1
        ended = round(loop.time() * 1e9)
        wire = reply.wire
        n_reads = 1 if wire else 0
        exchange = Exchange(
            sent_at_ns=None if reply.status is None else sent,
            ended_at_ns=ended,
            connection=Connection(reused=True),
            status=reply.status,
            headers=dict(reply.headers),
            wire=wire,
            reads=Reads(
                at_ns=(ended,) * n_reads,
                seen_at_ns=(ended,) * n_reads,
                n_bytes=(len(wire),) * n_reads,
                source="u" * n_reads,
            ),
            failure=reply.failure,
        )
        return Landed(free_at_ns=ended, settle=lambda: exchange)

    async def preconnect(self, n: int) -> None:
        """Open nothing."""

"""Serves a simulated endpoint on a listening socket: each script is performed on its absolute schedule."""

import asyncio
import itertools
import math
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.simulator.apierror import RefusedRequest
from harness.simulator.bodies import error_script
from harness.simulator.connection import ClientConnection, Received
from harness.simulator.endpoint import Decision, SimulatedEndpoint
from harness.simulator.faults.table import SILENT_AT_ACCEPT
from harness.simulator.line import Line, LineIsFullError
from harness.simulator.refusals import OVERLOADED
from harness.simulator.script import After, Script
from harness.simulator.secureconnection import SecureConnection, server_context
from harness.simulator.truth import Outcome, TruthLine, TruthLog
from harness.simulator.wire import Write, writes_of
from harness.units import NS_PER_MS

_REPEAT_EVERY_NS = 50 * NS_PER_MS


@dataclass(slots=True, kw_only=True)
class _Sent:
    """What went out so far: columns, one entry per write."""

    at_ns: list[int] = field(default_factory=list)
    n_bytes: list[int] = field(default_factory=list)
    n_tokens: list[int] = field(default_factory=list)
    outcome: Outcome = "interrupted"


class Server:
    """Accepts connections and serves their requests one after the other."""

    def __init__(self, endpoint: SimulatedEndpoint, log: TruthLog) -> None:
        """Bind an endpoint to its truth log; needs a running loop."""
        self._endpoint = endpoint
        self._log = log
        self._line = Line(endpoint.profile.capacity)
        tls = endpoint.profile.tls
        self._context = None if tls is None else server_context(tls)
        self._numbers = itertools.count()
        self._connections = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self, listener: socket.socket) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(listener)
            except ConnectionAbortedError:  # the client left between connecting and accepting
                continue
            task = loop.create_task(self._converse(self._client(sock), next(self._connections)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _client(self, sock: socket.socket) -> ClientConnection:
        return ClientConnection(sock) if self._context is None else SecureConnection(sock, self._context)

    async def close(self) -> None:
        """End all conversations; what they sent is logged."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _converse(self, client: ClientConnection, number: int) -> None:
        """Serve a connection until one of both sides ends it."""
        after = After.CLOSE
        try:
            if (fault := self._endpoint.fault_at_accept(number)) is not None:
                after = await _at_accept(client, fault)
                self._log_at_accept(number, fault)
                return
            while (received := await client.read_request()) is not None:
                after = await self._respond(client, received, number)
                if after is After.RESET_NEXT and await client.read_request() is not None:
                    after = After.RESET
                if after is not After.KEEP or received.closes:
                    break
        except RefusedRequest as refused:
            await _send_all(client, error_script(refused.error, ()))
        finally:
            if after is After.RESET:
                await client.wait_until_delivered()
            client.close(reset=after is After.RESET)

    async def _respond(self, client: ClientConnection, received: Received, connection: int) -> After:
        """Decide, wait for the start, send, log; give what becomes of the connection."""
        request_id = self._endpoint.request_id(next(self._numbers))
        decision = self._endpoint.decide(received.request, request_id, received.arrived_at_ns)
        started_at_ns = received.arrived_at_ns + decision.wait_ns
        sent = _Sent()
        try:
            async with self._line.slot(is_needed=decision.needs_slot) as has_waited:
                if has_waited:
                    started_at_ns = max(started_at_ns, time.monotonic_ns())
                after = await _perform(client, decision.script, started_at_ns, sent)
        except LineIsFullError:
            decision = Decision(script=error_script(OVERLOADED, ()))
            after = await _perform(client, decision.script, started_at_ns, sent)
        finally:
            self._finish(request_id, received, connection, decision, started_at_ns, sent)
        return after

    def _finish(  # the parts of a line of the log
        self,
        request_id: str,
        received: Received,
        connection: int,
        decision: Decision,
        started_at_ns: int,
        sent: _Sent,
    ) -> None:
        ended_at_ns = time.monotonic_ns()
        self._endpoint.ended(ended_at_ns)
        self._log.write(
            TruthLine(
                id=request_id,
                connection=connection,
                method=received.request.method,
                path=received.request.path,
                is_stream=decision.script.is_stream,
                status=decision.script.status,
                fault=decision.fault,
                outcome=sent.outcome,
                arrived_at_ns=received.arrived_at_ns,
                started_at_ns=started_at_ns,
                ended_at_ns=ended_at_ns,
                at_ns=sent.at_ns,
                n_bytes=sent.n_bytes,
                n_tokens=sent.n_tokens,
                said=decision.said,
            )
        )

    def _log_at_accept(self, connection: int, fault: str) -> None:
        now_ns = time.monotonic_ns()
        request_id = self._endpoint.request_id(next(self._numbers))
        self._log.write(
            TruthLine(
                id=request_id,
                connection=connection,
                fault=fault,
                outcome="complete",
                arrived_at_ns=now_ns,
                started_at_ns=now_ns,
                ended_at_ns=now_ns,
            )
        )


async def _at_accept(client: ClientConnection, fault: str) -> After:
    """Do what goes wrong before anything is read; not even TLS is spoken."""
    if fault != SILENT_AT_ACCEPT:
        return After.RESET
    await client.wait_until_the_other_end_closes()
    return After.CLOSE


async def _perform(client: ClientConnection, script: Script, started_at_ns: int, sent: _Sent) -> After:
    """Send every write when it is due, counted from the start, so that lateness never adds up."""
    try:
        for write in _writes(script):
            await _until(started_at_ns + write.at_ns)
            sent.at_ns.append(await client.send(write.data))
            sent.n_bytes.append(len(write.data))
            sent.n_tokens.append(write.n_tokens)
    except OSError:
        sent.outcome = "client_left"
        return After.CLOSE
    if script.after is After.HOLD:
        await client.wait_until_client_leaves()
    sent.outcome = "complete"
    return script.after


def _writes(script: Script) -> Iterator[Write]:
    """Give every write; the last one for ever where it repeats, until sending fails."""
    writes = writes_of(script)
    yield from writes
    if script.after is After.REPEAT:
        last = writes[-1]
        for nth in itertools.count(1):
            yield Write(last.at_ns + nth * _REPEAT_EVERY_NS, last.data)


async def _until(due_ns: int) -> None:
    """Sleep in whole milliseconds, rounded up, as the loops' timers do: never early, and no spinning."""
    while (left_ns := due_ns - time.monotonic_ns()) > 0:  # noqa: ASYNC110  # it waits for an instant, not for an event
        await asyncio.sleep(math.ceil(left_ns / NS_PER_MS) / 1000.0)


async def _send_all(client: ClientConnection, script: Script) -> None:
    writes: list[Write] = writes_of(script)
    try:
        for write in writes:
            await client.send(write.data)
    except OSError:
        return

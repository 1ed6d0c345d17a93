"""Sends every write when it is due: a bare loop with nothing slow between two sends."""

import itertools
import selectors
import socket
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from select import select
from time import monotonic_ns

from harness.simulator.apierror import RefusedRequest
from harness.simulator.metronomerequest import Request, asked_by, take_request
from harness.simulator.metronomeresponse import Response
from harness.simulator.metronomescript import Score, error_score, stream_score
from harness.simulator.metronomeshape import Shape
from harness.simulator.truth import Outcome, TruthLine
from harness.units import NS_PER_S

_READ_BYTES = 1 << 18
_MOST_BYTES_AHEAD = 65 << 20  # of requests that wait on a connection: one of the largest fits
_TURN = 64  # times that something due is sent between two looks at the sockets
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class _Connection:
    """A client's socket, what it sent and what it is being sent."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        sock.setblocking(False)  # noqa: FBT003  # the socket module's own signature
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.number = number
        self.buffer = bytearray()
        self.read_at_ns = 0
        self.is_at_end = False  # the client sends no more
        self.is_full = False  # the socket takes no more for now
        self.closes = False  # after the response
        self.response: Response | None = None


class Metronome:
    """Serves one default shape on a listening socket."""

    def __init__(self, listener: socket.socket, default: Shape) -> None:
        """Listen; nothing is served before it runs."""
        listener.setblocking(False)  # noqa: FBT003  # the socket module's own signature
        self._default = default
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, _READ, lambda _: self._accept(listener))
        self._due: list[tuple[int, int, _Connection]] = []  # a heap; the second breaks ties: first come, first served
        self._turns = itertools.count()
        self._n_accepted = itertools.count()
        self._open: set[_Connection] = set()
        self._begun: list[Response] = []
        self._is_ending = False

    def end_with(self, stream: int | socket.socket, has_ended: Callable[[], bool]) -> None:
        """Watch something else too, and end when it says so."""

        def look(_: int) -> None:
            self._is_ending = self._is_ending or has_ended()

        self._selector.register(stream, _READ, look)

    def run(self) -> None:
        """Serve until the end."""
        while not self._is_ending:
            self._send_due()
            if self._is_something_ready():
                for key, events in self._selector.select(0):
                    key.data(events)

    def close(self) -> None:
        """End all conversations; what they sent is in the log."""
        for connection in list(self._open):
            self._close(connection, "interrupted")
        self._selector.close()

    def log(self) -> list[TruthLine]:
        """Give a line per request, in order; made only now, so that it stood between no two sends."""
        return [response.line() for response in self._begun]

    def _send_due(self) -> None:
        """Send what is due, most overdue first."""
        due = self._due
        for _ in range(_TURN):
            if not due or due[0][0] > monotonic_ns():
                return
            self._send(heappop(due)[2])

    def _is_something_ready(self) -> bool:
        """Wait until a socket is ready or something is due; select() is exact where epoll counts milliseconds."""
        left_ns = self._due[0][0] - monotonic_ns() if self._due else None
        wait_s = None if left_ns is None else max(0, left_ns) / NS_PER_S
        return bool(select([self._selector], [], [], wait_s)[0])

    def _send(self, connection: _Connection) -> None:
        """Send on and wait for the next turn, for room or for the next request."""
        response = connection.response
        if response is None:  # the client left while it waited
            return
        try:
            next_at_ns = response.send_due(connection.sock)
        except BlockingIOError:
            connection.is_full = True
            self._watch(connection)
        except OSError:
            self._close(connection, "client_left")
        else:
            if next_at_ns is None:
                self._finish(connection, response)
            else:
                heappush(self._due, (next_at_ns, next(self._turns), connection))

    def _finish(self, connection: _Connection, response: Response) -> None:
        response.end("complete")
        connection.response = None
        if connection.closes:
            self._close(connection)
        else:
            self._take_request(connection, monotonic_ns())

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:  # the client left between connecting and accepting
                continue
            connection = _Connection(sock, next(self._n_accepted))
            self._open.add(connection)
            self._selector.register(sock, _READ, partial(self._on_socket, connection))

    def _on_socket(self, connection: _Connection, events: int) -> None:
        if events & _WRITE and connection.is_full:
            connection.is_full = False
            self._watch(connection)
            self._send(connection)
        if events & _READ and connection in self._open:
            self._read(connection)

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._close(connection, "client_left")
            return
        connection.read_at_ns = monotonic_ns()
        connection.buffer += data
        if not data:
            connection.is_at_end = True
            self._watch(connection)
        if len(connection.buffer) > _MOST_BYTES_AHEAD:
            self._close(connection, "client_left")
        elif connection.response is None:
            self._take_request(connection, connection.read_at_ns)

    def _take_request(self, connection: _Connection, started_at_ns: int) -> None:
        """Begin the next response, where its request is whole."""
        request = None
        try:
            request = take_request(connection.buffer)
            if request is None:
                if connection.is_at_end:
                    self._close(connection)
                return
            connection.closes = request.closes
            score = stream_score(asked_by(request, self._default))
        except RefusedRequest as refused:
            connection.closes = connection.closes or request is None
            score = error_score(refused.error)
        self._begin(connection, request, score, started_at_ns)

    def _begin(self, connection: _Connection, request: Request | None, score: Score, started_at_ns: int) -> None:
        response = Response(
            len(self._begun),
            score,
            connection=connection.number,
            arrived_at_ns=connection.read_at_ns,
            started_at_ns=started_at_ns,
        )
        if request is not None:
            response.answers(request.method, request.path)
        self._begun.append(response)
        connection.response = response
        heappush(self._due, (started_at_ns, next(self._turns), connection))

    def _watch(self, connection: _Connection) -> None:
        """Let the selector wait for what is of use now."""
        events = (0 if connection.is_at_end else _READ) | (_WRITE if connection.is_full else 0)
        sock, is_watched = connection.sock, connection.sock in self._selector.get_map()
        if not events and is_watched:
            self._selector.unregister(sock)
        elif events and is_watched:
            self._selector.modify(sock, events, partial(self._on_socket, connection))
        elif events:
            self._selector.register(sock, events, partial(self._on_socket, connection))

    def _close(self, connection: _Connection, outcome: Outcome = "complete") -> None:
        """Close; a response that was under way ends there."""
        if connection.response is not None:
            connection.response.end(outcome)
            connection.response = None
        if connection.sock in self._selector.get_map():
            self._selector.unregister(connection.sock)
        self._open.discard(connection)
        connection.sock.close()

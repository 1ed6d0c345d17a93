"""One response of a metronome: what goes out, how far it is, and the instant of every send call."""

import socket
from array import array
from time import monotonic_ns

from harness.simulator.metronomescript import ID_DIGITS, Score
from harness.simulator.truth import Outcome, TruthLine


class Response:
    """A score that is being sent; its schedule counts from the read that brought the request's last byte."""

    __slots__ = (
        "_arrived_at_ns",
        "_at_ns",
        "_bytes",
        "_connection",
        "_ended_at_ns",
        "_method",
        "_n_bytes",
        "_n_complete",
        "_n_sent",
        "_n_tokens",
        "_outcome",
        "_path",
        "_score",
        "_started_at_ns",
        "id",
    )

    def __init__(self, number: int, score: Score, *, connection: int, arrived_at_ns: int, started_at_ns: int) -> None:
        """Send nothing yet."""
        self.id = f"{number:0{ID_DIGITS}x}"
        self._connection = connection
        self._method: str | None = None
        self._path: str | None = None
        self._score = score
        self._bytes = score.bytes_for(self.id)
        self._arrived_at_ns = arrived_at_ns
        self._started_at_ns = started_at_ns
        self._ended_at_ns = 0
        self._outcome: Outcome = "interrupted"
        self._n_complete = 0  # writes
        self._n_sent = 0  # bytes
        self._at_ns, self._n_bytes, self._n_tokens = array("q"), array("q"), array("q")

    def answers(self, method: str, path: str) -> None:
        """Note what was asked, where a request could be read."""
        self._method, self._path = method, path

    def send_due(self, sock: socket.socket) -> int | None:
        """Send what is due at one instant; when the next is due, None after the last.

        BlockingIOError where the socket has no room for all of it, another OSError where the client has left.
        """
        score = self._score
        turn_end = score.turn_ends[self._n_complete]
        while self._n_complete < turn_end:
            at_ns = self._send_next(sock)
        if turn_end == len(score.ends):
            return None
        return self._started_at_ns + score.due_ns[turn_end] if score.is_paced else at_ns

    def end(self, outcome: Outcome) -> None:
        """Send no more; keep only what the log needs."""
        self._outcome = outcome
        self._ended_at_ns = monotonic_ns()
        self._bytes = memoryview(b"")

    def line(self) -> TruthLine:
        """Give the log's line."""
        return TruthLine(
            id=self.id,
            connection=self._connection,
            method=self._method,
            path=self._path,
            is_stream=self._score.is_stream,
            status=self._score.status,
            outcome=self._outcome,
            arrived_at_ns=self._arrived_at_ns,
            started_at_ns=self._started_at_ns,
            ended_at_ns=self._ended_at_ns,
            at_ns=self._at_ns.tolist(),
            n_bytes=self._n_bytes.tolist(),
            n_tokens=self._n_tokens.tolist(),
        )

    def _send_next(self, sock: socket.socket) -> int:
        """Hand the next write to the kernel; the log has what it took of it, and when."""
        score, number = self._score, self._n_complete
        piece = self._bytes[self._n_sent : score.ends[number]]
        at_ns = monotonic_ns()
        n_taken = sock.send(piece)
        is_whole = n_taken == len(piece)
        self._n_sent += n_taken
        self._at_ns.append(at_ns)
        self._n_bytes.append(n_taken)
        self._n_tokens.append(score.n_tokens[number] if is_whole else 0)
        if not is_whole:
            raise BlockingIOError
        self._n_complete = number + 1
        return at_ns

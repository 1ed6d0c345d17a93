"""One response as it arrives: bytes and instants are kept, the framing says when it is over."""

import asyncio
import ssl

from harness.measure.wire.framing import Framing
from harness.measure.wire.stamps import Ancillary
from harness.model.record import Failure, FailureKind

DRAIN_S = 0.25  # after [DONE]: how long the framed end may take before the connection is given up


class Intake:
    """The receiver of one exchange."""

    def __init__(self, max_body_bytes: int) -> None:
        """Wait for the first byte."""
        self._loop = asyncio.get_running_loop()
        self._max_body_bytes = max_body_bytes
        self._drain: asyncio.TimerHandle | None = None
        self.framing = Framing()
        self.pieces: list[bytes] = []
        self.ancillary: list[Ancillary] = []
        self.seen_at_ns: list[int] = []
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self.failure: Failure | None = None
        self.is_lost = False  # the connection ended under it

    def take(self, piece: bytes, ancillary: Ancillary, seen_at_ns: int) -> None:
        """Keep one read and look whether it ends the response."""
        self.pieces.append(piece)
        self.ancillary.append(ancillary)
        self.seen_at_ns.append(seen_at_ns)
        framing = self.framing
        framing.feed(piece)
        if framing.n_body_bytes > self._max_body_bytes:
            message = f"a body of more than {self._max_body_bytes} bytes"
            self.fail(Failure(kind=FailureKind.BODY_TOO_LARGE, message=message))
        elif framing.is_complete:
            self.end()
        elif framing.error is not None:
            self.fail(Failure(kind=FailureKind.MALFORMED_HTTP, message=framing.error))
        elif framing.is_done and self._drain is None:
            self._drain = self._loop.call_later(DRAIN_S, self.end)

    def lose(self, error: OSError | None) -> None:
        """Judge an ended connection: the close ends an unframed response, and after [DONE] nothing is missing."""
        self.is_lost = True
        framing = self.framing
        is_whole = framing.is_done or (error is None and framing.status is not None and not framing.is_framed)
        if is_whole:
            self.end()
        else:
            self.fail(_failure_of_loss(error, framing, self.pieces))

    def fail(self, failure: Failure) -> None:
        """End with a failure; the first one counts."""
        if not self.ended.done():
            self.failure = failure
            self.end()

    def end(self) -> None:
        """Wake whoever waits."""
        if self._drain is not None:
            self._drain.cancel()
        if not self.ended.done():
            self.ended.set_result(None)


def _failure_of_loss(error: OSError | None, framing: Framing, pieces: list[bytes]) -> Failure:
    what = "closed" if error is None else "broke" if isinstance(error, ssl.SSLError) else "was reset"
    said = "" if error is None else f" ({error.strerror or error})"
    if framing.status is not None:
        message = f"the connection {what}{said} inside the response, after {framing.n_body_bytes} bytes of body"
        return Failure(kind=FailureKind.CUT_OFF, message=message)
    if isinstance(error, ssl.SSLError):
        return Failure(kind=FailureKind.TLS, message=f"TLS {what}{said} before the response")
    n_bytes = sum(map(len, pieces))
    message = f"the connection {what}{said} before the response head was complete, after {n_bytes} bytes"
    return Failure(kind=FailureKind.RESET_BEFORE_RESPONSE, message=message)

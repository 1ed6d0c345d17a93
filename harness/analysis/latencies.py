"""The times of one request: from when it should have gone, or went, to what came.

Each needs its content, so a failed request has none of them but the waits before sending.
"""

from harness.analysis.results.estimates import Value
from harness.analysis.values import known, missing, span
from harness.model.record import Connection, Record
from harness.units import seconds

FAILED = "the request failed"
NO_OUTPUT = "no output"
NEVER_SENT = "never sent"
CLOSED_LOOP = "closed loop: a request is due when a slot is free"


def time_to_first_token(record: Record) -> Value:
    """Give token_1 − sent."""
    return _since_sent(record, record.stamps.token_1_at_ns, NO_OUTPUT)


def time_to_first_token_from_intended(record: Record, *, is_open_loop: bool) -> Value:
    """Give token_1 − intended where the schedule, not a free slot, says when a request is due."""
    if not is_open_loop:
        return missing(CLOSED_LOOP)
    if record.failure is not None:
        return missing(FAILED)
    return span(record.stamps.intended_at_ns, record.stamps.token_1_at_ns, NO_OUTPUT)


def time_to_first_answer(record: Record) -> Value:
    """Give answer_1 − sent."""
    return _since_sent(record, record.stamps.answer_1_at_ns, "no visible answer")


def time_to_first_event(record: Record) -> Value:
    """Give event_1 − sent."""
    reason = "no event" if record.was_streamed else "not streamed"
    return _since_sent(record, record.stamps.event_1_at_ns, reason)


def end_to_end(record: Record) -> Value:
    """Give token_N − sent."""
    return _since_sent(record, record.stamps.token_n_at_ns, NO_OUTPUT)


def time_to_last_byte(record: Record) -> Value:
    """Give ended − sent."""
    return _since_sent(record, record.stamps.ended_at_ns, "the end was not seen")


def effective_end_to_end(record: Record) -> Value:
    """Give token_N − intended."""
    if record.failure is not None:
        return missing(FAILED)
    return span(record.stamps.intended_at_ns, record.stamps.token_n_at_ns, NO_OUTPUT)


def queue_delay(record: Record) -> Value:
    """Give sent − intended; a request that failed later waited all the same."""
    return span(record.stamps.intended_at_ns, record.stamps.sent_at_ns, NEVER_SENT)


def admission_wait(record: Record) -> Value:
    """Give admitted − intended."""
    return span(record.stamps.intended_at_ns, record.stamps.admitted_at_ns, "never admitted")


def send_lateness(record: Record) -> Value:
    """Give sent − admitted, less what opening a new connection took: that is the network's time, not ours."""
    late = span(record.stamps.admitted_at_ns, record.stamps.sent_at_ns, NEVER_SENT)
    return late if late.value is None else known(max(0.0, late.value - connecting_s(record.connection)))


def waited_s(record: Record) -> float:
    """How long a request was given before it ended: what a timeout is known to exceed."""
    stamps = record.stamps
    starts = (stamps.sent_at_ns, stamps.admitted_at_ns, stamps.intended_at_ns)
    start = next(at_ns for at_ns in starts if at_ns is not None)
    return 0.0 if stamps.ended_at_ns is None else seconds(stamps.ended_at_ns - start)


def _since_sent(record: Record, at_ns: int | None, reason: str) -> Value:
    if record.failure is not None:
        return missing(FAILED)
    return span(record.stamps.sent_at_ns, at_ns, reason if at_ns is None else "the instant of sending is unknown")


def connecting_s(connection: Connection | None) -> float:
    """Time that opening a connection took from the request that waited for it; none where it was open before."""
    if connection is None or connection.reused or connection.is_preopened:
        return 0.0
    return seconds(connection.opening_ns)

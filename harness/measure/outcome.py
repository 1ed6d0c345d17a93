"""Whether an attempt failed and how, while the run goes on: cheap where it succeeded, decoded where it may not have."""

from harness.decode.record import decode_attempt
from harness.model.record import Attempt, FailureKind

LONG_BYTES = 32_768  # a quarter of a millisecond to decode; a longer one is decoded beside the loop
_ENDS = b"data: [DONE]"
_TAIL_BYTES = 64
_SUSPICIOUS = (b'"error"', b'"detail"', b'"message"', b"\nerror", b"event: error", b"event:error")
_SUCCESS_HUNDRED = 2


def is_surely_well(attempt: Attempt, wire: bytes) -> bool:
    """Whether a stream came to its end without a word of an error: no decoding is needed to know it.

    An answer that holds such a word as text is decoded in vain; an empty one counts as well, and is never retried.
    """
    if attempt.failure is not None or attempt.status is None or attempt.status // 100 != _SUCCESS_HUNDRED:
        return False
    return _ENDS in wire[-_TAIL_BYTES:] and not any(word in wire for word in _SUSPICIOUS)


def failure_kind(attempt: Attempt, wire: bytes) -> FailureKind | None:
    """Decode it; None where it succeeded."""
    failure = decode_attempt(attempt, wire, model_asked=None).failure
    return None if failure is None else failure.kind

"""Whether an attempt failed and how, while the run goes on: cheap where it succeeded, decoded where it may not have."""

import re

from harness.decode.body import BodyKind, kind_of_body
from harness.decode.finish import INTERRUPTED
from harness.decode.http import split_wire
from harness.decode.record import decode_attempt
from harness.model.record import Attempt, FailureKind, Reads

LONG_BYTES = 32_768  # a quarter of a millisecond to decode; a longer one is decoded beside the loop
_TAIL_BYTES = 64
_ENDS = re.compile(
    rb"(?:\n\n|\r\n\r\n|\r\r)data: ?\[DONE\]\s*\Z"
)  # an event of its own: no JSON string holds a line end
_ERROR_LINE = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|[\r\n])(?:error|event:[^\r\n]*error)")
_SUSPICIOUS = (
    *(b'"error"', b'"detail"', b'"message"', b'"content_filter"'),
    *(b'"%s"' % word.encode() for word in sorted(INTERRUPTED)),
    *(rb"\u006", rb"\u007"),  # a lower-case letter that is escaped: the word may stand there all the same
)
_SUCCESS_HUNDRED = 2


def is_surely_well(attempt: Attempt, wire: bytes) -> bool:
    """Whether a stream came to its end without a word of an error: no event is decoded to know it.

    An answer that holds such a word as text is decoded in vain; an empty one counts as well, and is never retried.
    """
    if attempt.failure is not None or attempt.status is None or attempt.status // 100 != _SUCCESS_HUNDRED:
        return False
    response = split_wire(wire, Reads())  # words may lie across chunks
    body = response.body
    is_stream = response.error is None and kind_of_body(response) is BodyKind.EVENTS
    if not (is_stream and _ENDS.search(body[-_TAIL_BYTES:])):
        return False
    is_error_told = b"error" in body and _ERROR_LINE.search(body)  # the plain look spares the slow one nearly always
    return not (is_error_told or any(word in body for word in _SUSPICIOUS))


def failure_kind(attempt: Attempt, wire: bytes) -> FailureKind | None:
    """Decode it; None where it succeeded."""
    failure = decode_attempt(attempt, wire, model_asked=None).failure
    return None if failure is None else failure.kind

"""Faults of HTTP/1.1 itself: heads, interim heads, lengths, chunks."""

from collections.abc import Callable, Mapping

from harness.simulator.faults.kind import Fault
from harness.simulator.script import After, Event, Framing, Script, first_half, middle, replace
from harness.simulator.wire import event_bytes, head_bytes

_HUGE_BYTES = 1_200_000  # more than any reader's bound on a head
_LARGE_BYTES = 60_000
_FILLER = b"X-Filler: " + b"f" * 990 + b"\r\n"
_EARLY = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    b"HTTP/1.1 102 Processing\r\n\r\n"
)


def _with_head(script: Script, head: bytes, **changes: object) -> Script:
    return replace(script, raw_head=head, **changes)


def _filled(n_bytes: int) -> Callable[[Script], Script]:
    """Lengthen the head by lines that mean nothing."""
    filler = _FILLER * (n_bytes // len(_FILLER))
    return lambda script: _with_head(script, head_bytes(script)[:-2] + filler + b"\r\n")


def _interim_heads(script: Script) -> Script:
    return _with_head(script, _EARLY + head_bytes(script))


def _only(head: bytes, after: After = After.CLOSE) -> Callable[[Script], Script]:
    """Send this and nothing else."""
    return lambda _: Script(raw_head=head, framing=Framing.LENGTH, after=after)


def _cut_in_head(after: After) -> Callable[[Script], Script]:
    def apply(script: Script) -> Script:
        head = head_bytes(script)
        return _with_head(script, head[: len(head) // 2], events=(), ends_body=False, after=after)

    return apply


def _cut_after_head(after: After) -> Callable[[Script], Script]:
    def apply(script: Script) -> Script:
        if not script.is_stream:
            return script
        return replace(script, events=(), ends_body=False, after=after, head_at_ns=0)

    return apply


def _framed(script: Script, *lines: bytes, version: bytes = b"HTTP/1.1", **changes: object) -> Script:
    """Frame a stream by other lines than the chunks'."""
    if not script.is_stream:
        return script
    kept = [line for line in head_bytes(script).split(b"\r\n")[1:-2] if not line.startswith(b"Transfer-Encoding")]
    head = b"\r\n".join([version + b" 200 OK", *kept, *lines]) + b"\r\n\r\n"
    return _with_head(script, head, framing=Framing.LENGTH, **changes)


def _unframed(script: Script) -> Script:
    return _framed(script, b"Connection: close", after=After.CLOSE)


def _old(script: Script) -> Script:
    return _framed(script, version=b"HTTP/1.0", after=After.CLOSE)


def _unframed_cut(script: Script) -> Script:
    return _framed(script, b"Connection: close", events=first_half(script), after=After.CLOSE)


def _size(script: Script) -> int:
    return sum(len(event_bytes(script, event)) for event in script.events)


def _length_short(script: Script) -> Script:
    """Name a length that ends inside the middle event; all is sent."""
    if not script.is_stream:
        return script
    before = replace(script, events=script.events[: middle(script)])
    inside = len(event_bytes(script, script.events[middle(script)])) // 2
    return _framed(script, b"Content-Length: %d" % (_size(before) + inside), after=After.CLOSE)


def _length_long(script: Script) -> Script:
    half = replace(script, events=first_half(script))
    return _framed(script, b"Content-Length: %d" % (_size(script) + 1000), events=half.events, after=After.CLOSE)


def _length_not_number(script: Script) -> Script:
    return _framed(script, b"Content-Length: many", after=After.CLOSE)


def _length_and_chunks(script: Script) -> Script:
    if not script.is_stream:
        return script
    return _with_head(script, head_bytes(script)[:-2] + b"Content-Length: 10\r\n\r\n")


def _raw_chunk(data: Callable[[bytes], bytes]) -> Callable[[Script], Script]:
    """Write the chunk of the middle event as these bytes, then close."""

    def apply(script: Script) -> Script:
        if not script.is_stream:
            return script
        events = first_half(script)
        whole = [event_bytes(script, event) for event in events]
        right = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in whole[:-1]]
        pieces = [*right, data(whole[-1])]
        raw = tuple(Event(event.at_ns, piece, event.n_tokens) for event, piece in zip(events, pieces, strict=True))
        return _with_head(script, head_bytes(script), framing=Framing.LENGTH, events=raw, after=After.CLOSE)

    return apply


def _without_end(after: After) -> Callable[[Script], Script]:
    """Everything up to [DONE], but no last chunk."""
    return lambda script: replace(script, ends_body=False, after=after) if script.is_stream else script


FAULTS: Mapping[str, Fault] = {
    "interim_heads": Fault(effect="100, 103 and 102 before the final head.", apply=_interim_heads),
    "interim_only": Fault(
        effect="102 Processing, then the end of the connection.", apply=_only(b"HTTP/1.1 102 Processing\r\n\r\n")
    ),
    "switching_protocols": Fault(
        effect="101 to a protocol that nobody asked for.",
        apply=_only(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
    ),
    "no_content_204": Fault(effect="204: success without a body.", apply=_only(b"HTTP/1.1 204 No Content\r\n\r\n")),
    "large_head": Fault(effect="A head of 60 kB.", apply=_filled(_LARGE_BYTES)),
    "huge_head": Fault(effect="A head of more than a megabyte.", apply=_filled(_HUGE_BYTES)),
    "cut_in_head": Fault(effect="Closes the connection inside the response head.", apply=_cut_in_head(After.CLOSE)),
    "reset_in_head": Fault(effect="Resets the connection inside the response head.", apply=_cut_in_head(After.RESET)),
    "cut_after_head": Fault(
        effect="Closes the connection behind the head, before any event.", apply=_cut_after_head(After.CLOSE)
    ),
    "reset_after_head": Fault(
        effect="Resets the connection behind the head, before any event.", apply=_cut_after_head(After.RESET)
    ),
    "reset_after_done": Fault(
        effect="Resets the connection behind [DONE], the body's end unsaid.", apply=_without_end(After.RESET)
    ),
    "http_10_close": Fault(effect="HTTP/1.0: only the close ends the body.", apply=_old),
    "unframed_close": Fault(effect="HTTP/1.1 without length or chunks: only the close ends the body.", apply=_unframed),
    "unframed_cut": Fault(effect="As unframed_close, and closes after half the events.", apply=_unframed_cut),
    "length_short": Fault(effect="A Content-Length that ends inside the middle event.", apply=_length_short),
    "length_long": Fault(effect="A Content-Length beyond what comes, which is half.", apply=_length_long),
    "length_not_number": Fault(effect="A Content-Length that is no number.", apply=_length_not_number),
    "length_and_chunks": Fault(effect="Chunks, and a Content-Length beside them.", apply=_length_and_chunks),
    "chunk_size_broken": Fault(
        effect="Half the answer, then a chunk whose size is no number.",
        apply=_raw_chunk(lambda data: b"zz\r\n%s\r\n" % data),
    ),
    "chunk_too_long": Fault(
        effect="Half the answer, then a chunk of more bytes than its size says.",
        apply=_raw_chunk(lambda data: b"%x\r\n%s\r\n" % (len(data) // 2, data)),
    ),
}

"""The kernel's receive time of each read, as ancillary data of recvmsg."""

import socket
import struct
import sys
from collections.abc import Sequence

from harness.measure.wire.clockmap import ClockMap
from harness.model.record import Reads
from harness.units import NS_PER_S

_SO_TIMESTAMPNS = 35  # asm-generic; also the type of the control message
_TIMESPEC = struct.Struct("@ll")
ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size) if hasattr(socket, "CMSG_SPACE") else 0

Ancillary = Sequence[tuple[int, int, bytes]]


def ask_for_stamps(sock: socket.socket) -> bool:
    """Ask the kernel to stamp this socket's segments; False where it cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def open_stamping_socket() -> socket.socket | None:
    """Keep stamping switched on: the machine's first stamping socket switches it on late; None where it cannot."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if ask_for_stamps(sock):
        return sock
    sock.close()
    return None


def stamp_of(ancillary: Ancillary) -> int | None:
    """The receive time in CLOCK_REALTIME; None when this read carries none."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) == _TIMESPEC.size:
            whole_s, rest_ns = _TIMESPEC.unpack(data)
            return int(whole_s * NS_PER_S + rest_ns)
    return None


def reads_of(
    sizes: Sequence[int],
    seen_at_ns: Sequence[int],
    ancillary: Sequence[Ancillary],
    clock_map: ClockMap,
    not_before_ns: int,
) -> Reads:
    """Put the columns together; a stamp that cannot be mapped or cannot be true gives way to our own clock."""
    stamped = [
        _possible(stamp_of(data), seen, clock_map, not_before_ns)
        for seen, data in zip(seen_at_ns, ancillary, strict=True)
    ]
    return Reads(
        at_ns=tuple(_in_order(stamped, seen_at_ns)),
        seen_at_ns=tuple(seen_at_ns),
        n_bytes=tuple(sizes),
        source="".join("u" if at is None else "k" for at in stamped),
    )


def _possible(stamp: int | None, seen_at_ns: int, clock_map: ClockMap, not_before_ns: int) -> int | None:
    """Map a stamp; None when it lies before the request or after our own look, beyond the mapping's bound."""
    at_ns = None if stamp is None else clock_map.monotonic_of(stamp, seen_at_ns)
    if at_ns is None or not not_before_ns <= at_ns <= seen_at_ns + (clock_map.bound_ns or 0):
        return None
    return min(at_ns, seen_at_ns)


def _in_order(stamped: Sequence[int | None], seen_at_ns: Sequence[int]) -> list[int]:
    """Make the instants ascend, as the stream's bytes became readable.

    Bytes are readable once all before them came (a retransmission holds later segments back); bytes without a
    stamp came at the latest when the next stamped ones did.
    """
    latest = 0
    rising = []
    for at_ns in stamped:
        latest = latest if at_ns is None else max(latest, at_ns)
        rising.append(None if at_ns is None else latest)
    following: int | None = None
    ordered = []
    for at_ns, seen in zip(reversed(rising), reversed(seen_at_ns), strict=True):
        following = at_ns if at_ns is not None else seen if following is None else min(seen, following)
        ordered.append(following)
    return ordered[::-1]

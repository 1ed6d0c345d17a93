"""The kernel's receive time of each read, as ancillary data of recvmsg."""

import errno
import socket
import struct
import sys
from collections.abc import Sequence
from operator import le

from harness.measure.wire.clockmap import ClockMap
from harness.model.record import Reads
from harness.units import NS_PER_S

_SO_TIMESTAMPNS = 35  # asm-generic; also the type of the control message
_TIMESPEC = struct.Struct("@ll")
ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size) if hasattr(socket, "CMSG_SPACE") else 0

Ancillary = Sequence[tuple[int, int, bytes]]


def ask_for_stamps(sock: socket.socket) -> bool:
    """Ask the kernel to stamp this socket's segments; False where it cannot."""
    return why_not_stamped(sock) is None


def why_not_stamped(sock: socket.socket) -> str | None:
    """Ask the kernel to stamp this socket's segments; the reason where it cannot, None where it will."""
    if not sys.platform.startswith("linux"):
        return f"this is no Linux ({sys.platform})"
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, str(error.errno))
        return f"setsockopt(SO_TIMESTAMPNS) is refused: {name}, {error.strerror}"
    return None


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
    """Put the columns together; a stamp that cannot be mapped or cannot be true gives way to our own clock.

    Untrue is what lies before the request or, beyond the mapping's bound, after our own look.
    """
    stamps = [stamp_of(data) for data in ancillary]
    mapped = clock_map.monotonic_of(stamps, seen_at_ns)
    latest_ns = clock_map.bound_ns or 0
    stamped = [
        min(at_ns, seen) if at_ns is not None and not_before_ns <= at_ns <= seen + latest_ns else None
        for at_ns, seen in zip(mapped, seen_at_ns, strict=True)
    ]
    return Reads(
        at_ns=tuple(_in_order(stamped, seen_at_ns)),
        seen_at_ns=tuple(seen_at_ns),
        n_bytes=tuple(sizes),
        source="".join(["u" if at_ns is None else "k" for at_ns in stamped]),
    )


def _in_order(stamped: Sequence[int | None], seen_at_ns: Sequence[int]) -> list[int]:
    """Make the instants ascend, as the stream's bytes became readable.

    Bytes are readable once all before them came (a retransmission holds later segments back); bytes without a
    stamp came at the latest when the next stamped ones did.
    """
    whole = [at_ns for at_ns in stamped if at_ns is not None]
    if len(whole) == len(stamped) and all(map(le, whole, whole[1:])):
        return whole
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

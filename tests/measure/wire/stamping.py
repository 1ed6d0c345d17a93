"""Control messages as the kernel writes them."""

import socket
import struct

from harness.measure.wire.stamps import Ancillary

SCM_TIMESTAMPNS = 35


def a_stamp(realtime_ns: int) -> Ancillary:
    """Give the ancillary data of a read that was stamped at an instant."""
    timespec = struct.pack("@ll", *divmod(realtime_ns, 1_000_000_000))
    return [(socket.SOL_SOCKET, SCM_TIMESTAMPNS, timespec)]

"""Faults of content coding: compressed, damaged, unknown, swollen."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache

from harness.simulator.faults.kind import Fault
from harness.simulator.script import Event, Script, replace
from harness.simulator.wire import event_bytes

_SWOLLEN_BYTES = 65 << 20  # inflated; its client's bound is 64 MiB
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def _coded(coding: str, window: int) -> Callable[[Script], Script]:
    """Compress event by event, each flushed, so that the pace stays."""

    def apply(script: Script) -> Script:
        if not script.is_stream:
            return script
        packer = zlib.compressobj(wbits=window)
        events = [
            Event(e.at_ns, packer.compress(event_bytes(script, e)) + packer.flush(zlib.Z_SYNC_FLUSH), e.n_tokens)
            for e in script.events
        ]
        events.append(Event(script.events[-1].at_ns, packer.flush()))
        return _of_bytes(script, tuple(events), coding)

    return apply


def _of_bytes(script: Script, events: tuple[Event, ...], coding: str) -> Script:
    """Send bytes as they are: line ends are those of the events already."""
    headers = (*script.headers, ("Content-Encoding", coding))
    return replace(script, headers=headers, events=events, is_stream=False)


def _damaged(script: Script) -> Script:
    packed = _coded("gzip", _GZIP_WINDOW)(script)
    position = len(packed.events) // 2
    if packed is script:
        return script
    damaged = Event(packed.events[position].at_ns, b"\xff" * 64)
    return replace(packed, events=(*packed.events[:position], damaged))


def _unknown(script: Script) -> Script:
    if not script.is_stream:
        return script
    plain = tuple(Event(event.at_ns, event_bytes(script, event), event.n_tokens) for event in script.events)
    return _of_bytes(script, plain, "br")


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    return gzip.compress(bytes(_SWOLLEN_BYTES))


def _swollen(script: Script) -> Script:
    if not script.is_stream:
        return script
    return _of_bytes(script, (Event(script.events[0].at_ns, _bomb()),), "gzip")


FAULTS: Mapping[str, Fault] = {
    "gzip": Fault(
        effect="Compressed by gzip, event by event, although nobody asked for it.", apply=_coded("gzip", _GZIP_WINDOW)
    ),
    "deflate": Fault(
        effect="Compressed by deflate, event by event, although nobody asked for it.",
        apply=_coded("deflate", zlib.MAX_WBITS),
    ),
    "gzip_damaged": Fault(effect="Compressed by gzip, damaged after half the events.", apply=_damaged),
    "unknown_coding": Fault(effect="Says that it is compressed by Brotli.", apply=_unknown),
    "gzip_bomb": Fault(effect="65 kB that inflate to 65 MiB.", apply=_swollen),
}

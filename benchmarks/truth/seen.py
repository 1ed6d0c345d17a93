"""What a client says that it saw: the one line that a child process writes."""

import msgspec


class SeenStream(msgspec.Struct, frozen=True, kw_only=True):
    """One response as a client saw it."""

    id: str
    sent_at_ns: int
    ended_at_ns: int
    output_at_ns: list[int]  # one entry per output event
    read: list[int] = []  # which read brought it; empty where the client does not know


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """All that a client saw in one measurement, and what it cost."""

    streams: list[SeenStream]
    loop: str  # that it ran on: uvloop or asyncio
    cpu_ns: int  # of the client's process over its load part
    decode_ns: int = 0  # of decoding afterwards; part of cpu_ns where a client decodes as it reads
    n_failed: int = 0


def seen_text(sighting: Sighting) -> str:
    """Write it."""
    return msgspec.json.encode(sighting).decode() + "\n"


def read_seen(text: str) -> Sighting:
    """Read it."""
    return msgspec.json.decode(text, type=Sighting)

"""What a page shows that no analysis holds: bytes of single requests, differences of the bodies, where runs lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.record import RequestKey

HEAD_BYTES = 4_000  # of a response, from its first byte
TAIL_BYTES = 1_000  # before its last
REQUEST_CHARS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came back, secrets struck out when it was recorded."""

    address: str  # method and URL
    body: str  # JSON, indented
    head: bytes  # of the response: status line and headers included
    tail: bytes = b""  # its end, where the middle is left out
    n_bytes: int  # of the whole response


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """A field in which the two sides' bodies differ."""

    path: str
    reference: str
    candidate: str
    is_declared: bool  # an endpoint file explains it
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibits:
    """Everything that a command hands to a page beside the analysis; empty where nothing was recorded."""

    exchanges: Mapping[RequestKey, Exchange] = field(default_factory=dict)  # keys as the analysis has them
    differences: tuple[FieldDifference, ...] | None = None  # None: nothing to compare
    folders: tuple[str, ...] = ()  # of the runs, as they were given


def cut_response(wire: bytes) -> tuple[bytes, bytes]:
    """Give the beginning and the end of a response that is too long for a page; no end where nothing is left out."""
    if len(wire) <= HEAD_BYTES + TAIL_BYTES:
        return wire, b""
    return wire[:HEAD_BYTES], wire[-TAIL_BYTES:]

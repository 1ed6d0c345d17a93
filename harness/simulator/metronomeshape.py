"""What a metronome is asked to play: so many tokens at a pace, or a recorded pattern of writes."""

from itertools import pairwise

import msgspec

from harness.simulator.apierror import RefusedRequest, bad_request

_MOST_TOKENS = 1_000_000
_LONGEST_MS = 86_400_000.0


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Token k is due at the request's arrival + ttft + k * itl; with itl 0 as soon as the socket takes it."""

    ttft_ms: float = 50.0
    itl_ms: float = 10.0
    tokens: int = 128
    events_per_write: int = 1  # a write of several goes out when its last event is due


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A literal pattern: write k brings n_bytes[k] of body, at_ns[k] after the request's arrival."""

    at_ns: tuple[int, ...]
    n_bytes: tuple[int, ...]  # chunk framing not counted


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The request's field `metronome`: what it wants otherwise."""

    ttft_ms: float | None = None
    itl_ms: float | None = None
    tokens: int | None = None
    events_per_write: int | None = None
    at_ns: tuple[int, ...] | None = None
    n_bytes: tuple[int, ...] | None = None


def asked_shape(default: Shape, override: Override | None, most_tokens: int | None) -> Shape | Replay:
    """Lay what a request wants over the default; a refusal names the field that cannot be played."""
    override = override or Override()
    if override.at_ns is not None or override.n_bytes is not None:
        return _replay(override)
    given = {name: getattr(override, name) for name in Shape.__struct_fields__}
    shape = msgspec.structs.replace(default, **{name: value for name, value in given.items() if value is not None})
    if most_tokens is not None:
        shape = msgspec.structs.replace(shape, tokens=min(shape.tokens, most_tokens))
    return checked(shape)


def checked(shape: Shape) -> Shape:
    """Give the shape if it can be played, a refusal if not."""
    for name in ("ttft_ms", "itl_ms"):
        if not 0 <= getattr(shape, name) <= _LONGEST_MS:
            raise _refused(f"{name} must be from 0 to {_LONGEST_MS:.0f}")
    if not 1 <= shape.tokens <= _MOST_TOKENS:
        raise _refused(f"tokens must be from 1 to {_MOST_TOKENS}")
    if shape.events_per_write < 1:
        raise _refused("events_per_write must be 1 or more")
    return shape


def _replay(override: Override) -> Replay:
    at_ns, n_bytes = override.at_ns or (), override.n_bytes or ()
    if not at_ns or len(at_ns) != len(n_bytes):
        raise _refused("at_ns and n_bytes must be two lists of one length, 1 or more")
    if at_ns[0] < 0 or any(after < before for before, after in pairwise(at_ns)):
        raise _refused("at_ns must not descend, nor begin below 0")
    if min(n_bytes) < 1:
        raise _refused("every write of n_bytes must have 1 or more")
    return Replay(at_ns=at_ns, n_bytes=n_bytes)


def _refused(message: str) -> RefusedRequest:
    return bad_request(message, param="metronome")

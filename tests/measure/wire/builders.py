"""Requests, endpoints and answers for tests of the wire."""

import hashlib
import json
from typing import Any

from harness.clock import SystemClock
from harness.decode.watch import last_output_at_ns
from harness.measure.compose import ComposedRequest
from harness.measure.wire.player import Exchange, Player, TimeLimits
from harness.model.endpoint import Endpoint, Tls
from harness.model.record import Reads

CANARY = b"sk-canary-0123456789"
PATIENT = TimeLimits(connect_s=20, first_output_s=20, idle_s=20, total_s=60)
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def limits(**given: float) -> TimeLimits:
    """Give patient limits but for those given."""
    names = ("connect_s", "first_output_s", "idle_s", "total_s")
    return TimeLimits(**{name: given.get(name, getattr(PATIENT, name)) for name in names})


def chunk(data: bytes) -> bytes:
    """Frame data as one chunk."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def said(text: str) -> bytes:
    """Give one event with output."""
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


def sized(body: bytes, status: str = "200 OK", *more: bytes) -> bytes:
    """Give a whole response of a stated length."""
    lines = [b"HTTP/1.1 " + status.encode(), b"Content-Length: %d" % len(body), *more]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


WHOLE = CHUNKED_HEAD + chunk(said("hello")) + chunk(DONE) + LAST_CHUNK


def an_endpoint(port: int, *, scheme: str = "http", host: str = "127.0.0.1", tls: Tls | None = None) -> Endpoint:
    """Give an endpoint on a port of this machine."""
    return Endpoint(name="e", base_url=f"{scheme}://{host}:{port}/v1", model="m", tls=tls or Tls())


def a_request(port: int, *, scheme: str = "http", host: str = "127.0.0.1", body: bytes = b"{}") -> ComposedRequest:
    """Give a ready request with the canary key, made without the SDK."""
    where = f"[{host}]" if ":" in host else host
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: %s:%d\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
        % (where.encode(), port, CANARY, len(body))
    )
    return ComposedRequest(
        method="POST",
        scheme=scheme,
        host=host,
        port=port,
        target="/v1/chat/completions",
        head=head,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
    )


def a_player(endpoint: Endpoint, **options: Any) -> Player:
    """Give a player with the real clock and the real decoder, and without proxies, unless told otherwise."""
    given = {"last_output_at": last_output_at_ns, "environ": {}, "clock": SystemClock(), **options}
    return Player(endpoint, given.pop("clock"), secrets=(CANARY,), **given)


def some_reads(wire: bytes) -> Reads:
    """Give the reads of bytes that came at once."""
    return Reads(at_ns=(1,), seen_at_ns=(1,), n_bytes=(len(wire),), source="u")


async def exchanged(player: Player, request: ComposedRequest, within: TimeLimits) -> Exchange:
    """Play a request and do the slow part at once."""
    return (await player.play(request, within)).settle()

"""Faults of silence: nothing where something is due, and much that says nothing."""

from collections.abc import Mapping

import msgspec

from harness.simulator.faults.kind import Fault
from harness.simulator.script import After, Event, Payload, Script, first_half, replace

_EMPTY: Payload = {
    "object": "chat.completion.chunk",
    "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": None}],
}
_COMMENT = b": keep-alive\n\n"


def _silent(_: Script) -> Script:
    return Script(status=None, after=After.HOLD)


def _silent_after_head(script: Script) -> Script:
    return replace(script, events=(), ends_body=False, after=After.HOLD, head_at_ns=0)


def _repeating(script: Script, kept: tuple[Event, ...], data: bytes) -> Script:
    """End with bytes that are sent again and again."""
    at_ns = kept[-1].at_ns if kept else 0
    events = (*kept, Event(at_ns, data))
    return replace(script, events=events, ends_body=False, after=After.REPEAT, head_at_ns=0 if not kept else at_ns)


def _comments_for_ever(script: Script) -> Script:
    return _repeating(script, (), _COMMENT) if script.is_stream else script


def _half_then(data: bytes, script: Script) -> Script:
    if not script.is_stream:
        return script
    half = first_half(script)
    return replace(_repeating(script, half, data), head_at_ns=script.head_at_ns)


def _line(payload: Payload) -> bytes:
    return b"data: " + msgspec.json.encode(payload) + b"\n\n"


def _speaks_for_ever(script: Script) -> Script:
    choice = _EMPTY["choices"][0]
    return _half_then(_line(_EMPTY | {"choices": [choice | {"delta": {"content": " on"}}]}), script)


FAULTS: Mapping[str, Fault] = {
    "silent": Fault(effect="Reads the request and says nothing until the client leaves.", apply=_silent),
    "silent_connection": Fault(
        effect="Accepts the connection and never says a word; asked for by header or prompt, as `silent`.",
        apply=_silent,
    ),
    "silent_after_head": Fault(effect="A head, then silence until the client leaves.", apply=_silent_after_head),
    "comments_for_ever": Fault(
        effect="Keep-alive comments until the client leaves: never any output.", apply=_comments_for_ever
    ),
    "half_then_comments": Fault(
        effect="Half the answer, then keep-alive comments until the client leaves.",
        apply=lambda script: _half_then(_COMMENT, script),
    ),
    "half_then_empty_deltas": Fault(
        effect="Half the answer, then events without output until the client leaves.",
        apply=lambda script: _half_then(_line(_EMPTY), script),
    ),
    "speaks_for_ever": Fault(
        effect="Half the answer, then the same word until the client leaves.", apply=_speaks_for_ever
    ),
}

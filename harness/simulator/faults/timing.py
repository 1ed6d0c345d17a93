"""Faults of pace: stalls, drips, buffers."""

from collections.abc import Mapping

from harness.simulator.faults.kind import Fault
from harness.simulator.script import After, Event, Script, first_half, middle, moved, replace
from harness.units import NS_PER_MS, NS_PER_S

_DRIP = 20
_COMMENTS = 5
_COMMENT_EVERY_NS = 100 * NS_PER_MS
_PAUSE_NS = 2 * NS_PER_S


def _stall(script: Script) -> Script:
    if not script.is_stream:
        return replace(script, events=(), ends_body=False, after=After.HOLD)
    return replace(script, events=first_half(script), ends_body=False, after=After.HOLD)


def _keepalive_then_stall(script: Script) -> Script:
    if not script.is_stream:
        return script
    comments = tuple(Event(i * _COMMENT_EVERY_NS, b": keep-alive\n\n") for i in range(_COMMENTS))
    return replace(script, events=comments, head_at_ns=0, ends_body=False, after=After.HOLD)


def _slow_drip(script: Script) -> Script:
    """Stretch what follows the first output event."""
    if not script.is_stream:
        return script
    start_ns = next((event.at_ns for event in script.events if event.n_tokens), 0)
    events = tuple(
        moved(event, start_ns + (event.at_ns - start_ns) * _DRIP) if event.at_ns > start_ns else event
        for event in script.events
    )
    return replace(script, events=events)


def _pause(script: Script) -> Script:
    if not script.is_stream:
        return script
    position = middle(script)
    later = tuple(moved(event, event.at_ns + _PAUSE_NS) for event in script.events[position:])
    return replace(script, events=(*script.events[:position], *later))


def _buffered(script: Script) -> Script:
    return replace(script, events_per_write=len(script.events)) if script.is_stream else script


def _gzip_buffered(script: Script) -> Script:
    return replace(script, gzipped=True) if script.is_stream else script


FAULTS: Mapping[str, Fault] = {
    "stall": Fault(effect="Half the answer, then silence until the client leaves.", apply=_stall),
    "keepalive_then_stall": Fault(
        effect="Five keep-alive comments, 100 ms apart, then silence: never any output.", apply=_keepalive_then_stall
    ),
    "slow_drip": Fault(effect="Decodes at a twentieth of the rate.", apply=_slow_drip),
    "pause": Fault(effect="Two seconds of silence in the middle, then goes on.", apply=_pause),
    "buffered": Fault(effect="All events in one write when the last one is due.", apply=_buffered),
    "gzip_buffered": Fault(effect="As buffered, and compressed although nobody asked for it.", apply=_gzip_buffered),
}

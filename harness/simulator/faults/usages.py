"""Faults of usage: counts that lie, or stand where they do not belong."""

from collections.abc import Callable, Mapping
from typing import Any

from harness.simulator.faults.kind import Fault
from harness.simulator.script import Event, Payload, Script, map_payloads, output_positions, replace

Usage = dict[str, Any]
_THOUGHT = 7


def _of_usage(change: Callable[[Payload], Payload]) -> Callable[[Script], Script]:
    """Change the payloads that carry usage."""
    return lambda script: map_payloads(script, lambda payload: change(payload) if payload.get("usage") else payload)


def _counts(change: Callable[[Usage], Usage | None]) -> Callable[[Script], Script]:
    return _of_usage(lambda payload: payload | {"usage": change(payload["usage"])})


def _tenfold(usage: Usage) -> Usage:
    completion = usage["completion_tokens"] * 10
    return usage | {"completion_tokens": completion, "total_tokens": usage["prompt_tokens"] + completion}


def _with_thought(usage: Usage) -> Usage:
    completion = usage["completion_tokens"] + _THOUGHT
    details = {"reasoning_tokens": _THOUGHT}
    total = usage["prompt_tokens"] + completion
    return usage | {"completion_tokens": completion, "total_tokens": total, "completion_tokens_details": details}


def _elsewhere(payload: Payload) -> Payload:
    return payload | {"usage": None, "x_groq": {"usage": payload["usage"]}}


def _usage_position(script: Script) -> int | None:
    return next((i for i, e in enumerate(script.events) if isinstance(e.data, dict) and e.data.get("usage")), None)


def _zeroed(script: Script) -> Script:
    """Say it once more, in zeros."""
    position = _usage_position(script) if script.is_stream else None
    if position is None:
        return script
    event = script.events[position]
    payload: Payload = event.data if isinstance(event.data, dict) else {}
    zeros = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)
    again = Event(event.at_ns, payload | {"usage": zeros})
    return replace(script, events=(*script.events[: position + 1], again, *script.events[position + 1 :]))


def _running(script: Script, counted: Callable[[int], int], keep: Callable[[int], bool] = lambda _: True) -> Script:
    """Put a running count on the output chunks."""
    positions = output_positions(script)
    position = _usage_position(script) if script.is_stream else None
    if position is None or not positions:
        return script
    final = script.events[position].data
    usage: Usage = final["usage"] if isinstance(final, dict) else {}
    events = list(script.events)
    for nth, place in enumerate(positions, 1):
        if keep(nth):
            events[place] = _counted(events[place], usage, counted(nth))
    return replace(script, events=tuple(events))


def _counted(event: Event, usage: Usage, n_tokens: int) -> Event:
    payload: Payload = event.data if isinstance(event.data, dict) else {}
    so_far = {
        "prompt_tokens": usage["prompt_tokens"],
        "completion_tokens": n_tokens,
        "total_tokens": usage["prompt_tokens"] + n_tokens,
    }
    return Event(event.at_ns, payload | {"usage": so_far}, event.n_tokens)


def _on_finish(script: Script) -> Script:
    """Move the usage onto the chunk that finishes."""
    position = _usage_position(script) if script.is_stream else None
    if position is None or position == 0:
        return script
    finishing, carrying = script.events[position - 1], script.events[position]
    if not isinstance(finishing.data, dict) or not isinstance(carrying.data, dict) or not finishing.data["choices"]:
        return script
    moved = Event(finishing.at_ns, finishing.data | {"usage": carrying.data["usage"]}, finishing.n_tokens)
    return replace(script, events=(*script.events[: position - 1], moved, *script.events[position + 1 :]))


def _growing(script: Script) -> Script:
    """Count tokens in chunks that hold no output, between those that do."""
    counted = _running(script, lambda nth: nth)
    positions = output_positions(counted)
    if counted is script or len(positions) < 3:  # noqa: PLR2004  # one before, one silent, one after
        return script
    place = positions[1]
    event = counted.events[place]
    payload: Payload = event.data if isinstance(event.data, dict) else {}
    silent = Event(event.at_ns, payload | {"choices": [payload["choices"][0] | {"delta": {"content": ""}}]})
    usage = payload["usage"]
    more = {"completion_tokens": usage["completion_tokens"] + 1, "total_tokens": usage["total_tokens"] + 1}
    grown = Event(event.at_ns, silent.data | {"usage": usage | more} if isinstance(silent.data, dict) else silent.data)
    return replace(counted, events=(*counted.events[: place + 1], grown, *counted.events[place + 1 :]))


FAULTS: Mapping[str, Fault] = {
    "usage_wrong": Fault(effect="Usage counts ten times the completion tokens.", apply=_counts(_tenfold)),
    "usage_missing": Fault(effect="No usage, although asked for.", apply=_counts(lambda _: None)),
    "usage_zeroed": Fault(effect="The right usage, then one of zeros.", apply=_zeroed),
    "usage_inconsistent": Fault(
        effect="A total that is not the sum of its parts.",
        apply=_counts(lambda usage: usage | {"total_tokens": usage["total_tokens"] + 100}),
    ),
    "usage_elsewhere": Fault(effect="Usage under `x_groq` instead.", apply=_of_usage(_elsewhere)),
    "usage_on_finish": Fault(effect="Usage on the finishing chunk instead of one of its own.", apply=_on_finish),
    "usage_in_every_chunk": Fault(
        effect="A running count on every chunk of output.", apply=lambda script: _running(script, lambda nth: nth)
    ),
    "usage_grows_silently": Fault(effect="A running count that grows where no output comes.", apply=_growing),
    "hidden_reasoning": Fault(
        effect="Counts reasoning tokens of which nothing was sent.", apply=_counts(_with_thought)
    ),
}

"""Faults of whole chunks: one that comes twice, another model's name."""

from collections.abc import Mapping

from harness.simulator.faults.kind import Fault
from harness.simulator.script import Event, Script, map_payloads, replace


def _other_model(script: Script) -> Script:
    return map_payloads(script, lambda payload: payload | {"model": "another-model"})


def _duplicate_finish(script: Script) -> Script:
    position = next((i for i, event in enumerate(script.events) if _finishes(event)), None)
    if position is None:
        return script
    events = script.events[: position + 1] + script.events[position:]
    return replace(script, events=events)


def _finishes(event: Event) -> bool:
    choices = event.data.get("choices") or [] if isinstance(event.data, dict) else []
    return any(choice.get("finish_reason") for choice in choices)


FAULTS: Mapping[str, Fault] = {
    "duplicate_finish": Fault(effect="Sends the finishing chunk twice.", apply=_duplicate_finish),
    "model_other": Fault(effect="Another model's name in the response.", apply=_other_model),
}

"""Merges what the processes of one arm say of their clocks."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from harness.units import NS_PER_MS

_SAME_STEP_NS = NS_PER_MS  # processes read the two clocks apart from each other


def merge_clock_facts(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts add up, a bound is the largest, a step is one however many noticed it; of a name the first there is."""
    names = dict.fromkeys(chain.from_iterable(parts))
    return {name: _merged(name, [part[name] for part in parts if part.get(name) is not None]) for name in names}


def _merged(name: str, values: Sequence[Any]) -> Any:
    if not values:
        return None
    if name == "steps":
        return _distinct(chain.from_iterable(values))
    if name.endswith("_bound_ns"):
        return max(values)
    return values[0] if isinstance(values[0], str) else sum(values)


def _distinct(steps: Iterable[Mapping[str, int]]) -> list[Mapping[str, int]]:
    """Steps of the machine's one wall clock, each as the process saw it that noticed it first."""
    found: list[Mapping[str, int]] = []
    for step in sorted(steps, key=lambda step: step["and_ns"]):
        if not any(_is_same(step, earlier) for earlier in found):
            found.append(step)
    return found


def _is_same(step: Mapping[str, int], earlier: Mapping[str, int]) -> bool:
    overlaps = step["between_ns"] <= earlier["and_ns"]
    return overlaps and abs(step["by_ns"] - earlier["by_ns"]) <= _SAME_STEP_NS

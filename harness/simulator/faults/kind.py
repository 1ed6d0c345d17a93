"""What a fault is."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.simulator.script import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong, in a sentence and as a function; it gives the same script where it does not apply."""

    effect: str
    apply: Callable[[Script], Script]

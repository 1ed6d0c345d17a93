"""What a fault is."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.simulator.bodies import Headers
from harness.simulator.script import Script

_OF_THE_BODY = ("content-type", "content-length", "cache-control")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong, in a sentence and as a function; it gives the same script where it does not apply."""

    effect: str
    apply: Callable[[Script], Script]


def kept_headers(script: Script) -> Headers:
    """Give the headers that do not describe the body."""
    return tuple((name, value) for name, value in script.headers if name.lower() not in _OF_THE_BODY)

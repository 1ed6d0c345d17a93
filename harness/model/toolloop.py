"""What decides, before a run and after it, whether a first answer gets the second request of a tool loop."""

from collections.abc import Mapping, Sequence
from typing import Any


def why_no_second_turn(called: Sequence[str | None], results: Mapping[str, Any]) -> str | None:
    """Say why a loop ends with the first answer; None where every call has a canned result to go back with."""
    if not called:
        return "no tool was called"
    without = [name or "(no name)" for name in called if name is None or name not in results]
    return f"no canned result for {', '.join(dict.fromkeys(without))}" if without else None

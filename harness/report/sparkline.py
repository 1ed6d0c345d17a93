"""A series in one line of text: eight heights, and a dot where there is a gap."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Draw values between their least and their largest; what does not fit is left out at the beginning."""
    shown = list(values)[-width:] if width > 0 else []
    known = [value for value in shown if value is not None]
    if not known:
        return GAP * len(shown)
    low, high = min(known), max(known)
    return "".join(GAP if value is None else _bar(value, low, high) for value in shown)


def _bar(value: float, low: float, high: float) -> str:
    """Values that are all alike stand in the middle."""
    share = 0.5 if high == low else (value - low) / (high - low)
    return BARS[min(int(share * len(BARS)), len(BARS) - 1)]

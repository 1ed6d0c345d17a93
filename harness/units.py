"""Units of time as named factors."""

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


def seconds(duration_ns: int) -> float:
    """Convert an integer duration in ns to seconds."""
    return duration_ns / NS_PER_S


def nanoseconds(duration_s: float) -> int:
    """Convert seconds to the nearest integer ns."""
    return round(duration_s * NS_PER_S)

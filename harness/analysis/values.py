"""Makes values: a number, or the reason why there is none."""

from harness.analysis.results.estimates import Value
from harness.units import seconds


def known(value: float) -> Value:
    """Give a defined value."""
    return Value(value=value)


def missing(reason: str) -> Value:
    """Give an undefined value."""
    return Value(value=None, reason=reason)


def span(start_at_ns: int | None, end_at_ns: int | None, reason: str) -> Value:
    """Time between two instants in seconds; undefined for this reason when either did not happen."""
    if start_at_ns is None or end_at_ns is None:
        return missing(reason)
    return known(seconds(end_at_ns - start_at_ns))


def quotient(above: Value, below: Value) -> Value:
    """One value over another; undefined as the first of them that is, and over zero."""
    if above.value is None:
        return above
    if below.value is None:
        return below
    return known(above.value / below.value) if below.value else missing("the divisor is zero")

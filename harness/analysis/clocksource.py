"""Says where the instants of one side come from, and what the wall clock did meanwhile."""

from collections.abc import Iterator, Mapping

from harness.analysis.buffering import KERNEL
from harness.analysis.results.case import Side
from harness.analysis.results.estimates import Value
from harness.analysis.results.instrument import ClockSource
from harness.analysis.values import known, missing
from harness.units import seconds

KERNEL_TIMES = "kernel receive times"
OWN_CLOCK = "monotonic clock after the read"
_STEPS_SHOWN = 5


def clock_source(sources: str, side: Side) -> ClockSource:
    """Name the source of these reads' instants, one letter each, with the facts that the player gave."""
    name, detail = _name(sources, side.clock)
    return ClockSource(name=name, detail=detail, mapping_bound_s=_bound(side.clock), steps=_steps(side))


def _name(sources: str, facts: Mapping[str, object]) -> tuple[str, str]:
    n_kernel, n_reads = sources.count(KERNEL), len(sources)
    if not n_reads:
        return "no read", ""
    if not n_kernel:
        return OWN_CLOCK, ""
    if n_kernel < n_reads:
        return "mixed", f"{n_kernel:,} of {n_reads:,} reads by the kernel, the others by the {OWN_CLOCK}"
    stamps = facts.get("stamps")
    return KERNEL_TIMES, stamps if isinstance(stamps, str) else ""


def _bound(facts: Mapping[str, object]) -> Value:
    bound_ns = facts.get("mapping_bound_ns")
    return known(seconds(bound_ns)) if isinstance(bound_ns, int) else missing("the run did not record it")


def _steps(side: Side) -> tuple[str, ...]:
    found = list(_every_step(side))
    more = [f"{len(found) - _STEPS_SHOWN} more steps of the wall clock"] if len(found) > _STEPS_SHOWN else []
    return (*found[:_STEPS_SHOWN], *more)


def _every_step(side: Side) -> Iterator[str]:
    steps = side.clock.get("steps")
    for step in steps if isinstance(steps, list | tuple) else ():
        by_ns, at_ns = step.get("by_ns"), step.get("and_ns")
        if isinstance(by_ns, int):
            yield f"the wall clock stepped by {seconds(by_ns):+.6f} s{_when(side, at_ns)}"


def _when(side: Side, at_ns: object) -> str:
    """Count from the start of the load, before which the warm-up lies."""
    start_ns = min((facts.started_at_ns for facts in side.client), default=None)
    if start_ns is None or not isinstance(at_ns, int):
        return ""
    since_s = seconds(at_ns - start_ns)
    return f", noticed {since_s:.1f} s into the load" if since_s >= 0 else ", noticed during the warm-up"

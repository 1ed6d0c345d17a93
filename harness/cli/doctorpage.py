"""Writes the doctor's findings for a terminal of 80 columns: pure."""

import textwrap
from collections.abc import Iterator, Sequence

from harness.cli.doctordiagnosis import Diagnosis, advice
from harness.cli.doctorstep import LEAST_IN_FLIGHT, MOST_SHARED, Short, Step, is_servers_limit
from harness.measure.machine import Machine
from harness.units import NS_PER_MS

WIDTH = 80
_TAG = 15  # columns before a line's text
_NS_PER_US = 1_000
_HEADS = ("streams", "late p50 / p99", "shared reads", "in flight", "server p99", "timing")
_WIDTHS = (7, 17, 12, 9, 10, 9)
_WORDS = {
    Short.FILES: "no files",
    Short.SERVER: "server",
    Short.FAILED: "failed",
    Short.LATE: "late",
    Short.SHARED: "merged",
    Short.IN_FLIGHT: "too few",
}


def page(found: Diagnosis, other_files: int) -> list[str]:
    """Say everything: how far timings can be trusted, by which figures, on what machine, what to do."""
    tagged = [
        ("clock", _clock(found.machine)),
        ("kernel stamps", stamps_sentence(found)),
        ("open files", _files(found.machine, other_files)),
        ("processors", _processors(found.machine)),
        ("loop", _loop(found)),
        ("cost", _cost(found)),
    ]
    return [
        *_fold(trust_sentence(found)),
        "",
        *_table(found),
        "",
        *(line for tag, text in tagged for line in _fold(text, tag)),
        "",
        *_advised(advice(found) or ("Nothing to change.",)),
    ]


def stamps_sentence(found: Diagnosis) -> str:
    """Say whether the kernel stamps what arrives, and why not."""
    refused, share = found.machine.stamps_refused, found.kernel_stamp_fraction
    if refused is not None:
        return f"no: {refused}; arrivals carry our own clock, right after the read"
    if share is None:
        return "unknown: switched on, but nothing was read"
    if share == 0:
        return "no: switched on, but no read on loopback carried one; arrivals carry our own clock"
    return f"yes: {_percent(share)} of the reads on loopback carried one"


def trust_sentence(found: Diagnosis) -> str:
    """Say up to how many streams timings can be trusted, and what stands against more."""
    trust, pace = found.trust, f"{found.tokens_per_s:g} tokens/s each"
    if trust.beyond is None:
        return f"Timing can be trusted here with {trust.n_streams} streams of {pace}: the most that was tried."
    why = f"{streams_of(trust.beyond.n_streams)}: {'; '.join(_reasons(trust.beyond))}"
    if not trust.n_streams:
        return f"Timing cannot be trusted here. With {why}."
    if is_servers_limit(trust.beyond):
        return (
            f"Timing can be trusted here with at least {streams_of(trust.n_streams)} of {pace}; beyond, the truth "
            f"server on the same machine is the limit. With {why}."
        )
    return f"Timing can be trusted here with up to {streams_of(trust.n_streams)} of {pace}. With {why}."


def _reasons(step: Step) -> Iterator[str]:
    limit = f"(limit {_ms(step.late_limit_ns)})"
    texts = {
        Short.FILES: "more files than may be open",
        Short.FAILED: f"{step.n_failed} of {step.n_requests} requests without a whole answer",
        Short.LATE: f"arrivals {_ms(step.late_p99_ns)} late at p99 {limit}",
        Short.SHARED: f"{_percent(step.shared_fraction)} of tokens shared a read (limit {_percent(MOST_SHARED)})",
        Short.IN_FLIGHT: f"{_percent(step.in_flight_fraction)} in flight (at least {_percent(LEAST_IN_FLIGHT)})",
        Short.SERVER: f"its writes {_ms(step.server_late_p99_ns)} late at p99 (limit {_ms(step.server_late_limit_ns)})",
    }
    told = (Short.FAILED,) if Short.FAILED in step.short else step.short  # the rest may follow from it
    return (texts[kind] for kind in told)


def _clock(machine: Machine) -> str:
    made_of = f" from {machine.hardware_clock}" if machine.hardware_clock else ""
    return (
        f"{machine.monotonic.name}{made_of}, in steps of {machine.monotonic.resolution_ns:,} ns; a reading costs "
        f"{machine.reading_cost_ns:,} ns; the wall clock (steps of {machine.realtime.resolution_ns:,} ns) is known "
        f"against it within {machine.pairing_bound_ns:,} ns"
    )


def _files(machine: Machine, other_files: int) -> str:
    if machine.n_files_allowed is None:
        return "no limit is known here"
    streams = max(0, machine.n_files_allowed - other_files)
    return f"up to {machine.n_files_allowed:,} (the hard limit), so about {streams:,} streams in one process"


def _processors(machine: Machine) -> str:
    usable = machine.n_cpus_usable
    parts = [f"{machine.n_cpus}" if usable in (None, machine.n_cpus) else f"{usable} of {machine.n_cpus}"]
    if machine.cpu_quota is not None:
        parts.append(f"a quota of {machine.cpu_quota:g}")
    if machine.load_average is not None:
        parts.append(f"load average {machine.load_average:.1f}")
    return ", ".join(parts)


def _loop(found: Diagnosis) -> str:
    rest = found.rest
    return (
        f"{rest.loop}; at rest a timer is {_ms(rest.loop_lag_p50_ns)} late at p50, {_ms(rest.loop_lag_p99_ns)} at p99, "
        f"{_ms(rest.loop_lag_max_ns)} at worst ({rest.n_loop_ticks} looks)"
    )


def _cost(found: Diagnosis) -> str:
    best = found.best
    if best is None or best.cpu_ns_per_event is None:
        return "unknown: no number of streams could be measured"
    return f"{best.cpu_ns_per_event / _NS_PER_US:.0f} µs of CPU per token, reading {streams_of(best.n_streams)}"


def _table(found: Diagnosis) -> list[str]:
    rows = [_HEADS, *(_row(step) for step in found.steps)]
    return ["  ".join(map(str.rjust, row[:-1], _WIDTHS)) + f"  {row[-1]}" for row in rows]


def _row(step: Step) -> tuple[str, ...]:
    if step.short == (Short.FILES,):
        return (str(step.n_streams), "", "", "", "", _WORDS[Short.FILES])
    is_first = Short.SERVER if Short.SERVER in step.short else next(iter(step.short), None)
    return (
        str(step.n_streams),
        f"{_ms(step.late_p50_ns, unit='')} / {_ms(step.late_p99_ns)}",
        _percent(step.shared_fraction),
        _percent(step.in_flight_fraction),
        _ms(step.server_late_p99_ns),
        "ok" if is_first is None else _WORDS[is_first],
    )


def _fold(text: str, tag: str = "") -> list[str]:
    indent = " " * _TAG if tag else ""
    return textwrap.wrap(
        text, WIDTH, break_on_hyphens=False, initial_indent=f"{tag:<{len(indent)}}", subsequent_indent=indent
    )


def _advised(texts: Sequence[str]) -> Iterator[str]:
    """Give the items of a list beside one tag."""
    for position, text in enumerate(texts):
        tag = f"{'' if position else 'advice':<{_TAG}}"
        yield from textwrap.wrap(
            text, WIDTH, break_on_hyphens=False, initial_indent=f"{tag}- ", subsequent_indent=" " * (_TAG + 2)
        )


def streams_of(n: int) -> str:
    """Say a number of streams."""
    return f"{n} stream" if n == 1 else f"{n} streams"


def _ms(value_ns: int | None, unit: str = " ms") -> str:
    return "unknown" if value_ns is None else f"{value_ns / NS_PER_MS:.{3 if abs(value_ns) < NS_PER_MS else 1}f}{unit}"


def _percent(fraction: float | None) -> str:
    return "unknown" if fraction is None else f"{fraction:.1%}".replace("%", " %")

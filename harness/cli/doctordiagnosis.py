"""What the doctor found and what to do about it: pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.cli.doctorstep import Short, Step, Trust, is_servers_limit, trust_in
from harness.measure.machine import Machine
from harness.model.record import ClientFacts
from harness.units import NS_PER_MS

FEW_FILES = 1024  # below this, a few hundred streams are out of reach
ENOUGH_FILES = 65_536
_COARSE_NS = 1_000
_DEAR_READING_NS = 500
_LATE_LOOP_NS = 5 * NS_PER_MS
_STAMPED = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that was found; what follows from it is computed."""

    machine: Machine
    rest: ClientFacts  # the loop while nothing was asked of it
    tokens_per_s: float  # of each stream
    steps: tuple[Step, ...]

    @property
    def trust(self) -> Trust:
        """Up to how many streams timings can be trusted."""
        return trust_in(self.steps)

    @property
    def best(self) -> Step | None:
        """The largest step that can be trusted."""
        trusted = [step for step in self.steps if not step.short]
        return trusted[-1] if trusted else None

    @property
    def kernel_stamp_fraction(self) -> float | None:
        """Share of reads with a kernel stamp at the last step that read anything."""
        known = [step.kernel_stamp_fraction for step in self.steps if step.kernel_stamp_fraction is not None]
        return known[-1] if known else None


def advice(found: Diagnosis) -> tuple[str, ...]:
    """Say what would help here, most important first."""
    return (*_on_stamps(found), *_on_limit(found), *_on_loop(found), *_on_clock(found), *_on_files(found))


def _on_stamps(found: Diagnosis) -> Iterator[str]:
    refused, share = found.machine.stamps_refused, found.kernel_stamp_fraction
    if refused is not None and "no Linux" in refused:
        yield "Measure from a Linux machine where timings matter: elsewhere an arrival is stamped when we read it"
    elif refused is not None:
        yield "Run outside this sandbox or container, or with a runtime that passes SO_TIMESTAMPNS on to the kernel"
    elif share is not None and share < _STAMPED:
        yield "Run outside this sandbox: it takes SO_TIMESTAMPNS but stamps only part of the reads, or none"


def _on_limit(found: Diagnosis) -> Iterator[str]:
    beyond, machine = found.trust.beyond, found.machine
    n_cpus = machine.n_cpus_usable or machine.n_cpus
    if beyond is None or beyond.short == (Short.FILES,):
        return
    if machine.load_average is not None and machine.load_average > n_cpus / 2:
        yield (
            f"Stop what else runs here (load average {machine.load_average:.1f} on {n_cpus} CPUs) and ask again, "
            "or run on an idle machine"
        )
    if is_servers_limit(beyond):
        yield (
            "To find this client's own limit, give it and the truth server more CPUs; against an endpoint on another "
            "machine the client has these to itself"
        )
    else:
        yield (
            f"Keep below {beyond.n_streams} streams in one process: bench run --workers N shares them among N "
            "processes, --isolate gives each endpoint one of its own"
        )


def _on_loop(found: Diagnosis) -> Iterator[str]:
    machine, lag_ns = found.machine, found.rest.loop_lag_p99_ns
    if found.rest.loop != "uvloop":
        yield "Use uvloop, which halves the cost of an event: pip install uvloop, and unset BENCH_LOOP"
    if (machine.n_cpus_usable or machine.n_cpus) == 1:
        yield "Use a machine with two CPUs or more: with one, whatever else runs holds up the reading loop"
    if machine.cpu_quota is not None and machine.cpu_quota < 2:  # noqa: PLR2004  # CPUs
        yield (
            f"Raise the CPU quota of this container ({machine.cpu_quota:g} CPUs): at its end the kernel stops us for "
            "the rest of each period"
        )
    if lag_ns is not None and lag_ns > _LATE_LOOP_NS:
        yield "Pin bench to a core of its own (taskset -c 1 bench ...): an idle loop is held up by something else here"


def _on_clock(found: Diagnosis) -> Iterator[str]:
    machine, n_steps = found.machine, sum(step.n_clock_steps for step in found.steps)
    if n_steps:
        yield (
            f"Let time synchronisation slew the wall clock instead of setting it: it jumped {n_steps}x while we read, "
            "and kernel stamps around a jump are lost"
        )
    if machine.monotonic.resolution_ns > _COARSE_NS:
        yield f"Mind that this clock moves in steps of {machine.monotonic.resolution_ns / 1000:.0f} µs"
    if machine.reading_cost_ns > _DEAR_READING_NS:
        source = f" ({machine.hardware_clock})" if machine.hardware_clock else ""
        yield f"Boot with clocksource=tsc where it is stable: reading this clock{source} costs a system call"


def _on_files(found: Diagnosis) -> Iterator[str]:
    n_files, beyond = found.machine.n_files_allowed, found.trust.beyond
    is_reached = beyond is not None and Short.FILES in beyond.short
    if n_files is not None and (is_reached or n_files < FEW_FILES):
        yield f"Raise the hard limit of open files ({n_files}), as root: ulimit -n {ENOUGH_FILES}"

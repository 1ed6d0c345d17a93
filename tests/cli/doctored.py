"""Diagnoses, exchanges and truth lines as a doctor would find them."""

from dataclasses import replace
from typing import Any

from harness.cli.doctordiagnosis import Diagnosis
from harness.cli.doctorstep import Step, judged
from harness.clock import ClockSource
from harness.measure.machine import Machine
from harness.measure.wire.exchange import Exchange
from harness.model.record import ClientFacts, Reads
from harness.simulator.truth import TruthLine

MS = 1_000_000

MACHINE = Machine(
    system="Linux 6.1",
    monotonic=ClockSource(name="clock_gettime(CLOCK_MONOTONIC)", resolution_ns=1),
    realtime=ClockSource(name="clock_gettime(CLOCK_REALTIME)", resolution_ns=1),
    hardware_clock="tsc",
    reading_cost_ns=50,
    pairing_bound_ns=120,
    stamps_refused=None,
    n_files_allowed=20_000,
    n_cpus=8,
    n_cpus_usable=8,
    cpu_quota=None,
    load_average=0.2,
)
REST = ClientFacts(
    arms=(),
    loop="uvloop",
    started_at_ns=0,
    ended_at_ns=2_000 * MS,
    cpu_ns=5 * MS,
    loop_lag_p50_ns=60_000,
    loop_lag_p99_ns=250_000,
    loop_lag_max_ns=1_300_000,
    n_loop_ticks=100,
)


def a_step(n_streams: int, **more: Any) -> Step:
    """Give a judged step that is good in all but what is given."""
    good: dict[str, Any] = {
        "n_requests": 2 * n_streams,
        "n_events": 100 * n_streams,
        "late_p50_ns": 5_000,
        "late_p99_ns": 40_000,
        "shared_fraction": 0.001,
        "in_flight_fraction": 0.99,
        "server_late_p99_ns": 300_000,
        "server_late_limit_ns": 10 * MS,
        "kernel_stamp_fraction": 1.0,
        "cpu_ns_per_event": 26_400,
        "loop_lag_p99_ns": 400_000,
    }
    return judged(Step(n_streams=n_streams, **good | more))


def a_diagnosis(*steps: Step, rest: dict[str, Any] | None = None, **machine: Any) -> Diagnosis:
    """Give a diagnosis of a good machine but for what is given."""
    return Diagnosis(
        machine=replace(MACHINE, **machine),
        rest=replace(REST, **(rest or {})),
        tokens_per_s=50.0,
        steps=steps or (a_step(1), a_step(4)),
    )


def a_line(number: int, **more: Any) -> TruthLine:
    """Give a log line: head, two tokens of 10 bytes at 40 and 60 ms, an end."""
    given: dict[str, Any] = {
        "arrived_at_ns": 0,
        "started_at_ns": 0,
        "ended_at_ns": 60 * MS,
        "at_ns": [0, 40 * MS, 60 * MS, 60 * MS],
        "n_bytes": [100, 10, 10, 20],
        "n_tokens": [0, 1, 1, 0],
    }
    return TruthLine(id=f"{number:016x}", connection=0, is_stream=True, status=200, **given | more)


def an_exchange(number: int, at_ns: list[int], n_bytes: list[int], **more: Any) -> Exchange:
    """Give the exchange of a line by its reads."""
    given: dict[str, Any] = {
        "sent_at_ns": at_ns[0] if at_ns else 0,
        "ended_at_ns": at_ns[-1] if at_ns else 0,
        "status": 200,
        "failure": None,
    }
    return Exchange(
        connection=None,
        headers={"x-request-id": f"req_{number:016x}"},
        wire=b"x" * sum(n_bytes),
        reads=Reads(at_ns=tuple(at_ns), seen_at_ns=tuple(at_ns), n_bytes=tuple(n_bytes), source="k" * len(at_ns)),
        **given | more,
    )

"""What is said of a machine."""

import socket
import sys
from pathlib import Path

import pytest

from harness.clock import SystemClock, clock_source
from harness.measure import machine
from harness.measure.machine import look_at, quota_of
from harness.measure.wire.stamps import why_not_stamped


@pytest.mark.parametrize(
    ("line", "cpus"),
    [("max 100000", None), ("150000 100000", 1.5), ("400000 100000", 4.0), ("", None), (None, None), ("x y", None)],
)
def test_a_quota_is_time_per_period(line: str | None, cpus: float | None) -> None:
    assert quota_of(line) == cpus


def test_a_machine_says_what_it_can(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_HARDWARE_CLOCK", tmp_path / "none")
    found = look_at(SystemClock())
    assert found.hardware_clock is None
    assert found.monotonic.resolution_ns >= 1
    assert found.reading_cost_ns > 0
    assert found.pairing_bound_ns > 0
    assert found.n_cpus >= (found.n_cpus_usable or 1)


def test_a_clock_has_a_name_and_a_resolution() -> None:
    for source in (clock_source("monotonic"), clock_source("time")):
        assert source.name
        assert source.resolution_ns >= 1


def test_another_system_is_the_reason_for_no_stamps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with socket.socket() as sock:
        assert why_not_stamped(sock) == "this is no Linux (darwin)"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kernel stamps are Linux's")
def test_the_kernels_refusal_is_the_reason_for_no_stamps() -> None:
    sock = socket.socket()
    assert why_not_stamped(sock) is None
    sock.close()
    assert why_not_stamped(sock) == "setsockopt(SO_TIMESTAMPNS) is refused: EBADF, Bad file descriptor"

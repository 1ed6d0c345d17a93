"""A run's certificate of its own timings, from real sockets to the three places that show it."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.model.storage import HEADER, load_run
from tests.cli.simulated import Bench, Outcome

GATED = ("arrival_uncertainty", "send_lateness", "shared_reads", "offered_load")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


def sides_of(outcome: Outcome, row_id: str) -> list[dict[str, object]]:
    row = next(row for row in outcome.summary["certificate"]["rows"] if row["id"] == row_id)
    return list(row["sides"])


def test_a_run_measures_everything_that_its_certificate_gates(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        outcome = bench.compare(a, b, "--repeats", "3")
    for row_id in (*GATED, "loop_lag_p99", "client_cpu", "cpu_per_event", "open_connections"):
        assert all(side["value"]["value"] is not None for side in sides_of(outcome, row_id)), row_id  # type: ignore[index]
    assert {side["detail"] for side in sides_of(outcome, "client_cpu")} == {"both sides together"}
    header = load_run(outcome.run).header
    found = outcome.summary["certificate"]["clock"]
    for arm in ("reference", "candidate"):
        bound_ns = header.clock[arm]["mapping_bound_ns"]
        assert found[arm]["mapping_bound_s"]["value"] == pytest.approx(bound_ns / 1e9)
    asked = f"asked: {header.plan.load[0]:g} requests in flight"
    assert {side["detail"] for side in sides_of(outcome, "achieved_load")} == {asked}


def test_each_side_has_the_certificate_of_its_own_run(bench: Bench) -> None:
    """Two runs of one endpoint each: no process measured both, and turning them round turns the figures round."""
    with bench.pair({}, {}) as (a, b):
        one = bench.bench("run", str(a), "--golden", str(bench.golden), "--repeats", "2").run
        other = bench.bench("run", str(b), "--golden", str(bench.golden), "--repeats", "2").run
    there, back = bench.compare(one, other), bench.compare(other, one)
    for row_id in ("loop_lag_max", "cpu_per_event", "mapping_bound"):
        figures = [side["value"] for side in sides_of(there, row_id)]
        assert figures == [side["value"] for side in sides_of(back, row_id)][::-1]
        assert None not in figures
    assert {side["detail"] for side in sides_of(there, "client_cpu")} == {"this side alone"}


def test_a_run_that_recorded_nothing_of_it_is_judged_with_a_note(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        run = bench.compare(a, b, "--repeats", "2").run
    header = msgspec.json.decode((run / HEADER).read_bytes())
    del header["client"], header["plan"]["load"], header["plan"]["arrival"]
    (run / HEADER).write_bytes(msgspec.json.encode(header))
    found = bench.bench("report", str(run)).summary["certificate"]
    unknown = {row["id"] for row in found["rows"] if row["condition"] and row["is_met"] is None}
    assert {"offered_load"} <= unknown <= {"offered_load", "shared_reads"}  # a busy machine may merge reads
    assert any("the run did not record what load it asked for" in note for note in found["notes"])


def test_the_terminal_says_it_before_the_verdict(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, _):
        run = bench.bench("run", str(a), "--golden", str(bench.golden), "--repeats", "2").run
    shown = CliRunner().invoke(main, ["report", str(run), "--reports", str(bench.folder / "reports")])
    lines = [line for line in shown.stdout.splitlines() if line]
    assert lines[0].startswith("timing  ")
    assert any(line.startswith("MEASURED: ") for line in lines[1:3])

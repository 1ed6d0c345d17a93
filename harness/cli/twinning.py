"""Runs the loopback twin beside a measurement: a truth server, and afterwards what both ends saw."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.clock import SystemClock
from harness.errors import BenchError, ConfigError
from harness.model.record import Plan
from harness.model.storage import UNREADABLE
from harness.model.twin import TwinLog, TwinStream, read_twin, write_twin

if TYPE_CHECKING:
    from harness.measure.twin import Replayed, Twin
    from harness.simulator.truth import TruthLine


def refuse_twin_without_warmup(plan: Plan) -> None:
    """Raise a ConfigError where the twin would have nothing to learn from."""
    if not any(block.is_warmup for block in plan.blocks):
        raise ConfigError(
            "--twin needs a warm-up to learn from, and plan.warmup is 0",
            remedy="Leave --twin out, or let plan.warmup of the settings be 1 or more",
        )


@contextmanager
def loopback_twin(folder: Path) -> Iterator["Twin"]:
    """Serve a twin while the body measures; then write twin.jsonl into the run folder, or say why not."""
    from harness.measure.twin import Twin  # noqa: PLC0415  # keeps --help light
    from harness.simulator.process import running_metronome  # noqa: PLC0415

    earlier = read_twin(folder) or TwinLog()  # of the run's parts before this one
    write_twin(folder, earlier)  # says that one was asked for, whatever becomes of it
    with tempfile.TemporaryDirectory(prefix="bench-twin-", ignore_cleanup_errors=True) as temporary:
        log = Path(temporary) / "truth.jsonl"
        server = ExitStack()  # its log is whole once it has ended
        twin = Twin(server.enter_context(running_metronome(truth=log)).base_url, SystemClock())
        try:
            yield twin
        finally:
            server.close()
            _keep(folder, earlier, _joined(twin, log))


def _joined(twin: "Twin", log: Path) -> TwinLog:
    """Bring both ends together; a log that cannot be read costs the twin, never the run."""
    from harness.simulator.truth import read_truth  # noqa: PLC0415

    notes, truth = list(twin.notes), []
    try:
        truth = read_truth(log)
    except (BenchError, OSError, *UNREADABLE) as error:
        notes.append(f"its server's log cannot be read: {error}")
    streams = twin_streams(twin.replayed, truth)
    if n_lost := len(twin.replayed) - len(streams):
        notes.append(f"{n_lost} of {len(twin.replayed)} replayed streams are not in its server's log")
    return TwinLog(streams=streams, notes=tuple(notes))


def _keep(folder: Path, earlier: TwinLog, log: TwinLog) -> None:
    for note in log.notes:
        click.echo(f"twin: {note}", err=True)
    try:
        write_twin(folder, TwinLog(streams=earlier.streams + log.streams, notes=earlier.notes + log.notes))
    except BenchError as error:
        click.echo(f"twin: {error}", err=True)


def twin_streams(replayed: Sequence["Replayed"], truth: Sequence["TruthLine"]) -> tuple[TwinStream, ...]:
    """Bring both ends of each stream together by the server's number; a stream that one end lacks is left out."""
    sent = {line.id: line for line in truth if line.outcome == "complete"}
    return tuple(
        TwinStream(
            id=seen.id,
            arm=seen.arm,
            sent_at_ns=seen.sent_at_ns,
            reads=seen.reads,
            arrived_at_ns=sent[seen.id].arrived_at_ns,
            written_at_ns=tuple(sent[seen.id].at_ns),
            written_bytes=tuple(sent[seen.id].n_bytes),
        )
        for seen in replayed
        if seen.id in sent
    )

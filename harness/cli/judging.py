"""Runs the judging half for a command: decode, analyse, render, say the verdict."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.sides import RecordedSide, part_of_header, recorded_side
from harness.decode.record import decode_attempt
from harness.decode.sdk_view import SdkView, sdk_view
from harness.errors import ConfigError
from harness.model.record import Arm, Attempt, Record, RequestKey, RunStatus
from harness.model.settings import Settings
from harness.model.storage import StoredRun, load_run, write_atomically, write_records
from harness.model.twin import TwinLog, read_twin

if TYPE_CHECKING:
    from harness.analysis.results import Analysis, Case, Side
    from harness.report.write import WrittenReport

_WITHOUT_END = {
    True: "it is still being written",
    False: "its process ended without a word",
    None: "its process ended without a word, or still runs",
}
_LATE_MARGINS = {
    True: (),
    False: ("the margins were chosen after the data: this verdict is exploratory, not what the plan registered",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How a command reports."""

    reports: Path
    quiet: bool = False
    as_json: bool = False


def make_reports_folder(folder: Path) -> None:
    """Find out before a run, not after it, that its report could not be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = None if os.access(folder, os.W_OK | os.X_OK) else "no permission to write there"
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise ConfigError(f"reports cannot be written: {reason}", where=str(folder), remedy="Choose another --reports")


def judge_run(folder: Path, settings: Settings | None, output: Output) -> int:
    """Judge one run folder: both of its arms, or its only one."""
    run = load_run(folder)
    arms = [header.arm for header in run.header.arms]
    reference = recorded_side(run, arms[0])
    candidate = recorded_side(run, Arm.CANDIDATE) if Arm.CANDIDATE in arms and len(arms) > 1 else None
    return judge_sides(reference, candidate, settings, output)


def judge_sides(
    reference: RecordedSide, candidate: RecordedSide | None, settings: Settings | None, output: Output
) -> int:
    """Judge recorded arms, write the report, give the exit code."""
    from harness.analysis.analyse import analyse  # noqa: PLC0415  # pandas and scipy load here

    _refuse_itself(reference, candidate)
    case = _case(reference, candidate, settings)
    return _report(analyse(case), (candidate or reference).run, output, _departure(reference, candidate, case))


def _refuse_itself(reference: RecordedSide, candidate: RecordedSide | None) -> None:
    if candidate is None or reference.run.folder.resolve() != candidate.run.folder.resolve():
        return
    if reference.header.arm is candidate.header.arm:
        raise ConfigError(
            f"both sides are the {reference.header.arm} of one run: it would be compared with itself",
            where=str(reference.run.folder),
            remedy="Name another arm, as in results/<run>:candidate",
        )


def _departure(reference: RecordedSide, candidate: RecordedSide | None, case: "Case") -> str:
    """Name how a judgement differs from the one that the run's plan registered; empty when it does not."""
    arms = [header.arm for header in reference.run.header.arms]
    planned = (reference.header.arm, candidate.header.arm) if candidate else (reference.header.arm,)
    is_of_one_run = candidate is None or reference.run.folder.resolve() == candidate.run.folder.resolve()
    parts = [
        "" if not is_of_one_run or planned == tuple(arms) else "-other-sides",
        "" if case.margins_are_from_plan else "-other-margins",
    ]
    return "".join(parts)


def _case(reference: RecordedSide, candidate: RecordedSide | None, settings: Settings | None) -> "Case":
    from harness.analysis.results import Case  # noqa: PLC0415

    main = candidate or reference
    if candidate is not None and reference.golden.sha256 != candidate.golden.sha256:
        raise ConfigError(
            f"the two runs replayed different golden sets ({reference.golden.sha256[:12]} and "
            f"{candidate.golden.sha256[:12]})",
            remedy="Compare runs of the same set",
        )
    planned = part_of_header(main.run, main.run.header.plan.settings, Settings)
    return Case(
        golden=main.golden,
        settings=settings or planned,
        plan=main.run.header.plan,
        reference=_side(reference, Arm.REFERENCE, is_earlier=reference.run.folder != main.run.folder),
        candidate=_side(candidate, Arm.CANDIDATE, is_earlier=False) if candidate else None,
        margins_are_from_plan=settings is None or settings.verdict == planned.verdict,
    )


def _side(side: RecordedSide, arm: Arm, *, is_earlier: bool) -> "Side":
    from harness.analysis.results import Side  # noqa: PLC0415

    first = first_responses(side)
    return Side(
        arm=arm,
        name=side.endpoint.name,
        endpoint=side.header.endpoint,
        run_id=side.run.header.run_id,
        records=tuple(replace(record, key=replace(record.key, arm=arm)) for record in decode_run(side)),
        sdk_views=_replayed(side.run, first, arm),
        sdk_helper_views=_replayed(side.run, first, arm, through_helper=True),
        was_recorded_earlier=is_earlier,
        unfinished=_unfinished(side.run),
        plan=side.run.header.plan,
        client=tuple(process for process in side.run.header.client if side.header.arm in process.arms),
        clock=_clock_facts(side),
        twin=_twin(side),
    )


def _twin(side: RecordedSide) -> TwinLog | None:
    log = read_twin(side.run.folder)
    own = tuple(stream for stream in log.streams if stream.arm is side.header.arm) if log else ()
    return None if log is None else replace(log, streams=own)


def _clock_facts(side: RecordedSide) -> dict[str, object]:
    facts = side.run.header.clock.get(side.header.arm)
    return facts if isinstance(facts, dict) else {}


def decode_run(side: RecordedSide) -> list[Record]:
    """Decode one arm's attempts from the flight recorder."""
    endpoint = side.endpoint
    return [
        decode_attempt(
            attempt,
            side.run.wire(attempt),
            model_asked=endpoint.model,
            asked_usage=endpoint.stream_usage or not attempt.key.is_streamed,  # without a stream it comes unasked
        )
        for attempt in side.run.attempts
        if attempt.key.arm == side.header.arm
    ]


def _unfinished(run: StoredRun) -> str | None:
    """Say why a run ended before its plan did; None when it did not."""
    status, reason = run.header.status, run.header.status_reason
    if status is RunStatus.FINISHED:
        return None
    if status is RunStatus.RUNNING:
        return _WITHOUT_END[run.is_being_written]
    return f"{status}: {reason}" if reason else str(status)


def first_responses(side: RecordedSide) -> list[Attempt]:
    """Give the first measured response to each prompt of one arm: a retry is no trial, and neither is a follow-up."""
    attempts = [attempt for attempt in side.run.attempts if attempt.key.arm == side.header.arm and attempt.length]
    trials = [attempt for attempt in attempts if attempt.attempt == 1]
    measured = [attempt for attempt in trials if not (attempt.key.is_warmup or attempt.key.is_follow_up)]
    return list({attempt.key.prompt_id: attempt for attempt in reversed(measured)}.values())


def _replayed(
    run: StoredRun, attempts: Sequence[Attempt], arm: Arm, *, through_helper: bool = False
) -> dict[RequestKey, SdkView]:
    """Replay responses through the SDK, offline, as the application on this side would."""
    return {
        replace(attempt.key, arm=arm): sdk_view(run.wire(attempt), attempt.reads, through_helper=through_helper)
        for attempt in attempts
    }


def keep_records(folder: Path) -> None:
    """Write records.jsonl beside the journal, for other tools."""
    run = load_run(folder)
    decoded = [record for header in run.header.arms for record in decode_run(RecordedSide(run=run, header=header))]
    write_records(folder, tuple(decoded))


def _report(analysis: "Analysis", run: StoredRun, output: Output, departure: str) -> int:
    """Write and print; a judgement that departs from the plan leaves the planned one's files alone."""
    from harness.analysis.results import EXIT_CODES  # noqa: PLC0415
    from harness.report.write import encode_summary, write_report  # noqa: PLC0415  # matplotlib and jinja2 load below

    written = write_report(analysis, run.header, output.reports, suffix=departure)
    verdict = run.folder / "verdict.json"
    if not departure and (analysis.case.reference.run_id == run.header.run_id or not verdict.exists()):
        write_atomically(verdict, encode_summary(written.content))
    _print(written, run, output)
    return EXIT_CODES[analysis.judgement.verdict] if analysis.judgement else 0


def _print(written: "WrittenReport", run: StoredRun, output: Output) -> None:
    from harness.report.terminal import end_block  # noqa: PLC0415

    for note in (*run.notes, *_LATE_MARGINS[written.content["margins_are_from_plan"] is True]):
        click.echo(f"note: {note}", err=True)
    if output.as_json:
        click.echo(json.dumps(written.content, allow_nan=False))
    elif not output.quiet:
        for line in end_block(written.view, str(written.html)):
            click.echo(line)

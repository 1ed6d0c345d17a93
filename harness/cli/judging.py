"""Runs the judging half for a command: decode, analyse, render, say the verdict."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.exporting import Exports, exports_of
from harness.cli.ledgering import enter, ledger_of
from harness.cli.looking import look_of, n_earlier_verdicts, record_look
from harness.cli.progress import stage
from harness.cli.redactedcopy import read_kept, redaction_of, with_kept
from harness.cli.screen import coloured, columns, say
from harness.cli.sides import RecordedSide, part_of_header, recorded_side
from harness.decode.record import decode_attempt
from harness.decode.sdk_view import SdkView, both_views
from harness.errors import ConfigError, IncompleteRunError
from harness.model.digest import matches_digest
from harness.model.endpoint import Endpoint
from harness.model.looks import was_cancelled
from harness.model.record import Arm, Attempt, ClientFacts, Record, RequestKey, RunStatus
from harness.model.redaction import redaction_words
from harness.model.settings import Settings
from harness.model.storage import StoredRun, load_run, write_atomically, write_records
from harness.model.timeline import on_one_line
from harness.model.twin import TwinLog, read_twin
from harness.model.vantage import vantage_of

if TYPE_CHECKING:
    from harness.analysis.results.analysis import Analysis
    from harness.analysis.results.case import Case, Side
    from harness.analysis.results.judgement import Verdict
    from harness.report.page import ChecklistView
    from harness.report.write import WrittenReport

_WITHOUT_END = {
    True: "it is still being written",
    False: "its process ended without a word",
    None: "its process ended without a word, or still runs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How a command reports."""

    reports: Path
    quiet: bool = False
    as_json: bool = False
    exports: Exports = field(default_factory=Exports)
    ledger: Path | None = None  # that the run is entered in

    def judging(self) -> AbstractContextManager[None]:
        """Say that it is judged now: nothing else is seen for a while."""
        return stage("judging: answers, tool calls, tails, gates", is_shown=not (self.quiet or self.as_json))

    def writing(self) -> AbstractContextManager[None]:
        """Say that the report is written now."""
        return stage("writing the report", is_shown=not (self.quiet or self.as_json))


def output_of(given: Mapping[str, Any]) -> Output:
    """Read how a command reports; ConfigError for an export that could not be written."""
    return Output(
        reports=given["reports"],
        quiet=given["quiet"],
        as_json=given["as_json"],
        exports=exports_of(given, os.environ),
        ledger=ledger_of(given),
    )


def make_reports_folder(folder: Path) -> None:
    """Find out before a run, not after it, that its report could not be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = None if os.access(folder, os.W_OK | os.X_OK) else "no permission to write there"
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise ConfigError(f"reports cannot be written: {reason}", where=str(folder), remedy="Choose another --reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was judged, before it is reported; a verdict is on record as a look at its run's data."""

    analysis: "Analysis"
    run: StoredRun
    checklist: "ChecklistView"
    sides: tuple[RecordedSide, RecordedSide | None]
    departure: str = ""  # from the judgement that the plan registered

    @property
    def verdict(self) -> "Verdict | None":
        """Give the verdict; None where one endpoint was measured."""
        return self.analysis.judgement.verdict if self.analysis.judgement else None

    @property
    def notes(self) -> tuple[str, ...]:
        """Give what must be known before the verdict is believed: what the journal lacks, why it is exploratory."""
        from harness.analysis.exploratory import why_exploratory  # noqa: PLC0415  # pandas and scipy load below
        from harness.analysis.recordedsides import recorded_warnings  # noqa: PLC0415

        reasons = why_exploratory(self.analysis.case) if self.analysis.judgement else ()
        late = (f"{reason}: this verdict is exploratory, not what the plan registered" for reason in reasons)
        redaction = self.analysis.case.redaction
        recorded = recorded_warnings(self.analysis.case) if self.analysis.judgement else ()
        warnings = (f"WARNING: {line}" for line in recorded)
        return (*([redaction_words(redaction)] if redaction else ()), *self.run.notes, *late, *warnings)

    def report(self, output: Output) -> int:
        """Write the report and say the verdict; give the exit code."""
        return _report(self, output)


def judge_run(folder: Path, settings: Settings | None, output: Output) -> int:
    """Judge one run folder: both of its arms, or its only one."""
    sides = sides_of(load_run(folder))  # said before it is judged: whatever is no run
    with output.judging():
        judged = judged_sides(*sides, settings)
    return judged.report(output)


def judged_run(folder: Path, settings: Settings | None) -> Judged:
    """Judge one run folder without a report."""
    return judged_sides(*sides_of(load_run(folder)), settings)


def sides_of(run: StoredRun) -> tuple[RecordedSide, RecordedSide | None]:
    """Give a run's own sides: both of its arms, or its only one."""
    arms = [header.arm for header in run.header.arms]
    candidate = recorded_side(run, Arm.CANDIDATE) if Arm.CANDIDATE in arms and len(arms) > 1 else None
    return recorded_side(run, arms[0]), candidate


def checklist_of_run(folder: Path, probes: Sequence[Path]) -> "ChecklistView":
    """Judge one run folder for its cut-over checklist."""
    from harness.cli.cutover import checklist_of  # noqa: PLC0415

    reference, candidate = sides_of(load_run(folder))
    return checklist_of(judged_sides(reference, candidate, None).analysis, reference, candidate, probes)


def judge_sides(
    reference: RecordedSide,
    candidate: RecordedSide | None,
    settings: Settings | None,
    output: Output,
    *,
    recorded_timings: bool = False,
) -> int:
    """Judge recorded arms, write the report, give the exit code."""
    with output.judging():
        judged = judged_sides(reference, candidate, settings, recorded_timings=recorded_timings)
    return judged.report(output)


def judged_sides(
    reference: RecordedSide,
    candidate: RecordedSide | None,
    settings: Settings | None,
    *,
    recorded_timings: bool = False,
) -> Judged:
    """Judge recorded arms; whoever gets a verdict has looked at the data, and that is put on record first."""
    from harness.analysis.analyse import analyse  # noqa: PLC0415  # pandas and scipy load here
    from harness.cli.cutover import checklist_of  # noqa: PLC0415

    _refuse_itself(reference, candidate)
    _refuse_unended(reference, candidate)
    case = replace(_case(reference, candidate, settings), recorded_timings=recorded_timings)
    departure = _departure(reference, candidate, case)
    run = (candidate or reference).run
    analysis = analyse(case)
    checklist = checklist_of(analysis, reference, candidate)
    sides = (reference, candidate)
    judged = Judged(analysis=analysis, run=run, checklist=checklist, sides=sides, departure=departure)
    if judged.verdict is not None:
        record_look(reference, candidate, judged.verdict)
    return judged


def recorded_case(folder: Path) -> "Case":
    """Give what a run folder holds to be judged, without judging it."""
    return _case(*sides_of(load_run(folder)), None)


def case_of(reference: RecordedSide, candidate: RecordedSide | None) -> "Case":
    """Give what recorded arms hold to be judged under their own plan, without judging it."""
    return _case(reference, candidate, None)


def _refuse_itself(reference: RecordedSide, candidate: RecordedSide | None) -> None:
    if candidate is None or reference.run.folder.resolve() != candidate.run.folder.resolve():
        return
    if reference.header.arm is candidate.header.arm:
        raise ConfigError(
            f"both sides are the {reference.header.arm} of one run: it would be compared with itself",
            where=str(reference.run.folder),
            remedy="Name another arm, as in results/<run>:candidate",
        )


def _refuse_unended(reference: RecordedSide, candidate: RecordedSide | None) -> None:
    """Refuse a verdict on a run that a process still writes: it would be a look at data that nobody planned to see."""
    for side in () if candidate is None else (reference, candidate):
        if side.run.is_being_written:
            raise IncompleteRunError(
                f"{side.run.folder}: another process is still writing this run; a verdict on it now would be a look "
                "at its data. Judge it when that process has ended; no look was recorded"
            )


def _departure(reference: RecordedSide, candidate: RecordedSide | None, case: "Case") -> str:
    """Name how a judgement differs from the one that the run's plan registered; empty when it does not."""
    arms = [header.arm for header in reference.run.header.arms]
    arms = [arm for arm in arms if arm is not Arm.PLACEBO]
    planned = (reference.header.arm, candidate.header.arm) if candidate else (reference.header.arm,)
    is_of_one_run = candidate is None or reference.run.folder.resolve() == candidate.run.folder.resolve()
    parts = [
        "" if not is_of_one_run or planned == tuple(arms) else "-other-sides",
        "" if case.plan_matches_digest else "-other-plan",
        "" if case.margins_are_from_plan or not case.plan_matches_digest else "-other-margins",
    ]
    return "".join(parts)


def _case(reference: RecordedSide, candidate: RecordedSide | None, settings: Settings | None) -> "Case":
    from harness.analysis.results.case import Case  # noqa: PLC0415

    main = candidate or reference
    if candidate is not None and reference.golden.sha256 != candidate.golden.sha256:
        raise ConfigError(
            f"the two runs replayed different golden sets ({reference.golden.sha256[:12]} and "
            f"{candidate.golden.sha256[:12]})",
            remedy="Compare runs of the same set",
        )
    planned = part_of_header(main.run, main.run.header.plan.settings, Settings)
    is_intact = matches_digest(main.run.header)
    return Case(
        golden=main.golden,
        settings=settings or planned,
        plan=main.run.header.plan,
        reference=_side(reference, Arm.REFERENCE, is_earlier=_is_earlier(reference, candidate)),
        candidate=_side(candidate, Arm.CANDIDATE, is_earlier=_is_earlier(candidate, reference)) if candidate else None,
        placebo=_placebo(reference, candidate),
        look=look_of(reference, candidate),
        redaction=redaction_of(main.run.folder, main.run.header),
        n_earlier_verdicts=n_earlier_verdicts(reference, candidate),
        command=main.run.header.command,
        margins_are_from_plan=is_intact and (settings is None or _rules(settings) == _rules(planned)),
        plan_matches_digest=is_intact,
    )


def _is_earlier(side: RecordedSide, other: RecordedSide | None) -> bool:
    """Whether a side is of another run than the other's, and of the one that began first; of two at once, both are."""
    if other is None or side.run.folder.resolve() == other.run.folder.resolve():
        return False
    return datetime.fromisoformat(side.run.header.started_at) <= datetime.fromisoformat(other.run.header.started_at)


def _rules(settings: Settings) -> tuple[object, ...]:
    """Give what of the settings decides a verdict or what it may claim."""
    return settings.verdict, settings.validity, settings.plan.screen


def _placebo(reference: RecordedSide, candidate: RecordedSide | None) -> "Side | None":
    """Give the third arm of a run whose own reference and candidate are judged."""
    run = reference.run
    found = next((header for header in run.header.arms if header.arm is Arm.PLACEBO), None)
    if found is None or candidate is None or candidate.run.folder != run.folder:
        return None
    if (reference.header.arm, candidate.header.arm) != (Arm.REFERENCE, Arm.CANDIDATE):
        return None
    return _side(RecordedSide(run=run, header=found), Arm.PLACEBO, is_earlier=False)


def _side(side: RecordedSide, arm: Arm, *, is_earlier: bool) -> "Side":
    from harness.analysis.results.case import Side  # noqa: PLC0415

    kept = read_kept(side.run.folder, side.run.header)
    views = {} if kept else _replayed(side.run, first_responses(side), arm)
    judgements = {key: one.judgement for (key, attempt), one in kept.items() if attempt == 1 and one.judgement}
    return Side(
        arm=arm,
        name=side.endpoint.name,
        endpoint=side.header.endpoint,
        run_id=side.run.header.run_id,
        records=tuple(replace(record, key=replace(record.key, arm=arm)) for record in decode_run(side)),
        sdk_views={key: plain for key, (plain, _) in views.items()},
        sdk_helper_views={key: helper for key, (_, helper) in views.items()},
        was_recorded_earlier=is_earlier,
        unfinished=_unfinished(side.run),
        plan=side.run.header.plan,
        client=_client_facts(side),
        clock=_clock_facts(side),
        facts=side.header.facts,
        kept={replace(key, arm=arm): one for key, one in judgements.items() if key.arm is side.header.arm},
        twin=_twin(side),
        started_at=side.run.header.started_at,
        vantage=vantage_of(side.run.header),
    )


def _twin(side: RecordedSide) -> TwinLog | None:
    log = read_twin(side.run.folder)
    own = tuple(stream for stream in log.streams if stream.arm is side.header.arm) if log else ()
    return None if log is None else replace(log, streams=own)


def _client_facts(side: RecordedSide) -> tuple[ClientFacts, ...]:
    """Give what the processes that measured a side say of themselves; nothing where one of them could not."""
    measured = {attempt.part for attempt in side.run.attempts if not attempt.key.is_warmup}
    found = tuple(process for process in side.run.header.client if side.header.arm in process.arms)
    is_whole = len(side.run.header.all_parts) == 1 or measured <= {process.part for process in found}
    return found if is_whole else ()


def _clock_facts(side: RecordedSide) -> dict[str, object]:
    """Give what the player said of its clocks; steps lose their instant where parts have clocks of their own."""
    facts = side.run.header.clock.get(side.header.arm)
    if not isinstance(facts, dict):
        return {}
    steps = facts.get("steps")
    if len(side.run.header.all_parts) == 1 or not isinstance(steps, list):
        return facts
    return {**facts, "steps": [{"by_ns": step.get("by_ns")} for step in steps]}


def decode_run(side: RecordedSide) -> list[Record]:
    """Decode one arm's attempts from the flight recorder, on one time line; those that our user cut say nothing."""
    kept = read_kept(side.run.folder, side.run.header)
    return [
        with_kept(decode_one(attempt, side.run.wire(attempt), side.endpoint), attempt, kept)
        for attempt in counted_attempts(side.run)
        if attempt.key.arm == side.header.arm
    ]


def counted_attempts(run: StoredRun) -> tuple[Attempt, ...]:
    """Give the attempts that say something, on one time line."""
    return on_one_line([attempt for attempt in run.attempts if not was_cancelled(attempt)])


def decode_one(attempt: Attempt, wire: bytes, endpoint: Endpoint) -> Record:
    """Decode an attempt as its endpoint was asked."""
    return decode_attempt(
        attempt,
        wire,
        model_asked=endpoint.model,
        asked_usage=endpoint.stream_usage or not attempt.key.is_streamed,  # without a stream it comes unasked
    )


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
    trials = [attempt for attempt in attempts if attempt.attempt == 1 and not was_cancelled(attempt)]
    measured = [attempt for attempt in trials if not (attempt.key.is_warmup or attempt.key.is_follow_up)]
    return list({attempt.key.prompt_id: attempt for attempt in reversed(measured)}.values())


def _replayed(run: StoredRun, attempts: Sequence[Attempt], arm: Arm) -> dict[RequestKey, tuple[SdkView, SdkView]]:
    """Replay responses through the SDK, offline, as an application on this side would, without its helper and with."""
    return {replace(attempt.key, arm=arm): both_views(run.wire(attempt), attempt.reads) for attempt in attempts}


def keep_records(folder: Path) -> None:
    """Write records.jsonl beside the journal, for other tools."""
    run = load_run(folder)
    decoded = [record for header in run.header.arms for record in decode_run(RecordedSide(run=run, header=header))]
    write_records(folder, tuple(decoded))


def _report(judged: Judged, output: Output) -> int:
    """Write and print; a judgement that departs from the plan leaves the planned one's files alone."""
    from harness.analysis.results.judgement import EXIT_CODES  # noqa: PLC0415
    from harness.cli.exhibits import exhibits_of  # noqa: PLC0415
    from harness.report.memofiles import write_memo  # noqa: PLC0415
    from harness.report.write import encode_summary, write_report  # noqa: PLC0415  # matplotlib and jinja2 load below

    analysis, run, departure = judged.analysis, judged.run, judged.departure
    with output.writing():
        if analysis.judgement is not None:
            write_memo(analysis, run.header, output.reports, suffix=departure)
        exhibits = exhibits_of(analysis, *judged.sides)
        written = write_report(
            analysis, run.header, output.reports, suffix=departure, checklist=judged.checklist, exhibits=exhibits
        )
    verdict = run.folder / "verdict.json"
    if not departure and (analysis.case.reference.run_id == run.header.run_id or not verdict.exists()):
        _keep(verdict, encode_summary(written.content))
    exported = list(output.exports.write(analysis, run.header, written.view))
    entered = enter(judged, output.ledger, encode_summary(written.content)) if output.ledger else None
    _print(written, judged, output)
    if not (output.quiet or output.as_json):
        for file in exported:
            click.echo(f"exported {file}", err=True)
        if entered:
            click.echo(f"ledger {entered}", err=True)
    return EXIT_CODES[analysis.judgement.verdict] if analysis.judgement else 0


def _keep(file: Path, content: bytes) -> None:
    """Leave the verdict beside its run; where the run lies on a read-only disk, its report has it all the same."""
    try:
        write_atomically(file, content)
    except IncompleteRunError as error:
        say(f"note: {error}; the report's summary holds the same")


def _print(written: "WrittenReport", judged: Judged, output: Output) -> None:
    from harness.report.terminal import end_block  # noqa: PLC0415

    for note in judged.notes:
        say(f"note: {note}", indent="  ")
    if output.as_json:
        click.echo(json.dumps(written.content, allow_nan=False))
    elif not output.quiet:
        for line in end_block(written.view, str(written.html), columns()):
            click.echo(coloured(line))

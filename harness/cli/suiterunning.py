"""Runs a suite's measurements one after the other and keeps how each ended."""

import json
import platform
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import msgspec

from harness import __version__
from harness.cli.commandprocess import Ended, run_command
from harness.cli.heartbeat import follow
from harness.cli.logfile import ERROR
from harness.cli.screen import say
from harness.cli.unattended import is_logged
from harness.clock import Clock, SystemClock
from harness.model.reportname import stem_of
from harness.model.suite import Measurement, Suite, limit_of, words_of_check, words_of_measurement
from harness.model.suiteoutcome import (
    INCOMPLETE,
    CheckOutcome,
    MeasurementOutcome,
    MeasurementState,
    SuiteOutcome,
    plain_exit_code,
    worst_exit_code,
)
from harness.units import seconds

INTERRUPTED = 130
Runner = Callable[..., Ended]


def run_suite(
    suite: Suite, folder: Path, *, max_time_s: float | None = None, is_quiet: bool = False, lock: int | None = None
) -> SuiteOutcome:
    """Run every measurement whatever becomes of the others, until the time is over or the user ends it."""
    from harness.measure.ending import ending_once  # noqa: PLC0415

    limits = [limit for limit in (max_time_s, suite.max_time_s) if limit is not None]
    context = click.get_current_context(silent=True)
    watching = context.params if context else {}
    running = SuiteRun(
        suite=suite,
        folder=folder,
        limit_s=min(limits) if limits else None,
        is_quiet=is_quiet,
        keep=() if lock is None else (lock,),
        log=watching.get("log"),
        heartbeat=watching.get("heartbeat"),
        runner=run_command,
    )
    follow(running.counts)
    with ending_once():
        return running.run()


@dataclass(slots=True, kw_only=True)
class SuiteRun:
    """A suite while it runs."""

    suite: Suite
    folder: Path
    runner: Runner
    limit_s: float | None = None
    is_quiet: bool = False
    keep: tuple[int, ...] = ()  # descriptors that a measurement inherits: the lock outlives us while a measurement does
    log: Path | None = None
    heartbeat: Path | None = None
    clock: Clock = field(default_factory=SystemClock)
    done: list[MeasurementOutcome] = field(default_factory=list)
    _began_ns: int = 0
    _current: str | None = None
    _is_interrupted: bool = False
    _last_error: str | None = None

    def run(self) -> SuiteOutcome:
        """Run the measurements in order."""
        started_at, self._began_ns = self.clock.now().isoformat(), self.clock.monotonic_ns()
        for measurement in self.suite.measurements:
            self._current = measurement.name
            self.done.append(self._checked(measurement, self._outcome(measurement)))
        self._current = None
        return SuiteOutcome(
            suite=self.suite.name,
            started_at=started_at,
            ended_at=self.clock.now().isoformat(),
            duration_s=self._since(self._began_ns),
            exit_code=worst_exit_code(code for outcome in self.done for code in outcome.codes),
            measurements=tuple(self.done),
            ledger=self.suite.ledger,
            host=platform.node(),
            bench=__version__,
        )

    def counts(self) -> Mapping[str, Any]:
        """Say for the heartbeat how many measurements are done, and how far the one is that runs."""
        found = {
            "done": len(self.done),
            "total": len(self.suite.measurements),
            "measurement": self._current,
            "of_measurement": None,
        }
        beat = self._beat_of_measurement
        if beat is not None:
            with suppress(OSError, ValueError):  # it has not begun, or has just ended
                found["of_measurement"] = json.loads(beat.read_bytes())
        return found

    @property
    def _beat_of_measurement(self) -> Path | None:
        return None if self.heartbeat is None else self.heartbeat.absolute().with_suffix(".measurement.json")

    @property
    def _left_s(self) -> float | None:
        return None if self.limit_s is None else self.limit_s - self._since(self._began_ns)

    def _since(self, at_ns: int) -> float:
        return round(seconds(self.clock.monotonic_ns() - at_ns), 3)

    def _outcome(self, measurement: Measurement) -> MeasurementOutcome:
        left_s = self._left_s
        words = words_of_measurement(self.suite, measurement, folder=self.folder)
        if self._is_interrupted:
            return self._not_started(measurement, words, "the suite was interrupted", INTERRUPTED)
        if left_s is not None and left_s <= 0:
            return self._not_started(measurement, words, f"the suite's time of {self.limit_s:g} s was over", INCOMPLETE)
        limits = [limit for limit in (left_s, limit_of(self.suite, measurement)) if limit is not None]
        return self._ended(measurement, words, min(limits) if limits else None)

    def _ended(self, measurement: Measurement, words: list[str], limit_s: float | None) -> MeasurementOutcome:
        """Run a measurement; whatever ends it, the next one follows."""
        self._say(f"{len(self.done) + 1} of {len(self.suite.measurements)}, {measurement.name}: {shlex.join(words)}")
        began_ns, self._last_error = self.clock.monotonic_ns(), None
        ended = self._run(measurement, words, limit_s)
        self._forget_beat()
        state, code, error = self._how(ended, limit_s)
        found = MeasurementOutcome(
            name=measurement.name,
            kind=measurement.kind,
            command=shlex.join(words),
            state=state,
            exit_code=code,
            duration_s=self._since(began_ns),
            error=error,
            **self._found(ended.printed),
        )
        self._tell(found)
        return found

    def _checked(self, measurement: Measurement, found: MeasurementOutcome) -> MeasurementOutcome:
        """Hold the measurement's run against the baseline, where that is asked for and time is left."""
        run_id = Path(found.run).name if found.run else None
        words = words_of_check(self.suite, measurement, run_id, folder=self.folder) if run_id else None
        left_s = self._left_s
        if words is None:
            return found
        if self._is_interrupted:
            return self._unchecked(found, words, "the suite was interrupted", INTERRUPTED)
        if left_s is not None and left_s <= 0:
            return self._unchecked(found, words, f"the suite's time of {self.limit_s:g} s was over", INCOMPLETE)
        self._say(f"{measurement.name}: {shlex.join(words)}")
        self._last_error = None
        ended = self._run(measurement, words, left_s)
        self._forget_beat()
        _, code, error = self._how(ended, left_s)
        said = _summary(ended.printed)
        check = CheckOutcome(
            command=shlex.join(words), exit_code=code, word=said.get("word"), sentence=said.get("sentence"), error=error
        )
        found = msgspec.structs.replace(found, regression=check)
        if error is not None:
            say(f"{ERROR}{found.name}, check against the baseline, exit code {code}: {error}", indent="  ")
        self._say(f"{found.name}: {check.word or 'not checked'}, exit code {code}")
        return found

    def _unchecked(self, found: MeasurementOutcome, words: Sequence[str], why: str, code: int) -> MeasurementOutcome:
        """Keep that a check was asked for and not made: the night must not pass for one without a regression."""
        say(f"{ERROR}{found.name}, check against the baseline, exit code {code}: {why}", indent="  ")
        return msgspec.structs.replace(
            found, regression=CheckOutcome(command=shlex.join(words), exit_code=code, error=why)
        )

    def _how(self, ended: Ended, limit_s: float | None) -> tuple[MeasurementState, int, str | None]:
        """Say whether a measurement came to its own end, with which code, and what was wrong."""
        code = plain_exit_code(ended.returncode)
        if self._is_interrupted:
            return MeasurementState.STOPPED, INTERRUPTED, "interrupted with the suite; what it recorded stays"
        if ended.was_stopped and limit_s is not None and code in (INTERRUPTED, INCOMPLETE):
            return MeasurementState.STOPPED, INCOMPLETE, f"its time of {limit_s:.0f} s was over; what it recorded stays"
        if ended.returncode < 0:
            return MeasurementState.ENDED, code, f"its process was ended by signal {-ended.returncode}"
        return MeasurementState.ENDED, code, self._last_error

    def _run(self, measurement: Measurement, words: Sequence[str], limit_s: float | None) -> Ended:
        given = [*words[1:], "--json", *self._watching()]
        try:
            return self.runner(
                given,
                folder=self.folder,
                limit_s=limit_s,
                hear=lambda line: self._hear(measurement, line),
                keep=self.keep,
            )
        except KeyboardInterrupt:
            self._is_interrupted = True
            return Ended(returncode=INTERRUPTED, printed="", was_stopped=True)

    def _watching(self) -> list[str]:
        """Let a measurement log beside the suite, and beat where the suite reads it."""
        log = [] if self.log is None else ["--log", str(self.log.absolute())]
        beat = self._beat_of_measurement
        return [*log, *([] if beat is None else ["--heartbeat", str(beat)])]

    def _hear(self, measurement: Measurement, line: str) -> None:
        """Pass on what a measurement says; its errors stand in the log already, where there is one."""
        if line.startswith(ERROR):
            self._last_error = line.removeprefix(ERROR)
            return
        self._say(f"{measurement.name}: {line}")

    def _say(self, text: str) -> None:
        if not self.is_quiet or is_logged():
            say(text, indent="  ")

    def _tell(self, found: MeasurementOutcome) -> None:
        if found.error is not None:
            say(f"{ERROR}{found.name}, exit code {found.exit_code}: {found.error}", indent="  ")
        self._say(f"{found.name} {found.state} with exit code {found.exit_code} after {found.duration_s:.0f} s")

    def _not_started(self, measurement: Measurement, words: list[str], why: str, code: int) -> MeasurementOutcome:
        found = MeasurementOutcome(
            name=measurement.name,
            kind=measurement.kind,
            command=shlex.join(words),
            state=MeasurementState.NOT_STARTED,
            exit_code=code,
            duration_s=0.0,
            error=why,
        )
        self._tell(found)
        return found

    def _forget_beat(self) -> None:
        beat = self._beat_of_measurement
        if beat is not None:
            beat.unlink(missing_ok=True)

    def _found(self, printed: str) -> dict[str, Any]:
        """Read what a measurement printed: its verdict, and where its run folder and report are."""
        summary = _summary(printed)
        run_id = _fresh_run(summary)
        told = {name: summary.get(name) for name in ("verdict", "sentence")}
        if run_id is None:
            return told
        report = f"{stem_of(*[side['run_id'] for side in summary['sides']])}.html"
        paths = {"run": Path(self.suite.results, run_id), "report": Path(self.suite.reports, report)}
        return told | {name: str(path) for name, path in paths.items() if (self.folder / path).exists()}


def _summary(printed: str) -> dict[str, Any]:
    """Read the line of JSON that a measurement printed; one that ended before it was judged printed none."""
    lines = printed.splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _fresh_run(summary: Mapping[str, Any]) -> str | None:
    """Name the run that this measurement made: a side that was recorded earlier is none."""
    sides = [side for side in summary.get("sides", ()) if not side.get("was_recorded_earlier")]
    return sides[-1]["run_id"] if sides else None

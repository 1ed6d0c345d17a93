"""`python -m harness.measure.worker`: one process of a run, which does the job that stands on its input."""

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from harness.clock import Clock, SystemClock
from harness.errors import BenchError, InterruptedRunError, StoppedRunError
from harness.hidden import struck
from harness.measure.ending import ending_once
from harness.measure.job import Ended, Going, Job
from harness.measure.lane import Share
from harness.measure.loop import run_measuring
from harness.measure.remaining import first_answers
from harness.measure.session import NOTHING_RECORDED, Session, prepare_session
from harness.measure.sharedpace import SharedLedger, SharedPace
from harness.measure.tally import Tally
from harness.model.record import Arm, Attempt
from harness.model.sharedjournal import SharedJournal
from harness.model.storage import load_run
from harness.units import NS_PER_MS

Recorded = Mapping[tuple[Arm, int], Attempt]  # first answers by arm and block
_QUIET_NS = 100 * NS_PER_MS  # between two lines on how it goes


class Teller:
    """Writes lines to whoever started the process; measuring never waits for them to be read."""

    def __init__(self, out: int, clock: Clock) -> None:
        """Let a full pipe refuse a line rather than hold it."""
        os.set_blocking(out, False)
        self._out = out
        self._clock = clock
        self._tally = Tally()
        self._quiet_until_ns = 0

    def observe(self, attempt: Attempt) -> None:
        """Count an attempt and say so now and then; a pipe takes a short line whole or not at all."""
        tally = self._tally
        tally.observe(attempt)
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._quiet_until_ns:
            self._quiet_until_ns = now_ns + _QUIET_NS
            with suppress(BlockingIOError, BrokenPipeError):
                os.write(self._out, _line(Going(done=tally.done, failed=tally.failed, retried=tally.retried)))

    def end(self, exit_code: int, message: str, **facts: Any) -> None:
        """Say the last line, in full if anybody still listens."""
        tally = self._tally
        ended = Ended(
            exit_code=exit_code,
            message=message,
            done=tally.done,
            failed=tally.failed,
            retried=tally.retried,
            **facts,
        )
        os.set_blocking(self._out, True)
        rest = memoryview(_line(ended))
        with suppress(BrokenPipeError):
            while rest:
                rest = rest[os.write(self._out, rest) :]


class Worker:
    """The job, its session and what that says at the end."""

    def __init__(self, job: Job, teller: Teller) -> None:
        """Do nothing yet."""
        self._job = job
        self._teller = teller
        self._session: Session | None = None
        self.was_stopped = False

    def run(self) -> None:
        """Compose with the keys of this process's environment, then measure."""
        job = self._job
        share = Share(worker=job.worker, n_workers=job.n_workers)
        endpoints = {job.arm: job.endpoint}
        self._session = prepare_session(
            job.golden,
            endpoints,
            job.plan,
            environ=os.environ,
            share=share,
            remaining=job.remaining,
            budgets=job.budgets,
        )
        arm, n_arms = job.arms.index(job.arm), len(job.arms)
        pace = SharedPace(job.pace_file, SystemClock(), arm=arm, n_arms=n_arms, share=share, follows=job.follows)
        ledger = SharedLedger(job.pace_file, arm=arm, n_arms=n_arms, share=share)
        recorded = first_answers(load_run(Path(job.folder)).attempts) if job.remaining.part else NOTHING_RECORDED
        with SharedJournal(Path(job.folder)) as journal, self._noting_stop():
            run_measuring(lambda: _measure(self._prepared(), journal, self._teller, (pace, ledger), recorded))

    @contextmanager
    def _noting_stop(self) -> Iterator[None]:
        try:
            yield
        except StoppedRunError:
            self.was_stopped = True
            raise

    def facts(self) -> dict[str, Any]:
        """Say where instants came from and what measuring cost; empty when nothing was prepared."""
        if self._session is None:
            return {}
        return {
            "was_stopped": self.was_stopped,
            "clock": self._session.clock_facts().get(self._job.arm, {}),
            "client": self._session.client_facts(),
        }

    def _prepared(self) -> Session:
        assert self._session is not None  # noqa: S101  # `run` has prepared it
        return self._session


async def _measure(
    session: Session,
    journal: SharedJournal,
    teller: Teller,
    shared: tuple[SharedPace, SharedLedger],
    recorded: Recorded,
) -> None:
    pace, ledger = shared
    with _ending_with_parent(sys.stdin.fileno()):
        await session.run(journal, teller.observe, pace, recorded=recorded, ledger=ledger)


@contextmanager
def _ending_with_parent(stdin: int) -> Iterator[None]:
    """End as at Ctrl-C when the input ends: whoever started this process has died."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        with suppress(OSError):
            if os.read(stdin, 1):
                return
        loop.remove_reader(stdin)
        signal.raise_signal(signal.SIGINT)

    loop.add_reader(stdin, look)
    try:
        yield
    finally:
        loop.remove_reader(stdin)


def _outcome(work: Callable[[], None]) -> tuple[int, str]:
    """Do the work; give the exit code of the command that it is a part of, with the message."""
    try:
        work()
    except KeyboardInterrupt:
        return InterruptedRunError.exit_code, "interrupted"
    except BenchError as error:
        return error.exit_code, str(error)
    except Exception as error:  # noqa: BLE001  # the last border of this process; the run's own names it
        if os.environ.get("BENCH_DEBUG"):
            sys.stderr.write(struck("".join(traceback.format_exception(error))))
        return BenchError.exit_code, type(error).__name__
    return 0, ""


def _line(message: Going | Ended) -> bytes:
    return msgspec.json.encode(message) + b"\n"


def main() -> int:
    """Do the job that stands on the first line of the input; its end ends the work."""
    line = sys.stdin.buffer.readline()
    if not line:
        return InterruptedRunError.exit_code
    teller = Teller(sys.stdout.fileno(), SystemClock())
    worker = Worker(msgspec.json.decode(line, type=Job), teller)
    with ending_once():
        exit_code, message = _outcome(worker.run)
        teller.end(exit_code, message, **worker.facts())
    return exit_code


if __name__ == "__main__":
    sys.exit(main())

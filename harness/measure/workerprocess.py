"""A worker as the run sees it: started, listened to, ended."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

import msgspec

from harness.errors import BenchError, ConfigError, IncompleteRunError, InterruptedRunError, StoppedRunError
from harness.interpreter import module_environment, module_words
from harness.measure.job import Ended, Going, Job
from harness.measure.keysource import keys_for_workers
from harness.measure.tally import Tally

_GRACE_S = 20.0  # to journal what has landed
_LONGEST_LINE = 1 << 24  # the last line lists every step of the wall clock


class WorkerProcess:
    """One job in a process of its own."""

    def __init__(self, job: Job, watch: Callable[[], None], lock: int | None = None) -> None:
        """Start nothing yet; `watch` is called whenever the tally has changed.

        It inherits the run's lock: a worker that outlives its run keeps others from going on with it.
        """
        self.job = job
        self.tally = Tally()
        self.ended: Ended | None = None
        self._watch = watch
        self._inherited = (job.pace_file,) if lock is None else (job.pace_file, lock)

    async def run(self) -> None:
        """Have the job done; raise what ended it early. Cancelled, it ends the process and waits for it."""
        process = await _start(self._inherited)
        assert process.stdin is not None  # noqa: S101  # asked for as a pipe
        try:
            process.stdin.write(msgspec.json.encode(self.job) + b"\n")
            await self._listen(process)  # the input stays open: its end would end the worker
        finally:
            if process.returncode is None:
                await self._end(process)
            process.stdin.close()
        self._raise_what_ended_it(process.returncode or 0)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101  # asked for as a pipe
        while line := await process.stdout.readline():
            said = msgspec.json.decode(line, type=Going | Ended)
            self.tally = Tally(done=said.done, failed=said.failed, retried=said.retried)
            self.ended = said if isinstance(said, Ended) else None
            self._watch()
        await process.wait()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Ask it to end and hear what it still says; kill it if it does not follow, or at a second Ctrl-C."""
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_GRACE_S):
                await self._listen(process)
        except TimeoutError:
            await _kill(process)
        except asyncio.CancelledError:
            await _kill(process)
            raise

    def _raise_what_ended_it(self, returncode: int) -> None:
        ended = self.ended
        if returncode < 0:
            raise IncompleteRunError(f"{self.job.name} was ended by {signal.Signals(-returncode).name} before its time")
        if ended is None:
            raise self._internal_error(f"exit code {returncode}")
        if ended.exit_code == InterruptedRunError.exit_code:
            raise IncompleteRunError(f"{self.job.name} was ended by a signal before its time")
        if ended.exit_code == ConfigError.exit_code:
            raise ConfigError(ended.message)
        if ended.was_stopped:
            raise StoppedRunError(ended.message)
        if ended.exit_code == IncompleteRunError.exit_code:
            raise IncompleteRunError(ended.message)
        if ended.exit_code != 0:
            raise self._internal_error(ended.message)

    def _internal_error(self, what: str) -> BenchError:
        remedy = "Please report it; BENCH_DEBUG=1 prints where it happened"
        return BenchError(f"internal error in {self.job.name}: {what}. {remedy}")


async def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _start(inherited: tuple[int, ...]) -> asyncio.subprocess.Process:
    """Start it in a session of its own: Ctrl-C is the run's to handle."""
    return await asyncio.create_subprocess_exec(
        *module_words("harness.measure.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        env=module_environment() | keys_for_workers(),
        pass_fds=inherited,
        start_new_session=True,
    )

"""A run in which every endpoint is measured by processes of its own: one side's bursts cannot delay the other."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import ConfigError, StoppedRunError
from harness.measure.budget import NO_BUDGETS, Budgets
from harness.measure.clockfacts import merge_clock_facts
from harness.measure.guard import STOPPED_ELSEWHERE
from harness.measure.job import Job
from harness.measure.remaining import WHOLE_PLAN, Remaining
from harness.measure.runner import first_error_only
from harness.measure.sharedpace import new_pace_file
from harness.measure.tally import Tally
from harness.measure.waking import what_wakes
from harness.measure.workerprocess import WorkerProcess
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Arrival, ClientFacts, Plan
from harness.model.settings import ArrivalSettings

Watch = Callable[[Arm, Tally], None]


class IsolatedSession:
    """One run's workers, and how to run them."""

    def __init__(
        self,
        golden: GoldenSet,
        endpoints: Mapping[Arm, Endpoint],
        plan: Plan,
        n_workers: int,
        remaining: Remaining = WHOLE_PLAN,
        budgets: Budgets = NO_BUDGETS,
    ) -> None:
        """Take what was composed without fault before; ConfigError for a worker that would stand idle."""
        refuse_without_locks()
        refuse_idle_workers(plan, endpoints, n_workers)
        self._golden = golden
        self._endpoints = endpoints
        self._plan = plan
        self._n_workers = n_workers
        self._remaining = remaining
        self._budgets = budgets
        self._processes: list[WorkerProcess] = []

    async def run(self, folder: Path, watch: Watch, lock: int | None = None) -> None:
        """Have every worker do its share; the first that ends badly ends the others. All hold the run's lock.

        Where one stops the run, the others see its word and let land what is in flight: StoppedRunError then.
        """
        with new_pace_file(len(self._endpoints), self._n_workers, len(self._plan.load)) as pace:
            for arm in self._endpoints:
                for worker in range(self._n_workers):
                    job = self._job(arm, worker, folder, pace.fileno())
                    self._processes.append(WorkerProcess(job, lambda arm=arm: watch(arm, self._tally(arm)), lock))  # type: ignore[misc]  # a lambda's default has no type
            stopped: list[StoppedRunError] = []
            async with first_error_only(), asyncio.TaskGroup() as tasks:
                for process in self._processes:
                    tasks.create_task(_until_stopped(process, stopped))
        if stopped:
            raise next((error for error in stopped if str(error) != STOPPED_ELSEWHERE), stopped[0])

    def clock_facts(self) -> dict[str, Any]:
        """Say where the instants came from, by arm."""
        return {
            str(arm): merge_clock_facts([process.ended.clock for process in self._of(arm) if process.ended])
            for arm in self._endpoints
        }

    def client_facts(self) -> tuple[ClientFacts, ...]:
        """Say what measuring cost each process; one that was killed says nothing."""
        return tuple(facts for process in self._processes if process.ended for facts in process.ended.client)

    def _job(self, arm: Arm, worker: int, folder: Path, pace_file: int) -> Job:
        return Job(
            plan=self._plan,
            golden=self._golden,
            endpoint=self._endpoints[arm],
            arm=arm,
            arms=tuple(self._endpoints),
            follows=follows(arm, self._endpoints),
            worker=worker,
            n_workers=self._n_workers,
            remaining=self._remaining,
            budgets=self._budgets,
            folder=str(folder),
            pace_file=pace_file,
        )

    def _of(self, arm: Arm) -> list[WorkerProcess]:
        return [process for process in self._processes if process.job.arm is arm]

    def _tally(self, arm: Arm) -> Tally:
        tallies = [process.tally for process in self._of(arm)]
        return Tally(
            done=sum(tally.done for tally in tallies),
            failed=sum(tally.failed for tally in tallies),
            retried=sum(tally.retried for tally in tallies),
        )


def follows(arm: Arm, endpoints: Mapping[Arm, Endpoint]) -> int | None:
    """Give the place of the last arm before this one that is the same endpoint; None where there is none."""
    targets = [what_wakes(endpoint) for endpoint in endpoints.values()]
    place = list(endpoints).index(arm)
    return next((before for before in reversed(range(place)) if targets[before] == targets[place]), None)


async def _until_stopped(process: WorkerProcess, stopped: list[StoppedRunError]) -> None:
    try:
        await process.run()
    except StoppedRunError as error:
        stopped.append(error)


def refuse_without_locks() -> None:
    """ConfigError where the system has no file locks to keep a journal's writers apart."""
    try:
        import fcntl  # noqa: F401, PLC0415  # Windows has none
    except ImportError:
        raise ConfigError(
            "--isolate and --workers need file locks, which this system lacks", remedy="Leave them out"
        ) from None


def refuse_idle_workers(plan: Plan, endpoints: Mapping[Arm, Endpoint], n_workers: int) -> None:
    """ConfigError where a share of the load would be none: each process needs at least one request in flight."""
    if plan.arrival is Arrival.CLOSED:
        _refuse_fewer(min(plan.load), n_workers, "requests in flight at the lowest level of load")
    else:
        most = ArrivalSettings(**plan.settings["arrival"]).max_in_flight
        _refuse_fewer(most, n_workers, "requests in flight that arrival.max_in_flight allows")
    _refuse_fewer(sum(plan.repeats.values()), n_workers, "requests of a level")
    for endpoint in endpoints.values():
        quota = endpoint.limits.requests_per_minute
        if quota is not None:
            _refuse_fewer(quota, n_workers, f"requests per minute of {endpoint.name}")


def _refuse_fewer(amount: float, n_workers: int, what: str) -> None:
    if n_workers > amount:
        raise ConfigError(
            f"--workers {n_workers} is more than the {amount:g} {what}: each process needs at least one",
            remedy=f"Give --workers {amount:g} or fewer",
        )

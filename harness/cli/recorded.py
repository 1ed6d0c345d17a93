"""The requests of a run folder, decoded and judged, to be looked at one by one."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.sides import RecordedSide, recorded_side
from harness.errors import ConfigError
from harness.model.looks import was_cancelled
from harness.model.record import Arm, Arrival, Attempt, Record, RequestKey
from harness.model.storage import StoredRun, load_run

if TYPE_CHECKING:
    from harness.analysis.results.case import Side
    from harness.analysis.results.trial import Trial
    from harness.analysis.trials import JudgedRecord

_CLOSE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """One attempt: its raw facts, what it decodes to, what was judged of it."""

    side: RecordedSide
    attempt: Attempt
    record: Record
    trial: "Trial | None"  # None: a retry or a follow-up

    @property
    def key(self) -> RequestKey:
        """Which request it is."""
        return self.attempt.key

    @property
    def wire(self) -> bytes:
        """The response's bytes as recorded."""
        return self.side.run.wire(self.attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """All requests of a run, side by side, in the order in which they were recorded."""

    run: StoredRun
    requests: tuple[RecordedRequest, ...]
    judged: Mapping[Arm, tuple["JudgedRecord", ...]]  # of each side, as an analysis has them

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Give the sides that it has."""
        return tuple(header.arm for header in self.run.header.arms)


def recorded_run(folder: Path, only: Arm | None = None) -> RecordedRun:
    """Decode and judge every attempt of a run folder, or of one of its sides; ConfigError where it has no such side."""
    run = load_run(folder)
    arms = [header.arm for header in run.header.arms]
    if only is not None and only not in arms:
        raise ConfigError(f"the run has no {only} side", where=str(folder), remedy=f"It has: {', '.join(arms)}")
    wanted = arms if only is None else [only]
    sides = [_of_side(recorded_side(run, arm)) for arm in wanted]
    return RecordedRun(
        run=run,
        requests=tuple(request for side in sides for request in side.requests),
        judged={arm: side.judged for arm, side in zip(wanted, sides, strict=True)},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _DecodedSide:
    requests: tuple[RecordedRequest, ...]
    judged: tuple["JudgedRecord", ...]


def _of_side(side: RecordedSide) -> _DecodedSide:
    from harness.analysis.trials import judge_side  # noqa: PLC0415  # the analysis loads here
    from harness.cli.judging import decode_run  # noqa: PLC0415

    arm = side.header.arm
    attempts = [one for one in side.run.attempts if one.key.arm is arm and not was_cancelled(one)]
    records = decode_run(side)
    is_open_loop = side.run.header.plan.arrival is not Arrival.CLOSED
    judged = judge_side(_evidence(side, records), side.golden, is_open_loop=is_open_loop)
    trials = {item.trial.key: item.trial for item in judged}
    requests = tuple(
        RecordedRequest(
            side=side,
            attempt=attempt,
            record=record,
            trial=trials.get(record.key) if record.attempt == 1 and not record.key.is_follow_up else None,
        )
        for attempt, record in zip(attempts, records, strict=True)
    )
    return _DecodedSide(requests=requests, judged=judged)


def _evidence(side: RecordedSide, records: Sequence[Record]) -> "Side":
    from harness.analysis.results.case import Side  # noqa: PLC0415

    return Side(
        arm=side.header.arm,
        name=side.endpoint.name,
        endpoint=side.header.endpoint,
        run_id=side.run.header.run_id,
        records=tuple(records),
        plan=side.run.header.plan,
    )


def known_prompt(run: RecordedRun, prompt_id: str) -> str:
    """Give the prompt's id; ConfigError with the nearest ones where the run has no request of it."""
    ids = sorted({request.key.prompt_id for request in run.requests})
    if prompt_id in ids:
        return prompt_id
    near = difflib.get_close_matches(prompt_id, ids, _CLOSE)
    remedy = f"Did you mean {', '.join(near)}?" if near else "bench show without a prompt lists them"
    raise ConfigError(f"no request of prompt {prompt_id!r} is recorded", where=str(run.run.folder), remedy=remedy)

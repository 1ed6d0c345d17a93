"""The sample's two endpoints under several levels of load, judged by the code that judges runs.

Each serves so many streams at full speed; with more in flight, every stream becomes slower and waits longer.
"""

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import msgspec

from harness.analysis.analyse import analyse
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Case, Side
from harness.model.golden import GoldenSet, Measure
from harness.model.record import Arm, Arrival, FailureKind, Plan, Record, RequestKey
from harness.model.settings import Settings
from tests.analysis.cases import MS, a_key, a_plan, a_record, failed
from tests.report.sample import NAMES, RUN_ID, endpoint, golden

LEVELS = (1, 4, 16, 64)
RATES = (2.0, 4.0, 8.0)
REPEATS = 5
_FULL_SPEED = {Arm.REFERENCE: 16, Arm.CANDIDATE: 12}  # streams
_TTFT_MS = {Arm.REFERENCE: 200.0, Arm.CANDIDATE: 225.0}
_GAP_MS = {Arm.REFERENCE: 84.0, Arm.CANDIDATE: 94.0}
_EVENTS, _TOKENS = 18, 180
_PAUSE_MS = 60_000.0  # between levels


@cache
def leveled() -> Analysis:
    """Give a closed loop of four levels; at the last the candidate turns a tenth of the requests away."""
    return _analysed(a_plan(*LEVELS))


@cache
def open_loop() -> Analysis:
    """Give an open loop of three rates, the last of them beyond what either side serves in time."""
    return _analysed(a_plan(*RATES, arrival=Arrival.POISSON, ramp_s=2.0))


@cache
def single_rate() -> Analysis:
    """Give one endpoint in an open loop of one rate."""
    return _analysed(a_plan(RATES[0], arrival=Arrival.CONSTANT), is_alone=True)


def _analysed(plan: Plan, *, is_alone: bool = False) -> Analysis:
    measuring = _measuring(golden())
    sides = {
        arm: Side(
            arm=arm,
            name=NAMES[arm],
            endpoint={**endpoint(arm), "limits": {"concurrency": 4}},
            run_id=RUN_ID,
            records=tuple(_records(arm, plan, [prompt.id for prompt in measuring.prompts])),
        )
        for arm in NAMES
    }
    case = Case(
        golden=measuring,
        settings=Settings(),
        plan=plan,
        reference=sides[Arm.REFERENCE],
        candidate=None if is_alone else sides[Arm.CANDIDATE],
    )
    return analyse(case)


def _measuring(found: GoldenSet) -> GoldenSet:
    """Let the throughput prompts' decode rates count."""
    prompts = [
        msgspec.structs.replace(prompt, measure=Measure(decode=prompt.category == "throughput"))
        for prompt in found.prompts
    ]
    return msgspec.structs.replace(found, prompts=prompts)


def _records(arm: Arm, plan: Plan, prompts: Sequence[str]) -> Iterator[Record]:
    chance, start_ms, block = random.Random(f"levels of {arm}"), 0.0, 0
    for level, asked in enumerate(plan.load):
        keys = [
            a_key(repeat, arm=arm, prompt_id=prompt, level=level) for repeat in range(REPEATS) for prompt in prompts
        ]
        ends = [start_ms]
        for key, sent in zip(keys, _sent(arm, plan, asked, len(keys), chance, start_ms), strict=True):
            block += 1
            is_refused = arm is Arm.CANDIDATE and asked == LEVELS[-1] and chance.random() < 0.1
            yield _refused(sent, key, block) if is_refused else _answer(arm, sent, key, block, chance)
            ends.append(sent.ends_ms)
        start_ms = max(ends) + _PAUSE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A request: when it was due, when it went, how slow the server is then, when it ends."""

    due_ms: float
    sent_ms: float
    slowness: float
    ends_ms: float


def _sent(arm: Arm, plan: Plan, asked: float, n: int, chance: random.Random, start_ms: float) -> Iterator[_Sent]:
    """Send from free slots in a closed loop, at the instants of a process in an open one."""
    is_open = plan.arrival is not Arrival.CLOSED
    slots = [start_ms] * int(asked)
    in_flight: list[float] = []
    due_ms = start_ms
    for place in range(n):
        if is_open:
            step = chance.expovariate(asked) if plan.arrival is Arrival.POISSON else 1 / asked
            due_ms = due_ms + step * 1000 if place else start_ms
        else:
            due_ms = heapq.heappop(slots)
        while in_flight and in_flight[0] <= due_ms:
            heapq.heappop(in_flight)
        crowd = len(in_flight) + 1 if is_open else asked
        slowness = max(1.0, crowd / _FULL_SPEED[arm])
        sent_ms = due_ms + 0.2 + (max(0.0, crowd - 24) * 40 if is_open else 0.0)
        ends_ms = sent_ms + slowness * (_TTFT_MS[arm] + (_EVENTS - 1) * _GAP_MS[arm])
        heapq.heappush(in_flight, ends_ms)
        heapq.heappush(slots, ends_ms)
        yield _Sent(due_ms=due_ms, sent_ms=sent_ms, slowness=slowness, ends_ms=ends_ms)


def _answer(arm: Arm, sent: _Sent, key: RequestKey, block: int, chance: random.Random) -> Record:
    late = sent.slowness * _TTFT_MS[arm] * chance.lognormvariate(0, 0.16)
    pace = (sent.ends_ms - sent.sent_ms - late) / (_EVENTS - 1)
    record = a_record(
        [sent.sent_ms + late + event * pace for event in range(_EVENTS)], key=key, tokens=_TOKENS, block=block
    )
    return _stamped(record, sent)


def _refused(sent: _Sent, key: RequestKey, block: int) -> Record:
    record = failed(
        FailureKind.RATE_LIMITED,
        key=key,
        block=block,
        status=429,
        message="too many requests in flight",
        after_ms=sent.ends_ms,
    )
    return _stamped(record, sent)


def _stamped(record: Record, sent: _Sent) -> Record:
    stamps = replace(
        record.stamps,
        intended_at_ns=round(sent.due_ms * MS),
        admitted_at_ns=round((sent.sent_ms - 0.1) * MS),
        sent_at_ns=round(sent.sent_ms * MS),
        ended_at_ns=round(sent.ends_ms * MS),
    )
    return replace(record, stamps=stamps)

"""Judges the requests of one side: each first attempt becomes a trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.answers import AnswerJudgement, judge_answer
from harness.analysis.buffering import is_buffered, usual_decode_rate
from harness.analysis.cost import price_book, request_cost
from harness.analysis.loops import judge_loop, second_turns, with_loop
from harness.analysis.metrics import request_metrics
from harness.analysis.rates import decode_rate
from harness.analysis.results.case import Side
from harness.analysis.results.kept import KeptJudgement
from harness.analysis.results.trial import LoopOutcome, LoopResult, Trial
from harness.model.endpoint import Prices
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import FailureKind, Record, RequestKey


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRecord:
    """A trial beside the record that it judges."""

    record: Record
    trial: Trial
    is_buffered: bool = False  # its stream did not come as it was made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Yardstick:
    """What every record of a side is judged by."""

    run_id: str
    prices: Prices | None
    usual_rates: Mapping[int, float | None]  # by level: a stream is as fast as its load lets it be
    is_open_loop: bool
    loops: Mapping[RequestKey, LoopResult]  # of the judged requests that a tool loop follows
    unsettled: frozenset[str]  # prompts whose loops were not all run
    kept: Mapping[RequestKey, KeptJudgement]  # of a redacted copy, whose answers are not there to be judged


def judge_side(side: Side, golden: GoldenSet, *, is_open_loop: bool = False) -> tuple[JudgedRecord, ...]:
    """Judge every logical request by its first attempt, in the plan's order; a retry never mends a trial."""
    prompts = {prompt.id: prompt for prompt in golden.prompts}
    records = first_attempts(side.records)
    loops = _loops(records, second_turns(side.records), prompts)
    yardstick = _Yardstick(
        run_id=side.run_id,
        prices=price_book(side.endpoint),
        usual_rates=_usual_rates(records),
        is_open_loop=is_open_loop,
        loops=loops,
        unsettled=frozenset(key.prompt_id for key, loop in loops.items() if loop.outcome is LoopOutcome.NOT_RUN),
        kept=side.kept,
    )
    return tuple(
        JudgedRecord(
            record=record,
            trial=_judge(prompts[record.key.prompt_id], record, yardstick),
            is_buffered=is_buffered(record, yardstick.usual_rates[record.key.level]),
        )
        for record in records
    )


def _usual_rates(records: Sequence[Record]) -> dict[int, float | None]:
    rates: dict[int, list[float | None]] = {record.key.level: [] for record in records}
    for record in records:
        if is_counted(record):
            rates[record.key.level].append(decode_rate(record).value)
    return {level: usual_decode_rate(found) for level, found in rates.items()}


def _loops(
    records: Sequence[Record], seconds: Mapping[RequestKey, Record], prompts: Mapping[str, Prompt]
) -> dict[RequestKey, LoopResult]:
    judged = [record for record in records if is_judged(record) and prompts[record.key.prompt_id].has_loop]
    return {record.key: judge_loop(prompts[record.key.prompt_id], record, seconds.get(record.key)) for record in judged}


def first_attempts(records: Sequence[Record]) -> list[Record]:
    """Give one record per request of the plan: its first attempt; what follows a request is no trial of its own."""
    planned = [record for record in records if record.attempt == 1 and not record.key.is_follow_up]
    first = {record.key: record for record in reversed(planned)}
    return sorted(first.values(), key=lambda record: (record.block, record.key.id))


def follow_up_records(side: Side) -> list[Record]:
    """Give what was sent after the measured levels: second turns and unstreamed repeats."""
    return [record for record in side.records if record.attempt == 1 and record.key.is_follow_up]


def is_judged(record: Record) -> bool:
    """Only the first level of load enters the verdict; the others have their own rows."""
    return record.key.level == 0 and is_counted(record)


def is_counted(record: Record) -> bool:
    """Warm-ups and possibly cold requests stand apart at any level, as does what our own user cut off."""
    is_cancelled = record.failure is not None and record.failure.kind is FailureKind.CANCELLED
    return not (record.key.is_warmup or record.is_possibly_cold or is_cancelled)


def at_level(judged: Sequence[JudgedRecord], level: int) -> list[JudgedRecord]:
    """Give what counts at a level; at level 0 that is what is judged."""
    return [item for item in judged if item.record.key.level == level and is_counted(item.record)]


def _judgement(
    prompt: Prompt, record: Record, yardstick: _Yardstick
) -> tuple[LoopResult | None, AnswerJudgement | KeptJudgement]:
    kept = yardstick.kept.get(record.key)
    if kept is not None:
        return kept.loop, kept
    loop = yardstick.loops.get(record.key)
    judgement = judge_answer(prompt, record)
    if loop is None:
        return None, judgement
    return loop, with_loop(judgement, loop, is_settled=prompt.id not in yardstick.unsettled)


def _judge(prompt: Prompt, record: Record, yardstick: _Yardstick) -> Trial:
    loop, judgement = _judgement(prompt, record, yardstick)
    failure = record.failure
    return Trial(
        key=record.key,
        block=record.block,
        run_id=yardstick.run_id,
        is_judged=is_judged(record),
        failure=None if failure is None else failure.kind.value,
        failure_message=None if failure is None else failure.message,
        task_success=judgement.task_success,
        tool=judgement.tool,
        json_valid=judgement.json_valid,
        was_refused=judgement.was_refused,
        was_truncated=judgement.was_truncated,
        checks=judgement.checks,
        metrics=request_metrics(
            prompt, record, yardstick.usual_rates[record.key.level], is_open_loop=yardstick.is_open_loop
        ),
        canonical=judgement.canonical,
        loop=loop,
        cost=request_cost(record, yardstick.prices),
    )

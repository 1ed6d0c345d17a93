"""Trials of a small golden set, made by hand: every outcome can be chosen, nothing is measured."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Value
from harness.analysis.results.gate import Gate
from harness.analysis.results.instrument import Instrument, OfferedLoad
from harness.analysis.results.judgement import Judgement
from harness.analysis.results.trial import Rung, ToolResult, Trial
from harness.analysis.verdict import judge_case
from harness.model.golden import Check, CheckKind, GoldenSet, Measure, Prompt
from harness.model.record import Arm, Plan, Record, RequestKey, Stamps
from harness.model.settings import Settings

REPEATS = 7
Change = Callable[[Trial], Trial]


def known(value: float) -> Value:
    return Value(value=value)


def missing(reason: str) -> Value:
    return Value(value=None, reason=reason)


def prompt(prompt_id: str, *checks: Check, decode: bool = False, ttft: bool = True) -> Prompt:
    return Prompt(
        id=prompt_id,
        category="test",
        intent="A prompt of a test.",
        request={"messages": [{"role": "user", "content": prompt_id}]},
        checks=list(checks),
        measure=Measure(decode=decode, ttft=ttft),
    )


def tool_prompt(prompt_id: str) -> Prompt:
    return prompt(prompt_id, Check(kind=CheckKind.TOOL_CALLED, argument={"name": "book_flight"}))


def json_prompt(prompt_id: str) -> Prompt:
    return prompt(prompt_id, Check(kind=CheckKind.JSON_VALID))


def text_prompt(prompt_id: str) -> Prompt:
    return prompt(prompt_id, Check(kind=CheckKind.CONTAINS, argument="yes"))


def golden() -> GoldenSet:
    """28 prompts: 8 with tools, 8 with JSON, 6 with text to check, 6 that only measure speed."""
    prompts = [
        *(tool_prompt(f"tool-{i}") for i in range(8)),
        *(json_prompt(f"json-{i}") for i in range(8)),
        *(text_prompt(f"text-{i}") for i in range(6)),
        *(prompt(f"speed-{i}", decode=True) for i in range(6)),
    ]
    return GoldenSet(name="test", prompts=prompts)


def trial(arm: Arm, asked: Prompt, repeat: int, chance: random.Random) -> Trial:
    """Give a request that went well, its times near 200 ms and 100 tok/s."""
    ttft = 0.2 * chance.lognormvariate(0, 0.05)
    rate = 100.0 * chance.lognormvariate(0, 0.02)
    return Trial(
        key=RequestKey(arm=arm, prompt_id=asked.id, repeat=repeat),
        block=repeat,
        run_id="run",
        is_judged=True,
        failure=None,
        task_success=True if asked.checks else None,
        tool=ToolResult(rung=Rung.OK, tool="book_flight") if asked.is_tool_prompt else None,
        json_valid=True if asked.is_json_prompt else None,
        was_refused=False,
        was_truncated=False,
        metrics={
            "ttft": known(ttft),
            "decode_rate": known(rate) if asked.measure.decode else missing("outside the throughput class"),
            "e2e": known(ttft + 100 / rate),
            "completion_tokens": known(100),
        },
        canonical=f"answer {repeat}",
    )


def side_trials(
    arm: Arm, change: Change | None = None, *, of: GoldenSet | None = None, repeats: int = REPEATS, seed: int = 1
) -> list[Trial]:
    """Give one side's trials, each passed through `change`; the same seed gives the same figures."""
    chance = random.Random(f"{seed}-{arm}")
    found = [trial(arm, asked, repeat, chance) for asked in (of or golden()).prompts for repeat in range(repeats)]
    return [change(one) for one in found] if change else found


def failed(one: Trial, kind: str = "server_error") -> Trial:
    """Make a trial one of an endpoint that answers with an error."""
    return replace(
        one,
        failure=kind,
        task_success=None if one.task_success is None else False,
        tool=None if one.tool is None else ToolResult(rung=Rung.TRANSPORT, detail=kind),
        json_valid=None if one.json_valid is None else False,
        was_refused=None,
        was_truncated=None,
        metrics=dict.fromkeys(one.metrics, missing("the request failed")),
        canonical="",
    )


def garbage(one: Trial) -> Trial:
    """Make a trial one of an endpoint that answers "zzz" whatever it is asked."""
    return replace(
        one,
        task_success=None if one.task_success is None else False,
        tool=None if one.tool is None else ToolResult(rung=Rung.DECISION, tool="book_flight"),
        json_valid=None if one.json_valid is None else False,
        canonical="zzz",
    )


def timed(one: Trial, **factors: float) -> Trial:
    """Multiply metrics of a trial."""
    metrics = dict(one.metrics)
    for metric, factor in factors.items():
        value = metrics[metric].value
        if value is not None:
            metrics[metric] = known(value * factor)
    return replace(one, metrics=metrics)


def swapped(trials: Iterable[Trial]) -> list[Trial]:
    """Exchange the two sides."""
    other = {Arm.REFERENCE: Arm.CANDIDATE, Arm.CANDIDATE: Arm.REFERENCE}
    return [replace(one, key=replace(one.key, arm=other[one.key.arm])) for one in trials]


def case(
    *,
    of: GoldenSet | None = None,
    settings: Settings | None = None,
    plan: Plan | None = None,
    records: dict[Arm, tuple[Record, ...]] | None = None,
) -> Case:
    sides = {arm: side(arm, (records or {}).get(arm, ())) for arm in (Arm.REFERENCE, Arm.CANDIDATE)}
    return Case(
        golden=of or golden(),
        settings=settings or Settings(),
        plan=plan,
        reference=sides[Arm.REFERENCE],
        candidate=sides[Arm.CANDIDATE],
    )


def side(arm: Arm, records: tuple[Record, ...] = ()) -> Side:
    prices = {"currency": "USD", "input_per_mtok": 1.0, "output_per_mtok": 2.0}
    endpoint = {"name": arm.value, "limits": {"concurrency": 4}, "prices": prices}
    return Side(arm=arm, name=arm.value, endpoint=endpoint, run_id="run", records=records)


def record(arm: Arm, prompt_id: str, repeat: int, **fields: object) -> Record:
    key = RequestKey(arm=arm, prompt_id=prompt_id, repeat=repeat)
    given = {"response_id": f"{arm}-{prompt_id}-{repeat}", "model_reported": "m"} | fields
    return replace(Record(key=key, attempt=1, block=repeat, stamps=Stamps(intended_at_ns=0)), **given)  # type: ignore[arg-type]


def instrument(arm: Arm, **fields: Any) -> Instrument:
    """Give an instrument that kept within its limits."""
    good: dict[str, Any] = {
        "kernel_stamp_fraction": known(1.0),
        "receive_lag_p50_s": known(0.00005),
        "receive_lag_p99_s": known(0.0003),
        "send_lateness_p99_s": known(0.001),
        "shared_read_fraction": known(0.01),
        "late_shared_fraction": known(0.001),
        "arrival_uncertainty_p99_s": known(0.0000004),
        "gap_p50_s": known(0.02),
        "load": OfferedLoad(words="4 requests in flight", offered_fraction=known(0.998)),
    }
    return Instrument(arm=arm, n_reads=1000, **(good | fields))


def both_instruments(**fields: Any) -> list[Instrument]:
    return [instrument(arm, **fields) for arm in (Arm.REFERENCE, Arm.CANDIDATE)]


def judge(
    candidate: Change | None = None, reference: Change | None = None, *, of: Case | None = None, seed: int = 1
) -> Judgement:
    """Judge two sides of the test's golden set, each changed as given."""
    found = of or case()
    trials = [
        *side_trials(Arm.REFERENCE, reference, of=found.golden, seed=seed),
        *side_trials(Arm.CANDIDATE, candidate, of=found.golden, seed=seed),
    ]
    return judge_case(found, trials, both_instruments())


def gate(judgement: Judgement, gate_id: str) -> Gate:
    return next(found for found in judgement.gates if found.id == gate_id)

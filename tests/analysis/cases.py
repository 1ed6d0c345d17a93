"""Builders of records, prompts and cases whose figures can be computed by hand; instants are in ms after sending."""

from collections.abc import Sequence
from typing import Any

import msgspec

from harness.analysis.results.case import Case, Side
from harness.analysis.trials import JudgedRecord, judge_side
from harness.model.golden import Check, CheckKind, GoldenSet, Measure, Prompt
from harness.model.record import (
    Answer,
    Arm,
    Arrival,
    Arrivals,
    Connection,
    Failure,
    FailureKind,
    Plan,
    Reads,
    Record,
    RequestKey,
    Stamps,
    Usage,
)
from harness.model.settings import ArrivalSettings, Settings

MS = 1_000_000
BOTH = (Arm.REFERENCE, Arm.CANDIDATE)
STEADY = tuple(range(100, 1100, 100))  # ten reads, 100 ms apart, the first after 100 ms


def a_prompt(prompt_id: str = "p", *, decode: bool = True, ttft: bool = True, says: str | None = None) -> Prompt:
    """Give a prompt that measures everything; with `says`, its answer must contain that."""
    checks = [] if says is None else [Check(kind=CheckKind.CONTAINS, argument=says)]
    return Prompt(
        id=prompt_id,
        category="c",
        intent="i",
        request={"messages": [{"role": "user", "content": "hi"}]},
        checks=checks,
        measure=Measure(decode=decode, ttft=ttft),
    )


def a_golden(*prompts: Prompt) -> GoldenSet:
    """Give a set of these prompts."""
    return GoldenSet(name="g", prompts=list(prompts or (a_prompt(),)))


def a_key(
    repeat: int = 0, *, arm: Arm = Arm.REFERENCE, prompt_id: str = "p", is_warmup: bool = False, level: int = 0
) -> RequestKey:
    """Give the identity of a request."""
    return RequestKey(arm=arm, prompt_id=prompt_id, repeat=repeat, is_warmup=is_warmup, level=level)


def reads_at(at_ms: Sequence[float], lag_ms: float = 0.1, source: str = "k") -> Reads:
    """Give reads at these instants, each seen a little later."""
    at_ns = tuple(round(at * MS) for at in at_ms)
    seen = tuple(round((at + lag_ms) * MS) for at in at_ms)
    return Reads(at_ns=at_ns, seen_at_ns=seen, n_bytes=(10,) * len(at_ns), source=source * len(at_ns))


def a_record(
    at_ms: Sequence[float] = STEADY,
    *,
    key: RequestKey | None = None,
    tokens: int | None = 46,
    reads: Sequence[int] | None = None,
    **changes: Any,
) -> Record:
    """Give a streamed answer whose output came at these instants, five characters each, a read each unless told."""
    places = tuple(range(len(at_ms)) if reads is None else reads)
    read_at = list(dict(zip(places, at_ms, strict=True)).values())
    at_ns = tuple(round(at * MS) for at in at_ms)
    none = (0,) * len(at_ms)
    given: dict[str, Any] = {
        "key": key or a_key(),
        "attempt": 1,
        "block": 1,
        "stamps": stamps_of(at_ns),
        "connection": Connection(reused=True),
        "status": 200,
        "answer": Answer(text="the answer", finish_reason="stop"),
        "usage": None
        if tokens is None
        else Usage(prompt_tokens=100, completion_tokens=tokens, total_tokens=100 + tokens),
        "arrivals": Arrivals(
            at_ns=at_ns, read=places, content_chars=(5,) * len(at_ms), reasoning_chars=none, tool_chars=none
        ),
        "reads": reads_at(read_at),
        "n_events": len(at_ms) + 2,
    }
    return Record(**{**given, **changes})


def stamps_of(at_ns: Sequence[int]) -> Stamps:
    """Give the instants of a request sent at 0, admitted 1 ms before, intended 3 ms before, ended 1 ms after."""
    first, last = (at_ns[0], at_ns[-1]) if at_ns else (None, None)
    return Stamps(
        intended_at_ns=-3 * MS,
        admitted_at_ns=-1 * MS,
        sent_at_ns=0,
        headers_at_ns=first,
        event_1_at_ns=first,
        token_1_at_ns=first,
        answer_1_at_ns=first,
        token_n_at_ns=last,
        ended_at_ns=(last or 0) + MS,
    )


def failed(
    kind: FailureKind = FailureKind.SERVER_ERROR,
    *,
    after_ms: float = 50,
    status: int | None = 500,
    message: str = "no",
    **changes: Any,
) -> Record:
    """Give a request that failed after this time without any output."""
    stamps = Stamps(intended_at_ns=-3 * MS, admitted_at_ns=-1 * MS, sent_at_ns=0, ended_at_ns=round(after_ms * MS))
    given: dict[str, Any] = {
        "stamps": stamps,
        "status": status,
        "tokens": None,
        "answer": Answer(),
        "failure": Failure(kind=kind, message=message),
    }
    return a_record((), **{**given, **changes})


def a_side(records: Sequence[Record], arm: Arm = Arm.REFERENCE, **endpoint: Any) -> Side:
    """Give one side's evidence."""
    named: dict[str, Any] = {"name": f"{arm}-end", "base_url": "https://a.example/v1", "model": "m"}
    return Side(arm=arm, name=named["name"], endpoint=named | endpoint, run_id="run-1", records=tuple(records))


def judged(records: Sequence[Record], *prompts: Prompt, arm: Arm = Arm.REFERENCE) -> tuple[JudgedRecord, ...]:
    """Judge records of one side on these prompts."""
    return judge_side(a_side(records, arm), a_golden(*prompts))


def a_case(reference: Sequence[Record], candidate: Sequence[Record] | None, golden: GoldenSet, **endpoint: Any) -> Case:
    """Give a case of one or two sides."""
    return Case(
        golden=golden,
        settings=Settings(),
        plan=None,
        reference=a_side(reference, Arm.REFERENCE, **endpoint),
        candidate=None if candidate is None else a_side(candidate, Arm.CANDIDATE, **endpoint),
    )


def a_plan(*load: float, arrival: Arrival = Arrival.CLOSED, ramp_s: float = 0.0) -> Plan:
    """Give a plan of these levels, without its blocks."""
    settings = Settings(load=list(load), arrival=ArrivalSettings(process=arrival, ramp_s=ramp_s))
    return Plan(
        seed=7,
        look_ahead=16,
        repeats={},
        blocks=(),
        settings=msgspec.to_builtins(settings),
        golden_sha256="0" * 64,
        estimators="1",
        arrival=arrival,
        load=load,
    )


def replayed(
    prompts: Sequence[Prompt],
    repeats: int,
    arm: Arm = Arm.REFERENCE,
    *,
    slowness: float = 1.0,
    level: int = 0,
    **changes: Any,
) -> list[Record]:
    """Give one side's records of every prompt and repeat, each a little slower than the one before."""
    records = []
    for block, (prompt, repeat) in enumerate((prompt, repeat) for repeat in range(repeats) for prompt in prompts):
        pace = slowness * (1 + block / 1000)
        key = a_key(repeat, arm=arm, prompt_id=prompt.id, level=level)
        records.append(a_record([at * pace for at in STEADY], key=key, block=block + 1, **changes))
    return records

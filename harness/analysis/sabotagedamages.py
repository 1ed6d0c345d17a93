"""Known damage to a reference's own records: what an endpoint could do wrong, done on purpose."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.analysis.jsontext import read_json
from harness.analysis.latencies import time_to_first_token
from harness.analysis.quantiles import quantile
from harness.model.golden import Prompt
from harness.model.record import Answer, Arrivals, Failure, FailureKind, Record, Stamps, ToolCall, Usage
from harness.units import NS_PER_MS

Apply = Callable[[Prompt, Record, random.Random], Record | None]

_REFUSAL = "I'm sorry, but I can't help with that."
_NO_CALL = "I would need to look that up."
_RENAMED = "_value"  # ends the new name of an argument
_LATER_NS = 300 * NS_PER_MS
_TAIL_FACTOR, _TAIL_FROM = 1.5, 0.95
_DECODE_FACTOR = 0.75
_TOKENS_FACTOR = 1.5
_HALF = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One way to be worse: how often it strikes among the answers it can strike, and what it does to one."""

    id: str
    title: str
    fraction: float
    apply: Apply  # gives None where it cannot strike


def damages(records: list[Record]) -> tuple[Damage, ...]:
    """Give the ladder; the slowest 5 % of first tokens are those of these records."""
    return (
        *(_damage(f"drop_call_{share}", f"one tool call left out, {share} %", share, _drop_call) for share in _SHARES),
        _damage("rename_argument", "one argument of a call renamed, 10 %", 10, _rename_argument),
        _damage("wrong_argument_type", "one argument of a call of another type, 10 %", 10, _wrong_argument_type),
        _damage("prose_for_json", "prose instead of JSON, 10 %", 10, _prose),
        _damage("refuse", "refusals, 5 %", 5, _refuse),
        _damage("fail", "failed requests, 5 %", 5, _fail),
        _damage("truncate", "answers cut in half, 10 %", 10, _truncate),
        _damage("later_first_token", "first token 300 ms later, always", 100, _later),
        _damage("first_token_tail", "slowest 5 % of first tokens at 1.5 times", 100, _slow_tail(records)),
        _damage("slower_decode", "decode rate at 0.75 times, always", 100, _slower_decode),
        _damage("more_tokens", "1.5 times the completion tokens at the same rate, always", 100, _more_tokens),
    )


_SHARES = (5, 10, 20)


def _damage(damage_id: str, title: str, share: int, apply: Apply) -> Damage:
    return Damage(id=damage_id, title=title, fraction=share / 100, apply=apply)


def _drop_call(_: Prompt, record: Record, draws: random.Random) -> Record | None:
    calls = record.answer.tool_calls
    if not calls:
        return None
    position = draws.randrange(len(calls))
    left = calls[:position] + calls[position + 1 :]
    if left:
        return _answering(record, replace(record.answer, tool_calls=left))
    return _answering(record, _spoken(record.answer.text or _NO_CALL))


def _rename_argument(_: Prompt, record: Record, draws: random.Random) -> Record | None:
    def renamed(arguments: dict[str, Any]) -> dict[str, Any]:
        chosen = draws.choice(list(arguments))
        return {f"{name}{_RENAMED}" if name == chosen else name: value for name, value in arguments.items()}

    return _with_arguments(record, draws, renamed)


def _wrong_argument_type(_: Prompt, record: Record, draws: random.Random) -> Record | None:
    def retyped(arguments: dict[str, Any]) -> dict[str, Any]:
        chosen = draws.choice(list(arguments))
        return arguments | {chosen: _other_type(arguments[chosen])}

    return _with_arguments(record, draws, retyped)


def _other_type(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else 0


def _with_arguments(
    record: Record, draws: random.Random, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Record | None:
    """Change the arguments of one of the calls that have any."""
    calls = record.answer.tool_calls
    chosen = [(place, found) for place, call in enumerate(calls) if (found := _arguments(call))]
    if not chosen:
        return None
    place, arguments = draws.choice(chosen)
    changed = replace(calls[place], arguments=json.dumps(change(arguments), ensure_ascii=False))
    return _answering(record, replace(record.answer, tool_calls=(*calls[:place], changed, *calls[place + 1 :])))


def _arguments(call: ToolCall) -> dict[str, Any]:
    found = read_json(call.arguments).value
    return found if isinstance(found, dict) else {}


def _prose(prompt: Prompt, record: Record, _: random.Random) -> Record | None:
    if not prompt.is_json_prompt or read_json(record.answer.text).problem is not None:
        return None
    return _answering(record, _spoken("Here is what you asked for, in words: it is all in the text that you sent."))


def _refuse(_: Prompt, record: Record, __: random.Random) -> Record | None:
    return None if record.failure is not None else _answering(record, _spoken(_REFUSAL))


def _fail(_: Prompt, record: Record, __: random.Random) -> Record | None:
    if record.failure is not None:
        return None
    stamps = replace(
        record.stamps,
        event_1_at_ns=None,
        token_1_at_ns=None,
        answer_1_at_ns=None,
        token_n_at_ns=None,
        finish_at_ns=None,
        usage_at_ns=None,
        done_at_ns=None,
    )
    failure = Failure(kind=FailureKind.SERVER_ERROR, message="damage done on purpose")
    return replace(
        record, stamps=stamps, status=500, answer=Answer(), usage=None, arrivals=Arrivals(), n_events=0, failure=failure
    )


def _truncate(_: Prompt, record: Record, __: random.Random) -> Record | None:
    text = record.answer.text
    if len(text) < _HALF:
        return None
    return _answering(record, replace(_spoken(text[: len(text) // _HALF]), finish_reason="length"))


def _spoken(text: str) -> Answer:
    return Answer(text=text, finish_reason="stop")


def _answering(record: Record, answer: Answer) -> Record | None:
    """Put another answer in the place of one that came; its times and tokens stay."""
    return None if record.failure is not None else replace(record, answer=answer)


def _later(_: Prompt, record: Record, __: random.Random) -> Record | None:
    return _moved(record, lambda at_ns: at_ns + _LATER_NS)


def _slow_tail(records: list[Record]) -> Apply:
    waits = [wait for record in records if (wait := time_to_first_token(record).value) is not None]
    limit_s = quantile(waits, _TAIL_FROM)

    def slow(_: Prompt, record: Record, __: random.Random) -> Record | None:
        wait_s = time_to_first_token(record).value
        first, sent = record.stamps.token_1_at_ns, record.stamps.sent_at_ns
        if limit_s is None or wait_s is None or wait_s < limit_s or first is None or sent is None:
            return None
        later_ns = round((first - sent) * (_TAIL_FACTOR - 1))
        return _moved(record, lambda at_ns: at_ns + later_ns)

    return slow


def _slower_decode(_: Prompt, record: Record, __: random.Random) -> Record | None:
    return _stretched(record, 1 / _DECODE_FACTOR)


def _more_tokens(_: Prompt, record: Record, __: random.Random) -> Record | None:
    usage = record.usage
    if usage is None or usage.completion_tokens is None:
        return None
    more = round(usage.completion_tokens * _TOKENS_FACTOR)
    total = None if usage.total_tokens is None else usage.total_tokens + more - usage.completion_tokens
    changed: Usage = replace(usage, completion_tokens=more, total_tokens=total)
    stretched = _stretched(record, _TOKENS_FACTOR)
    return None if stretched is None else replace(stretched, usage=changed)


def _stretched(record: Record, factor: float) -> Record | None:
    """Stretch what came after the first output by a factor."""
    first = record.stamps.token_1_at_ns
    if first is None:
        return None
    return _moved(record, lambda at_ns: at_ns if at_ns <= first else first + round((at_ns - first) * factor))


_MOVED = (
    "headers_at_ns",
    "event_1_at_ns",
    "token_1_at_ns",
    "answer_1_at_ns",
    "token_n_at_ns",
    "finish_at_ns",
    "usage_at_ns",
    "done_at_ns",
    "ended_at_ns",
)


def _moved(record: Record, move: Callable[[int], int]) -> Record | None:
    """Move every instant of the response."""
    if record.failure is not None:
        return None
    return replace(
        record,
        stamps=_moved_stamps(record.stamps, move),
        arrivals=replace(record.arrivals, at_ns=tuple(map(move, record.arrivals.at_ns))),
        reads=replace(
            record.reads,
            at_ns=tuple(map(move, record.reads.at_ns)),
            seen_at_ns=tuple(map(move, record.reads.seen_at_ns)),
        ),
    )


def _moved_stamps(stamps: Stamps, move: Callable[[int], int]) -> Stamps:
    moved: Mapping[str, Any] = {name: move(at_ns) for name in _MOVED if (at_ns := getattr(stamps, name)) is not None}
    return replace(stamps, **moved)

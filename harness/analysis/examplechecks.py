"""Judges a prompt's own example: an answer that fails its checks says that they cannot be met as they stand."""

from collections.abc import Iterator

import msgspec

from harness.analysis.answers import judge_answer
from harness.model.golden import Check, CheckKind, Example, Prompt
from harness.model.record import Answer, Arm, Record, RequestKey, Stamps, ToolCall

# What an example does not hold: how the answer ended, and what the server counted.
_OF_THE_REPLY = frozenset({CheckKind.FINISH_REASON, CheckKind.MIN_COMPLETION_TOKENS, CheckKind.PROMPT_TOKENS_RANGE})


def example_problems(prompt: Prompt) -> tuple[str, ...]:
    """List the checks that the example fails; none without an example. The checks must be valid."""
    example = prompt.example
    if example is None:
        return ()
    if not prompt.has_loop:
        return tuple(_problems(prompt, prompt.checks, example))
    calls, answer = Example(tool_calls=example.tool_calls), Example(text=example.text)
    return (*_problems(prompt, prompt.checks, calls), *_problems(prompt, prompt.final, answer))


def _problems(prompt: Prompt, checks: list[Check], example: Example) -> Iterator[str]:
    kept = [check for check in checks if check.kind not in _OF_THE_REPLY]
    judgement = judge_answer(msgspec.structs.replace(prompt, checks=kept), _record_of(prompt.id, example))
    for result in judgement.checks:
        if not result.passed:
            yield f"its example fails {result.check} (expected {result.expected}, came {result.came})"


def _record_of(prompt_id: str, example: Example) -> Record:
    calls = tuple(
        ToolCall(name=call.name, arguments=msgspec.json.encode(call.arguments).decode(), id=f"call_{index}")
        for index, call in enumerate(example.tool_calls)
    )
    return Record(
        key=RequestKey(arm=Arm.REFERENCE, prompt_id=prompt_id, repeat=0),
        attempt=1,
        block=0,
        stamps=Stamps(intended_at_ns=0),
        answer=Answer(text=example.text or "", tool_calls=calls),
    )

"""Judges a prompt's own example: an answer that fails its checks says that they cannot be met as they stand."""

import msgspec

from harness.analysis.answers import judge_answer
from harness.model.golden import CheckKind, Example, Prompt
from harness.model.record import Answer, Arm, Record, RequestKey, Stamps, ToolCall

# What an example does not hold: how the answer ended, and what the server counted.
_OF_THE_REPLY = frozenset({CheckKind.FINISH_REASON, CheckKind.MIN_COMPLETION_TOKENS, CheckKind.PROMPT_TOKENS_RANGE})


def example_problems(prompt: Prompt) -> tuple[str, ...]:
    """List the checks that the example fails; none without an example. The checks must be valid."""
    if prompt.example is None:
        return ()
    checks = [check for check in prompt.checks if check.kind not in _OF_THE_REPLY]
    judgement = judge_answer(msgspec.structs.replace(prompt, checks=checks), _record_of(prompt.id, prompt.example))
    return tuple(
        f"its example fails {result.check} (expected {result.expected}, came {result.came})"
        for result in judgement.checks
        if not result.passed
    )


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

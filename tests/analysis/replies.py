"""Builders of golden prompts and of records that hold one reply."""

import json
from typing import Any

from harness.analysis.checkoutcome import Evidence
from harness.analysis.checks import judge_check
from harness.analysis.results.trial import CheckResult
from harness.analysis.tools import judge_tools
from harness.model.golden import Check, CheckKind, Prompt
from harness.model.record import Answer, Arm, Failure, FailureKind, Record, RequestKey, Stamps, ToolCall, Usage

TIMED_OUT = Failure(kind=FailureKind.TIMEOUT_IDLE, message="nothing for 30 s")


def a_check(name: str, argument: Any = None) -> Check:
    """Give a check by its name as written in a file."""
    plain = name.replace("-", "_")
    kind = CheckKind(plain.removeprefix("not_"))
    return Check(kind=kind, argument=argument, negated=plain.startswith("not_"))


def a_call(name: str | None, arguments: Any = None, call_id: str | None = None) -> ToolCall:
    """Give a call; arguments that are not text are encoded."""
    text = arguments if isinstance(arguments, str) else json.dumps({} if arguments is None else arguments)
    return ToolCall(name=name, arguments=text, id=call_id)


def an_answer(text: str = "", *calls: ToolCall, finish_reason: str | None = None) -> Answer:
    """Give an answer that ends as the contract says."""
    return Answer(text=text, tool_calls=calls, finish_reason=finish_reason or ("tool_calls" if calls else "stop"))


def a_record(answer: Answer, usage: Usage | None = None, failure: Failure | None = None) -> Record:
    """Give the record of one request that got this answer."""
    return Record(
        key=RequestKey(arm=Arm.REFERENCE, prompt_id="p", repeat=0),
        attempt=1,
        block=0,
        stamps=Stamps(intended_at_ns=0),
        answer=answer,
        usage=usage,
        failure=failure,
    )


def a_prompt(*checks: Check, tools: dict[str, Any] | None = None, **changes: Any) -> Prompt:
    """Give a prompt with these checks that offers these tools (parameters by name)."""
    request: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], **changes.pop("request", {})}
    if tools is not None:
        request["tools"] = [
            {"type": "function", "function": {"name": name} | ({} if schema is None else {"parameters": schema})}
            for name, schema in tools.items()
        ]
    return Prompt(id="p", category="c", intent="i", request=request, checks=list(checks), **changes)


def judged(name: str, argument: Any, answer: Answer, usage: Usage | None = None) -> CheckResult:
    """Judge one check on one answer, tool checks with the ladder's result."""
    prompt = a_prompt(a_check(name, argument), tools={"f": None, "g": None})
    record = a_record(answer, usage)
    return judge_check(prompt.checks[0], Evidence(record=record, tool=judge_tools(prompt, record)))


def holds(name: str, argument: Any, answer: Answer | str, usage: Usage | None = None) -> bool:
    """Whether one check passes on one answer."""
    return judged(name, argument, an_answer(answer) if isinstance(answer, str) else answer, usage).passed

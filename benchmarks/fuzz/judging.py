"""Everything that reads a response, and what must hold of whatever it is."""

from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks.fuzz.mutations import Mutant
from harness.analysis.answers import AnswerJudgement, judge_answer
from harness.analysis.canonical import canonical_answer
from harness.decode.message import received_message
from harness.decode.record import decode_attempt
from harness.decode.watch import last_output_at_ns
from harness.model.golden import Check, CheckKind, Prompt
from harness.model.record import Arm, Attempt, Reads, Record, RequestKey

MODEL = "m"
# Offered under the names that the hand-written responses call, with something to fall over at every rung.
CITY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["city"],
    "properties": {
        "city": {"type": "string", "minLength": 1},
        "days": {"type": "integer", "default": 1},
        "above": {"type": "number", "multipleOf": 0.5},
    },
}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "parameters": CITY}},
    {"type": "function", "function": {"name": "get_weather", "parameters": CITY | {"additionalProperties": True}}},
    {"type": "function", "function": {"name": "time"}},
    {"type": "function", "function": {"name": "get_time"}},
]
CHECKS: dict[CheckKind, Any] = {
    CheckKind.EQUALS: "Hi",
    CheckKind.CONTAINS: "H",
    CheckKind.CONTAINS_ALL: ["H", "i"],
    CheckKind.CONTAINS_ANY: ["x", "i"],
    CheckKind.REGEX: r"\bH\w",
    CheckKind.STARTS_WITH: "H",
    CheckKind.ENDS_WITH: "i",
    CheckKind.JSON_VALID: None,
    CheckKind.JSON_SCHEMA: {"type": "object", "properties": {"a": {"multipleOf": 0.1}}},
    CheckKind.JSON_PATH: {
        "path": "$.a[0]",
        "matches": {"any_of": [{"number": 1, "tolerance": 0.1}, {"contains": "x"}]},
    },
    CheckKind.NUMBER_EQUALS: {"value": 5, "tolerance": 0.1},
    CheckKind.DATE_EQUALS: {"value": "2026-03-14", "tolerance_days": 1},
    CheckKind.NO_MARKUP: None,
    CheckKind.NO_REPLACEMENT_CHAR: None,
    CheckKind.FINISH_REASON: ["stop", "length"],
    CheckKind.MAX_WORDS: 3,
    CheckKind.MIN_COMPLETION_TOKENS: 2,
    CheckKind.PROMPT_TOKENS_RANGE: [1, 10],
}
NEEDS_ANOTHER_PROMPT = {CheckKind.TOOL_CALLED, CheckKind.TOOL_COUNT, CheckKind.NO_TOOL}


def _prompt(prompt_id: str, *checks: Check) -> Prompt:
    request = {"messages": [{"role": "user", "content": "hi"}], "tools": TOOLS}
    return Prompt(id=prompt_id, category="c", intent="i", request=request, checks=list(checks))


CALL = {"name": "weather", "arguments": {"city": "Rome"}, "ignore": ["above"]}
CALLS = [
    {
        "name": "get_weather",
        "arguments": {"city": {"any_of": ["Rome", {"date": "2026-03-14"}]}},
        "defaults": {"days": 1},
    },
    {"name": "get_weather", "arguments": {"city": {"loosely": "Oslo"}}, "optional": ["days"]},
]
PROMPTS = (
    _prompt("plain", *(Check(kind=kind, argument=argument) for kind, argument in CHECKS.items())),
    _prompt("not", *(Check(kind=kind, argument=argument, negated=True) for kind, argument in CHECKS.items())),
    _prompt("call", Check(kind=CheckKind.TOOL_CALLED, argument=CALL)),
    _prompt("get call", Check(kind=CheckKind.TOOL_CALLED, argument=CALLS[0])),
    _prompt(
        "calls",
        Check(kind=CheckKind.TOOL_CALLED, argument=CALLS),
        Check(kind=CheckKind.TOOL_COUNT, argument={"min": 2}),
    ),
    _prompt("no call", Check(kind=CheckKind.NO_TOOL)),
)


Judge = Callable[[Mutant], tuple[Record, tuple[AnswerJudgement, ...]]]


class BrokenPromiseError(Exception):
    """Something that must hold of every response does not hold of this one."""


def judge(mutant: Mutant) -> tuple[Record, tuple[AnswerJudgement, ...]]:
    """Read and judge a response in every way; BrokenPromiseError, or whatever a reader raised."""
    reads = _reads(mutant.sizes)
    attempt = _attempt(reads, len(mutant.wire))
    record = decode_attempt(attempt, mutant.wire, model_asked=MODEL)
    _hold(record, reads)
    _keep(msgspec.json.decode(msgspec.json.encode(record), type=Record) == record, "the record survives its file")
    last_output_at_ns(mutant.wire, reads)
    message = received_message(mutant.wire, reads)
    msgspec.json.encode(message).decode()
    _keep(record.failure is not None or _calls_in(message) == _calls_of(record), "the calls sent back are those judged")
    canonical_answer(record.answer).encode()
    judgements = tuple(judge_answer(prompt, record) for prompt in PROMPTS)
    for prompt, judgement in zip(PROMPTS, judgements, strict=True):
        _hold_judgement(prompt, record, judgement)
    return record, judgements


def _reads(sizes: tuple[int, ...]) -> Reads:
    at_ns = tuple(range(1, len(sizes) + 1))
    return Reads(at_ns=at_ns, seen_at_ns=at_ns, n_bytes=sizes, source="u" * len(sizes))


def _attempt(reads: Reads, length: int) -> Attempt:
    return Attempt(
        key=RequestKey(arm=Arm.REFERENCE, prompt_id="p", repeat=0),
        attempt=1,
        block=0,
        request_sha256="0" * 64,
        request_bytes=1,
        intended_at_ns=0,
        sent_at_ns=0,
        reads=reads,
        length=length,
    )


def _hold(record: Record, reads: Reads) -> None:
    """What a record promises."""
    arrivals = record.arrivals
    columns = (arrivals.at_ns, arrivals.read, arrivals.content_chars, arrivals.reasoning_chars, arrivals.tool_chars)
    _keep(len({len(column) for column in columns}) == 1, "columns are of equal length")
    _keep(all(0 <= read < len(reads.at_ns) for read in arrivals.read), "an arrival has a read")
    _keep(list(arrivals.read) == sorted(arrivals.read), "arrivals are in order")
    if record.failure is None:
        _keep(record.status is not None and 200 <= record.status < 300, "a success has a status of success")
        _keep(bool(arrivals.at_ns), "a success has output")
    for finding in record.findings:
        _keep(finding.count > 0 and len(finding.detail) <= 200, "a finding is counted and short")


def _calls_in(message: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Give the calls of a message, of every form, in one order."""
    held = message or {}
    bodies = [call.get("function") or call["custom"] for call in held.get("tool_calls", ())]
    bodies += [held["function_call"]] if "function_call" in held else []
    return sorted((body["name"] or "", body.get("arguments", body.get("input"))) for body in bodies)


def _calls_of(record: Record) -> list[tuple[str, str]]:
    return sorted((call.name or "", call.arguments) for call in record.answer.tool_calls)


def _hold_judgement(prompt: Prompt, record: Record, judgement: AnswerJudgement) -> None:
    """What a judgement promises."""
    n_due = 0 if record.failure is not None else len(prompt.checks)
    _keep(len(judgement.checks) == n_due, "every check is judged once")
    for result in judgement.checks:
        words = (result.check, result.expected, result.came, result.where)
        _keep(
            all(word.encode() is not None and len(word) <= 500 for word in words), "words are short and can be written"
        )
        _keep(bool(result.expected), "a check says what was expected")
    if judgement.tool is not None:
        told = (judgement.tool.tool or "", judgement.tool.detail)
        _keep(all(len(word) <= 400 and "\n" not in word for word in told), "a fall is told in a line")
    _keep(prompt.is_tool_prompt == (judgement.tool is not None), "a tool prompt lands on a rung")


def _keep(holds: bool, promise: str) -> None:  # noqa: FBT001
    if not holds:
        raise BrokenPromiseError(promise)

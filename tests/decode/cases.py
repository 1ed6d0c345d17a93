"""Hand-written responses with what exactly they decode to."""

import json
from dataclasses import dataclass, field
from typing import Any

from harness.model.record import Answer, FailureKind, FindingKind, ToolCall, Usage
from tests.decode.wires import (
    DONE,
    END,
    HI,
    TOOL_END,
    a_usage,
    data,
    delta,
    finish,
    tool,
    usage,
)

F = FindingKind
PLAIN = Usage(prompt_tokens=5, completion_tokens=2, total_tokens=7)
JSON = "application/json"
HI_ANSWER = Answer(text="Hi", finish_reason="stop")
WEATHER = ToolCall(name="weather", arguments='{"city":"Rome"}', id="a", index=0)
TIME = ToolCall(name="time", arguments="{}", id="b", index=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A response and the truth about it."""

    name: str
    body: bytes
    answer: Answer = HI_ANSWER
    findings: dict[FindingKind, int] = field(default_factory=dict)
    failure: FailureKind | None = None
    shape: str | None = None
    code: str | None = None
    usage: Usage | None = PLAIN
    status: int = 200
    content_type: str = "text/event-stream"
    headers: tuple[str, ...] = ()


def _tools(*calls: ToolCall, finish_reason: str = "tool_calls", text: str = "") -> Answer:
    return Answer(text=text, tool_calls=calls, finish_reason=finish_reason)


def _error(name: str, body: bytes, shape: str, **more: Any) -> Case:
    given: dict[str, Any] = {"answer": Answer(), "usage": None, "failure": FailureKind.ERROR_IN_STREAM}
    return Case(name=name, body=body, shape=shape, **(given | more))


def _status(status: int, kind: FailureKind, body: bytes = b"", shape: str = "empty", code: str | None = None) -> Case:
    return Case(
        name=f"{status}, {kind}, {shape}, {code}, {body[:12]!r}",
        body=body,
        answer=Answer(),
        failure=kind,
        shape=shape,
        code=code,
        usage=None,
        status=status,
        content_type=JSON if body.startswith(b"{") else "text/plain",
    )


def _envelope(code: object = None, error_type: object = None, message: str = "no") -> bytes:
    return json.dumps({"error": {"message": message, "type": error_type, "code": code}}).encode()


def _completion(message: dict[str, Any], reason: str | None = "stop", **more: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": reason}
    return json.dumps({"id": "c1", "model": "m", "choices": [choice], "usage": a_usage()} | more).encode()


PART = Answer(text="Hi")

FRAMING = (
    Case(name="by the contract", body=delta(role="assistant", content="") + HI + END),
    Case(name="comments (1)", body=b": PROCESSING\n\n" + HI + b": keep-alive\n\n" + END, findings={F.COMMENTS: 2}),
    Case(
        name="empty data and a ping (2)",
        body=b"data:\n\ndata: \n\nevent: ping\n\n" + HI + END,
        findings={F.EMPTY_DATA: 3},
    ),
    Case(name="no space after data (3)", body=(HI + END).replace(b"data: ", b"data:")),
    Case(name="CR LF (3)", body=(HI + END).replace(b"\n", b"\r\n")),
    Case(name="CR alone (3)", body=(HI + END).replace(b"\n", b"\r")),
    Case(name="a byte order mark (3)", body=b"\xef\xbb\xbf" + HI + END, findings={F.BYTE_ORDER_MARK: 1}),
    Case(
        name="line separators inside a string (3)",
        body=delta(content="a\u2028b\u0085c\x0bd\x1ee") + END,
        answer=Answer(text="a\u2028b\u0085c\x0bd\x1ee", finish_reason="stop"),
    ),
    Case(
        name="data over several lines",
        body=b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"Hi"}}]}\n\n' + END,
    ),
    Case(name="event names, ids and retry", body=b"retry: 10\nid: 1\nevent: message\n" + HI + END),
    Case(name="no [DONE] (4)", body=HI + finish() + usage(), findings={F.NO_DONE: 1}),
    Case(name="bytes after [DONE] (5)", body=HI + END + delta(content="!"), findings={F.BYTES_AFTER_DONE: 1}),
    Case(name="white space after [DONE]", body=HI + END + b"\n \n\n".replace(b" ", b"")),
    Case(
        name="a last event without its blank line",
        body=(HI + finish() + usage()).rstrip(b"\n"),
        findings={F.UNFINISHED_LAST_EVENT: 1, F.NO_DONE: 1},
    ),
    Case(name="[DONE] without its blank line", body=(HI + END)[:-2], findings={F.UNFINISHED_LAST_EVENT: 1}),
    Case(
        name="cut inside an event",
        body=HI + delta(content="lost")[:-20],
        answer=PART,
        usage=None,
        findings={F.UNFINISHED_LAST_EVENT: 1},
        failure=FailureKind.TRUNCATED_STREAM,
    ),
    Case(
        name="cut inside a character",
        body=HI + delta(content="é").split(b"\xa9")[0],
        answer=PART,
        usage=None,
        findings={F.UNFINISHED_LAST_EVENT: 1},
        failure=FailureKind.TRUNCATED_STREAM,
    ),
    Case(name="cut between events", body=HI, answer=PART, usage=None, failure=FailureKind.TRUNCATED_STREAM),
    Case(
        name="comments only",
        body=b": keep-alive\n\n",
        answer=Answer(),
        usage=None,
        findings={F.COMMENTS: 1},
        failure=FailureKind.TRUNCATED_STREAM,
    ),
    Case(name="an event that is no JSON", body=b"data: oops\n\n" + HI + END, findings={F.UNDECODABLE_EVENT: 1}),
    Case(name="an event that is a number", body=b"data: 7\n\n" + HI + END, findings={F.UNDECODABLE_EVENT: 1}),
    Case(
        name="JSON nested without end",
        body=b"data: " + b"[" * 100_000 + b"\n\n" + HI + END,
        findings={F.UNDECODABLE_EVENT: 1},
    ),
    Case(
        name="broken UTF-8",
        body=delta(content="H@").replace(b"@", b"\xff") + END,
        answer=Answer(text="H\ufffd", finish_reason="stop"),
        findings={F.INVALID_UTF8: 1},
    ),
    Case(
        name="a surrogate pair over two events",
        body=b"".join(
            b'data: {"choices":[{"index":0,"delta":{"content":"\\u%s"}}]}\n\n' % half for half in (b"d83d", b"de00")
        )
        + END,
        answer=Answer(text="\U0001f600", finish_reason="stop"),
    ),
    Case(
        name="a lone surrogate",
        body=b'data: {"choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}\n\n' + END,
        answer=Answer(text="a\ufffd", finish_reason="stop"),
        findings={F.INVALID_UTF8: 1},
    ),
    Case(
        name="NaN and control characters in JSON",
        body=b'data: {"t":NaN,"choices":[{"index":0,"delta":{"content":"a\tb"}}]}\n\n' + END,
        answer=Answer(text="a\tb", finish_reason="stop"),
    ),
)

ERRORS_INSIDE_200 = (
    _error("an error, then [DONE] (6)", data({"error": {"message": "boom", "code": 500}}) + DONE, "openai", code="500"),
    _error(
        "an error after output (6)",
        HI + data({"error": {"message": "boom", "type": "server_error", "code": "x"}}),
        "openai",
        code="x",
        answer=PART,
    ),
    _error(
        "an error beside a choice (6)",
        HI
        + data(
            {"error": {"message": "b", "code": 502}, "choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}
        ),
        "openai",
        code="502",
        answer=Answer(text="Hi", finish_reason="error"),
        findings={F.FINISH_REASON_UNKNOWN: 1},
    ),
    _error("a flat error (6)", data({"object": "error", "message": "m", "type": "t", "code": 400}), "flat", code="400"),
    _error("a message alone (6)", data({"message": "overloaded"}), "message"),
    _error("a detail alone (6)", data({"detail": [{"msg": "bad"}]}), "detail"),
    _error("an error that is text (6)", data({"error": "boom"}), "string"),
    _error(
        "event: error with a flat body (6)", b"event: error\n" + data({"message": "m", "code": "c"}), "flat", code="c"
    ),
    _error("event: error with plain text (6)", b"event: error\ndata: it broke\n\n", "string"),
    _error("event: error with an unknown object (6)", b"event: error\n" + data({"reason": 1}), "other"),
    _error(
        "the field error (6)",
        b'error: {"code":500,"message":"m","type":"server_error"}\n\n',
        "flat",
        code="500",
        findings={F.NONSTANDARD_ERROR_FIELD: 1},
    ),
    _error("the field error with text (6)", b"error: broken\n\n", "string", findings={F.NONSTANDARD_ERROR_FIELD: 1}),
    _error(
        "a JSON error at 200 (7)",
        _envelope("c"),
        "openai",
        code="c",
        content_type=JSON,
        findings={F.STREAM_ANSWERED_WITH_JSON: 1},
    ),
    _error(
        "a finish reason that says error (13)",
        HI + finish("insufficient_system_resource") + DONE,
        "other",
        answer=Answer(text="Hi", finish_reason="insufficient_system_resource"),
        findings={F.FINISH_REASON_UNKNOWN: 1},
    ),
    _error(
        "a refusal inside a stream",
        data({"error": {"message": "m", "code": "content_policy_violation"}}),
        "openai",
        code="content_policy_violation",
        failure=FailureKind.REFUSED_BY_BUDGET,
    ),
    Case(name="error null in every chunk", body=delta({"error": None}, content="Hi") + END),
)

OTHER_BODIES = (
    Case(
        name="JSON for a stream (7)",
        body=b"\n\n " + _completion({"content": "Hi"}),
        content_type=JSON,
        findings={F.STREAM_ANSWERED_WITH_JSON: 1},
    ),
    Case(
        name="JSON that calls itself a stream (7)",
        body=_completion({"content": "Hi"}),
        findings={F.STREAM_ANSWERED_WITH_JSON: 1},
    ),
    Case(name="a stream that calls itself JSON (7)", body=HI + END, content_type=JSON),
    Case(
        name="JSON with tool calls (7)",
        body=_completion(
            {
                "content": None,
                "tool_calls": [
                    {"id": "a", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}},
                    {"id": "b", "function": {"name": "time", "arguments": "{}"}},
                ],
            },
            "tool_calls",
        ),
        content_type=JSON,
        answer=_tools(WEATHER, TIME),
        findings={F.STREAM_ANSWERED_WITH_JSON: 1},
    ),
    Case(
        name="a legacy completion",
        body=json.dumps(
            {"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop"}], "usage": a_usage()}
        ).encode(),
        content_type=JSON,
        findings={F.STREAM_ANSWERED_WITH_JSON: 1},
    ),
    Case(name="legacy completion chunks", body=data({"choices": [{"index": 0, "text": "Hi"}]}) + END),
    Case(
        name="JSON that is no completion",
        body=b'{"ok":true}',
        content_type=JSON,
        answer=Answer(),
        usage=None,
        failure=FailureKind.NOT_A_COMPLETION,
        shape="other",
        findings={F.STREAM_ANSWERED_WITH_JSON: 1},
    ),
    Case(
        name="a page at 200",
        body=b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>",
        content_type="text/html",
        answer=Answer(),
        usage=None,
        failure=FailureKind.NOT_A_COMPLETION,
        shape="html",
    ),
    Case(
        name="events of another interface",
        body=b"event: response.created\n" + data({"type": "response.created"}),
        answer=Answer(),
        usage=None,
        failure=FailureKind.NOT_A_COMPLETION,
        shape="other",
        findings={F.EMPTY_CHOICES: 1},
    ),
    Case(
        name="nothing at 200",
        body=b"",
        answer=Answer(),
        usage=None,
        failure=FailureKind.EMPTY_ANSWER,
        shape="empty",
    ),
    Case(
        name="a stream without output",
        body=delta(role="assistant", content="") + END,
        answer=Answer(finish_reason="stop"),
        failure=FailureKind.EMPTY_ANSWER,
    ),
    Case(name="[DONE] alone", body=DONE, answer=Answer(), usage=None, failure=FailureKind.EMPTY_ANSWER),
    Case(
        name="filtered before the first word",
        body=delta(role="assistant") + finish("content_filter") + usage() + DONE,
        answer=Answer(finish_reason="content_filter"),
        failure=FailureKind.REFUSED_BY_BUDGET,
        code="content_filter",
    ),
    Case(
        name="an unknown content coding (8)",
        body=b"\x1b\x00\x00",
        headers=("Content-Encoding: br",),
        answer=Answer(),
        usage=None,
        failure=FailureKind.MALFORMED_HTTP,
        findings={F.COMPRESSED: 1, F.CHUNK_FRAMING_LOST: 1},
    ),
)

CHUNKS = (
    Case(
        name="role in every chunk, content null (9)",
        body=delta(role="assistant", content=None) + delta(role="assistant", content="Hi") + END,
    ),
    Case(
        name="filter results first, a choice without delta last (10)",
        body=data({"choices": [], "prompt_filter_results": []})
        + HI
        + data({"choices": [{"index": 0, "finish_reason": None, "content_filter_results": {}}]})
        + END,
        findings={F.EMPTY_CHOICES: 1, F.CHOICE_WITHOUT_DELTA: 1},
    ),
    Case(
        name="delta null (10)",
        body=data({"choices": [{"index": 0, "delta": None}]}) + HI + END,
        findings={F.CHOICE_WITHOUT_DELTA: 1},
    ),
    Case(
        name="a message in the place of a delta",
        body=data({"choices": [{"index": 0, "message": {"content": "Hi"}}]}) + END,
    ),
    Case(
        name="the whole message again at the end",
        body=HI
        + data({"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]})
        + usage()
        + DONE,
    ),
    Case(
        name="several choices",
        body=data({"choices": [{"index": 1, "delta": {"content": "No"}, "finish_reason": "length"}]}) + HI + END,
        findings={F.SEVERAL_CHOICES: 1},
    ),
    Case(
        name="another model",
        body=data({"model": "other", "choices": []}) + END,
        answer=Answer(finish_reason="stop"),
        failure=FailureKind.EMPTY_ANSWER,
        findings={F.EMPTY_CHOICES: 1, F.MODEL_DIFFERS: 1},
    ),
    Case(name="choices that are no list", body=data({"choices": {}}) + HI + END, findings={F.EMPTY_CHOICES: 1}),
    Case(name="a choice that is no object", body=data({"choices": [3]}) + HI + END, findings={F.UNDECODABLE_EVENT: 1}),
    Case(name="content that is a number", body=delta(content=3) + HI + END, findings={F.UNDECODABLE_EVENT: 1}),
    Case(
        name="a refusal",
        body=delta(refusal="I ") + delta(refusal="won't") + END,
        answer=Answer(refusal="I won't", finish_reason="stop"),
    ),
    Case(
        name="sound",
        body=delta(audio={"id": "x"}) + delta(audio={"transcript": "Hi"}) + delta(audio={"data": "AAAA"}) + END,
        answer=Answer(finish_reason="stop"),
    ),
)

USAGES = (
    Case(
        name="usage on the finish chunk (11)",
        body=HI + data({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": a_usage()}) + DONE,
        findings={F.USAGE_ON_CHOICE_CHUNK: 1},
    ),
    Case(
        name="a running usage in every chunk (11)",
        body=delta({"usage": a_usage(5, 3)}, content="H") + delta({"usage": a_usage(5, 8)}, content="i") + END,
        findings={F.USAGE_IN_EVERY_CHUNK: 2},
        usage=Usage(prompt_tokens=5, completion_tokens=2, total_tokens=7),
    ),
    Case(
        name="a running usage that tells the first chunk (11)",
        body=delta({"usage": a_usage(5, 3)}, content="H")
        + delta({"usage": a_usage(5, 8)}, content="i")
        + finish()
        + usage(5, 8)
        + DONE,
        findings={F.USAGE_IN_EVERY_CHUNK: 2},
        usage=Usage(prompt_tokens=5, completion_tokens=8, total_tokens=13, first_chunk_tokens=3),
    ),
    Case(
        name="a usage that grows while nothing comes (15)",
        body=delta({"usage": a_usage(5, 1)}, content="H")
        + delta({"usage": a_usage(5, 17)})
        + delta({"usage": a_usage(5, 18)}, content="i")
        + finish()
        + usage(5, 18)
        + DONE,
        findings={F.USAGE_IN_EVERY_CHUNK: 3, F.USAGE_GROWS_SILENTLY: 1},
        usage=Usage(prompt_tokens=5, completion_tokens=18, total_tokens=23, first_chunk_tokens=1),
    ),
    Case(
        name="zero usage before the real one (11)",
        body=delta({"usage": a_usage(0, 0)}, content="H") + delta({"usage": a_usage(0, 0)}, content="i") + END,
        findings={F.USAGE_IN_EVERY_CHUNK: 2},
    ),
    Case(
        name="a running usage that grows while nothing comes (15)",
        body=delta({"usage": a_usage(5, 1)}, content="H")
        + delta({"usage": a_usage(5, 9)})
        + delta({"usage": a_usage(5, 10)}, content="i")
        + finish()
        + usage(5, 10)
        + DONE,
        findings={F.USAGE_IN_EVERY_CHUNK: 3, F.USAGE_GROWS_SILENTLY: 1},
        usage=Usage(prompt_tokens=5, completion_tokens=10, total_tokens=15, first_chunk_tokens=1),
    ),
    Case(
        name="usage null in every chunk (11)",
        body=delta({"usage": None}, content="Hi") + END,
    ),
    Case(
        name="usage under x_groq (11)",
        body=HI
        + data({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "x_groq": {"usage": a_usage()}})
        + DONE,
        findings={F.USAGE_ELSEWHERE: 1, F.USAGE_ON_CHOICE_CHUNK: 1},
    ),
    Case(
        name="usage inside the choice (11)",
        body=HI + data({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": a_usage()}]}) + DONE,
        findings={F.USAGE_ELSEWHERE: 1, F.USAGE_ON_CHOICE_CHUNK: 1},
    ),
    Case(name="no usage (11)", body=HI + finish() + DONE, usage=None, findings={F.USAGE_MISSING: 1}),
    Case(
        name="a total that is no sum",
        body=HI + finish() + usage(total_tokens=9) + DONE,
        usage=Usage(prompt_tokens=5, completion_tokens=2, total_tokens=9),
        findings={F.USAGE_INCONSISTENT: 1},
    ),
    Case(
        name="zero usage behind the real one (11)",
        body=HI + finish() + usage() + usage(0, 0) + DONE,
        findings={F.USAGE_ZEROED: 1},
    ),
    Case(
        name="more cached than asked",
        body=HI + finish() + usage(prompt_tokens_details={"cached_tokens": 900}) + DONE,
        usage=Usage(prompt_tokens=5, completion_tokens=2, total_tokens=7, cached_tokens=900),
        findings={F.USAGE_INCONSISTENT: 1},
    ),
    Case(
        name="no completion tokens beside output",
        body=HI + finish() + usage(5, 0) + DONE,
        usage=Usage(prompt_tokens=5, completion_tokens=0, total_tokens=5),
        findings={F.USAGE_INCONSISTENT: 1},
    ),
    Case(
        name="usage of the wrong types",
        body=HI + finish() + data({"choices": [], "usage": {"prompt_tokens": "5", "completion_tokens": -2}}) + DONE,
        usage=Usage(),
        findings={F.USAGE_INCONSISTENT: 1},
    ),
    Case(
        name="cached and hidden reasoning tokens (23)",
        body=HI
        + finish()
        + usage(prompt_tokens_details={"cached_tokens": 4}, completion_tokens_details={"reasoning_tokens": 1})
        + DONE,
        usage=Usage(prompt_tokens=5, completion_tokens=2, total_tokens=7, cached_tokens=4, reasoning_tokens=1),
        findings={F.HIDDEN_REASONING: 1},
    ),
)

FINISHES = (
    Case(
        name='finish_reason "" (13)',
        body=data({"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": ""}]}) + END,
        findings={F.FINISH_REASON_EMPTY: 1},
    ),
    Case(name="finish_reason twice (13)", body=HI + finish("length") + END, findings={F.FINISH_REASON_REPEATED: 1}),
    Case(
        name="an unknown finish_reason (13)",
        body=HI + finish("eos") + usage() + DONE,
        answer=Answer(text="Hi", finish_reason="eos"),
        findings={F.FINISH_REASON_UNKNOWN: 1},
    ),
    Case(
        name="tool_calls without a call (14)",
        body=HI + finish("tool_calls", tool_calls=[]) + usage() + DONE,
        answer=Answer(text="Hi", finish_reason="tool_calls"),
        findings={F.FINISH_REASON_CONTRADICTS: 1},
    ),
    Case(
        name="stop beside a call (14)",
        body=tool(index=0, id="b", function={"name": "time", "arguments": "{}"}) + END,
        answer=_tools(ToolCall(name="time", arguments="{}", id="b", index=0), finish_reason="stop"),
        findings={F.FINISH_REASON_CONTRADICTS: 1},
    ),
)

_ROME = '{"city":"Rome"}'
_NAMED = {"name": "weather", "arguments": ""}

TOOLS = (
    Case(
        name="fragments by the contract",
        body=tool(index=0, id="a", type="function", function=_NAMED)
        + tool(index=0, function={"arguments": '{"city"'})
        + tool(index=1, id="b", function={"name": "time", "arguments": "{}"})
        + tool(index=0, function={"arguments": ':"Rome"}'})
        + TOOL_END,
        answer=_tools(WEATHER, TIME),
    ),
    Case(
        name="no index, ids tell (16)",
        body=tool(id="a", function=_NAMED)
        + tool(function={"arguments": _ROME})
        + tool(id="b", function={"name": "time", "arguments": "{}"})
        + TOOL_END,
        answer=_tools(ToolCall(name="weather", arguments=_ROME, id="a"), ToolCall(name="time", arguments="{}", id="b")),
        findings={F.TOOL_INDEX_MISSING: 3},
    ),
    Case(
        name="neither index nor id (16)",
        body=delta(tool_calls=[{"function": {"name": "weather", "arguments": _ROME}}])
        + tool(function={"name": "weather", "arguments": _ROME})
        + tool(function={"name": "time", "arguments": ""})
        + TOOL_END,
        answer=_tools(
            ToolCall(name="weather", arguments=_ROME),
            ToolCall(name="weather", arguments=_ROME),
            ToolCall(name="time", arguments=""),
        ),
        findings={F.TOOL_INDEX_MISSING: 3, F.TOOL_ID_MISSING: 3},
    ),
    Case(
        name="one index for two calls (16)",
        body=tool(index=0, id="a", function={"name": "weather", "arguments": _ROME})
        + tool(index=0, id="b", function={"name": "time", "arguments": "{}"})
        + TOOL_END,
        answer=_tools(WEATHER, ToolCall(name="time", arguments="{}", id="b", index=0)),
        findings={F.TOOL_INDEX_REUSED: 1},
    ),
    Case(
        name="one index for two calls without ids (16)",
        body=tool(index=0, function={"name": "time", "arguments": "{}"})
        + tool(index=0, function={"name": "time", "arguments": "{}"})
        + TOOL_END,
        answer=_tools(*(ToolCall(name="time", arguments="{}", index=0),) * 2),
        findings={F.TOOL_INDEX_REUSED: 1, F.TOOL_ID_MISSING: 2},
    ),
    Case(
        name="a first index of 3 (16)",
        body=tool(index=3, id="b", function={"name": "time", "arguments": "{}"}) + TOOL_END,
        answer=_tools(ToolCall(name="time", arguments="{}", id="b", index=3)),
    ),
    Case(
        name="name and id repeated with every fragment (17)",
        body=b"".join(
            tool(index=0, id="a", function={"name": "weather", "arguments": part})
            for part in ('{"city":', '"Rome"}', "")
        )
        + TOOL_END,
        answer=_tools(WEATHER),
    ),
    Case(
        name="the name late and in parts (17)",
        body=tool(index=0, id="a")
        + tool(index=0, function={"name": "wea"})
        + tool(index=0, function={"name": "ther", "arguments": None})
        + tool(index=0, function={"arguments": _ROME})
        + TOOL_END,
        answer=_tools(WEATHER),
        findings={F.TOOL_NAME_IN_PARTS: 1},
    ),
    Case(
        name="an index in digits (16)",
        body=data(
            {"choices": [{"index": "0", "delta": {"tool_calls": [{"index": "0", "id": "a", "function": _NAMED}]}}]}
        )
        + tool(index="1", id="b", function={"name": "time", "arguments": "{}"})
        + tool(index="0", function={"arguments": _ROME})
        + TOOL_END,
        answer=_tools(WEATHER, TIME),
        findings={F.INDEX_NOT_NUMBER: 4},
    ),
    Case(
        name="an empty object before the arguments (17)",
        body=tool(index=0, id="a", function={"name": "weather", "arguments": {}})
        + tool(index=0, function={"arguments": _ROME})
        + TOOL_END,
        answer=_tools(WEATHER),
        findings={F.TOOL_ARGUMENTS_NOT_TEXT: 1},
    ),
    Case(
        name="a call in both forms (17)",
        body=delta(
            tool_calls=[{"index": 0, "id": "a", "function": {"name": "weather", "arguments": _ROME}}],
            function_call={"name": "weather", "arguments": _ROME},
        )
        + TOOL_END,
        answer=_tools(WEATHER),
        findings={F.LEGACY_CALL_REPEATS: 1},
    ),
    Case(
        name="arguments as an object (17)",
        body=tool(index=0, id="a", function={"name": "weather", "arguments": {"city": "Rome"}}) + TOOL_END,
        answer=_tools(WEATHER),
        findings={F.TOOL_ARGUMENTS_NOT_TEXT: 1},
    ),
    Case(
        name="tool_calls as an object (17)",
        body=delta(tool_calls={"index": 0, "id": "a", "function": {"name": "weather", "arguments": _ROME}}) + TOOL_END,
        answer=_tools(WEATHER),
        findings={F.TOOL_CALLS_NOT_LIST: 1},
    ),
    Case(
        name="tool_calls with scraps (17)",
        body=delta(tool_calls=[None, "x"]) + delta(tool_calls=5) + HI + END,
        findings={F.TOOL_CALLS_NOT_LIST: 2},
    ),
    Case(name="tool_calls null (17)", body=delta(content="Hi", tool_calls=None) + END),
    Case(
        name='the id "" (18)',
        body=tool(index=0, id="", function={"name": "time", "arguments": "{}"}) + TOOL_END,
        answer=_tools(ToolCall(name="time", arguments="{}", index=0)),
        findings={F.TOOL_ID_MISSING: 1},
    ),
    Case(
        name="a deprecated function call",
        body=delta(function_call={"name": "time", "arguments": ""})
        + delta(function_call={"arguments": "{}"})
        + finish("function_call")
        + usage()
        + DONE,
        answer=_tools(ToolCall(name="time", arguments="{}"), finish_reason="function_call"),
    ),
    Case(
        name="a custom tool",
        body=tool(index=0, id="a", type="custom", custom={"name": "shell", "input": "ls"}) + TOOL_END,
        answer=_tools(ToolCall(name="shell", arguments="ls", id="a", index=0)),
    ),
    Case(
        name="leaked tool markup (19)",
        body=delta(content="<tool_call>{}") + END,
        answer=Answer(text="<tool_call>{}", finish_reason="stop"),
        findings={F.LEAKED_MARKUP: 1},
    ),
)


def _thought(name: str, body: bytes, n: int = 1) -> Case:
    answer = Answer(text="Hi", reasoning="Hm", finish_reason="stop")
    return Case(name=name, body=body + END, answer=answer, findings={F.REASONING_FIELD: n})


REASONING = (
    _thought("reasoning_content (22)", delta(reasoning_content="H") + delta(reasoning_content="m") + HI, 2),
    _thought("reasoning (22)", delta(reasoning="Hm", content="") + HI),
    _thought("both fields with one text (22)", delta(reasoning="Hm", reasoning_content="Hm") + HI),
    _thought("reasoning_details (22)", delta(reasoning_details=[{"type": "reasoning.text", "text": "Hm"}]) + HI),
    _thought(
        "thinking parts in the content (22)",
        delta(
            content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"type": "text", "text": "Hi"}]
        ),
    ),
    Case(
        name="thoughts in the content (19, 22)",
        body=delta(content="<think>Hm</think>Hi") + END,
        answer=Answer(text="<think>Hm</think>Hi", finish_reason="stop"),
        findings={F.LEAKED_MARKUP: 2},
    ),
)

STATUSES = (
    _status(301, FailureKind.REDIRECT),
    _status(307, FailureKind.REDIRECT),
    _status(400, FailureKind.BAD_REQUEST, _envelope("c", "t"), "openai", "c"),
    _status(401, FailureKind.AUTHENTICATION, _envelope("invalid_api_key"), "openai", "invalid_api_key"),
    _status(402, FailureKind.REFUSED_BY_BUDGET),
    _status(403, FailureKind.AUTHENTICATION, b'{"detail":"Forbidden"}', "detail"),
    _status(404, FailureKind.NOT_FOUND, b'{"object":"error","message":"m","type":"t","code":404}', "flat", "404"),
    _status(408, FailureKind.CONFLICT),
    _status(409, FailureKind.CONFLICT, b'{"error":"busy"}', "string"),
    _status(422, FailureKind.BAD_REQUEST, b'{"detail":[{"msg":"extra"}]}', "detail"),
    _status(429, FailureKind.RATE_LIMITED, b"slow down", "string"),
    _status(429, FailureKind.REFUSED_BY_BUDGET, _envelope("insufficient_quota"), "openai", "insufficient_quota"),
    _status(400, FailureKind.REFUSED_BY_BUDGET, _envelope(400, "budget_exceeded"), "openai", "400"),
    _status(400, FailureKind.REFUSED_BY_BUDGET, _envelope("content_filter"), "openai", "content_filter"),
    _status(500, FailureKind.SERVER_ERROR, b'{"message":"m"}', "message"),
    _status(500, FailureKind.SERVER_ERROR, b'{"oops":1}', "other"),
    _status(500, FailureKind.SERVER_ERROR, b"[1]", "other"),
    _status(500, FailureKind.SERVER_ERROR, data({"error": {"message": "m", "code": "c"}}), "openai", "c"),
    _status(502, FailureKind.BAD_GATEWAY, b"<html><h1>502 Bad Gateway</h1></html>", "html"),
    _status(503, FailureKind.UNAVAILABLE, _envelope(503, "unavailable_error", "Loading model"), "openai", "503"),
    _status(503, FailureKind.NO_UPSTREAM, _envelope("no_upstream"), "openai", "no_upstream"),
    _status(503, FailureKind.NO_UPSTREAM, b"no healthy upstream", "string"),
    _status(504, FailureKind.GATEWAY_TIMEOUT, _envelope("wake_timeout"), "openai", "wake_timeout"),
    _status(529, FailureKind.SERVER_ERROR),
)

CASES = (
    *FRAMING,
    *ERRORS_INSIDE_200,
    *OTHER_BODIES,
    *CHUNKS,
    *USAGES,
    *FINISHES,
    *TOOLS,
    *REASONING,
    *STATUSES,
)

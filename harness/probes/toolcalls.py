"""Probes of tools: calls made, forced, forbidden, streamed, and answered."""

from typing import Any

import msgspec

from harness.decode.markup import find_tool_markup
from harness.model.probe import ProbeClass
from harness.model.record import FindingKind, ToolCall
from harness.probes.classify import Sign, combined, each, each_label, in_pairs, judged, served
from harness.probes.probe import Ask, Judged, Probe, Taken
from harness.probes.seen import Seen
from harness.probes.structured import problem_with

C = ProbeClass
_CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_TIME = {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]}
_ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "item": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
            "required": ["name", "count"],
            "additionalProperties": False,
        }
    },
    "required": ["item"],
    "additionalProperties": False,
}
_CANARY = "QUOKKA-3381"
_IDS = ("call_abcdefghijklmnopqrstuvwx", "a1b2c3d4e")  # as OpenAI writes them; the nine that the strictest server takes


def _tool(name: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    function = {"name": name, "description": f"Calls {name}.", "parameters": parameters, **more}
    return {"type": "function", "function": function}


_WEATHER = _tool("get_weather", _CITY)


def _asking(text: str, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "tools": [_WEATHER], "max_tokens": 120, **fields}


_OSLO = "What is the weather in Oslo right now? Use the tool."
_AUTO = _asking(_OSLO)


def problem_with_call(call: ToolCall, name: str, schema: dict[str, Any]) -> str | None:
    """Say what is wrong with a call; None when nothing is."""
    if call.name != name:
        return f"calls {call.name!r}, not {name!r}"
    problem = problem_with(call.arguments, schema)
    return None if problem is None else f"arguments {problem}"


def _leak(seen: Seen) -> Sign | None:
    marker = find_tool_markup(seen.text)
    return (C.BROKEN, f"markup in the text: {marker}") if marker else None


def _one_call(seen: Seen) -> Sign:
    """Judge a request that should bring one call of the weather tool."""
    calls, reason = seen.answer.tool_calls, seen.answer.finish_reason
    if (leak := _leak(seen)) is not None:
        return leak
    if not calls:
        is_claimed = reason == "tool_calls"
        return (C.BROKEN if is_claimed else C.IGNORED), f"no call, finish_reason {reason}, text {seen.text[:30]!r}"
    problem = problem_with_call(calls[0], "get_weather", _CITY)
    if problem is not None:
        return C.BROKEN, problem
    return C.SUPPORTED, f"{len(calls)} call with valid arguments, finish_reason {reason}"


def _calls(taken: Taken) -> Judged:
    """As each trial, and note a finish reason that loops keyed on it would miss."""
    found = combined([_one_call(seen) for seen in taken.variants])
    reasons = sorted({str(seen.answer.finish_reason) for seen in taken.variants if seen.answer.tool_calls})
    notes = ("finish_reason is not tool_calls: look for calls instead",) if set(reasons) - {"tool_calls"} else ()
    facts = {"finish_reason": ", ".join(reasons)} if reasons else {}
    return judged((found.outcome, found.evidence), *notes, **facts)


def _streamed_call(taken: Taken) -> Judged:
    signs = [_streamed_sign(seen) for seen in taken.variants]
    found = combined(signs)
    calls = taken.variants[0].answer.tool_calls
    n_parts = sum(1 for choice in taken.variants[0].choices if (choice.get("delta") or {}).get("tool_calls"))
    facts = {"fragments": "one" if n_parts == 1 else "several", "id_style": _id_style(calls)} if calls else {}
    return judged((found.outcome, found.evidence), **facts)


def _streamed_sign(seen: Seen) -> Sign:
    if not seen.was_streamed:
        return C.IGNORED, "one JSON body instead of a stream"
    odd = (FindingKind.TOOL_INDEX_MISSING, FindingKind.TOOL_ARGUMENTS_NOT_TEXT, FindingKind.TOOL_CALLS_NOT_LIST)
    if seen.has(*odd):
        names = ", ".join(finding.kind for finding in seen.record.findings if finding.kind in odd)
        return C.BROKEN, f"fragments that crash clients: {names}"
    return _one_call(seen)


def _id_style(calls: tuple[ToolCall, ...]) -> str:
    call_id = calls[0].id or ""
    if call_id.startswith("call_"):
        return "call_"
    return "functions." if call_id.startswith("functions.") else f"{len(call_id)} characters"


def _parity(plain: Seen, stream: Seen) -> Sign:
    if not stream.was_streamed:
        return C.INCONCLUSIVE, "one JSON body instead of a stream: nothing to compare"
    if not plain.answer.tool_calls and not stream.answer.tool_calls:
        return C.INCONCLUSIVE, "no call either way"
    shapes = [[(call.name, _value(call.arguments)) for call in seen.answer.tool_calls] for seen in (plain, stream)]
    if len(shapes[0]) != len(shapes[1]):
        return C.BROKEN, f"{len(shapes[0])} calls plain, {len(shapes[1])} streamed"
    if plain.text.strip() != stream.text.strip():
        return C.BROKEN, f"text beside the call: {plain.text[:30]!r} plain, {stream.text[:30]!r} streamed"
    is_same = shapes[0] == shapes[1]
    return (C.SUPPORTED, "the same call") if is_same else (C.BROKEN, f"{shapes[0]} plain, {shapes[1]} streamed")


def _value(arguments: str) -> Any:
    try:
        return msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments


def _named(taken: Taken) -> Judged:
    signs = [_named_sign(seen) for seen in taken.variants]
    reasons = sorted({str(seen.answer.finish_reason) for seen in taken.variants})
    found = combined(signs)
    return judged((found.outcome, found.evidence), finish_reason=", ".join(reasons))


def _named_sign(seen: Seen) -> Sign:
    if (leak := _leak(seen)) is not None:
        return leak
    calls = seen.answer.tool_calls
    if not calls:
        return C.IGNORED, f"no call of the named function, finish_reason {seen.answer.finish_reason}"
    problem = problem_with_call(calls[0], "get_time", _TIME)
    if calls[0].name != "get_time":
        return C.IGNORED, str(problem)
    return (C.BROKEN, problem) if problem else (C.SUPPORTED, f"that call, finish_reason {seen.answer.finish_reason}")


def _none(seen: Seen) -> Sign:
    if (leak := _leak(seen)) is not None:
        return leak
    n = len(seen.answer.tool_calls)
    return (C.IGNORED, f"{n} calls although forbidden") if n else (C.SUPPORTED, "text, no call")


def _parallel(free: Seen, serial: Seen) -> Sign:
    n_free, n_serial = len(free.answer.tool_calls), len(serial.answer.tool_calls)
    said = f"{n_free} calls for two cities, {n_serial} with parallel_tool_calls false"
    if n_free < 2:  # noqa: PLR2004  # two cities
        return C.INCONCLUSIVE, said
    if n_serial == 0:
        return C.BROKEN, said
    return (C.SUPPORTED if n_serial == 1 else C.IGNORED), said


def _strict(seen: Seen) -> Sign:
    if not seen.answer.tool_calls:
        return C.INCONCLUSIVE, f"no call, finish_reason {seen.answer.finish_reason}"
    problem = problem_with_call(seen.answer.tool_calls[0], "order", _ORDER)
    if problem == "arguments not JSON":
        return C.BROKEN, problem
    return (C.SUPPORTED, "arguments valid against the schema") if problem is None else (C.IGNORED, problem)


def _canary(seen: Seen) -> Sign:
    if _CANARY in seen.text:
        return C.SUPPORTED, "the answer holds what the tool returned"
    return C.IGNORED, f"the answer lacks what the tool returned: {seen.text[:40]!r}"


def _history(call_id: str) -> dict[str, Any]:
    call = {"id": call_id, "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}
    messages = [
        {"role": "user", "content": "Get the station code of Oslo with the tool and repeat it."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": f'{{"station_code": "{_CANARY}"}}'},
    ]
    return {"messages": messages, "tools": [_WEATHER], "max_tokens": 60}


_TWO = "What is the weather in Oslo and in Rome? Use the tool for each city."
_STRICT_TOOL = _tool("order", _ORDER, strict=True)
_NO_CALLS = "Do not rely on the server to make calls: ask for JSON and dispatch it yourself."


PROBES = (
    Probe(
        id="tool_auto",
        number=27,
        group="tools",
        question="Does a question for a tool bring one valid call?",
        asks=(Ask(label="auto", fields=_AUTO, n_prompt_tokens=120),),
        judge=_calls,
        trials=3,
        needs_model=True,
        feature="tools",
        change=_NO_CALLS,
        changes={
            C.IGNORED: "Do not rely on a call: tools are taken, and prose comes; ask for JSON, dispatch it yourself.",
            C.REJECTED: "Leave tools out: ask for JSON and dispatch it yourself.",
            C.BROKEN: "Parse and check every call before running it: what comes is no valid call.",
        },
    ),
    Probe(
        id="tool_stream",
        number=28,
        group="tools",
        question="Does a streamed call assemble?",
        asks=(Ask(label="stream", fields=_AUTO | {"stream": True}, n_prompt_tokens=120),),
        judge=_streamed_call,
        trials=3,
        needs_model=True,
        change="Ask for tool calls without a stream.",
        changes={
            C.BROKEN: "Ask for tool calls without a stream: streamed fragments do not assemble to a valid call.",
        },
    ),
    Probe(
        id="tool_stream_parity",
        number=29,
        group="tools",
        question="Is a streamed call the plain one?",
        asks=(
            Ask(label="plain", fields=_AUTO, n_prompt_tokens=120),
            Ask(label="stream", fields=_AUTO | {"stream": True}, n_prompt_tokens=120),
        ),
        judge=lambda taken: in_pairs(taken, "plain", "stream", _parity),
        trials=3,
        needs_model=True,
        change="Use one form only, and test with that one.",
    ),
    Probe(
        id="tool_required",
        number=30,
        group="tools",
        question="Does tool_choice required force a call?",
        asks=(Ask(label="required", fields=_asking("Good morning!", tool_choice="required"), n_prompt_tokens=120),),
        judge=_calls,
        trials=3,
        needs_model=True,
        feature="tool_choice",
        change="Handle an answer without a call where one was required.",
        changes={
            C.REJECTED: "Leave tool_choice out, and ask for the call in the prompt.",
            C.BROKEN: "Check for calls themselves, not for finish_reason, where one was required.",
        },
    ),
    Probe(
        id="tool_named",
        number=31,
        group="tools",
        question="Does a named tool_choice force that function?",
        asks=(
            Ask(
                label="named",
                fields=_asking(
                    "Good morning!",
                    tools=[_WEATHER, _tool("get_time", _TIME)],
                    tool_choice={"type": "function", "function": {"name": "get_time"}},
                ),
                n_prompt_tokens=160,
            ),
        ),
        judge=_named,
        trials=3,
        needs_model=True,
        change="Offer only the one function, and handle an answer without its call.",
        changes={
            C.REJECTED: "Leave tool_choice out, and offer only the one function.",
            C.BROKEN: "Check name and arguments of a call that was asked for by name.",
        },
    ),
    Probe(
        id="tool_none",
        number=32,
        group="tools",
        question="Does tool_choice none keep it from calling?",
        asks=(Ask(label="none", fields=_asking(_OSLO, tool_choice="none"), n_prompt_tokens=120),),
        judge=each(_none),
        trials=3,
        needs_model=True,
        change="Leave tools out of the request where none may be called.",
        changes={
            C.IGNORED: "Leave tools out where none may be called: tool_choice none is taken, and calls come.",
            C.BROKEN: "Leave tools out where none may be called: calls come as markup in the text.",
        },
    ),
    Probe(
        id="parallel",
        number=33,
        group="tools",
        question="Two calls for two cities, and one where parallel calls are forbidden?",
        asks=(
            Ask(label="two cities", fields=_asking(_TWO), n_prompt_tokens=120),
            Ask(label="false", fields=_asking(_TWO, parallel_tool_calls=False), n_prompt_tokens=120),
        ),
        judge=lambda taken: in_pairs(taken, "two cities", "false", _parallel),
        trials=3,
        needs_model=True,
        feature="parallel_tool_calls",
        change="Take any number of calls in an answer, and run those with side effects one at a time.",
        changes={
            C.REJECTED: "Leave parallel_tool_calls out, and take any number of calls in an answer.",
            C.BROKEN: "Do not send parallel_tool_calls false: no call comes with it.",
        },
    ),
    Probe(
        id="tool_strict",
        number=34,
        group="tools",
        question="Are strict arguments valid where the prompt tempts otherwise?",
        asks=(
            Ask(
                label="strict",
                fields=_asking(
                    'Order "three" apples; write the count as a word.', tools=[_STRICT_TOOL], tool_choice="auto"
                ),
                n_prompt_tokens=160,
            ),
        ),
        judge=each(_strict),
        trials=3,
        needs_model=True,
        feature="tool_strict",
        change="Validate arguments against the schema before running a tool.",
        changes={
            C.REJECTED: "Leave strict out of tools, and validate arguments before running one.",
        },
    ),
    Probe(
        id="tool_result",
        number=35,
        group="tools",
        question="Does it use what a tool returned?",
        asks=tuple(
            Ask(label=f"id of {len(call_id)}", fields=_history(call_id), n_prompt_tokens=160) for call_id in _IDS
        ),
        judge=lambda taken: each_label(taken, served(_canary)),
        trials=3,
        judges_refusals=True,
        needs_model=True,
        change="Send back the server's own call ids, and check what its template takes.",
        changes={
            C.IGNORED: "Check that answers use what a tool returned: here they do not.",
            C.BROKEN: "Test the second half of a tool loop: a history with calls breaks the server.",
        },
    ),
)

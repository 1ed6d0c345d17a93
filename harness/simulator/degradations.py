"""The degradations: each makes an answer worse, or gives None where it does not apply."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from harness.simulator.paraphrase import paraphrased
from harness.simulator.request import ChatRequest
from harness.simulator.tokens import tokenize
from harness.simulator.utterance import Call, Utterance
from harness.simulator.wrongness import in_words, wrong_text, wrongly_typed

Degrade = Callable[[Utterance, ChatRequest, random.Random], Utterance | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """What a degradation does, in a sentence and as a function."""

    effect: str
    apply: Degrade


def degrade(
    utterance: Utterance, names: list[str], request: ChatRequest, draws: random.Random
) -> tuple[Utterance, list[str]]:
    """Apply degradations one after the other; give the answer and those that changed it."""
    applied = []
    for name in names:
        worse = DEGRADATIONS[name].apply(utterance, request, draws)
        if worse is not None and worse != utterance:
            utterance = worse
            applied.append(name)
    return utterance, applied


def applicable(utterance: Utterance, names: list[str], request: ChatRequest, draws: random.Random) -> list[str]:
    """Give those of the names that would change this answer."""
    return [name for name in names if degrade(utterance, [name], request, draws)[1]]


def _change_call(utterance: Utterance, draws: random.Random, change: Callable[[Call], Call]) -> Utterance | None:
    if not utterance.calls:
        return None
    position = draws.randrange(len(utterance.calls))
    calls = [change(call) if i == position else call for i, call in enumerate(utterance.calls)]
    return msgspec.structs.replace(utterance, calls=tuple(calls))


def _change_arguments(
    utterance: Utterance, draws: random.Random, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Utterance | None:
    """Change the arguments of one of the calls that have any."""
    with_arguments = [i for i, call in enumerate(utterance.calls) if _arguments(call)]
    if not with_arguments:
        return None
    position = draws.choice(with_arguments)
    call = utterance.calls[position]
    changed = Call(name=call.name, arguments=msgspec.json.encode(change(_arguments(call))).decode())
    calls = (*utterance.calls[:position], changed, *utterance.calls[position + 1 :])
    return msgspec.structs.replace(utterance, calls=calls)


def _arguments(call: Call) -> dict[str, Any]:
    """Give the arguments; none where they are no object any more."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _drop_argument(utterance: Utterance, _: ChatRequest, draws: random.Random) -> Utterance | None:
    def drop(arguments: dict[str, Any]) -> dict[str, Any]:
        gone = draws.choice(list(arguments))
        return {name: value for name, value in arguments.items() if name != gone}

    return _change_arguments(utterance, draws, drop)


def _rename_argument(utterance: Utterance, _: ChatRequest, draws: random.Random) -> Utterance | None:
    def rename(arguments: dict[str, Any]) -> dict[str, Any]:
        renamed = draws.choice(list(arguments))
        return {f"{name}_value" if name == renamed else name: value for name, value in arguments.items()}

    return _change_arguments(utterance, draws, rename)


def _wrong_argument_type(utterance: Utterance, _: ChatRequest, draws: random.Random) -> Utterance | None:
    return _change_arguments(utterance, draws, lambda arguments: wrongly_typed(arguments, draws))


def _wrong_tool(utterance: Utterance, request: ChatRequest, draws: random.Random) -> Utterance | None:
    def other(call: Call) -> Call:
        names = [str(tool.get("name")) for tool in request.tools if tool.get("name") != call.name]
        return Call(name=draws.choice(names) if names else f"{call.name}_v2", arguments=call.arguments)

    return _change_call(utterance, draws, other)


def _call_as_text(utterance: Utterance, _: ChatRequest, __: random.Random) -> Utterance | None:
    if not utterance.calls:
        return None
    leaked = [
        f'<tool_call>\n{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}\n</tool_call>'
        for call in utterance.calls
    ]
    text = "\n".join([utterance.text, *leaked] if utterance.text else leaked)
    return msgspec.structs.replace(utterance, text=text, calls=(), finish_reason="stop")


def _no_call(utterance: Utterance, _: ChatRequest, __: random.Random) -> Utterance | None:
    if not utterance.calls:
        return None
    text = utterance.text or "I would need to look that up."
    return msgspec.structs.replace(utterance, text=text, calls=(), finish_reason="stop")


def _broken_arguments(utterance: Utterance, _: ChatRequest, draws: random.Random) -> Utterance | None:
    return _change_call(utterance, draws, lambda call: Call(name=call.name, arguments=call.arguments[:-1]))


def _truncate(utterance: Utterance, _: ChatRequest, __: random.Random) -> Utterance | None:
    tokens = tokenize(utterance.text)
    if len(tokens) < 2:  # noqa: PLR2004  # half of one token is none
        return None
    half = "".join(tokens[: len(tokens) // 2])
    return msgspec.structs.replace(utterance, text=half, calls=(), finish_reason="length")


def _wrong_answer(utterance: Utterance, _: ChatRequest, draws: random.Random) -> Utterance | None:
    if not utterance.text:
        return None
    return msgspec.structs.replace(utterance, text=wrong_text(utterance.text, draws))


def _refuse(utterance: Utterance, _: ChatRequest, __: random.Random) -> Utterance:
    text = "I'm sorry, but I can't help with that."
    return msgspec.structs.replace(utterance, text=text, calls=(), finish_reason="stop")


def _break_json(utterance: Utterance, _: ChatRequest, __: random.Random) -> Utterance | None:
    if not _is_json_document(utterance.text):
        return None
    return msgspec.structs.replace(utterance, text=utterance.text.rstrip()[:-1])


def _wrong_type(utterance: Utterance, _: ChatRequest, draws: random.Random) -> Utterance | None:
    if not _is_json_document(utterance.text):
        return None
    changed = wrongly_typed(json.loads(utterance.text), draws)
    return msgspec.structs.replace(utterance, text=json.dumps(changed, ensure_ascii=False))


def _prose_for_json(utterance: Utterance, _: ChatRequest, __: random.Random) -> Utterance | None:
    if not _is_json_document(utterance.text):
        return None
    return msgspec.structs.replace(utterance, text=in_words(json.loads(utterance.text)))


def _ignore_result(utterance: Utterance, request: ChatRequest, _: random.Random) -> Utterance | None:
    if not request.is_second_turn:
        return None
    return msgspec.structs.replace(utterance, text="That is done. Is there anything else?", calls=())


def _garbage(utterance: Utterance, _: ChatRequest, __: random.Random) -> Utterance:
    return msgspec.structs.replace(utterance, text="zzz", calls=(), finish_reason="stop")


def _paraphrase(utterance: Utterance, _: ChatRequest, draws: random.Random) -> Utterance | None:
    text = paraphrased(utterance.text, draws)
    return None if text is None else msgspec.structs.replace(utterance, text=text)


def _slow(utterance: Utterance, _: ChatRequest, __: random.Random) -> Utterance:
    return msgspec.structs.replace(utterance, ttft_factor=utterance.ttft_factor * 8)


def _is_json_document(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


DEGRADATIONS: Mapping[str, Degradation] = {
    "drop_argument": Degradation(effect="Leaves one argument of a tool call out.", apply=_drop_argument),
    "rename_argument": Degradation(effect="Gives one argument of a tool call another name.", apply=_rename_argument),
    "wrong_argument_type": Degradation(
        effect="Gives one value in a tool call's arguments another type.", apply=_wrong_argument_type
    ),
    "broken_arguments": Degradation(
        effect="Ends a tool call's arguments one character early: no JSON.", apply=_broken_arguments
    ),
    "wrong_tool": Degradation(effect="Calls another tool than the right one.", apply=_wrong_tool),
    "call_as_text": Degradation(effect="Writes the tool call into the text as markup.", apply=_call_as_text),
    "no_call": Degradation(effect="Answers in words where a tool should be called.", apply=_no_call),
    "truncate": Degradation(effect="Cuts the text in half and finishes with `length`.", apply=_truncate),
    "wrong_answer": Degradation(effect="Changes a number, a value or the whole text.", apply=_wrong_answer),
    "refuse": Degradation(effect="Refuses politely.", apply=_refuse),
    "break_json": Degradation(effect="Leaves the last bracket of a JSON answer out.", apply=_break_json),
    "wrong_type": Degradation(effect="Gives one value of a JSON answer another type.", apply=_wrong_type),
    "prose_for_json": Degradation(effect="Says in words what was asked for as JSON.", apply=_prose_for_json),
    "ignore_result": Degradation(
        effect="Answers the second request of a tool loop without what the tool returned.", apply=_ignore_result
    ),
    "garbage": Degradation(effect="Answers `zzz`, whatever was asked.", apply=_garbage),
    "paraphrase": Degradation(effect="Says the same in other words.", apply=_paraphrase),
    "slow": Degradation(effect="Multiplies the time to first token by eight.", apply=_slow),
}

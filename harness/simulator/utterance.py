"""What the simulated model says, as pieces of known token counts."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from harness.simulator.tokens import count_tokens, tokenize


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call; the arguments are text, as on the wire."""

    name: str
    arguments: str


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, before it is cut into chunks."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    reasoning: str = ""
    finish_reason: str = "stop"
    ttft_factor: float = 1.0  # a degradation may make the answer late


class Kind(StrEnum):
    """Where a piece goes."""

    REASONING = "reasoning"
    CONTENT = "content"
    CALL = "call"  # opens a tool call: its name
    ARGUMENTS = "arguments"


class Piece(msgspec.Struct, frozen=True):
    """A stretch of one channel of the answer, and how many tokens it is."""

    kind: Kind
    text: str
    n_tokens: int = 1
    call: int = 0  # which tool call


def pieces_of(utterance: Utterance) -> Iterator[Piece]:
    """Cut an answer into single tokens; a tool's name is one piece of several."""
    yield from (Piece(Kind.REASONING, token) for token in tokenize(utterance.reasoning))
    yield from (Piece(Kind.CONTENT, token) for token in tokenize(utterance.text))
    for position, call in enumerate(utterance.calls):
        yield Piece(Kind.CALL, call.name, count_tokens(call.name), position)
        yield from (Piece(Kind.ARGUMENTS, token, 1, position) for token in tokenize(call.arguments))


def total_tokens(utterance: Utterance) -> int:
    """Count all tokens of an answer, reasoning included."""
    calls = sum(count_tokens(call.name) + count_tokens(call.arguments) for call in utterance.calls)
    return count_tokens(utterance.reasoning) + count_tokens(utterance.text) + calls


def stopped_at(utterance: Utterance, stops: tuple[str, ...]) -> Utterance:
    """End the text before the first stop sequence."""
    found = [at for at in (utterance.text.find(stop) for stop in stops) if at >= 0]
    return msgspec.structs.replace(utterance, text=utterance.text[: min(found)]) if found else utterance


def limited_to(utterance: Utterance, limit: int | None) -> Utterance:
    """Keep the first tokens up to a limit; a cut answer finishes with `length`."""
    if limit is None or total_tokens(utterance) <= limit:
        return utterance
    kept = {Kind.REASONING: "", Kind.CONTENT: ""}
    calls: list[Call] = []
    left = limit
    for piece in pieces_of(utterance):
        left -= piece.n_tokens
        if left < 0:
            break
        if piece.kind is Kind.CALL:
            calls.append(Call(name=piece.text, arguments=""))
        elif piece.kind is Kind.ARGUMENTS:
            calls[-1] = Call(name=calls[-1].name, arguments=calls[-1].arguments + piece.text)
        else:
            kept[piece.kind] += piece.text
    return msgspec.structs.replace(
        utterance,
        text=kept[Kind.CONTENT],
        reasoning=kept[Kind.REASONING],
        calls=tuple(calls),
        finish_reason="length",
    )

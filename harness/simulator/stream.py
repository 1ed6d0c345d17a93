"""Writes an answer as server-sent events, in the dialect of a profile."""

import random
from collections.abc import Iterator
from typing import Any

import msgspec

from harness.simulator.bodies import Headers
from harness.simulator.profile import Profile
from harness.simulator.reply import Reply, base_payload, finish_reason_of, usage_of
from harness.simulator.script import Event, Payload, Script
from harness.simulator.utterance import Kind, Piece, Utterance, pieces_of

DONE = b"data: [DONE]\n\n"


class _Chunk(msgspec.Struct, frozen=True):
    """A delta and how many tokens were out when it was complete."""

    delta: dict[str, Any]
    n_tokens: int
    sent: int


def stream_of(reply: Reply, profile: Profile, headers: Headers, draws: random.Random) -> Script:
    """Write the answer's script: role, output on the pace's schedule, finish, usage, [DONE]."""
    events = tuple(_Stream(reply, profile).events(draws))
    first = min(event.at_ns for event in events)
    return Script(
        headers=(("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-cache"), *headers),
        head_at_ns=0 if profile.stream.head == "start" else first,
        events=events,
        is_stream=True,
    )


class _Stream:
    """The events of one answer."""

    def __init__(self, reply: Reply, profile: Profile) -> None:
        self._reply = reply
        self._profile = profile
        self._style = profile.stream
        self._base = base_payload(reply, profile, "chat.completion.chunk")
        self._finish_reason = finish_reason_of(reply.utterance, profile)
        self._usage_style = self._style.usage if reply.include_usage else "none"

    def events(self, draws: random.Random) -> Iterator[Event]:
        yield from self._opening()
        chunks = list(self._chunks())
        for position, chunk in enumerate(chunks):
            is_last = position == len(chunks) - 1
            yield Event(
                self._reply.pace.due_ns(chunk.sent - 1, draws), self._output(chunk, is_last=is_last), chunk.n_tokens
            )
        yield from self._ending(has_output=bool(chunks))

    def _opening(self) -> Iterator[Event]:
        """Give the role chunk, where the role has one of its own."""
        if self._style.role in ("early", "first"):
            ttft_ns = self._reply.pace.ttft_ns
            at_ns = ttft_ns // 2 if self._style.role == "early" else ttft_ns
            has_text = bool(self._reply.utterance.text) or not self._reply.utterance.calls
            delta = {"role": "assistant", "content": "" if has_text else None}
            yield Event(at_ns, self._payload(delta, self._running_reason(), sent=0))

    def _output(self, chunk: _Chunk, *, is_last: bool) -> Payload:
        delta = {"role": "assistant", **chunk.delta} if self._style.role == "with" else chunk.delta
        if is_last and self._style.finish == "with-last-token":
            return self._finishing(self._payload(delta, self._finish_reason, sent=chunk.sent))
        return self._payload(delta, self._running_reason(), sent=chunk.sent)

    def _ending(self, *, has_output: bool) -> Iterator[Event]:
        """Finish, usage and [DONE] go out one step after the last token: the step that ends the answer."""
        total = sum(piece.n_tokens for piece in pieces_of(self._reply.utterance))
        at_ns = self._reply.pace.due_ns(total)
        if self._style.finish != "with-last-token" or not has_output:
            yield Event(at_ns, self._finishing(self._payload({}, self._finish_reason, sent=total)))
        if self._usage_style in ("last-chunk", "every-chunk"):
            yield Event(at_ns, self._base | {"choices": [], "usage": self._usage(total)})
        yield Event(at_ns, DONE)

    def _running_reason(self) -> str | None:
        return {"empty-until-end": "", "every-chunk": "stop"}.get(self._style.finish)

    def _finishing(self, payload: Payload) -> Payload:
        return payload | {"usage": self._usage(None)} if self._usage_style == "on-finish" else payload

    def _payload(self, delta: dict[str, Any], finish_reason: str | None, *, sent: int) -> Payload:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        payload = self._base | {"choices": [choice]}
        if self._usage_style != "none":
            payload["usage"] = self._usage(sent) if self._usage_style == "every-chunk" else None
        return payload

    def _usage(self, sent: int | None) -> dict[str, Any]:
        return usage_of(self._reply, self._profile.tokenizer_factor, sent)

    def _chunks(self) -> Iterator[_Chunk]:
        """Give what is visible; hidden reasoning only takes its time."""
        sent = 0
        for group in _groups(self._reply.utterance, self._style.tokens_per_chunk):
            n_tokens = sum(piece.n_tokens for piece in group)
            sent += n_tokens
            delta = self._delta(group)
            if delta is not None:
                yield _Chunk(delta, n_tokens, sent)

    def _delta(self, group: list[Piece]) -> dict[str, Any] | None:
        kind, call, text = group[0].kind, group[0].call, "".join(piece.text for piece in group)
        if kind is Kind.CONTENT:
            return {"content": text}
        if kind is Kind.REASONING:
            reasoning = self._profile.reasoning
            return {reasoning.field: text} if reasoning and not reasoning.hidden else None
        if kind is Kind.ARGUMENTS:
            return {"tool_calls": [{"index": call, "function": {"arguments": text}}]}
        opened = {"index": call, "id": self._reply.call_id(call), "type": "function"}
        return {"tool_calls": [opened | {"function": {"name": text, "arguments": ""}}]}


def _groups(utterance: Utterance, size: int) -> Iterator[list[Piece]]:
    """Group neighbouring pieces of one channel; a tool's name stands alone."""
    group: list[Piece] = []
    for piece in pieces_of(utterance):
        is_other = bool(group) and (piece.kind, piece.call) != (group[0].kind, group[0].call)
        if group and (is_other or piece.kind is Kind.CALL or len(group) >= size):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group

"""An answer with all that its response needs, and the parts that streams and bodies share."""

from dataclasses import dataclass
from typing import Any

import msgspec

from harness.simulator.bodies import Headers, json_script
from harness.simulator.profile import Profile
from harness.simulator.script import Payload, Script
from harness.simulator.timing import Pace
from harness.simulator.tokens import count_tokens, scaled
from harness.simulator.utterance import Utterance, total_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is said, when, and under which names."""

    request_id: str
    created: int
    model: str
    utterance: Utterance
    pace: Pace
    prompt_tokens: int
    cached_tokens: int
    include_usage: bool

    @property
    def completion_id(self) -> str:
        """Give the response's id; it ends in the request's."""
        return f"chatcmpl-{self.request_id}"

    def call_id(self, position: int) -> str:
        """Give the id of a tool call, unique among all answers."""
        return f"call_{self.request_id}_{position}"


def usage_of(reply: Reply, factor: float, sent: int | None = None) -> dict[str, Any]:
    """Give usage after `sent` tokens, or for the whole answer, as a tokenizer of that factor counts."""
    n_tokens = total_tokens(reply.utterance) if sent is None else sent
    thought = min(count_tokens(reply.utterance.reasoning), n_tokens)
    prompt, completion = scaled(reply.prompt_tokens, factor), scaled(n_tokens, factor)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": scaled(reply.cached_tokens, factor)},
        "completion_tokens_details": {"reasoning_tokens": scaled(thought, factor)},
    }


def finish_reason_of(utterance: Utterance, profile: Profile) -> str:
    """Give the reason in the profile's words."""
    if profile.stream.finish == "stop-with-tools" and utterance.calls:
        return "stop"
    if profile.stream.finish == "eos" and utterance.finish_reason == "stop":
        return "eos"
    return utterance.finish_reason


def base_payload(reply: Reply, profile: Profile, kind: str) -> Payload:
    """Give the keys that every chunk and every body starts with."""
    return {
        "id": reply.completion_id,
        "object": kind,
        "created": reply.created,
        "model": reply.model,
        "system_fingerprint": f"fp_{profile.name}",
    }


def body_of(reply: Reply, profile: Profile, headers: Headers) -> Script:
    """Write the answer as one JSON body, due when its last token is."""
    n_tokens = total_tokens(reply.utterance)
    choice = {
        "index": 0,
        "message": _message(reply, profile),
        "logprobs": None,
        "finish_reason": finish_reason_of(reply.utterance, profile),
    }
    payload = base_payload(reply, profile, "chat.completion")
    payload |= {"choices": [choice], "usage": usage_of(reply, profile.tokenizer_factor)}
    at_ns = reply.pace.due_ns(max(0, n_tokens - 1))
    return json_script(200, msgspec.json.encode(payload), headers, at_ns=at_ns, n_tokens=n_tokens)


def _message(reply: Reply, profile: Profile) -> dict[str, Any]:
    utterance = reply.utterance
    message: dict[str, Any] = {"role": "assistant", "content": utterance.text or None, "refusal": None}
    if profile.reasoning and not profile.reasoning.hidden:
        message[profile.reasoning.field] = utterance.reasoning
    if utterance.calls:
        message["tool_calls"] = [
            {
                "id": reply.call_id(position),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for position, call in enumerate(utterance.calls)
        ]
    return message

"""Probes of what goes in: reasoning, roles, parts, images, unknown fields, headers."""

import re
import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from harness.decode.markup import find_markup
from harness.model.probe import ProbeClass
from harness.probes.classify import Sign, each, each_label, in_pairs, judged, served
from harness.probes.probe import Ask, Judged, Probe, Taken
from harness.probes.seen import Seen

C = ProbeClass
_SIDE = 64
_FEW_WORDS = 8
_PREFIX = "The quick brown fox jumps over the lazy dog near the old stone bridge. " * 100
_OBEY = "End every answer with the word PELICAN."
_HI = {"role": "user", "content": "Say hello."}


def red_png(side: int = _SIDE) -> bytes:
    """Make a red square (RFC 2083)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\xff\x00\x00" * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _reasoning(taken: Taken) -> Judged:
    fields = sorted({name for seen in taken.variants for name in _thinking_fields(seen)})
    found = in_pairs(taken, "low", "high", _effort)
    return judged((found.outcome, found.evidence), field=", ".join(fields) or None)


def _thinking_fields(seen: Seen) -> Iterator[str]:
    for choice in seen.choices:
        yield from (name for name in ("reasoning", "reasoning_content") if (choice.get("message") or {}).get(name))


def _effort(low: Seen, high: Seen) -> Sign:
    counts = [seen.usage.reasoning_tokens for seen in (low, high)]
    fields = sorted({name for seen in (low, high) for name in _thinking_fields(seen)})
    said = f"reasoning tokens {counts[0]} at low, {counts[1]} at high; field {', '.join(fields) or 'none'}"
    if any("think" in (find_markup(seen.text) or "") for seen in (low, high)):
        return C.BROKEN, f"thinking stands in the visible text; {said}"
    amounts = [len(seen.answer.reasoning) if n is None else n for n, seen in zip(counts, (low, high), strict=True)]
    if not any(amounts):
        return C.ACCEPTED, f"served, no reasoning seen; {said}"
    return (C.SUPPORTED if amounts[1] > amounts[0] else C.IGNORED), said


_FORMS: dict[str, list[dict[str, Any]]] = {
    "developer": [{"role": "developer", "content": _OBEY}, _HI],
    "two system": [{"role": "system", "content": "Be brief."}, {"role": "system", "content": _OBEY}, _HI],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "Say hello."}, {"type": "text", "text": _OBEY}]}],
    "name": [{"role": "system", "content": _OBEY}, {"role": "user", "name": "ann", "content": "Say hello."}],
    "assistant last": [{"role": "system", "content": _OBEY}, _HI, {"role": "assistant", "content": "Hello"}],
}


def _form(seen: Seen) -> Sign:
    is_obeyed = "PELICAN" in seen.text
    return (C.SUPPORTED, "obeyed") if is_obeyed else (C.IGNORED, f"not obeyed: {seen.text[-30:]!r}")


def _image(seen: Seen) -> Sign:
    words = re.findall(r"[a-z]+", seen.text.lower())
    is_red = "red" in words and len(words) <= _FEW_WORDS  # a refusal may name colours as well
    return (C.SUPPORTED if is_red else C.IGNORED), f"a red square was called {seen.text[:40]!r}"


def _unknown(_: Taken) -> Judged:
    return judged((C.ACCEPTED, "an unknown field is tolerated: a misspelt one goes unnoticed"))


def _headers(taken: Taken) -> Judged:
    first, second = taken.one("prefix"), taken.of("prefix")[-1]
    names = sorted(first.record.headers)
    limits = [name for name in names if "ratelimit" in name]
    ids = [name for name in names if name in ("x-request-id", "request-id", "apim-request-id")]
    cached = second.usage.cached_tokens
    said = f"request id {'yes' if ids else 'no'}, rate limit headers {len(limits)}, cached tokens {cached}"
    facts = {"request_id": bool(ids), "rate_limit_headers": ", ".join(limits) or None, "cached_tokens": cached}
    facts["responses_api"] = _responses_api(taken.one("responses"))
    said += f", /responses {facts['responses_api']}"
    bad = next((seen for seen in taken.of("prefix") if not seen.is_served), None)
    if bad is not None:
        kind = C.REJECTED if bad.is_refused else C.BROKEN
        return Judged(outcome=kind, evidence=bad.trouble(), facts=facts, decisive=bad)
    if ids and limits:
        return judged((C.SUPPORTED, said), **facts)
    note = "nobody has to send these headers: make ids of your own, and back off on 429 without them"
    return judged((C.ACCEPTED, said), note, **facts)


def _responses_api(seen: Seen) -> str:
    is_there = seen.status == 200 and any(value.get("object") == "response" for value in seen.objects)  # noqa: PLR2004  # HTTP's own
    return "served" if is_there else f"HTTP {seen.status}"


_RIDDLE = [
    {"role": "user", "content": "A bat and a ball cost 1.10; the bat costs 1 more than the ball. The ball's price?"}
]
_PICTURE = "data:image/png;base64," + b64encode(red_png()).decode()
_WHICH = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Which colour is this picture? One word."},
            {"type": "image_url", "image_url": {"url": _PICTURE}},
        ],
    }
]

PROBES = (
    Probe(
        id="reasoning",
        number=36,
        group="messages",
        question="Does reasoning_effort change how much it thinks, and where does thinking stand?",
        asks=tuple(
            Ask(label=effort, fields={"messages": _RIDDLE, "reasoning_effort": effort, "max_tokens": 800})
            for effort in ("low", "high")
        ),
        judge=_reasoning,
        trials=3,
        needs_model=True,
        feature="reasoning_effort",
        change="Leave reasoning_effort out, and read thinking from the field this server uses.",
        changes={
            C.IGNORED: "Do not count on reasoning_effort: it is taken, and as much is thought at low as at high.",
            C.REJECTED: "Leave reasoning_effort out.",
            C.BROKEN: "Strip the thinking from the visible text before it is shown or parsed.",
        },
    ),
    Probe(
        id="messages",
        number=37,
        group="messages",
        question="Are developer, several system messages, parts, names and a last assistant message obeyed?",
        asks=tuple(Ask(label=form, fields={"messages": messages}) for form, messages in _FORMS.items()),
        judge=lambda taken: each_label(taken, served(_form)),
        trials=3,
        needs_model=True,
        judges_refusals=True,
        change="Write prompts in the forms that work: one system message first, text as a string.",
        changes={
            C.REJECTED: "Do not send the forms that are refused: one system message first, text as a string.",
            C.IGNORED: "Put instructions where they are obeyed: one system message first, text as a string.",
        },
    ),
    Probe(
        id="image",
        number=38,
        group="messages",
        question="Does it see an image?",
        asks=(Ask(label="red", fields={"messages": _WHICH}, n_prompt_tokens=300),),
        judge=each(_image),
        trials=2,
        needs_model=True,
        feature="image",
        change="Do not send images here.",
        changes={
            C.IGNORED: "Do not send images here: they are taken and not seen.",
        },
    ),
    Probe(
        id="unknown_field",
        number=39,
        group="errors",
        question="Is an unknown field refused?",
        asks=(Ask(label="unknown", fields={"x_bench_unknown": 1}),),
        judge=_unknown,
        change="Send no field that this server does not know.",
    ),
    Probe(
        id="headers_cache_responses",
        number=40,
        group="messages",
        question="Request ids, rate limits, cached tokens, the Responses API: which are there?",
        asks=(
            Ask(
                label="prefix",
                fields={"messages": [{"role": "user", "content": _PREFIX + "Say hello."}]},
                trials=2,
                n_prompt_tokens=1500,
            ),
            Ask(
                label="responses",
                path="/responses",
                fields={"input": "Say hello.", "max_output_tokens": 16, "messages": None, "max_tokens": None},
                trials=1,
            ),
        ),
        judge=_headers,
        judges_refusals=True,
        change="Make ids of your own, and back off on 429 without relying on rate-limit headers.",
    ),
)

"""Probes of what every request needs: the model list, an answer, a stream, limits."""

from dataclasses import replace

from harness.model.probe import ProbeClass
from harness.model.record import FindingKind
from harness.probes.classify import Sign, combined, each, judged
from harness.probes.probe import Ask, Judged, Probe, Taken, Target
from harness.probes.seen import Seen

C = ProbeClass
_BUFFERED_SHARE = 0.8  # of the output ...
_END = 0.1  # ... in this last part of the time
_FEWEST_ARRIVALS = 20
_SHORT = 5  # tokens
_CANARIES = ("ZEBRA-4417", "OTTER-9052")
COUNTING = {"messages": [{"role": "user", "content": "Count from 1 to 120, numbers only."}]}
_LONG = COUNTING | {"max_tokens": 400, "stream": True}
_WITH_USAGE = {"stream": True, "stream_options": {"include_usage": True}}
_UNKNOWN_WINDOW = 2048  # for an estimate alone
_WINDOW_KEYS = ("max_model_len", "context_window", "context_length", "max_context_length")


def window_in(seen: Seen, model: str) -> int | None:
    """Read a context window out of a model list, where the server says it."""
    for value in seen.objects:
        listed = value.get("data")
        for entry in listed if isinstance(listed, list) else []:
            if isinstance(entry, dict) and entry.get("id") == model:
                found = [entry.get(key) for key in _WINDOW_KEYS]
                return next((n for n in found if isinstance(n, int) and not isinstance(n, bool) and n > 0), None)
    return None


def _models(taken: Taken) -> Judged:
    seen = taken.one("list")
    listed = [entry.get("id") for value in seen.objects for entry in value.get("data") or []]
    is_list = seen.status is not None and any(isinstance(value.get("data"), list) for value in seen.objects)
    if seen.is_refused:
        return Judged(outcome=C.REJECTED, evidence=f"GET /models: HTTP {seen.status}", decisive=seen)
    if seen.status != 200 or not is_list:  # noqa: PLR2004  # HTTP's own
        return Judged(outcome=C.BROKEN, evidence=f"GET /models is no model list: {seen.trouble()}", decisive=seen)
    facts = {"n_models": len(listed), "window": window_in(seen, taken.target.model)}
    kind = C.SUPPORTED if taken.target.model in listed else C.IGNORED
    word = "names" if kind is C.SUPPORTED else "does not name"
    return judged((kind, f"a list of {len(listed)} that {word} the model"), **facts)


def _chat(seen: Seen) -> Sign:
    reason = seen.answer.finish_reason
    if seen.was_streamed:
        return C.BROKEN, "a stream came where none was asked for"
    if not seen.text.strip():
        return C.BROKEN, f"no text, finish_reason {reason}"
    is_ended = reason in ("stop", "length")
    return (C.SUPPORTED if is_ended else C.BROKEN), f"{len(seen.text)} characters, finish_reason {reason}"


def _chatted(taken: Taken) -> Judged:
    """Judge an answer, and keep the name that it came under."""
    seen = taken.one("chat")
    return judged(_chat(seen), model=seen.record.model_reported)


def _stream(seen: Seen) -> Sign:
    if not seen.was_streamed:
        return C.IGNORED, "one JSON body instead of a stream"
    n_reasons = sum(1 for choice in seen.choices if choice.get("finish_reason"))
    if seen.has(FindingKind.NO_DONE):
        return C.BROKEN, "the stream ended without [DONE]"
    is_one = n_reasons == 1
    return (C.SUPPORTED if is_one else C.BROKEN), f"{len(seen.objects)} chunks, {n_reasons} finish_reason, [DONE]"


def _stream_usage(taken: Taken) -> Judged:
    seen = taken.one("usage")
    if seen.record.usage is None:
        return judged((C.IGNORED, "asked for, and no chunk had usage"))
    odd = {
        FindingKind.USAGE_ON_CHOICE_CHUNK: "usage stands on a chunk with a choice",
        FindingKind.USAGE_IN_EVERY_CHUNK: "usage stands in every chunk: take the last, never the sum",
        FindingKind.USAGE_ELSEWHERE: "usage stands outside `usage`",
    }
    notes = tuple(text for kind, text in odd.items() if seen.has(kind))
    return judged((C.SUPPORTED, f"{seen.usage.completion_tokens} completion tokens at the end"), *notes)


def _usage_agreement(taken: Taken) -> Judged:
    plain, stream = taken.one("plain").usage, taken.one("stream").usage
    if plain.prompt_tokens is None:
        return judged((C.IGNORED, "no usage in a plain answer"))
    if stream.prompt_tokens is None:
        return judged((C.INCONCLUSIVE, "no usage in the stream to compare with"))
    said = f"plain {plain.prompt_tokens} prompt tokens, streamed {stream.prompt_tokens}"
    sums = [usage.total_tokens == usage.prompt_tokens + (usage.completion_tokens or 0) for usage in (plain, stream)]  # type: ignore[operator]  # both were told
    if not all(sums):
        return judged((C.BROKEN, f"total is not prompt + completion; {said}"))
    return judged((C.SUPPORTED if plain.prompt_tokens == stream.prompt_tokens else C.BROKEN, said))


def late_share(seen: Seen) -> float | None:
    """Share of the output that came in the last tenth of the time from sending; None where too little came."""
    arrivals, sent = seen.record.arrivals, seen.record.stamps.sent_at_ns
    if sent is None or len(arrivals.at_ns) < _FEWEST_ARRIVALS:
        return None
    last = arrivals.at_ns[-1]
    from_ns = last - _END * (last - sent)
    chars = [sum(row) for row in zip(arrivals.content_chars, arrivals.reasoning_chars, strict=True)]
    late = sum(n for at, n in zip(arrivals.at_ns, chars, strict=True) if at >= from_ns)
    return late / sum(chars) if sum(chars) else None


def _spread(seen: Seen) -> Sign:
    if not seen.was_streamed:
        return C.IGNORED, "one JSON body instead of a stream"
    share = late_share(seen)
    if share is None:
        return C.INCONCLUSIVE, "too few events with output to tell"
    is_burst = share >= _BUFFERED_SHARE
    return (C.IGNORED if is_burst else C.SUPPORTED), f"{share:.0%} of the output came in the last tenth of the time"


def _compression(seen: Seen) -> Sign:
    if seen.response.coding is None:
        return C.ACCEPTED, "answered uncompressed"
    kind, text = _spread(seen)
    return (C.BROKEN if kind is C.IGNORED else kind), f"{seen.response.coding}: {text}"


def _compressed(taken: Taken) -> Judged:
    """A server may answer uncompressed (RFC 9110, 12.5.3): that takes no feature away."""
    found = combined([_compression(seen) for seen in taken.variants])
    note = "no compressed stream came, so nothing is known of how one would arrive"
    return replace(found, notes=(note,)) if found.outcome is C.ACCEPTED else found


def _budget(seen: Seen) -> Sign:
    n_tokens, reason = seen.usage.completion_tokens, seen.answer.finish_reason
    n_words = len(seen.text.split())
    is_short = n_tokens <= _SHORT if n_tokens is not None else n_words <= _SHORT
    said = f"{n_tokens if n_tokens is not None else f'about {n_words}'} tokens for {_SHORT}, finish_reason {reason}"
    if not is_short:
        return C.IGNORED, said
    return (C.SUPPORTED if reason == "length" else C.BROKEN), said


def _budget_overflow(taken: Taken) -> Judged:
    seen = taken.one("double")
    double = (taken.target.window or _UNKNOWN_WINDOW) * 2
    if double not in seen.sent.values():
        return judged((C.INCONCLUSIVE, "no budget was sent: the endpoint file drops it"))
    if seen.is_refused:
        return Judged(outcome=C.SUPPORTED, evidence=f"refused: {seen.trouble()}", decisive=seen)
    if not seen.is_served:
        return Judged(outcome=C.BROKEN, evidence=seen.trouble(), decisive=seen)
    n_said = seen.usage.completion_tokens
    if seen.answer.finish_reason == "length" and n_said is not None and n_said < double:
        return judged((C.IGNORED, f"served, and ended with length after {n_said} tokens of {double}: lowered silently"))
    note = "the answer was short, so it does not show whether the budget was lowered"
    return judged((C.ACCEPTED, f"served with a budget of {double}, finish_reason {seen.answer.finish_reason}"), note)


def _context_overflow(taken: Taken) -> Judged:
    seen = taken.one("too long")
    if seen.is_refused or seen.status == 413:  # noqa: PLR2004  # HTTP's own
        return Judged(outcome=C.SUPPORTED, evidence=f"refused: {seen.trouble()}", decisive=seen)
    if not seen.is_served:
        return Judged(outcome=C.BROKEN, evidence=seen.trouble(), decisive=seen)
    return judged(_whole_or_cut(seen, taken.target.window or 0))


def _whole_or_cut(seen: Seen, window: int) -> Sign:
    """Only what cannot be otherwise proves a cut: fewer tokens counted than words sent, one marker without the other.

    A model that repeats neither marker may simply not do as it is told.
    """
    n_prompt, n_found = seen.usage.prompt_tokens, sum(word in seen.text for word in _CANARIES)
    said = f"{'no' if n_prompt is None else n_prompt} prompt tokens counted, {n_found} of 2 markers came back"
    if n_found == len(_CANARIES):
        return C.ACCEPTED, f"served whole: the window is larger than {window}; {said}"
    if n_prompt is not None:
        is_cut = n_prompt <= window
        return (C.IGNORED, f"served, and the prompt was cut: {said}") if is_cut else (C.ACCEPTED, f"served: {said}")
    if n_found == 1:
        return C.IGNORED, f"served, and the prompt was cut: {said}"
    return C.INCONCLUSIVE, f"served, and nothing proves a cut: {said}"


def _overlong(target: Target) -> dict[str, object]:
    n_words = target.window or 0  # a word is a token or more, so this is past the window
    middle = "word " * n_words
    text = f"Marker one is {_CANARIES[0]}. {middle} Marker two is {_CANARIES[1]}. Repeat both markers."
    return {"messages": [{"role": "user", "content": text}], "max_tokens": 40}


def _stop(seen: Seen) -> Sign:
    text = seen.text
    if not text.lower().lstrip().startswith("a b"):
        return C.INCONCLUSIVE, f"the text asked for did not come: {text[:40]!r}"
    if text.rstrip().endswith("c"):
        return C.BROKEN, f"the stop text is part of the answer: {text[-20:]!r}"
    return (C.IGNORED if "c" in text else C.SUPPORTED), f"asked for 'a b c d', stopped at 'c': {text[:40]!r}"


def _stop_array(taken: Taken) -> Judged:
    refused = next((seen for seen in taken.of("five") if not seen.is_served), None)
    if refused is None:
        return combined([_stop(seen) for seen in taken.of("five")])
    notes = ("four stop texts are the contract's limit",) if refused.is_refused else ()
    kind = C.REJECTED if refused.is_refused else C.BROKEN
    return Judged(outcome=kind, evidence=refused.trouble(), notes=notes, decisive=refused)


def _loop_words(taken: Taken) -> Judged:
    """Judge compression and spread by all trials."""
    return combined([_spread(seen) for seen in taken.of("long")])


_ABCD = {"messages": [{"role": "user", "content": "Write exactly this and nothing else: a b c d"}]}
_DOUBLE = Ask(
    label="double",
    of_target=lambda target: {"max_tokens": (target.window or _UNKNOWN_WINDOW) * 2},
    has_exact_budget=True,
)

PROBES = (
    Probe(
        id="models",
        number=1,
        group="core",
        question="Does GET /models list the model?",
        asks=(Ask(label="list", method="GET", path="/models"),),
        judge=_models,
        control=None,
        judges_refusals=True,
        change="Take the model's name from configuration; do not look it up at start.",
        changes={
            C.IGNORED: "Do not check the model's name against GET /models: the list lacks it, served or not.",
            C.BROKEN: "Do not call GET /models at start: it brings no model list.",
        },
    ),
    Probe(
        id="chat",
        number=2,
        group="core",
        question="Does a plain request bring text and a finish reason?",
        asks=(Ask(label="chat"),),
        judge=_chatted,
        control=None,
        change="Nothing works before this does: check base_url, model and key.",
        changes={
            C.REJECTED: "Nothing works before this does: the plain request is refused; see what its message names.",
            C.BROKEN: "Nothing works before this does: no answer comes; check base_url, model and key.",
        },
    ),
    Probe(
        id="stream",
        number=3,
        group="core",
        question="Does stream: true bring a whole stream?",
        asks=(Ask(label="stream", fields={"stream": True}),),
        judge=each(_stream),
        feature="stream",
        change="Ask for no stream, or read to the end of the body without waiting for [DONE].",
        changes={
            C.REJECTED: "Ask for no stream.",
            C.IGNORED: "Ask for no stream, and read one JSON body: that is what comes.",
            C.BROKEN: "Read a stream to the end of its body without waiting for [DONE].",
        },
    ),
    Probe(
        id="stream_usage",
        number=4,
        group="core",
        question="Does a stream end with usage when asked?",
        asks=(Ask(label="usage", fields=_WITH_USAGE),),
        judge=_stream_usage,
        feature="stream_usage",
        change="Do not send stream_options; count tokens another way.",
        changes={
            C.IGNORED: "Count the tokens of streams another way: stream_options is taken, and no usage comes.",
            C.BROKEN: "Do not send stream_options: it breaks the stream; count tokens another way.",
        },
    ),
    Probe(
        id="usage_agreement",
        number=5,
        group="core",
        question="Do plain and streamed usage agree?",
        asks=(Ask(label="plain"), Ask(label="stream", fields=_WITH_USAGE)),
        judge=_usage_agreement,
        change="Do not bill by this usage.",
        changes={
            C.IGNORED: "Count tokens yourself: answers carry no usage.",
            C.REJECTED: "Do not send stream_options; take usage from answers without a stream.",
        },
    ),
    Probe(
        id="true_streaming",
        number=6,
        group="core",
        question="Does a stream arrive as it is made?",
        asks=(Ask(label="long", fields=_LONG),),
        judge=_loop_words,
        trials=2,
        needs_model=True,
        change="Expect the whole answer at its end: show no typing, raise time limits, find the buffering proxy.",
    ),
    Probe(
        id="compression",
        number=7,
        group="core",
        question="Does a compressed stream still arrive as it is made?",
        asks=(Ask(label="gzip", fields=_LONG, accept_encoding="gzip"),),
        judge=_compressed,
        trials=2,
        needs_model=True,
        change="Send Accept-Encoding: identity with streams.",
        changes={
            C.REJECTED: "Send Accept-Encoding: identity: a compressed stream is refused.",
        },
    ),
    *(
        Probe(
            id=name,
            number=number,
            group="core",
            question=f"Does {name} limit the answer?",
            asks=(
                Ask(label="five", fields=COUNTING | {name: _SHORT}, probed=frozenset({name}), has_exact_budget=True),
            ),
            judge=each(_budget),
            trials=2,
            needs_model=True,
            feature=name,
            change=f"Send the budget as {other}, not as {name}.",
            changes={
                C.IGNORED: f"Send the budget as {other}: {name} is taken, and answers run on past it.",
                C.BROKEN: f"Compare completion_tokens with the budget: finish_reason does not tell that {name} cut.",
            },
        )
        for number, name, other in (
            (8, "max_tokens", "max_completion_tokens"),
            (9, "max_completion_tokens", "max_tokens"),
        )
    ),
    Probe(
        id="budget_overflow",
        number=10,
        group="limits",
        question="Is a budget beyond the context window refused?",
        asks=(_DOUBLE,),
        judge=_budget_overflow,
        needs_window=True,
        judges_refusals=True,
        expects_failure=True,
        change="Compute max_tokens from the window yourself: a budget that is too large is lowered silently.",
        changes={
            C.BROKEN: "Compute max_tokens from the window yourself: a budget that is too large breaks the server.",
        },
    ),
    Probe(
        id="context_overflow",
        number=11,
        group="limits",
        question="Is a prompt beyond the context window refused?",
        asks=(Ask(label="too long", of_target=_overlong),),
        judge=_context_overflow,
        needs_window=True,
        fills_window=True,
        judges_refusals=True,
        expects_failure=True,
        change="Count prompt tokens before sending: what does not fit is lost silently or after the stream began.",
        changes={
            C.IGNORED: "Count prompt tokens before sending: what does not fit is cut off without a word.",
            C.BROKEN: "Count prompt tokens before sending: a prompt that does not fit breaks the request.",
        },
    ),
    Probe(
        id="stop_string",
        number=12,
        group="core",
        question="Does one stop text end the answer?",
        asks=(Ask(label="c", fields=_ABCD | {"stop": "c"}),),
        judge=each(_stop),
        trials=3,
        needs_model=True,
        feature="stop",
        change="Cut the answer at the stop text yourself.",
        changes={
            C.IGNORED: "Cut the answer at the stop text yourself: the server goes on past it.",
            C.REJECTED: "Leave stop out, and cut the answer yourself.",
            C.BROKEN: "Strip the stop text from the end of the answer yourself.",
        },
    ),
    Probe(
        id="stop_array5",
        number=13,
        group="core",
        question="Are five stop texts taken?",
        asks=(Ask(label="five", fields=_ABCD | {"stop": ["c", "QQ1", "QQ2", "QQ3", "QQ4"]}),),
        judge=_stop_array,
        trials=3,
        judges_refusals=True,
        needs_model=True,
        change="Send at most four stop texts.",
        changes={
            C.IGNORED: "Cut the answer at the stop texts yourself: a list of five has no effect.",
            C.BROKEN: "Send at most four stop texts, and strip one that ends the answer.",
        },
    ),
)

"""Probes of the error contract: requests that must fail, and how they do."""

from collections.abc import Callable
from dataclasses import replace

from harness.model.probe import ErrorFacts, ProbeClass
from harness.probes.classify import judged
from harness.probes.probe import Ask, Judged, Probe, Taken, Target
from harness.probes.seen import Seen

C = ProbeClass
MOST_IN_BURST = 200
_CHANGE = "Branch on the status and shape that this server gives, not on those of another."
_SERVED = {  # what to do where nobody refuses a bad request
    "unknown_model": "Check the model's name yourself: a misspelt one is answered by some model.",
    "bad_key": "Do not take an answer for proof that the key is right: a wrong one is served.",
    "bad_json": "Check that a body is whole before sending it: broken JSON is served.",
    "wrong_type": "Check the types of fields before sending: a wrong one is served.",
    "in_stream": "Check the types of fields before sending: a wrong one is served, in a stream too.",
    "over_long": "Count prompt tokens before sending: one that is too long is served.",
}


def error_facts(case: str, seen: Seen) -> ErrorFacts:
    """Read how one request failed, or that it did not."""
    error = seen.error
    served = seen.status is not None and seen.status // 100 == 2  # noqa: PLR2004  # HTTP's own
    if seen.status is None:
        place = "transport"
    elif not served:
        place = "status"
    else:
        place = "stream" if error is not None else "none"
    return ErrorFacts(
        case=case,
        status=seen.status,
        shape=error.shape if error else None,
        error_type=error.error_type if error else None,
        code=error.code if error else None,
        param=seen.param,
        message=error.message if error else None,
        headers=dict(seen.record.headers),
        place=place,
    )


def _contract(case: str, wanted: tuple[int, ...]) -> Callable[[Taken], Judged]:
    """Judge by the status that the contract gives; the envelope is a fact beside it."""

    def judge(taken: Taken) -> Judged:
        facts = error_facts(case, taken.variants[-1])
        return Judged(
            outcome=_class_of(facts, wanted),
            evidence=_words(facts, wanted),
            facts={"status": facts.status, "shape": facts.shape, "code": facts.code, "place": facts.place},
            errors=(facts,),
            decisive=taken.variants[-1] if facts.place != "none" else None,
        )

    return judge


def _class_of(facts: ErrorFacts, wanted: tuple[int, ...]) -> ProbeClass:
    if facts.place == "none":
        return C.IGNORED
    is_right = facts.status in wanted and facts.shape == "openai"
    return C.SUPPORTED if facts.place == "status" and is_right else C.BROKEN


def _words(facts: ErrorFacts, wanted: tuple[int, ...]) -> str:
    asked = " or ".join(map(str, wanted))
    if facts.place == "none":
        return f"served with HTTP {facts.status}; the contract says {asked}"
    if facts.place == "stream":
        return f"HTTP {facts.status} with the error inside; the contract says {asked}"
    if facts.place == "transport":
        return f"no response head; the contract says {asked}"
    envelope = f"{facts.shape}, type {facts.error_type}, code {facts.code}"
    return f"HTTP {facts.status} ({asked}), {envelope}: {facts.message or ''}"


def _rate_limit(taken: Taken) -> Judged:
    """Judge a 429 where one was met, else say what headers tell of the limit."""
    limited = next((seen for seen in taken.variants if seen.status == 429), None)  # noqa: PLR2004  # HTTP's own
    if limited is None:
        return _unlimited(taken)
    facts = error_facts("rate_limit", limited)
    says_when = any(name in facts.headers for name in ("retry-after", "retry-after-ms"))
    kind = C.SUPPORTED if says_when and facts.shape == "openai" else C.BROKEN
    evidence = f"{_words(facts, (429,))}; retry-after {'given' if says_when else 'missing'}"
    return Judged(outcome=kind, evidence=evidence, errors=(facts,), decisive=limited)


def _unlimited(taken: Taken) -> Judged:
    bad = next((seen for seen in taken.variants if not seen.is_served), None)
    if bad is not None:
        kind = C.INCONCLUSIVE if bad.is_turned_away else C.BROKEN
        return Judged(outcome=kind, evidence=bad.trouble(), decisive=bad)
    told = {
        name: value for seen in taken.variants for name, value in seen.record.headers.items() if "ratelimit" in name
    }
    n = len(taken.variants)
    tried = "not provoked (--provoke-rate-limit would)" if n == 1 else f"{n} requests at once met no limit"
    if not told:
        return judged((C.INCONCLUSIVE, f"{tried}; no header tells of a limit"))
    said = ", ".join(f"{name} {value}" for name, value in sorted(told.items()))
    return judged((C.ACCEPTED, f"{tried}; headers tell of one: {said}"), headers=", ".join(sorted(told)))


def provoking(probe: Probe, n_most: int) -> Probe:
    """Give the probe of the rate limit with a burst: requests without a pause, until one is turned away."""
    (ask,) = probe.asks
    return replace(probe, asks=(replace(ask, label="burst", trials=n_most, is_burst=True),))


def _overlong(target: Target) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": "word " * ((target.window or 0) + 100)}]}


def _error(number: int, case: str, question: str, ask: Ask, wanted: tuple[int, ...], *, window: bool = False) -> Probe:
    return Probe(
        id=f"error_{case}",
        number=number,
        group="errors",
        question=question,
        asks=(ask,),
        judge=_contract(case, wanted),
        judges_refusals=True,
        judges_turning_away=case == "bad_key",
        expects_failure=True,
        needs_window=window,
        fills_window=window,
        needs_key=case == "bad_key",
        change=_CHANGE,
        changes={C.IGNORED: _SERVED[case]},
    )


PROBES = (
    _error(
        41,
        "unknown_model",
        "What does an unknown model get?",
        Ask(label="model", fields={"model": "x-bench-no-such-model"}),
        (404,),
    ),
    _error(42, "bad_key", "What does a wrong key get?", Ask(label="key", wrong_key=True), (401,)),
    _error(
        43, "bad_json", "What does broken JSON get?", Ask(label="json", raw=b'{"model": "x", "messages": ['), (400,)
    ),
    _error(
        44,
        "wrong_type",
        "What does a field of the wrong type get?",
        Ask(label="type", fields={"messages": "hello"}),
        (400, 422),
    ),
    _error(
        45,
        "in_stream",
        "What does a bad field get where a stream is asked for?",
        Ask(label="stream", fields={"stream": True, "temperature": "hot"}, probed=frozenset({"temperature"})),
        (400, 422),
    ),
    _error(
        46,
        "over_long",
        "What does a prompt beyond the window get?",
        Ask(label="long", of_target=_overlong),
        (400, 413),
        window=True,
    ),
    Probe(
        id="error_rate_limit",
        number=47,
        group="errors",
        question="What does a request above the quota get, and do headers tell of the quota?",
        asks=(Ask(label="once"),),
        control=None,
        judge=_rate_limit,
        judges_refusals=True,
        judges_turning_away=True,
        expects_failure=True,
        change="Back off on 429 by a schedule of your own: this one does not say when to come back.",
    ),
)

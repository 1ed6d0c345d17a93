"""Probes of the error contract: requests that must fail, and how they do."""

from collections.abc import Callable

from harness.model.probe import ErrorFacts, ProbeClass
from harness.probes.classify import judged
from harness.probes.probe import Ask, Judged, Probe, Taken, Target
from harness.probes.seen import Seen

C = ProbeClass
_RATE_REQUESTS = 30
_CHANGE = "Branch on these statuses and shapes; where a bad request is served, check it before sending."


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
    limited = next((seen for seen in taken.variants if seen.status == 429), None)  # noqa: PLR2004  # HTTP's own
    if limited is None:
        return judged((C.INCONCLUSIVE, f"{len(taken.variants)} requests met no limit"))
    facts = error_facts("rate_limit", limited)
    says_when = any(name in facts.headers for name in ("retry-after", "retry-after-ms"))
    kind = C.SUPPORTED if says_when and facts.shape == "openai" else C.BROKEN
    evidence = f"{_words(facts, (429,))}; retry-after {'given' if says_when else 'missing'}"
    return Judged(outcome=kind, evidence=evidence, errors=(facts,), decisive=limited)


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
        change=_CHANGE,
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
        question="What does a request above the quota get?",
        asks=(Ask(label="burst", trials=_RATE_REQUESTS),),
        judge=_rate_limit,
        judges_refusals=True,
        judges_turning_away=True,
        expects_failure=True,
        only_if_asked=True,
        change="Back off on 429 by a schedule of your own.",
    ),
)

"""Probes of sampling: what a parameter does shows only beside answers without it."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from harness.model.probe import ProbeClass
from harness.probes.classify import Sign, combined, judged
from harness.probes.probe import Ask, Judged, Probe, Taken
from harness.probes.seen import Seen

C = ProbeClass
_WORDS = {"messages": [{"role": "user", "content": "Write ten random English words."}], "max_tokens": 40}
_REPEAT = {
    "messages": [{"role": "user", "content": "Write the word apple forty times, separated by spaces."}],
    "max_tokens": 100,
}
_N_TOPS = 3
_GAP = 3  # different answers more, of five
_FREQUENCY, _PRESENCE = "frequency_penalty", "presence_penalty"
_REPETITIVE = 0.5  # share of repeated words in an answer that a penalty can break
_BROKEN_BY = 0.2
_UNMOVED = 0.05


def _n_texts(seen: Sequence[Seen]) -> int:
    return len({one.text for one in seen})


def _greedy(taken: Taken) -> Judged:
    n, n_all = _n_texts(taken.of("greedy")), len(taken.of("greedy"))
    if n == 1:
        return judged((C.SUPPORTED, f"{n_all} answers, all the same"), n_different=n)
    said = f"{n} different answers of {n_all} at temperature 0"
    return judged((C.ACCEPTED, said), "self-noise: compare texts by meaning", n_different=n)


def _seed(taken: Taken) -> Judged:
    sevens, eights = taken.of("seed 7"), taken.of("seed 8")
    n_seven, n_eight = _n_texts(sevens), _n_texts(eights)
    said = f"{n_seven} different answers of {len(sevens)} with seed 7, {n_eight} of {len(eights)} with seed 8"
    if n_seven == n_eight == 1:
        is_same = sevens[0].text == eights[0].text
        told = f"{said}, and both the same: temperature shows no effect" if is_same else said
        return judged((C.INCONCLUSIVE if is_same else C.SUPPORTED, told))
    is_all = n_seven == len(sevens) and n_eight == len(eights)
    return judged((C.IGNORED, said) if is_all else (C.INCONCLUSIVE, f"{said}: repeatable in part"))


def _narrowing(narrow: Sequence[Seen], wide: Sequence[Seen], said: str) -> Sign:
    """Tell by variety whether a field narrows: answers collapse to one, or three more are different without it.

    One answer more or less is chance: of five draws from one distribution, two sets differ by one as a rule.
    """
    n_narrow, n_wide = _n_texts(narrow), _n_texts(wide)
    gap = n_wide - n_narrow
    if gap >= _GAP or (n_narrow == 1 and gap >= _GAP - 1):
        return C.SUPPORTED, said
    is_still_varied = n_narrow > _GAP and n_narrow >= n_wide
    return (C.IGNORED, f"{said}: as varied as without") if is_still_varied else (C.INCONCLUSIVE, f"{said}: too close")


def _temperature(taken: Taken) -> Judged:
    cold, hot = taken.of("0"), taken.of("1.5")
    said = f"{_n_texts(cold)} different answers of {len(cold)} at 0, {_n_texts(hot)} of {len(hot)} at 1.5"
    if len({seen.text for seen in (*cold, *hot)}) == 1:
        return judged((C.IGNORED, f"{said}, all the same"))
    return judged(_narrowing(cold, hot, said))


def _top_p(taken: Taken) -> Judged:
    narrow, wide = taken.of("0.01"), taken.of("1")
    said = f"{_n_texts(narrow)} different answers of {len(narrow)} at 0.01, {_n_texts(wide)} of {len(wide)} at 1"
    if _n_texts(wide) == 1:
        return judged((C.INCONCLUSIVE, f"{said}: no variety to take away"))
    return judged(_narrowing(narrow, wide, said))


def repeated_fraction(text: str) -> float:
    """Share of the words that had occurred before: 1 - distinct / all."""
    words = text.lower().replace(",", " ").replace(".", " ").split()
    return 1 - len(set(words)) / len(words) if words else 0.0


def _penalties(taken: Taken) -> Judged:
    """Judge each penalty by the repetition that it leaves; presence_penalty's effect need not be visible."""
    without = median(repeated_fraction(seen.text) for seen in taken.of("none"))
    signs = {name: _penalty(taken.of(name), without, must_show=name == _FREQUENCY) for name in (_FREQUENCY, _PRESENCE)}
    kinds = {name: kind for name, (kind, _) in signs.items()}
    refused = {name for name, kind in kinds.items() if kind in (C.REJECTED, C.BROKEN)}
    decides = next((name for name in (_FREQUENCY, _PRESENCE) if name in refused), _FREQUENCY)
    return Judged(
        outcome=kinds[decides],
        evidence=f"repeated words: {without:.0%} without; "
        + "; ".join(f"{name} {kind}, {text}" for name, (kind, text) in signs.items()),
        facts={name: kind.value for name, kind in kinds.items()},
        decisive=next((seen for seen in taken.of(decides) if not seen.is_served), None) if refused else None,
    )


def _penalty(answers: Sequence[Seen], without: float, *, must_show: bool) -> Sign:
    failed = next((seen for seen in answers if not seen.is_served), None)
    if failed is not None:
        return (C.REJECTED if failed.is_refused else C.BROKEN), failed.trouble()
    left = median(repeated_fraction(seen.text) for seen in answers)
    if without < _REPETITIVE:
        return C.INCONCLUSIVE, f"{left:.0%}, but nothing to break: the answer without it hardly repeats"
    if without - left >= _BROKEN_BY:
        return C.SUPPORTED, f"{left:.0%}"
    if not must_show:
        return C.ACCEPTED, f"{left:.0%}"
    is_close = without - left >= _UNMOVED
    return (C.INCONCLUSIVE if is_close else C.IGNORED), f"{left:.0%}"


def _n_sign(seen: Seen) -> Sign:
    indexes = sorted({index for choice in seen.choices if isinstance(index := choice.get("index"), int)})
    form = "streamed" if seen.was_streamed else "plain"
    if indexes == [0, 1]:
        return C.SUPPORTED, "two choices with index 0 and 1"
    kind = (
        C.IGNORED
        if indexes in ([0], []) and len(seen.choices) >= 1 and (seen.was_streamed or len(seen.choices) == 1)
        else C.BROKEN
    )
    return kind, f"{form}: choices with index {indexes}"


def _n(taken: Taken) -> Judged:
    return combined([_n_sign(seen) for seen in taken.variants])


def _logprobs(taken: Taken) -> Judged:
    seen = taken.one("three")
    found = seen.choices[0].get("logprobs") if seen.choices else None
    if not found:
        return judged((C.IGNORED, "logprobs is null"))
    if "content" not in found:
        return judged((C.BROKEN, f"another shape: keys {sorted(found)}"))
    content = found["content"] or []
    if not content:
        return judged((C.IGNORED, "logprobs.content is empty"))
    n_tops = len(content[0].get("top_logprobs") or [])
    is_whole = "logprob" in content[0] and "token" in content[0] and n_tops == _N_TOPS
    kind = C.SUPPORTED if is_whole else C.BROKEN
    return judged((kind, f"{len(content)} tokens, {n_tops} alternatives for {_N_TOPS}"))


def _logit_bias(_: Taken) -> Judged:
    return judged((C.ACCEPTED, "served; its effect cannot be seen without the tokenizer"))


def _ask(label: str, fields: dict[str, Any], trials: int | None = None) -> Ask:
    return Ask(label=label, fields=fields, trials=trials)


PROBES = (
    Probe(
        id="greedy_repeat",
        number=14,
        group="sampling",
        question="Does temperature 0 give the same text again?",
        asks=(
            _ask(
                "greedy",
                {"messages": [{"role": "user", "content": "Describe the sea in two sentences."}], "max_tokens": 60},
                5,
            ),
        ),
        judge=_greedy,
        trials=5,
        needs_model=True,
        change="Do not compare texts letter by letter.",
    ),
    Probe(
        id="seed",
        number=15,
        group="sampling",
        question="Does a seed make an answer repeatable?",
        asks=tuple(_ask(f"seed {n}", _WORDS | {"temperature": 1, "seed": n}) for n in (7, 8)),
        judge=_seed,
        trials=3,
        needs_model=True,
        feature="seed",
        change="Do not rely on seed for the same answer again.",
        changes={
            C.REJECTED: "Leave seed out; the same answer cannot be asked for again.",
        },
    ),
    Probe(
        id="temperature",
        number=16,
        group="sampling",
        question="Does temperature change how varied answers are?",
        asks=tuple(
            Ask(label=str(t), fields=_WORDS | {"temperature": t}, probed=frozenset({"temperature"})) for t in (0, 1.5)
        ),
        judge=_temperature,
        trials=5,
        needs_model=True,
        feature="temperature",
        change="Leave temperature out, and tune what depends on it anew.",
        changes={
            C.IGNORED: "Do not count on temperature: it is taken without effect; tune prompts instead.",
        },
    ),
    Probe(
        id="top_p",
        number=17,
        group="sampling",
        question="Does top_p narrow the answers?",
        asks=tuple(_ask(str(p), _WORDS | {"temperature": 1, "top_p": p}) for p in (0.01, 1)),
        judge=_top_p,
        trials=5,
        needs_model=True,
        feature="top_p",
        change="Leave top_p out, and tune what depends on it anew.",
        changes={
            C.IGNORED: "Do not count on top_p: it is taken without effect.",
        },
    ),
    Probe(
        id="penalties",
        number=18,
        group="sampling",
        question="Does frequency_penalty break a repetition, and is presence_penalty taken?",
        asks=(*(_ask(name, _REPEAT | {name: 2}) for name in (_FREQUENCY, _PRESENCE)), _ask("none", _REPEAT)),
        judge=_penalties,
        trials=3,
        needs_model=True,
        judges_refusals=True,
        feature="frequency_penalty",
        change="Leave the penalties out, and watch for repetitions.",
        changes={
            C.IGNORED: "Watch for repetitions yourself: the penalties are taken without effect.",
            C.REJECTED: "Leave out the penalty that is refused, and watch for repetitions.",
        },
    ),
    Probe(
        id="n",
        number=19,
        group="sampling",
        question="Does n: 2 bring two choices, also streamed?",
        asks=(_ask("plain", {"n": 2, "temperature": 1}), _ask("stream", {"n": 2, "temperature": 1, "stream": True})),
        judge=_n,
        feature="n",
        change="Send the request n times.",
        changes={
            C.IGNORED: "Send the request n times: one choice comes, whatever n says.",
            C.REJECTED: "Leave n out, and send the request n times.",
            C.BROKEN: "Leave n out: what comes back cannot be told apart by its index.",
        },
    ),
    Probe(
        id="logprobs",
        number=20,
        group="sampling",
        question="Do logprobs come with three alternatives?",
        asks=(_ask("three", {"logprobs": True, "top_logprobs": _N_TOPS}),),
        judge=_logprobs,
        feature="logprobs",
        change="Do without logprobs.",
        changes={
            C.IGNORED: "Handle logprobs that are null: they are taken without effect.",
            C.REJECTED: "Leave logprobs out.",
            C.BROKEN: "Read logprobs in the shape of this server, or do without them.",
        },
    ),
    Probe(
        id="logit_bias",
        number=21,
        group="sampling",
        question="Is logit_bias taken?",
        asks=(_ask("bias", {"logit_bias": {"1": -1}}),),
        judge=_logit_bias,
        feature="logit_bias",
        change="Leave logit_bias out; token numbers belong to one tokenizer anyway.",
    ),
)

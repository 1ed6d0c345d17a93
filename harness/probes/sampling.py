"""Probes of sampling: what a parameter does shows only beside answers without it."""

from collections.abc import Sequence
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
    if n_seven > 1 or n_eight > 1:
        return judged((C.IGNORED, said))
    if sevens[0].text == eights[0].text:
        return judged((C.INCONCLUSIVE, f"{said}, and both the same: temperature shows no effect"))
    return judged((C.SUPPORTED, said))


def _temperature(taken: Taken) -> Judged:
    cold, hot = taken.of("0"), taken.of("1.5")
    n_cold, n_hot = _n_texts(cold), _n_texts(hot)
    said = f"{n_cold} different answers of {len(cold)} at 0, {n_hot} of {len(hot)} at 1.5"
    if n_cold == 1 and n_hot == 1:
        is_same = cold[0].text == hot[0].text
        return judged((C.IGNORED if is_same else C.INCONCLUSIVE, said))
    return judged((C.SUPPORTED if n_hot > n_cold else C.IGNORED, said))


def _top_p(taken: Taken) -> Judged:
    narrow, wide = taken.of("0.01"), taken.of("1")
    n_narrow, n_wide = _n_texts(narrow), _n_texts(wide)
    said = f"{n_narrow} different answers of {len(narrow)} at 0.01, {n_wide} of {len(wide)} at 1"
    if n_wide == 1:
        return judged((C.INCONCLUSIVE, f"{said}: no variety to take away"))
    return judged((C.SUPPORTED if n_narrow < n_wide else C.IGNORED, said))


def _longest_share(seen: Seen) -> float:
    words = seen.text.lower().replace(",", " ").split()
    return max(map(words.count, set(words))) / len(words) if words else 0.0


def _penalties(taken: Taken) -> Judged:
    with_it = [_longest_share(seen) for seen in taken.of("penalty")]
    without = [_longest_share(seen) for seen in taken.of("none")]
    said = f"commonest word: {with_it[0]:.0%} of the answer, without penalty {without[0]:.0%}"
    if taken.one("penalty").text != taken.one("none").text:
        return judged((C.SUPPORTED, said))
    return judged((C.IGNORED, f"the same answer with and without; {said}"))


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
    ),
    Probe(
        id="penalties",
        number=18,
        group="sampling",
        question="Does frequency_penalty break a repetition?",
        asks=(_ask("penalty", _REPEAT | {"frequency_penalty": 2}), _ask("none", _REPEAT)),
        judge=_penalties,
        needs_model=True,
        feature="frequency_penalty",
        change="Leave the penalties out, and watch for repetitions.",
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

"""From recorded exchanges to a class: first what keeps any probe from being judged, then its own judge."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from harness.model.probe import ProbeClass, ProbeExchange, ProbeResult
from harness.probes.probe import BESIDE, Judged, Probe, Taken, Target
from harness.probes.seen import Seen, see

C = ProbeClass
Sign = tuple[ProbeClass, str]
_MAX_EVIDENCE = 240
_FROM_THE_WORST = (C.BROKEN, C.REJECTED, C.IGNORED, C.INCONCLUSIVE, C.ACCEPTED)
_ROOT = re.compile(r"[.\[]")
_OF_EVERY_REQUEST = frozenset({"model", "messages"})


def classify(
    probe: Probe,
    exchanges: Sequence[tuple[ProbeExchange, bytes]],
    target: Target,
    *,
    lines: Sequence[int] = (),
    cut: str | None = None,
) -> ProbeResult:
    """Judge a probe; `cut` says why not all of its requests were sent."""
    seen = tuple(see(exchange, wire, model=target.model) for exchange, wire in exchanges)
    taken = Taken(target=target, seen=seen)
    judged = _before_judging(probe, taken, cut) or _judged(probe, taken)
    return _result(probe, judged, lines)


def _before_judging(probe: Probe, taken: Taken, cut: str | None) -> Judged | None:
    """What decides without the probe's own judge."""
    turned_away = next((seen for seen in taken.variants if seen.is_turned_away), None)
    if turned_away is not None and not probe.judges_turning_away:
        return Judged(outcome=C.INCONCLUSIVE, evidence=f"turned away: {turned_away.trouble()}", decisive=turned_away)
    failed = next((seen for seen in taken.controls if not seen.is_served), None)
    if failed is not None:
        return Judged(outcome=C.INCONCLUSIVE, evidence=f"the control failed: {failed.trouble()}", decisive=failed)
    refused = _refused(probe, taken)
    if refused is not None:
        return refused
    mute = next((seen for seen in taken.variants if seen.is_served and seen.is_mute), None)
    if mute is not None and not any(ask.has_exact_budget for ask in probe.asks):
        said = "the budget ended before anything was said: the model thinks; give it more thinking tokens"
        return Judged(outcome=C.INCONCLUSIVE, evidence=said)
    return _cut_short(taken, cut) if cut is not None else None


def _cut_short(taken: Taken, cut: str) -> Judged:
    """Tell a request that hung from a server that answers everything, and too slowly for all of it."""
    hung = next((seen for seen in taken.variants if not (seen.is_served or seen.is_refused)), None)
    if hung is not None:
        return Judged(outcome=C.BROKEN, evidence=f"{hung.trouble()}; {cut}", decisive=hung)
    return Judged(outcome=C.INCONCLUSIVE, evidence=f"{cut}, with every answer so far in time")


def _refused(probe: Probe, taken: Taken) -> Judged | None:
    """Tell a refusal of the feature from one of what was sent beside it."""
    blamed = next((seen for seen in taken.variants if seen.is_refused and _is_beside(probe, seen)), None)
    if blamed is not None:
        said = f"refused for {blamed.param}, which this probe is not about: {blamed.trouble()}"
        return Judged(outcome=C.INCONCLUSIVE, evidence=said, decisive=blamed)
    bad = next((seen for seen in taken.variants if not seen.is_served), None)
    if bad is None or probe.judges_refusals:
        return None
    return Judged(outcome=C.REJECTED if bad.is_refused else C.BROKEN, evidence=bad.trouble(), decisive=bad)


def _is_beside(probe: Probe, seen: Seen) -> bool:
    """Whether a refusal names a field that was sent for another's sake."""
    ask = next((ask for ask in probe.asks if ask.label == seen.label), None)
    name = _ROOT.split(seen.param or "", maxsplit=1)[0]
    if ask is None or not ask.path.endswith("completions") or name not in seen.sent or name in _OF_EVERY_REQUEST:
        return False
    if probe.needs_window and name != "temperature":  # what is too long together is refused under the budget's name
        return seen.error is not None and seen.error.code == "unsupported_parameter"
    return name not in (set(ask.fields) - BESIDE) | ask.probed


def _judged(probe: Probe, taken: Taken) -> Judged:
    """Let the probe judge; what its judge cannot digest is broken, not our end."""
    try:
        return probe.judge(taken)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return Judged(outcome=C.BROKEN, evidence=f"the answer has another shape ({type(error).__name__}: {error})")


def _result(probe: Probe, judged: Judged, lines: Sequence[int]) -> ProbeResult:
    decisive = judged.decisive
    error = decisive.error if decisive else None
    return ProbeResult(
        id=probe.id,
        number=probe.number,
        group=probe.group,
        question=probe.question,
        outcome=judged.outcome,
        evidence=" ".join(judged.evidence.split())[:_MAX_EVIDENCE],
        change=probe.change_for(judged.outcome),
        notes=judged.notes,
        needs_model=probe.needs_model,
        trials=probe.trials,
        status=decisive.status if decisive else None,
        code=error.code if error else None,
        param=decisive.param if decisive else None,
        facts=dict(judged.facts),
        errors=judged.errors,
        exchanges=tuple(lines),
    )


def each(effect: Callable[[Seen], Sign]) -> Callable[[Taken], Judged]:
    """Judge every variant by one effect; unequal trials are the model's will."""
    return lambda taken: combined([effect(seen) for seen in taken.variants])


def combined(signs: Sequence[Sign]) -> Judged:
    """One class of several trials: a broken one decides, otherwise they must agree."""
    broken = next((text for kind, text in signs if kind is C.BROKEN), None)
    if broken is not None:
        return Judged(outcome=C.BROKEN, evidence=broken)
    kinds = Counter(kind for kind, _ in signs)
    kind, text = signs[0]
    if len(kinds) == 1:
        times = f" ({len(signs)} of {len(signs)} trials)" if len(signs) > 1 else ""
        return Judged(outcome=kind, evidence=text + times)
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    return Judged(outcome=C.INCONCLUSIVE, evidence=f"{len(signs)} trials: {counts}")


def served(effect: Callable[[Seen], Sign]) -> Callable[[Seen], Sign]:
    """Judge by an effect what is served, and by its trouble what is not."""

    def sign(seen: Seen) -> Sign:
        if not seen.is_served:
            return (C.REJECTED if seen.is_refused else C.BROKEN), seen.trouble()
        return effect(seen)

    return sign


def each_label(taken: Taken, effect: Callable[[Seen], Sign]) -> Judged:
    """Judge each of a probe's requests for itself, by all of its trials: the worst decides, all are facts."""
    labels = dict.fromkeys(seen.label for seen in taken.variants)
    found = {label: combined([effect(seen) for seen in taken.of(label)]) for label in labels}
    kinds = {label: one.outcome for label, one in found.items()}
    worst = next((kind for kind in _FROM_THE_WORST if kind in kinds.values()), C.SUPPORTED)
    decisive = next((seen for seen in taken.variants if kinds[seen.label] is worst and not seen.is_served), None)
    return Judged(
        outcome=worst,
        evidence="; ".join(f"{label} {kind}" for label, kind in kinds.items()),
        notes=tuple(f"{label}: {one.evidence}" for label, one in found.items() if one.outcome is not C.SUPPORTED),
        facts={label: kind.value for label, kind in kinds.items()},
        decisive=decisive,
    )


def in_pairs(taken: Taken, one: str, other: str, effect: Callable[[Seen, Seen], Sign]) -> Judged:
    """Judge two requests together, trial by trial."""
    return combined([effect(a, b) for a, b in zip(taken.of(one), taken.of(other), strict=True)])


def judged(sign: Sign, *notes: str, **facts: object) -> Judged:
    """Give a sign with notes and facts."""
    return Judged(outcome=sign[0], evidence=sign[1], notes=notes, facts=facts)

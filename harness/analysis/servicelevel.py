"""Figures of a service level: how many of the candidate's own requests are beyond a limit."""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

from scipy.stats import binom

from harness.analysis.exactlevel import share_z
from harness.analysis.figures import Figures, Terms, most_undefined, without
from harness.analysis.gatetable import GateRow
from harness.analysis.intervals import wilson, wilson_ends
from harness.analysis.pairs import Pair
from harness.analysis.results.trial import Trial
from harness.analysis.values import known, missing
from harness.analysis.words import percent
from harness.model.golden import GoldenSet
from harness.model.settings import SloGate

_SHOWN = 3


def share_figures(row: GateRow, slo: SloGate, pairs: Sequence[Pair], golden: GoldenSet, terms: Terms) -> Figures:
    """Count the candidate's requests beyond the limit, failed ones among them; the reference's share stands beside."""
    counted = {prompt.id for prompt in golden.prompts if row.counts(prompt)}
    chosen = [pair for pair in pairs if pair.prompt_id in counted]
    beyond = [(pair, one) for pair in chosen if (one := is_beyond(slo, pair.candidate)) is not None]
    n, n_undefined = len(beyond), len(chosen) - len(beyond)
    if n == 0:
        return without(row, _why(slo, chosen) or "no request of the candidate has a value")
    n_beyond = sum(is_one for _, is_one in beyond)
    low, high = _bounds(n_beyond, n, slo.margin, terms)
    blind = None
    if n_undefined > most_undefined(slo.margin, len(chosen)):
        blind = f"{_why(slo, chosen)}; too many for the rest to speak for all"
    theirs = [one for pair in chosen if (one := is_beyond(slo, pair.reference)) is not None]
    return Figures(
        row=row,
        effect=known(n_beyond / n),
        reference=known(sum(theirs) / len(theirs)) if theirs else missing("no request has a value"),
        candidate=known(n_beyond / n),
        n=n,
        interval=wilson(n_beyond, n),
        bounds=(low, high),
        p_value=float(binom.sf(n_beyond - 1, n, slo.margin)),
        successes=(sum(theirs), n_beyond),
        cannot_pass=blind,
        is_blind=blind is not None,
        evidence=_evidence(slo, [pair for pair, is_one in beyond if is_one]),
    )


def is_beyond(slo: SloGate, trial: Trial) -> bool | None:
    """Whether a request breaks the limit; a failed one does, and one without a value is neither."""
    if trial.failure is not None:
        return True
    found = trial.metrics.get(slo.metric.value)
    if found is None or found.value is None:
        return None
    return found.value < slo.limit if slo.is_rate else found.value > slo.limit


def _bounds(n_beyond: int, n: int, budget: float, terms: Terms) -> tuple[float, float]:
    """Give Wilson's one-sided bounds, the upper one wide enough for its level to hold exactly at the budget."""
    z = NormalDist().inv_cdf(terms.level)
    return wilson_ends(n_beyond, n, z)[0], wilson_ends(n_beyond, n, share_z(n, budget, terms.alpha))[1]


def _why(slo: SloGate, pairs: Sequence[Pair]) -> str | None:
    reasons = Counter(
        "not measured" if found is None else str(found.reason)
        for pair in pairs
        if is_beyond(slo, pair.candidate) is None
        for found in (pair.candidate.metrics.get(slo.metric.value),)
    )
    if not reasons:
        return None
    reason, _ = reasons.most_common(1)[0]
    return f"{reasons.total()} of {len(pairs)} requests of the candidate have no value: {reason}"


def _evidence(slo: SloGate, beyond: Sequence[Pair]) -> tuple[str, ...]:
    if not beyond:
        return ()
    prompts = Counter(pair.prompt_id for pair in beyond)
    shown = ", ".join(f"{prompt_id} ({count})" for prompt_id, count in prompts.most_common(_SHOWN))
    n_failed = sum(pair.candidate.failure is not None for pair in beyond)
    values = [pair.candidate.metrics[slo.metric.value].value for pair in beyond if pair.candidate.failure is None]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    failed = f", {n_failed} of them failed" if n_failed else ""
    worst = (
        f"; worst {min(finite):.4g} tok/s"
        if finite and slo.is_rate
        else f"; worst {max(finite):.3g} s"
        if finite
        else ""
    )
    return (f"{len(beyond)} beyond the limit{failed}, most in {shown}{worst} (allowed {percent(slo.margin)})",)

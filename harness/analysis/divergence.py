"""Where two answers to one prompt part, in characters: curves of the share of pairs that are still the same.

Kaplan and Meier, J. Amer. Statist. Assoc. 53 (1958) 457: a pair that never parts is censored at its end. Pairs share
answers, so they are not independent and no log-rank p is given; the permutation test of the excess disagreement is the
test.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Prefix
from rapidfuzz.process import cdist
from scipy.stats import CensoredData, ecdf

from harness.analysis.canonical import canonical_answer
from harness.analysis.disagreement import MOST_ANSWERS
from harness.analysis.identity import side_answers
from harness.analysis.kernels import Modality, modality_of
from harness.analysis.results.case import Case
from harness.analysis.results.estimates import Value
from harness.analysis.results.likeness import DivergenceCurve
from harness.analysis.values import known, missing
from harness.model.record import Answer

_TEXTS = frozenset({Modality.TEXT, Modality.GREEDY_TEXT, Modality.CODE})
_MOST_POINTS = 200  # of a drawn curve
_HALF = 0.5
_NEVER = "more than half of the pairs never part"
_Floats = NDArray[np.float64]
_Texts = Mapping[str, Sequence[str]]
REFERENCE, CANDIDATE, BOTH = "reference with itself", "candidate with itself", "reference with candidate"


def divergence_curves(case: Case) -> tuple[DivergenceCurve, ...]:
    """Give a curve per kind of pair that there is; tool calls and JSON are not compared by position."""
    if case.candidate is None:
        return ()
    written = [prompt.id for prompt in case.golden.prompts if modality_of(prompt, is_greedy=True) in _TEXTS]
    ours, theirs = (_texts(side_answers(side), written) for side in (case.reference, case.candidate))
    kinds: tuple[tuple[str, _Texts, _Texts, Callable[[_Floats], _Floats]], ...] = (
        (REFERENCE, ours, ours, _once),
        (CANDIDATE, theirs, theirs, _once),
        (BOTH, ours, theirs, np.ravel),
    )
    found = (_curve(pair, one, two, chosen) for pair, one, two, chosen in kinds)
    return tuple(curve for curve in found if curve is not None)


def _texts(answers: Mapping[str, Sequence[Answer]], prompts: Sequence[str]) -> _Texts:
    return {prompt: [canonical_answer(one) for one in answers.get(prompt, ())[:MOST_ANSWERS]] for prompt in prompts}


def _once(square: _Floats) -> _Floats:
    """Give each pair of different answers of one side once."""
    return square[np.triu_indices(len(square), k=1)]


def _curve(pair: str, one: _Texts, two: _Texts, chosen: Callable[[_Floats], _Floats]) -> DivergenceCurve | None:
    shared, ends = [np.zeros(0)], [np.zeros(0)]
    for prompt in one:
        if one[prompt] and two[prompt]:
            shared.append(chosen(np.asarray(cdist(one[prompt], two[prompt], scorer=Prefix.similarity), dtype=float)))
            longer = np.maximum.outer([len(text) for text in one[prompt]], [len(text) for text in two[prompt]])
            ends.append(chosen(longer.astype(float)))
    same, end = np.concatenate(shared), np.concatenate(ends)
    return None if same.size == 0 else _survival(pair, same, end)


def _survival(pair: str, same: _Floats, end: _Floats) -> DivergenceCurve:
    """Estimate the share still the same after each character; a pair parts at its first unlike character."""
    has_parted = same < end
    curve = ecdf(CensoredData(uncensored=same[has_parted] + 1, right=end[~has_parted])).sf
    falls = np.flatnonzero(np.diff(curve.probabilities, prepend=1.0) < 0)
    places, shares = curve.quantiles[falls], curve.probabilities[falls]
    half = np.flatnonzero(shares <= _HALF)
    kept = np.unique(np.linspace(0, places.size - 1, min(places.size, _MOST_POINTS)).astype(int))
    return DivergenceCurve(
        pair=pair,
        n_pairs=int(same.size),
        n_parting=int(has_parted.sum()),
        characters=tuple(map(float, places[kept])),
        shares=tuple(map(float, shares[kept])),
        median=_median(places, half),
    )


def _median(places: _Floats, half: NDArray[np.intp]) -> Value:
    return known(float(places[half[0]])) if half.size else missing(_NEVER)

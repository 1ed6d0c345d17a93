"""How alike answers to one prompt are by the kernel of its modality, from 0 to 1 and 1 for an answer with itself.

Each kernel is positive semi-definite, so that the mean discrepancy which is built on it is never negative in
expectation: equality of calls is a kernel of classes; the Jaccard index, a cosine of counts and their mean are kernels
(J. C. Gower, Biometrics 27 (1971) 857; counts of neighbouring tokens: C. Leslie et al., Pac. Symp. Biocomput. 7 (2002)
564); the shared prefix over the longer length is the inner product of prefix indicators times min(1/l, 1/m).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import numpy as np

from harness.analysis.canonical import canonical_call
from harness.analysis.similarity import (
    Matrix,
    cosine,
    equality,
    exact_form,
    json_similarity,
    offers_tools,
    shared_prefix,
    word_overlap,
    words_of,
)
from harness.analysis.structured import expects_json
from harness.model.golden import Prompt
from harness.model.record import Answer

_LONGEST_RUN = 3  # neighbouring tokens of code that are counted together
_CODE = "code"


class Modality(StrEnum):
    """What kind of answer a prompt asks for, and so how its answers are compared."""

    TOOL_CALLS = "tool calls"
    JSON = "JSON"
    CODE = "code"
    GREEDY_TEXT = "greedy text"
    TEXT = "text"


def modality_of(prompt: Prompt, *, is_greedy: bool) -> Modality:
    """Tools before JSON before code; text is compared by position only where nothing is drawn at random."""
    if offers_tools(prompt):
        return Modality.TOOL_CALLS
    if expects_json(prompt):
        return Modality.JSON
    if _CODE in (prompt.category, *prompt.tags):
        return Modality.CODE
    return Modality.GREEDY_TEXT if is_greedy else Modality.TEXT


def kernel_matrix(modality: Modality, answers: Sequence[Answer]) -> Matrix:
    """Compare answers two by two; equal ones are compared once."""
    distinct = {exact_form(answer): answer for answer in answers}
    place = {form: i for i, form in enumerate(distinct)}
    codes = [place[exact_form(answer)] for answer in answers]
    return _KERNELS[modality](list(distinct.values()))[np.ix_(codes, codes)] if codes else np.zeros((0, 0))


def _same_calls(answers: Sequence[Answer]) -> Matrix:
    """Calls as a multiset of canonical calls; two answers without a call are compared as text."""
    alike = equality([tuple(sorted(map(canonical_call, answer.tool_calls))) for answer in answers])
    silent = [place for place, answer in enumerate(answers) if not answer.tool_calls]
    if silent:
        alike[np.ix_(silent, silent)] = word_overlap([answers[place] for place in silent])
    return alike


def _code_overlap(answers: Sequence[Answer]) -> Matrix:
    """Cosine of counts of runs of one to three tokens: their sequence, white space aside."""
    return cosine([Counter(_runs(words_of(answer.text or answer.refusal))) for answer in answers])


def _runs(tokens: Sequence[str]) -> list[tuple[str, ...]]:
    return [
        tuple(tokens[start : start + length])
        for length in range(1, _LONGEST_RUN + 1)
        for start in range(len(tokens) - length + 1)
    ]


_KERNELS: Mapping[Modality, Callable[[Sequence[Answer]], Matrix]] = {
    Modality.TOOL_CALLS: _same_calls,
    Modality.JSON: json_similarity,
    Modality.CODE: _code_overlap,
    Modality.GREEDY_TEXT: shared_prefix,
    Modality.TEXT: word_overlap,
}

"""How alike the answers to one prompt are, two by two, by several ways: information, never a gate.

Each way gives 1 for equal answers, is symmetric, and stays between 0 and 1.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel, Prefix
from rapidfuzz.process import cdist

from harness.analysis.canonical import canonical_answer, canonical_call
from harness.analysis.jsonleaves import json_leaves
from harness.analysis.jsontext import read_json
from harness.analysis.structured import expects_json
from harness.analysis.tools import offered_tools
from harness.model.golden import Prompt
from harness.model.record import Answer

LONGEST_TEXT = 4_000  # characters that are compared one by one: the time taken grows with their square
MOST_TEXTS = 32  # answers of one side to one prompt, the first of the run, whose texts are compared
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+|[^\w\s]")  # scripts without spaces by character
_EDGES = ("\n", "\n")  # before the first word and after the last: no word holds a line feed
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of comparing answers, and the prompts for which it means something."""

    metric: str  # id in the catalogue
    applies: Callable[[Prompt], bool]
    compare: Callable[[Sequence[Answer]], Matrix]
    most_answers: int | None = None  # of one side to one prompt; None: all


def exact_form(answer: Answer) -> tuple[object, ...]:
    """Give what was said, letter by letter; ids of calls and reasoning left out."""
    calls = tuple((call.name, call.arguments) for call in answer.tool_calls)
    return answer.text, answer.refusal, calls


def _same_exactly(answers: Sequence[Answer]) -> Matrix:
    return equality([exact_form(answer) for answer in answers])


def _same_canonical(answers: Sequence[Answer]) -> Matrix:
    return equality([canonical_answer(answer) for answer in answers])


def _same_calls(answers: Sequence[Answer]) -> Matrix:
    """Compare calls as a multiset, their order and ids aside; two answers without a call agree."""
    return equality([tuple(sorted(map(canonical_call, answer.tool_calls))) for answer in answers])


def json_similarity(answers: Sequence[Answer]) -> Matrix:
    """Jaccard index of (path, value) leaves; where an answer is no JSON object or list, equal text or nothing."""
    leaves = [_leaves_of(answer) for answer in answers]
    alike = _same_canonical(answers)
    for row, one in enumerate(leaves):
        for column, other in enumerate(leaves[:row]):
            if one and other:
                alike[row, column] = alike[column, row] = len(one & other) / len(one | other)
    return alike


def _leaves_of(answer: Answer) -> frozenset[tuple[str, str]]:
    value = read_json(answer.text).value
    return frozenset(json_leaves(value)) if isinstance(value, (dict, list)) else frozenset()


def _text_similarity(answers: Sequence[Answer]) -> Matrix:
    """2 x longest common subsequence / both lengths, in characters (rapidfuzz's normalised Indel similarity)."""
    texts = [text[:LONGEST_TEXT] for text in _texts(answers)]
    return np.asarray(cdist(texts, texts, scorer=Indel.normalized_similarity, dtype=np.float64))


def shared_prefix(answers: Sequence[Answer]) -> Matrix:
    """Where two texts part: characters before the first difference over those of the longer one."""
    texts = _texts(answers)
    return np.asarray(cdist(texts, texts, scorer=Prefix.normalized_similarity, dtype=np.float64))


def word_overlap(answers: Sequence[Answer]) -> Matrix:
    """0.5 cosine of word counts + 0.5 cosine of counts of neighbouring words; order matters little."""
    words = [words_of(text.casefold()) for text in _texts(answers)]
    neighbours = [list(pairwise((_EDGES[0], *found, _EDGES[1]))) for found in words]
    return (cosine([Counter(found) for found in words]) + cosine([Counter(found) for found in neighbours])) / 2


def words_of(text: str) -> list[str]:
    """Split into words and marks, scripts without spaces by character."""
    return _WORD.findall(text)


def cosine(counted: Sequence[Counter[Any]]) -> Matrix:
    """Cosine of counts; two without any count are alike."""
    place = {item: i for i, item in enumerate(dict.fromkeys(item for counts in counted for item in counts))}
    table = np.zeros((len(counted), len(place)))
    for row, counts in enumerate(counted):
        table[row, [place[item] for item in counts]] = list(counts.values())
    length = np.linalg.norm(table, axis=1)
    is_empty = length == 0
    table /= np.where(is_empty, 1.0, length)[:, None]
    alike = np.where(is_empty[:, None] & is_empty[None, :], 1.0, np.clip(table @ table.T, 0.0, 1.0))
    np.fill_diagonal(alike, 1.0)  # rounding must not make an answer unlike itself
    return alike


def _texts(answers: Sequence[Answer]) -> list[str]:
    return [canonical_answer(answer) for answer in answers]


def equality(forms: Sequence[object]) -> Matrix:
    """Give 1 for equal forms and 0 for others."""
    place = {form: i for i, form in enumerate(dict.fromkeys(forms))}
    codes = np.array([place[form] for form in forms])
    return np.asarray(codes[:, None] == codes[None, :], dtype=np.float64)


def _any_prompt(_prompt: Prompt) -> bool:
    return True


def offers_tools(prompt: Prompt) -> bool:
    """Whether a prompt's request offers functions."""
    return bool(offered_tools(prompt.request))


def _is_prose(prompt: Prompt) -> bool:
    return not expects_json(prompt) and not offers_tools(prompt)


WAYS: tuple[Way, ...] = (
    Way(metric="same_exactly", applies=_any_prompt, compare=_same_exactly),
    Way(metric="same_canonical", applies=_any_prompt, compare=_same_canonical),
    Way(metric="same_calls", applies=offers_tools, compare=_same_calls),
    Way(metric="json_similarity", applies=expects_json, compare=json_similarity),
    Way(metric="text_similarity", applies=_is_prose, compare=_text_similarity, most_answers=MOST_TEXTS),
    Way(metric="word_overlap", applies=_is_prose, compare=word_overlap, most_answers=MOST_TEXTS),
    Way(metric="shared_prefix", applies=_is_prose, compare=shared_prefix, most_answers=MOST_TEXTS),
)

"""How alike two answers are, by modality: information beside an agreement with itself, never a gate."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from rapidfuzz import fuzz

from harness.analysis.canonical import canonical_answer
from harness.analysis.jsontext import read_json
from harness.model.record import Answer


class Modality(StrEnum):
    """What kind of thing an answer is."""

    TOOLS = "tools"
    JSON = "json"
    REFUSAL = "refusal"
    TEXT = "text"


def modality(answer: Answer) -> Modality:
    """Name the kind; a JSON answer is one that parses whole to an object or list."""
    if answer.tool_calls:
        return Modality.TOOLS
    if answer.refusal:
        return Modality.REFUSAL
    is_json = isinstance(read_json(answer.text).value, (dict, list))
    return Modality.JSON if is_json else Modality.TEXT


def similarity(one: Answer, other: Answer) -> float:
    """0 to 1; JSON: Jaccard of (path, value) leaves; calls and text: rapidfuzz ratio of the canonical forms."""
    kind = modality(one)
    if kind is not modality(other):
        return 0.0
    if kind is Modality.JSON:
        return _leaf_jaccard(read_json(one.text).value, read_json(other.text).value)
    return fuzz.ratio(canonical_answer(one), canonical_answer(other)) / 100


def first_divergence(one: Answer, other: Answer) -> int | None:
    """Character index in the canonical forms where they part; None when they are equal."""
    left, right = canonical_answer(one), canonical_answer(other)
    if left == right:
        return None
    shared = zip(left, right, strict=False)
    return next((i for i, (a, b) in enumerate(shared) if a != b), min(len(left), len(right)))


def _leaf_jaccard(one: Any, other: Any) -> float:
    left, right = set(_leaves(one, "$")), set(_leaves(other, "$"))
    return len(left & right) / len(left | right)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    children: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        children = [(f"{path}.{key}", item) for key, item in value.items()]
    elif isinstance(value, list):
        children = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    if not children:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        yield path, f"number {float(value)!r}" if number and abs(value) < 2**53 else repr(value)
    for child_path, item in children:
        yield from _leaves(item, child_path)

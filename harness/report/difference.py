"""Two answers aligned word by word from their first divergence."""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum

from harness.report.untrusted import visible

_WORD = re.compile(r"\s{1,24}|\w{1,24}|[^\w\s]")  # cut, so that one endless word cannot fill the page
_CONTEXT_WORDS = 40
_MAX_WORDS = 400  # per side, from the divergence on: bounds both page and time


class Change(StrEnum):
    """What happened to a run of words between reference and candidate."""

    SAME = "same"
    DELETED = "del"
    INSERTED = "ins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of words with one fate."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The pieces to show, with what was left out before and after them."""

    pieces: tuple[Piece, ...]
    n_same_before: int  # characters that are equal and not shown
    diverges_at: int  # characters both answers share from their start
    n_cut: int  # characters after the shown part, of both sides


def difference(reference: str, candidate: str) -> Difference | None:
    """Align two answers from their first divergence; None when they are equal."""
    if reference == candidate:
        return None
    left, right = _WORD.findall(visible(reference)), _WORD.findall(visible(candidate))
    shared = _shared_prefix(left, right)
    start = max(0, shared - _CONTEXT_WORDS)
    ours, theirs = left[shared : shared + _MAX_WORDS], right[shared : shared + _MAX_WORDS]
    context = "".join(left[start:shared])
    head = (Piece(change=Change.SAME, text=context),) if context else ()
    return Difference(
        pieces=head + _pieces(ours, theirs),
        n_same_before=sum(map(len, left[:start])),
        diverges_at=sum(map(len, left[:shared])),
        n_cut=sum(map(len, left[shared + _MAX_WORDS :])) + sum(map(len, right[shared + _MAX_WORDS :])),
    )


def _shared_prefix(left: list[str], right: list[str]) -> int:
    for index, (ours, theirs) in enumerate(zip(left, right, strict=False)):
        if ours != theirs:
            return index
    return min(len(left), len(right))


def _pieces(ours: list[str], theirs: list[str]) -> tuple[Piece, ...]:
    found: list[Piece] = []
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    for tag, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        if tag == "equal":
            found.append(Piece(change=Change.SAME, text="".join(ours[a_from:a_to])))
            continue
        if a_to > a_from:
            found.append(Piece(change=Change.DELETED, text="".join(ours[a_from:a_to])))
        if b_to > b_from:
            found.append(Piece(change=Change.INSERTED, text="".join(theirs[b_from:b_to])))
    return tuple(found)

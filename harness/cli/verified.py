"""What verifying a thing found: each number that is not what the recorded runs give."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from harness.analysis.moved import Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One number, or one text, that is not what the run gives."""

    number: str  # which: "decode, tok/s of sim-h100"
    place: str  # where it stands
    stated: str
    source: str  # the folder, or the file that it was made from
    given: str

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.number}: {self.place} has {self.stated}, {self.source} gives {self.given}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What became of one thing that was to be verified."""

    thing: str
    sentence: str
    differences: tuple[Difference, ...] = ()
    lacking: tuple[str, ...] = ()  # run folders
    notes: tuple[str, ...] = ()


def difference_at(one: "Moved", number: str, place: str, source: str) -> Difference:
    """Give one leaf that moved as a difference."""
    return Difference(number=number, place=place, stated=shown(one.old), source=source, given=shown(one.new))


def shown(value: Any) -> str:
    """Write a plain value; UNSET stands where there is none."""
    if value is msgspec.UNSET:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def ended_words(words: str, differences: Sequence[Difference]) -> str:
    """End a sentence by what was found."""
    from harness.report.format import plural  # noqa: PLC0415

    return f"{words}; {plural(len(differences), 'difference') if differences else 'every number is the same'}"

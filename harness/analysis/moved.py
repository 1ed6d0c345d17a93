"""What differs between two summaries, leaf by leaf, under names that a reader finds again."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

NOTHING = msgspec.UNSET  # stands where only the other has a value: no text of a file is it, and JSON leaves it out
_VERSIONS = ("format_version", "estimators")
_NAMES = ("id", "metric", "arm", "level", "prompt_id", "kind", "q", "aspect", "of", "pair", "way", "name", "path")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*|[\u2212-](?=\d)")
_ROUNDING = 1e-9  # relative: the last bits of a sum differ between versions of numpy


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One value that is not the same."""

    where: str  # as tails[decode_rate reference].quantiles[0.5].value.value
    old: Any
    new: Any

    @property
    def is_added(self) -> bool:
        """Whether the old one says nothing of it, as where an older version did not have the field."""
        return self.old is NOTHING

    @property
    def is_wording(self) -> bool:
        """Whether two sentences hold the same numbers in the same order: said in other words."""
        both = (self.old, self.new)
        if not all(isinstance(text, str) and " " in text for text in both):
            return False
        return _NUMBER.findall(self.old) == _NUMBER.findall(self.new)


def moved(old: Any, new: Any, where: str = "") -> tuple[Moved, ...]:
    """Give every leaf in which two plain JSON values differ beyond rounding."""
    return tuple(_moved(old, new, where))


def contradictions(recorded: Mapping[str, Any], today: Mapping[str, Any]) -> tuple[Moved, ...]:
    """Give every leaf of a recorded summary that is not what today's states; empty where it is the same judgement.

    Under the same format and definitions that is every leaf, texts to the letter. Of another version, which is a
    difference itself, what it did not state and what it worded otherwise are left out.
    """
    found = moved(recorded, today)
    if not any(name in recorded and recorded[name] != today[name] for name in _VERSIONS):
        return found
    return tuple(one for one in found if not (one.is_added or one.is_wording))


def _moved(old: Any, new: Any, where: str) -> Iterator[Moved]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _moved(old.get(key, NOTHING), new.get(key, NOTHING), f"{where}.{key}" if where else str(key))
    elif isinstance(old, list) and isinstance(new, list):
        ours, theirs = _named(old, new)
        for key in dict.fromkeys((*ours, *theirs)):
            yield from _moved(ours.get(key, NOTHING), theirs.get(key, NOTHING), f"{where}[{key}]")
    elif not _is_same(old, new):
        yield Moved(where=where, old=old, new=new)


def _named(old: Sequence[Any], new: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pair two lists by what their items are about, or by place where that does not tell them apart."""
    names = [list(map(_name, one)) for one in (old, new)]
    if all(None not in found and len(set(found)) == len(found) for found in names):
        ours, theirs = (
            {str(name): item for name, item in zip(*both, strict=True)} for both in zip(names, (old, new), strict=True)
        )
        return ours, theirs
    ours, theirs = ({str(place): item for place, item in enumerate(one)} for one in (old, new))
    return ours, theirs


def _name(item: Any) -> str | None:
    if not isinstance(item, Mapping):
        return None
    found = [str(item[name]) for name in _NAMES if isinstance(item.get(name), str | int | float)]
    return " ".join(found) or None


def _is_same(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, int | float) and isinstance(new, int | float):
        return math.isclose(old, new, rel_tol=_ROUNDING, abs_tol=_ROUNDING * _ROUNDING)
    return bool(old == new)

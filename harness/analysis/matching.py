"""Matches a tool call's arguments against what a golden prompt expects of them.

A matcher is a literal, or a mapping of one of these forms:
`{any_of: [...]}`, `{regex: ...}`, `{contains: ...}`, `{loosely: ...}`, `{number: x, tolerance: y}`,
`{date: d, tolerance_days: n}`, `{unordered: [...]}`, `{any: true}`, `{exactly: value}`. Every other mapping is a
literal object and is matched key by key, as a list is item by item. A key at its schema's default counts as absent, at
any depth.
"""

import math
import re
import sys
from dataclasses import dataclass
from datetime import date
from typing import Any

from harness.analysis.assignment import assign
from harness.analysis.datetext import days_apart, iso_date, whole_date
from harness.analysis.excerpts import excerpt
from harness.analysis.jsontext import identical_json
from harness.analysis.normaltext import loose, trimmed, unpunctuated
from harness.analysis.schemaparts import SchemaPart, part_of

_FORMS = (
    frozenset({"any_of"}),
    frozenset({"regex"}),
    frozenset({"contains"}),
    frozenset({"loosely"}),
    frozenset({"number"}),
    frozenset({"number", "tolerance"}),
    frozenset({"date"}),
    frozenset({"date", "tolerance_days"}),
    frozenset({"unordered"}),
    frozenset({"any"}),
    frozenset({"exactly"}),
)
NEGLIGIBLE = 1e-9  # relative: what a decimal loses on its way through a float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Where a value is not what was expected."""

    where: str
    expected: str
    came: str

    def __str__(self) -> str:
        """Give one line."""
        return f"{self.where}: expected {self.expected}, came {self.came}"


def is_matcher_form(matcher: Any) -> bool:
    """Whether a mapping is one of the matcher forms and not a literal object."""
    return isinstance(matcher, dict) and frozenset(matcher) in _FORMS


def is_number(value: Any) -> bool:
    """Whether a value is a number that a float can hold; a bool is not, nor is infinity."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return -sys.float_info.max <= value <= sys.float_info.max


def compare_value(matcher: Any, came: Any, *, where: str, schema: Any = None) -> list[Mismatch]:
    """List every mismatch; `schema` is the value's own, and decides whether 5 may come as 5.0."""
    part = part_of(schema)
    if is_matcher_form(matcher):
        return _compare_form(matcher, came, where, part)
    if isinstance(matcher, dict) and isinstance(came, dict):
        return _compare_objects(matcher, came, where, part)
    if isinstance(matcher, list) and isinstance(came, list):
        return _compare_lists(matcher, came, where, part)
    return [] if _is_literal_match(matcher, came, part) else [_mismatch(where, excerpt_json(matcher), came)]


def _compare_objects(matcher: dict[str, Any], came: dict[str, Any], where: str, part: SchemaPart) -> list[Mismatch]:
    found: list[Mismatch] = []
    for key, expected in matcher.items():
        if key in came:
            found += compare_value(expected, came[key], where=f"{where}.{key}", schema=part.at_key(key))
        elif not default_matches(expected, part.at_key(key)):
            found.append(Mismatch(where=f"{where}.{key}", expected=describe(expected), came="nothing"))
    others = [key for key in came if key not in matcher and not part.at_key(key).is_default(came[key])]
    return found + [_mismatch(f"{where}.{key}", "no such key", came[key]) for key in others]


def default_matches(matcher: Any, part: SchemaPart) -> bool:
    """Whether what is absent counts as expected: its schema's default is."""
    return any(not compare_value(matcher, default, where="", schema=part) for default in part.defaults())


def _compare_lists(matcher: list[Any], came: list[Any], where: str, part: SchemaPart) -> list[Mismatch]:
    if len(matcher) != len(came):
        return [_mismatch(where, f"{len(matcher)} items: {excerpt_json(matcher)}", came)]
    pairs = enumerate(zip(matcher, came, strict=True))
    items = part.at_items()
    return [
        one
        for i, (expected, value) in pairs
        for one in compare_value(expected, value, where=f"{where}[{i}]", schema=items)
    ]


def _compare_unordered(matcher: list[Any], came: list[Any], where: str, part: SchemaPart) -> list[Mismatch]:
    """Pair the items so that the fewest mismatches are left."""
    if len(matcher) != len(came):
        return [_mismatch(where, f"{len(matcher)} items in any order: {excerpt_json(matcher)}", came)]
    items = part.at_items()
    table = [
        [compare_value(expected, value, where=f"{where}[{i}]", schema=items) for i, value in enumerate(came)]
        for expected in matcher
    ]
    pairs = assign([[float(len(cell)) for cell in row] for row in table])
    return [one for row, column in pairs for one in table[row][column]]


def _compare_form(matcher: dict[str, Any], came: Any, where: str, part: SchemaPart) -> list[Mismatch]:
    if "unordered" in matcher and isinstance(came, list):
        return _compare_unordered(matcher["unordered"], came, where, part)
    return [] if _is_form_match(matcher, came, part) else [_mismatch(where, describe(matcher), came)]


def _is_form_match(matcher: dict[str, Any], came: Any, part: SchemaPart) -> bool:
    if "any_of" in matcher:
        return any(not compare_value(option, came, where="", schema=part) for option in matcher["any_of"])
    if "number" in matcher:
        return is_number(came) and is_close(came, matcher["number"], matcher.get("tolerance", 0))
    if "date" in matcher:
        day = whole_date(came).value if isinstance(came, str) else None
        return is_near_date(day, matcher["date"], matcher.get("tolerance_days", 0))
    if "exactly" in matcher:
        return identical_json(matcher["exactly"], came)
    return "any" in matcher or (isinstance(came, str) and _is_text_match(matcher, came))


def _is_text_match(matcher: dict[str, Any], came: str) -> bool:
    if "regex" in matcher:
        return re.search(matcher["regex"], trimmed(came)) is not None
    if "loosely" in matcher:
        return unpunctuated(matcher["loosely"]) == unpunctuated(came)
    return loose(matcher["contains"]) in loose(came)


def is_close(came: float, expected: float, tolerance: float) -> bool:
    """Whether a number lies within an absolute tolerance; rounding is forgiven of decimals, never of whole numbers."""
    if _is_whole(came) and _is_whole(expected):
        return abs(came - expected) <= tolerance * (1 + NEGLIGIBLE)
    return math.isclose(came, expected, rel_tol=1e-12, abs_tol=tolerance * (1 + NEGLIGIBLE))


def _is_whole(number: float) -> bool:
    return isinstance(number, int) or number.is_integer()


def is_near_date(came: date | None, expected: str, tolerance_days: int) -> bool:
    """Whether a date lies within so many days of another, as the golden set writes it."""
    day = iso_date(expected)
    return came is not None and day is not None and days_apart(came, day) <= tolerance_days


def _is_literal_match(expected: Any, came: Any, part: SchemaPart) -> bool:
    if isinstance(expected, bool) or isinstance(came, bool):
        return expected is came
    if isinstance(expected, str) and isinstance(came, str):
        return loose(expected) == loose(came)
    if is_number(expected) and is_number(came):
        same_type = type(expected) is type(came)
        return (same_type or part.allows_decimals()) and is_close(came, expected, 0)
    return type(expected) is type(came) and bool(expected == came)


def describe(matcher: Any) -> str:
    """Say in words what a matcher accepts."""
    if not is_matcher_form(matcher):
        return excerpt_json(matcher)
    if "any" in matcher:
        return "any value"
    if "any_of" in matcher:
        return "one of " + ", ".join(describe(option) for option in matcher["any_of"])
    if "number" in matcher:
        return f"{matcher['number']} ± {matcher.get('tolerance', 0)}"
    if "date" in matcher:
        return describe_date(matcher["date"], matcher.get("tolerance_days", 0))
    name, value = next(iter(matcher.items()))
    return f"{name} {excerpt_json(value)}"


def describe_date(day: str, tolerance_days: int) -> str:
    """Say in words which dates are meant."""
    return f"the date {day}" + (f" ± {tolerance_days} days" if tolerance_days else "")


def excerpt_json(value: Any) -> str:
    """Show a value so that the text "5" and the number 5 differ."""
    return excerpt(f'"{value}"' if isinstance(value, str) else value, 120)


def _mismatch(where: str, expected: str, came: Any) -> Mismatch:
    return Mismatch(where=where, expected=expected, came=excerpt_json(came))

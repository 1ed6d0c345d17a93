"""Reads JSON out of an answer under one policy: the whole answer, or a named reason why not."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

MAX_DEPTH = 100  # of nesting: every reader of a parsed answer recurses
_STEP = re.compile(r"\.([^.\[\]'\"\s]+)|\[(-?\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")


class Flaw(StrEnum):
    """What keeps a text from being JSON as a whole."""

    EMPTY = "empty"
    FENCED = "fenced"
    WRAPPED = "wrapped"  # text before or after the JSON
    PROSE = "prose"  # no JSON in it
    CUT = "cut"  # ends inside the JSON
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonReading:
    """The parsed value, or the problem and its kind; a JSON null is a value without a problem."""

    value: Any = None
    problem: str | None = None
    flaw: Flaw | None = None


def read_json(text: str) -> JsonReading:
    """Parse the whole text; fenced, wrapped in prose, cut off and invalid are told apart.

    A key given twice is no problem: the last one wins, as in the parsers that applications use.
    """
    trimmed = text.strip()
    if not trimmed:
        return JsonReading(problem="empty", flaw=Flaw.EMPTY)
    try:
        value = json.loads(trimmed, parse_constant=_refuse_constant)
    except RecursionError:
        return _TOO_DEEP
    except ValueError as error:
        return _flawed(trimmed, error)
    if _is_deeper(value, MAX_DEPTH):
        return _TOO_DEEP
    return JsonReading(value=value)


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        children: list[Any] = []
        for item in level:
            children += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        level = children
    return bool(level)


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


_TOO_DEEP = JsonReading(problem=f"nested deeper than {MAX_DEPTH}", flaw=Flaw.MALFORMED)


def _flawed(text: str, error: ValueError) -> JsonReading:
    if text.startswith("```") and text.endswith("```") and len(text) > len("``````"):
        return JsonReading(problem="fenced: the JSON stands inside a ``` block", flaw=Flaw.FENCED)
    if text[0] not in "{[" and _holds_brackets(text):
        return JsonReading(problem="prose around the JSON", flaw=Flaw.WRAPPED)
    if not isinstance(error, json.JSONDecodeError):
        return JsonReading(problem=f"not JSON: {error}", flaw=Flaw.MALFORMED)
    if error.msg == "Extra data":
        return JsonReading(problem=f"text after the JSON (from character {error.pos})", flaw=Flaw.WRAPPED)
    if error.pos >= len(text) or error.msg.startswith("Unterminated string"):
        return JsonReading(problem=f"not JSON: {error.msg} (cut off)", flaw=Flaw.CUT)
    flaw = Flaw.MALFORMED if text[0] in '{["' else Flaw.PROSE
    return JsonReading(problem=f"not JSON: {error.msg} (at character {error.pos})", flaw=flaw)


def _holds_brackets(text: str) -> bool:
    """Whether a bracket opens before one closes; a pattern would take quadratic time on a loop of brackets."""
    opened = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=len(text))
    return opened < max(text.rfind("}"), text.rfind("]"))


def parse_path(path: str) -> tuple[str | int, ...] | None:
    """Split `$.a.b[0]['odd key']` into its steps; None when it is not such a path."""
    if not path.startswith("$"):
        return None
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        found = _STEP.match(path, position)
        if not found:
            return None
        name, index, single, double = found.groups()
        steps.append(int(index) if index is not None else next(x for x in (name, single, double) if x is not None))
        position = found.end()
    return tuple(steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReading:
    """What stands at a path; when nothing does, how far the path led."""

    value: Any = None
    missing_at: str | None = None


def follow_path(value: Any, steps: tuple[str | int, ...]) -> PathReading:
    """Walk the steps; a list index may be negative, a key never indexes a list."""
    walked = "$"
    for step in steps:
        walked += f"[{step}]" if isinstance(step, int) else f".{step}"
        if not _leads_on(value, step):
            return PathReading(missing_at=walked)
        value = value[step]
    return PathReading(value=value)


def _leads_on(value: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(value, list) and -len(value) <= step < len(value)
    return isinstance(value, dict) and step in value


def equal_json(expected: Any, came: Any) -> bool:
    """Compare as JSON: numbers by value, but a bool never equals a number; key order is free."""
    if isinstance(expected, bool) or isinstance(came, bool):
        return expected is came
    if isinstance(expected, dict) and isinstance(came, dict):
        return expected.keys() == came.keys() and all(equal_json(expected[key], came[key]) for key in expected)
    if isinstance(expected, list) and isinstance(came, list):
        return len(expected) == len(came) and all(map(equal_json, expected, came))
    return bool(expected == came)


def identical_json(expected: Any, came: Any) -> bool:
    """Compare as JSON and tell 5 from 5.0; key order is free."""
    if type(expected) is not type(came):
        return False
    if isinstance(expected, dict):
        return expected.keys() == came.keys() and all(identical_json(expected[key], came[key]) for key in expected)
    if isinstance(expected, list):
        return len(expected) == len(came) and all(map(identical_json, expected, came))
    return bool(expected == came)

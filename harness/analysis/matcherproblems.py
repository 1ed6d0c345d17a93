"""What is wrong with a matcher as written, before anything is sent."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from harness.analysis.datetext import iso_date
from harness.analysis.excerpts import excerpt
from harness.analysis.matching import is_matcher_form, is_number


def matcher_problem(matcher: Any) -> str | None:
    """Say what is wrong with a matcher as written, None when nothing is."""
    if isinstance(matcher, list):
        return _first_problem(matcher)
    if not isinstance(matcher, dict):
        return None
    if is_matcher_form(matcher):
        return _form_problem(matcher)
    return keys_problem(matcher) or _first_problem(list(matcher.values()))


def keys_problem(mapping: dict[Any, Any]) -> str | None:
    """Say which key YAML did not read as a text: `no`, `on` and `12` are none."""
    unquoted = [key for key in mapping if not isinstance(key, str)]
    return f"the key {unquoted[0]!r} is not a text; put it in quotes" if unquoted else None


def number_problem(number: Any, tolerance: Any) -> str | None:
    """Say what is wrong with a number and its tolerance as written."""
    if not is_number(number):
        return f"takes a number (found {excerpt(number, 60)})"
    return None if is_number(tolerance) and tolerance >= 0 else "tolerance is a number, 0 or above"


def date_problem(day: Any, tolerance_days: Any) -> str | None:
    """Say what is wrong with a date and its tolerance as written."""
    if not isinstance(day, str) or iso_date(day) is None:
        return f"takes a date as 2026-03-14 (found {excerpt(day, 60)})"
    is_whole = isinstance(tolerance_days, int) and not isinstance(tolerance_days, bool) and tolerance_days >= 0
    return None if is_whole else "tolerance_days is a whole number, 0 or above"


def pattern_problem(pattern: Any) -> str | None:
    """Say why a regular expression does not compile."""
    if not isinstance(pattern, str) or not pattern:
        return "a regular expression is a text"
    try:
        re.compile(pattern)
    except re.error as error:
        return f"the regular expression {pattern!r:.60} does not compile: {error}"
    return None


def _first_problem(matchers: list[Any]) -> str | None:
    return next((problem for item in matchers if (problem := matcher_problem(item))), None)


def _form_problem(matcher: dict[str, Any]) -> str | None:
    return next((problem(matcher) for form, problem in _PROBLEMS.items() if form in matcher), None)


def _options_problem(matcher: dict[str, Any]) -> str | None:
    options = matcher["any_of"]
    return _first_problem(options) if isinstance(options, list) and options else "any_of takes a list of values"


def _unordered_problem(matcher: dict[str, Any]) -> str | None:
    items = matcher["unordered"]
    return _first_problem(items) if isinstance(items, list) else "unordered takes a list of values"


def _text_problem(form: str, text: Any) -> str | None:
    return None if isinstance(text, str) and text.strip() else f"{form} takes a text"


_PROBLEMS: Mapping[str, Callable[[dict[str, Any]], str | None]] = {
    "any_of": _options_problem,
    "regex": lambda matcher: pattern_problem(matcher["regex"]),
    "number": lambda matcher: number_problem(matcher["number"], matcher.get("tolerance", 0)),
    "date": lambda matcher: date_problem(matcher["date"], matcher.get("tolerance_days", 0)),
    "unordered": _unordered_problem,
    "any": lambda matcher: None if matcher["any"] is True else "any takes true",
    "contains": lambda matcher: _text_problem("contains", matcher["contains"]),
    "loosely": lambda matcher: _text_problem("loosely", matcher["loosely"]),
}

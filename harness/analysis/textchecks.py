"""Checks on the visible text: equality, containment, patterns, numbers, dates, markup, length."""

import re
from typing import Any

from harness.analysis.checkoutcome import CheckOutcome, Evidence, JudgeCheck
from harness.analysis.datetext import last_date
from harness.analysis.excerpts import excerpt
from harness.analysis.matching import describe_date, is_close, is_near_date
from harness.analysis.normaltext import trimmed
from harness.analysis.numbertext import last_number
from harness.decode.markup import find_markup
from harness.model.golden import CheckKind

_TEXT = "answer text"


def _answer(evidence: Evidence) -> str:
    return trimmed(evidence.record.answer.text)


def _equals(argument: Any, evidence: Evidence) -> CheckOutcome:
    expected, came = trimmed(str(argument)), _answer(evidence)
    pairs = enumerate(zip(expected, came, strict=False))
    at = next((i for i, (one, other) in pairs if one != other), min(len(expected), len(came)))
    where = f"{_TEXT}, from character {at}"
    return CheckOutcome(holds=expected == came, expected=excerpt(expected), came=excerpt(came), where=where)


def _contains(argument: Any, evidence: Evidence) -> CheckOutcome:
    return _contains_some([argument], evidence, all_of_them=True)


def _contains_all(argument: Any, evidence: Evidence) -> CheckOutcome:
    return _contains_some(argument, evidence, all_of_them=True)


def _contains_any(argument: Any, evidence: Evidence) -> CheckOutcome:
    return _contains_some(argument, evidence, all_of_them=False)


def _contains_some(argument: list[Any], evidence: Evidence, *, all_of_them: bool) -> CheckOutcome:
    came = _answer(evidence)
    parts = [trimmed(str(part)) or str(part) for part in argument]
    found = [part for part in parts if part in came]
    missing = [part for part in parts if part not in came]
    holds = not missing if all_of_them else bool(found)
    joined = (" and " if all_of_them else " or ").join(excerpt(part, 60) for part in parts)
    where = f"{_TEXT}; missing: {', '.join(excerpt(part, 40) for part in missing)}" if missing else _TEXT
    return CheckOutcome(holds=holds, expected=f"contains {joined}", came=excerpt(came), where=where)


def _regex(argument: Any, evidence: Evidence) -> CheckOutcome:
    came = _answer(evidence)
    found = re.search(argument, came)
    where = f"{_TEXT}, character {found.start()}" if found else _TEXT
    return CheckOutcome(holds=found is not None, expected=f"matches {argument}", came=excerpt(came), where=where)


def _starts_with(argument: Any, evidence: Evidence) -> CheckOutcome:
    expected, came = trimmed(str(argument)), _answer(evidence)
    head = excerpt(came[: len(expected) + 60])
    return CheckOutcome(
        holds=came.startswith(expected), expected=f"starts with {excerpt(expected)}", came=head, where=f"{_TEXT}, start"
    )


def _ends_with(argument: Any, evidence: Evidence) -> CheckOutcome:
    expected, came = trimmed(str(argument)), _answer(evidence)
    tail = excerpt(came[-(len(expected) + 60) :])
    return CheckOutcome(
        holds=came.endswith(expected), expected=f"ends with {excerpt(expected)}", came=tail, where=f"{_TEXT}, end"
    )


def _number_equals(argument: Any, evidence: Evidence) -> CheckOutcome:
    value, tolerance = (
        (argument["value"], argument.get("tolerance", 0)) if isinstance(argument, dict) else (argument, 0)
    )
    number = last_number(evidence.record.answer.text)
    came = "no number" if number is None else f"{number:.15g}"
    return CheckOutcome(
        holds=number is not None and is_close(number, value, tolerance),
        expected=f"{value}" + (f" ± {tolerance}" if tolerance else ""),
        came=f"{came} in: {excerpt(_answer(evidence)[-80:])}",
        where="last number of the answer",
    )


def _date_equals(argument: Any, evidence: Evidence) -> CheckOutcome:
    value, tolerance_days = (
        (argument["value"], argument.get("tolerance_days", 0)) if isinstance(argument, dict) else (argument, 0)
    )
    reading = last_date(_answer(evidence))
    return CheckOutcome(
        holds=is_near_date(reading.value, value, tolerance_days),
        expected=describe_date(value, tolerance_days),
        came=f"{reading} in: {excerpt(_answer(evidence)[-80:])}",
        where="last date of the answer",
    )


def _no_markup(_argument: Any, evidence: Evidence) -> CheckOutcome:
    marker = find_markup(evidence.record.answer.text)
    at = evidence.record.answer.text.find(marker) if marker else -1
    where = f"{_TEXT}, character {at}" if marker else _TEXT
    return CheckOutcome(holds=marker is None, expected="no model markup", came=marker or "none", where=where)


def _no_replacement_char(_argument: Any, evidence: Evidence) -> CheckOutcome:
    answer = evidence.record.answer
    text = "".join((answer.text, answer.refusal, *(call.arguments for call in answer.tool_calls)))
    at = text.find("\ufffd")
    came = "none" if at < 0 else excerpt(text[max(0, at - 20) : at + 20])
    where = _TEXT if at < 0 else f"character {at}"
    return CheckOutcome(holds=at < 0, expected="no U+FFFD", came=came, where=where)


def _max_words(argument: Any, evidence: Evidence) -> CheckOutcome:
    n_words = len(evidence.record.answer.text.split())
    return CheckOutcome(
        holds=n_words <= argument, expected=f"at most {argument} words", came=f"{n_words} words", where=_TEXT
    )


TEXT_CHECKS: dict[CheckKind, JudgeCheck] = {
    CheckKind.EQUALS: _equals,
    CheckKind.CONTAINS: _contains,
    CheckKind.CONTAINS_ALL: _contains_all,
    CheckKind.CONTAINS_ANY: _contains_any,
    CheckKind.REGEX: _regex,
    CheckKind.STARTS_WITH: _starts_with,
    CheckKind.ENDS_WITH: _ends_with,
    CheckKind.NUMBER_EQUALS: _number_equals,
    CheckKind.DATE_EQUALS: _date_equals,
    CheckKind.NO_MARKUP: _no_markup,
    CheckKind.NO_REPLACEMENT_CHAR: _no_replacement_char,
    CheckKind.MAX_WORDS: _max_words,
}

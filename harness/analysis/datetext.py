"""Reads dates as answers and arguments write them; one that can be read in two ways is none."""

import re
from dataclasses import dataclass
from datetime import date

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?<![0-9])(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?\.?"
_YEAR = r"(?P<year>[0-9]{4})(?![0-9])"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?<![0-9])(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})(?![0-9])",
        rf"{_DAY}[ \u00a0-]{{1,2}}(?:of )?{_MONTH},?[ \u00a0-]{{1,2}}{_YEAR}",
        rf"\b{_MONTH}[ \u00a0-]{{1,2}}{_DAY},?[ \u00a0-]{{1,2}}{_YEAR}",
        rf"(?<![0-9.])(?P<day>[0-9]{{1,2}})\. ?(?P<month>[0-9]{{1,2}})\. ?{_YEAR}",
        r"(?<![0-9])(?P<year>[0-9]{4})\s?[年년]\s?(?P<month>[0-9]{1,2})\s?[月월]\s?(?P<day>[0-9]{1,2})\s?[日일]",
        rf"(?<![0-9/-])(?P<one>[0-9]{{1,2}})(?P<mark>[-/])(?P<other>[0-9]{{1,2}})(?P=mark){_YEAR}",
    )
)
_TIME = re.compile(
    r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?(?:Z|[+-][0-9]{2}:?[0-9]{2}))?)?\Z"
)
_COMPACT = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})\Z")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class DateReading:
    """The date that was read, or why there is none."""

    value: date | None = None
    problem: str = ""

    def __str__(self) -> str:
        """Give the date as ISO 8601 has it, else the problem."""
        return self.problem if self.value is None else self.value.isoformat()


def last_date(text: str) -> DateReading:
    """Read the last date of a text: ISO 8601, a month by its English name, 14.3.2026, 2026年3月14日, 3/14/2026."""
    found = [match for form in _FORMS for match in form.finditer(text)]
    if not found:
        return DateReading(problem="no date")
    return _read(max(found, key=lambda match: match.end()))


def whole_date(text: str) -> DateReading:
    """Read a text that is a date and nothing else; a time of day may follow, 20260314 is one too."""
    text = text.strip()
    matches = (form.match(text) for form in (_COMPACT, *_FORMS))
    found = next((match for match in matches if match and _TIME.match(text, match.end())), None)
    return _read(found) if found else DateReading(problem="no date")


def iso_date(text: str) -> date | None:
    """Read a date as a golden set writes it: 2026-03-14."""
    try:
        return date.fromisoformat(text) if _ISO.match(text) else None
    except ValueError:
        return None


def days_apart(one: date, other: date) -> int:
    """Days between two dates, whichever comes first."""
    return abs((one - other).days)


def _read(found: re.Match[str]) -> DateReading:
    parts = found.groupdict()
    readings = sorted(
        {reading for month, day in _months_and_days(parts) if (reading := _date(parts["year"], month, day))}
    )
    if len(readings) == 1:
        return DateReading(value=readings[0])
    return DateReading(problem=f"{found[0]}, which is {'no date' if not readings else 'two dates'}")


def _months_and_days(parts: dict[str, str]) -> tuple[tuple[int, int], ...]:
    """Give the month and the day, twice where either number can be either."""
    if "one" in parts:
        one, other = int(parts["one"]), int(parts["other"])
        return (one, other), (other, one)
    day = int(parts["day"])
    name = parts.get("name")
    return ((_NAMES.index(name[:3].lower()) + 1 if name else int(parts["month"]), day),)


def _date(year: str, month: int, day: int) -> date | None:
    try:
        return date(int(year), month, day)
    except ValueError:
        return None

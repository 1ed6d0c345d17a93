"""Numbers as text: one unit per row, signs and reasons spelled out."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from harness.analysis.results.estimates import Interval, Value

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
UNBOUNDED = "unbounded"
DASH = "\N{EN DASH}"
GAP = "\N{NO-BREAK SPACE}"
UNATTAINABLE = "unattainable"

_MS_PER_S = 1000.0
_CURRENCY_SIGNS = {"USD": "$", "EUR": "\N{EURO SIGN}", "GBP": "\N{POUND SIGN}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a row's numbers are written: factor from the stored unit, decimals, unit shown."""

    symbol: str
    factor: float = 1.0
    decimals: int = 0
    currency: str | None = None  # of money, which is written with its sign; None: no money

    def number(self, value: float) -> str:
        """Write a value without its unit."""
        return decimal(value * self.factor, self.decimals)

    def full(self, value: float) -> str:
        """Write a value with its unit; an infinite one is a quantile among failures."""
        if math.isinf(value):
            return UNATTAINABLE
        if self.currency is not None:
            return money(value, self.currency)
        return f"{self.number(value)}{GAP}{self.symbol}" if self.symbol else self.number(value)


def scale_for(unit: str, values: Iterable[float]) -> Scale:
    """Choose the scale of a row from its unit and its median size."""
    finite = sorted(abs(value) for value in values if math.isfinite(value))
    middle = finite[len(finite) // 2] if finite else 0.0
    if unit == "s":
        return _time_scale(middle)
    if unit in {"fraction", "share"}:
        return Scale(symbol="%", factor=100.0, decimals=1)
    if unit in {"ratio", "1"}:
        return Scale(symbol=TIMES, decimals=2)
    if unit in {"tokens", "count", "characters", "bytes"}:
        return Scale(symbol=unit, decimals=0)
    return Scale(symbol=unit, decimals=_decimals(middle, 4))


def money_scale(currency: str) -> Scale:
    """Give the scale of an amount."""
    return Scale(symbol=currency, currency=currency)


def _time_scale(middle_s: float) -> Scale:
    if middle_s >= 1.0:
        return Scale(symbol="s", decimals=2 if middle_s < 100.0 else 1)  # noqa: PLR2004 - 1:40 and more
    return Scale(symbol="ms", factor=_MS_PER_S, decimals=_decimals(middle_s * _MS_PER_S, 3))


def _decimals(size: float, digits: int) -> int:
    """Count the decimals that give `digits` significant ones."""
    if size <= 0:
        return 0
    return min(max(digits - 1 - math.floor(math.log10(size)), 0), 3)


def decimal(value: float, decimals: int) -> str:
    """Write a number with a true minus sign and thousands separators; what is not finite in words."""
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return UNBOUNDED if value > 0 else f"{UNBOUNDED} below"
    text = f"{abs(value):,.{decimals}f}"
    is_negative = value < 0 and any(digit in "123456789" for digit in text)
    return f"{MINUS}{text}" if is_negative else text


def signed(value: float, decimals: int = 1) -> str:
    """Write a difference: its sign always shown, zero without one."""
    text = decimal(value, decimals)
    is_zero = not any(digit in "123456789" for digit in text)
    return text if is_zero or text.startswith(MINUS) else f"+{text}"


def duration(value_s: float) -> str:
    """Write a duration in ms below one second, in s from there."""
    return scale_for("s", [value_s]).full(value_s)


def moment(stamp: str) -> str:
    """Write an instant to the minute, in its own time zone."""
    when = datetime.fromisoformat(stamp)
    return f"{when:%Y-%m-%d %H:%M} {when.tzname() or ''}".rstrip()


def ratio(value: float, decimals: int = 2) -> str:
    """Write a ratio."""
    return f"{decimal(value, decimals)}{TIMES}" if math.isfinite(value) else decimal(value, decimals)


def percent(fraction: float, decimals: int = 1) -> str:
    """Write a fraction as percent."""
    return f"{decimal(fraction * 100, decimals)}{GAP}%"


def points(difference: float, decimals: int = 1) -> str:
    """Write a difference of two fractions in percentage points, signed."""
    return f"{signed(difference * 100, decimals)}{GAP}points"


def count(number: int) -> str:
    """Write a count."""
    return f"{number:,}"


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """Write a count with its noun."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def share(part: int, whole: int) -> str:
    """Write k of n with the percentage, or say that there is nothing to divide by."""
    return f"{part:,} of {whole:,} ({percent(part / whole)})" if whole else "0 of 0"


def money(amount: float, currency: str | None) -> str:
    """Write an amount, small ones to three significant digits."""
    decimals = 2 if abs(amount) >= 1 or amount == 0 else min(max(2, _digits_after(amount)), 8)
    sign = _CURRENCY_SIGNS.get(currency or "")
    number = decimal(amount, decimals)
    return f"{sign}{number}" if sign else f"{number}{GAP}{currency or '(no currency)'}"


def _digits_after(amount: float) -> int:
    return 2 - math.floor(math.log10(abs(amount)))


def value_text(value: Value, scale: Scale) -> str:
    """Write a value with its unit, or a dash: its reason is shown beside."""
    return DASH if value.value is None else scale.full(value.value)


def bounds(interval: Interval, scale: Scale) -> str:
    """Write an interval's two ends without their unit."""
    if interval.low == interval.high == math.inf:
        return UNBOUNDED
    return f"{_end(interval.low, scale)} to {_end(interval.high, scale)}"


def difference_bounds(interval: Interval) -> str:
    """Write the ends of a difference of fractions in points."""
    ends = (interval.low, interval.high)
    return " to ".join("no bound" if end is None else signed(end * 100) for end in ends)


def _end(end: float | None, scale: Scale) -> str:
    return "no bound" if end is None else scale.number(end)


def level(interval: Interval) -> str:
    """Write the interval's level, as `95 %`."""
    return f"{decimal(interval.level * 100, 0)}{GAP}%"


def quantile_name(q: float) -> str:
    """Name a quantile, as `p95`."""
    return f"p{q * 100:g}"

"""Numbers inside the sentences of a judgement."""

import math

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
_MS_PER_S = 1_000
_NEVER = "never"
_MOST_DIGITS = 9  # of a number beside its limit


def digits_apart(value: float, limit: float, usual: int) -> int:
    """Fewest decimals, the usual ones or more, with which unlike numbers are written unlike."""
    more = range(usual, _MOST_DIGITS)
    return next((digits for digits in more if round(value, digits) != round(limit, digits)), usual)


def points(difference: float, *, signed: bool = True, digits: int = 1) -> str:
    """Write a difference of two fractions in percentage points, as `−5.1 points`."""
    number = points_number(difference, digits) if signed else _plain(abs(difference) * 100, digits)
    return f"{number} {'point' if number.lstrip('+' + MINUS) == '1' else 'points'}"


def points_number(difference: float, digits: int = 1) -> str:
    """Write a difference in points without the noun: one decimal, sign shown, zero without one."""
    text = _plain(abs(difference) * 100, digits)
    if text == "0":
        return text
    return f"{MINUS if difference < 0 else '+'}{text}"


def percent(fraction: float, digits: int = 1) -> str:
    """Write a fraction as percent, as `97.3 %`."""
    return f"{_plain(fraction * 100, digits)} %"


def ratio(value: float, digits: int = 2) -> str:
    """Write a ratio, as `1.31×`; infinite when the candidate never gets there."""
    return f"{'∞' if math.isinf(value) else f'{value:.{digits}f}'}{TIMES}"


def quantity(metric: str, value: float) -> str:
    """Write a quantile with its unit: latencies in ms below a second, rates in tokens per second."""
    if math.isinf(value):
        return _NEVER
    if metric == "decode_rate":
        return f"{value:.1f} tok/s"
    return f"{value * _MS_PER_S:.3g} ms" if value < 1 else f"{value:.2f} s"


def count_of(count: int, noun: str, nouns: str | None = None) -> str:
    """Write a count with its noun."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def listed(items: list[str]) -> str:
    """Join as `a, b and c`."""
    if len(items) < 2:  # noqa: PLR2004  # a pair needs two
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def _plain(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}f}".removesuffix(f".{'0' * digits}")

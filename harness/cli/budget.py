"""Refuses what may cost more than allowed: one rule for probes, a run, and both together."""

import math
from collections.abc import Sequence

from harness.errors import ConfigError

Price = tuple[float | None, str | None]  # money, None where no price book says it; currency


def refuse_over_budget(prices: Sequence[Price], max_cost: float | None, *, what: str, remedy: str) -> None:
    """Refuse, before anything is sent, what may cost more in all than `max_cost`; None allows anything."""
    if max_cost is None:
        return
    if any(money is None for money, _ in prices):
        raise ConfigError(
            "--max-cost needs a price book on every endpoint", remedy="Add prices: to each endpoint file that has none"
        )
    currencies = sorted({currency for _, currency in prices if currency})
    if len(currencies) > 1:
        raise ConfigError(
            f"--max-cost is one sum, and prices are in {' and '.join(currencies)}",
            remedy="Give all price books in one currency",
        )
    total = sum(money for money, _ in prices if money is not None)
    if total > max_cost:
        raise ConfigError(
            f"{what} may cost {_shown(total, max_cost)}, more than --max-cost {_shown(max_cost, total)}; "
            "nothing was sent",
            remedy=f"{remedy} or raise --max-cost",
        )


def refuse_unbounded(requests: Sequence[str], remedy: str) -> None:
    """Refuse a bound on money where an answer has none."""
    if requests:
        named = ", ".join(requests)
        raise ConfigError(f"--max-cost needs a bound on every answer; these have none: {named:.200}", remedy=remedy)


def money_words(money: float) -> str:
    """Write money with cents; less than one with two digits that are not zero, since 0.00 would read as nothing."""
    if not 0 < money < 1:
        return f"{money:.2f}"
    return f"{money:.{max(2, 1 - math.floor(math.log10(money)))}f}"


def _shown(money: float, other: float) -> str:
    """Write money with cents, or with more digits where two sums would look alike or like nothing."""
    is_small = min(money, other) < 1
    return f"{money:.4f}" if is_small else f"{money:.2f}"

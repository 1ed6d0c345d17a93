"""What one request cost: price book × usage."""

from collections.abc import Mapping

import msgspec

from harness.analysis.results.case import Case
from harness.analysis.results.estimates import Value
from harness.analysis.tokens import NO_USAGE
from harness.analysis.values import known, missing
from harness.model.endpoint import Prices
from harness.model.record import FailureKind, Record

TOKENS_PER_PRICE = 1_000_000
NO_PRICES = "no price book"
CONTRADICTION = "usage contradicts itself"
_BEFORE_ANY_WORK = frozenset(
    {
        FailureKind.DNS,
        FailureKind.CONNECT,
        FailureKind.TLS,
        FailureKind.TIMEOUT_CONNECT,
        FailureKind.RESET_BEFORE_RESPONSE,
    }
)
_SUCCESS_HUNDRED = 2


def price_book(endpoint: Mapping[str, object]) -> Prices | None:
    """Give the prices of an endpoint as configured; None when it states none."""
    prices = endpoint.get("prices")
    return None if prices is None else msgspec.convert(prices, Prices)


def currency_of(case: Case) -> str:
    """Give the currency of the price books, which is the same on both sides; empty without one."""
    prices = price_book(case.reference.endpoint)
    return "" if prices is None else prices.currency


def request_cost(record: Record, prices: Prices | None) -> Value:
    """Give the price of the tokens that usage reports, of a failed request too where it reports them."""
    if prices is None:
        return missing(NO_PRICES)
    usage = record.usage
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return missing(NO_USAGE)
    cached = usage.cached_tokens or 0  # not reported: everything at the full price
    if cached > usage.prompt_tokens or (usage.reasoning_tokens or 0) > usage.completion_tokens:
        return missing(CONTRADICTION)
    cached_price = prices.input_per_mtok if prices.cached_input_per_mtok is None else prices.cached_input_per_mtok
    tokens = (
        (usage.prompt_tokens - cached) * prices.input_per_mtok
        + cached * cached_price
        + usage.completion_tokens * prices.output_per_mtok
    )
    return known(tokens / TOKENS_PER_PRICE + prices.per_request)


def may_be_billed(record: Record) -> bool:
    """Whether work may have been done: not when an error status refused it or it never reached a server."""
    if record.failure is None:
        return True
    if record.failure.kind in _BEFORE_ANY_WORK:
        return False
    return record.status is None or record.status // 100 == _SUCCESS_HUNDRED

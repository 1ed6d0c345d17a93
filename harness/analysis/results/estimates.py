"""Numbers with their uncertainty, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.record import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bounds of an estimate; a bound is None when unbounded or not estimable, infinite when a failure sets it."""

    low: float | None
    high: float | None
    level: float  # 0.95
    method: str  # "newcombe", "wilson", "cluster bootstrap", "order statistics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number, or the reason why there is none."""

    value: float | None
    reason: str | None = None

    def __post_init__(self) -> None:
        """Refuse a value without a number and without a reason."""
        if (self.value is None) == (self.reason is None):
            message = "exactly one of value and reason is given"
            raise ValueError(message)


def unmeasured() -> Value:
    """Give the value of what nobody measured."""
    return Value(value=None, reason="not measured")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """One quantile of a tail; `worst` replaces it where n is too small."""

    q: float
    value: Value
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """A metric's distribution on one side."""

    metric: str  # id in the catalogue
    arm: Arm
    n: int  # samples, failures included
    n_failed: int  # of them: failures, which count as +infinity (latencies) or are left out (rates), as the metric says
    undefined: Mapping[str, int] = field(default_factory=dict)  # reason -> how many requests have no value
    values: tuple[float, ...] = ()  # the finite samples, ascending, in the catalogue's unit
    quantiles: tuple[Quantile, ...] = ()
    worst: float | None = None  # slowest (or lowest rate) finite value seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """System throughput and goodput of one side."""

    arm: Arm
    output_tokens_per_s: Value
    requests_per_s: Value
    steady_output_tokens_per_s: Value = field(  # while the load asked for was there
        default_factory=lambda: Value(value=None, reason="not measured")
    )
    steady_requests_per_s: Value = field(default_factory=lambda: Value(value=None, reason="not measured"))

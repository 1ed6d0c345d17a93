"""Service levels as a user writes them: `ttft <= 2 s in 99 %`."""

import re

from harness.errors import ConfigError
from harness.model.settings import Gates, SloGate, SloMetric

_WRITTEN = re.compile(
    r"\s*(?P<metric>ttft|e2e|decode_rate)\s*(?P<sign><=|>=|≤|≥)\s*(?P<limit>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|tok/s)"
    r"\s+in\s+(?P<percent>\d+(?:\.\d+)?)\s*%\s*"
)
_REMEDY = 'Write "ttft <= 2 s in 99 %", "e2e <= 800 ms in 95 %" or "decode_rate >= 40 tok/s in 95 %"'
_MS_PER_S = 1_000
_ALL = 100  # percent


def slo_gates(gates: Gates) -> tuple[SloGate, ...]:
    """Give the service levels of the settings, read."""
    return tuple(read_slo(written) for written in gates.slo)


def read_slo(written: str | SloGate, where: str | None = None) -> SloGate:
    """Read one; ConfigError where it says no metric, limit and share, or asks a latency to be long."""
    if isinstance(written, SloGate):
        return written
    found = _WRITTEN.fullmatch(written)
    if found is None:
        raise ConfigError(f"{written!r} is no service level", where=where, remedy=_REMEDY)
    metric, share = SloMetric(found["metric"]), float(found["percent"]) / _ALL
    is_rate = metric is SloMetric.DECODE_RATE
    if is_rate != (found["sign"] in {">=", "≥"}) or is_rate != (found["unit"] == "tok/s"):
        raise ConfigError(f"{written!r}: a latency has a most, a rate a least", where=where, remedy=_REMEDY)
    limit = float(found["limit"]) / (_MS_PER_S if found["unit"] == "ms" else 1)
    if not 0 < share < 1 or limit == 0:
        raise ConfigError(f"{written!r}: the share lies between 0 and 100 %", where=where, remedy=_REMEDY)
    return SloGate(metric=metric, limit=limit, share=share)


def slo_id(gate: SloGate) -> str:
    """Name a service level: the same words for however it was written."""
    return f"slo: {slo_words(gate)}"


def slo_words(gate: SloGate) -> str:
    """Write a service level as a user would: `ttft <= 2 s in 99 %`."""
    if gate.is_rate:
        return f"{gate.metric} >= {gate.limit:g} tok/s in {gate.share * _ALL:g} %"
    limit = f"{gate.limit:g} s" if gate.limit >= 1 else f"{gate.limit * _MS_PER_S:g} ms"
    return f"{gate.metric} <= {limit} in {gate.share * _ALL:g} %"

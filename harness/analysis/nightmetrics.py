"""The figures that are followed from night to night, each with the least change that is called a regression.

The thresholds are well inside the default margins of a verdict: a margin says what a cut-over allows, a threshold what
is worth waking somebody for.
"""

import math
from collections.abc import Mapping

from harness.analysis.results.nights import NightMetric
from harness.errors import ConfigError


def _timing(metric_id: str, title: str, threshold: float, *, is_higher_better: bool = False) -> NightMetric:
    return NightMetric(id=metric_id, title=title, is_rate=False, is_higher_better=is_higher_better, threshold=threshold)


def _rate(metric_id: str, title: str, threshold: float) -> NightMetric:
    return NightMetric(id=metric_id, title=title, is_rate=True, is_higher_better=True, threshold=threshold)


NIGHT_METRICS: Mapping[str, NightMetric] = {
    metric.id: metric
    for metric in (
        _timing("ttft_p50", "TTFT p50", 0.10),
        _timing("ttft_p95", "TTFT p95", 0.25),
        _timing("decode_p50", "decode rate p50", 0.05, is_higher_better=True),
        _timing("e2e_p50", "E2E p50", 0.10),
        _timing("cost_per_success", "cost per success", 0.10),
        _rate("request_success", "request success", 0.02),
        _rate("task_success", "task success", 0.05),
        _rate("tool_success", "tool-call success", 0.05),
        _rate("json_validity", "valid JSON", 0.05),
    )
}


def loss_of(metric: NightMetric, value: float) -> float:
    """Give a value as a loss, larger is worse: a logarithm, or a share of requests."""
    if metric.is_rate:
        return 1 - value if metric.is_higher_better else value
    return -math.log(value) if metric.is_higher_better else math.log(value)


def value_of(metric: NightMetric, loss: float) -> float:
    """Give a loss back in the metric's own unit."""
    if metric.is_rate:
        return 1 - loss if metric.is_higher_better else loss
    return math.exp(-loss if metric.is_higher_better else loss)


def least_loss(metric: NightMetric) -> float:
    """Give the threshold as a loss: a rate that is 5 % lower is the old one times 0.95."""
    if metric.is_rate:
        return metric.threshold
    return -math.log1p(-metric.threshold) if metric.is_higher_better else math.log1p(metric.threshold)


def change_text(metric: NightMetric, loss: float) -> str:
    """Say a loss in words: points of a rate, per cent of a level."""
    way = "lower" if (loss > 0) == metric.is_higher_better else "higher"
    size = abs(loss) if metric.is_rate else abs(math.expm1(-loss if metric.is_higher_better else loss))
    told = f"{100 * size:.1f}"
    return "unchanged" if told == "0.0" else f"{told} {'points' if metric.is_rate else '%'} {way}"


def against_text(metric: NightMetric, loss: float) -> str:
    """Say a loss before what it is held against."""
    told = change_text(metric, loss)
    return f"{told} from" if told == "unchanged" else f"{told} than"


def with_thresholds(given: Mapping[str, float], names: tuple[str, ...] = ()) -> tuple[NightMetric, ...]:
    """Give the metrics that are asked for, with the user's thresholds; ConfigError for an unknown one."""
    for name in (*given, *names):
        if name not in NIGHT_METRICS:
            raise ConfigError(f"no figure {name!r} in the ledger", remedy=f"One of {', '.join(NIGHT_METRICS)}")
    chosen = [NIGHT_METRICS[name] for name in names or tuple(NIGHT_METRICS)]
    return tuple(
        NightMetric(
            id=metric.id,
            title=metric.title,
            is_rate=metric.is_rate,
            is_higher_better=metric.is_higher_better,
            threshold=given.get(metric.id, metric.threshold),
        )
        for metric in chosen
    )

"""The headline figures of one side of a run, for a look at two runs side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.frames import gap_frame, trial_frame
from harness.analysis.results.estimates import Value
from harness.analysis.results.trial import Rung
from harness.analysis.tails import tails
from harness.analysis.trials import JudgedRecord, at_level
from harness.analysis.values import known, missing
from harness.model.golden import GoldenSet
from harness.model.record import Arm

_QUANTILES = (("ttft", 0.5), ("ttft", 0.95), ("decode_rate", 0.5), ("e2e", 0.5), ("e2e", 0.95))
_TITLES = {"ttft": "TTFT", "decode_rate": "decode rate", "e2e": "E2E"}
TIMES = frozenset({"s", "tok/s"})  # units of what VOID timings leave unknown
_UNITS = {"ttft": "s", "decode_rate": "tok/s", "e2e": "s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of one side."""

    title: str
    unit: str
    value: Value
    n: int


def run_figures(arm: Arm, judged: Sequence[JudgedRecord], golden: GoldenSet) -> tuple[Figure, ...]:
    """Give counts, rates and quantiles of the judged level."""
    counted = at_level(judged, 0)
    return (*_rates(counted), *_quantiles(arm, judged, golden), *_tokens(counted))


def _rates(counted: Sequence[JudgedRecord]) -> Iterator[Figure]:
    trials = [item.trial for item in counted]
    yield _rate("request success", [trial.failure is None for trial in trials])
    yield _rate("task success", [trial.task_success for trial in trials if trial.task_success is not None])
    tools = [trial.tool for trial in trials if trial.tool is not None and trial.tool.rung is not Rung.NOT_RUN]
    yield _rate("tool-call success", [tool.rung is Rung.OK for tool in tools])


def _rate(title: str, passed: Sequence[bool]) -> Figure:
    value = known(sum(passed) / len(passed)) if passed else missing("no request of this kind")
    return Figure(title=title, unit="fraction", value=value, n=len(passed))


def _quantiles(arm: Arm, judged: Sequence[JudgedRecord], golden: GoldenSet) -> Iterator[Figure]:
    found = {tail.metric: tail for tail in tails(trial_frame(judged, golden), gap_frame(judged), (arm,))}
    for metric, q in _QUANTILES:
        tail = found.get(metric)
        quantiles = {quantile.q: quantile.value for quantile in tail.quantiles} if tail else {}
        yield Figure(
            title=f"{_TITLES[metric]} p{q * 100:g}",
            unit=_UNITS[metric],
            value=quantiles.get(q) or missing("no request has a value"),
            n=tail.n if tail else 0,
        )


def _tokens(counted: Sequence[JudgedRecord]) -> Iterator[Figure]:
    for title, metric in (("prompt tokens, mean", "prompt_tokens"), ("completion tokens, mean", "completion_tokens")):
        values = [item.trial.metrics[metric].value for item in counted if metric in item.trial.metrics]
        numbers = [value for value in values if value is not None]
        mean = known(sum(numbers) / len(numbers)) if numbers else missing("usage missing")
        yield Figure(title=title, unit="tokens", value=mean, n=len(numbers))

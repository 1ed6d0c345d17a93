"""The nights of single prompts, and of a few of them taken together."""

import math
from collections.abc import Callable, Mapping, Sequence

from harness.analysis.nightmetrics import loss_of, value_of
from harness.analysis.results.nights import Night, NightMetric
from harness.model.ledger import LedgerEntry, LedgerPrompt
from harness.model.record import Arm

_Found = tuple[float | None, int]  # the figure, and of how many requests it is
_Read = Callable[[LedgerPrompt], _Found]

# The prompt's own figure that stands for a headline figure; a metric without one can only be looked at as a whole.
_FIGURES: Mapping[str, tuple[str, _Read]] = {
    "ttft_p50": ("TTFT", lambda prompt: (prompt.ttft_p50_s, prompt.n)),
    "decode_p50": ("decode rate", lambda prompt: (prompt.decode_p50, prompt.n)),
    "request_success": ("answered", lambda prompt: _share(prompt.n - prompt.n_failed, prompt.n)),
    "task_success": ("passed", lambda prompt: _share(prompt.n_passed, prompt.n)),
    "tool_success": ("tool calls right", lambda prompt: _share(prompt.n_tool_right, prompt.n_tool)),
    "json_validity": ("valid JSON", lambda prompt: _share(prompt.n_json_valid, prompt.n_json)),
}


def _share(count: int | None, n: int) -> _Found:
    return (None, 0) if count is None or n == 0 else (count / n, n)


def figure_name(metric: NightMetric) -> str | None:
    """Name the prompts' figure that stands for a metric; None where the ledger holds none by prompt."""
    found = _FIGURES.get(metric.id)
    return found[0] if found else None


def prompts_with(entry: LedgerEntry, arm: Arm, metric: NightMetric) -> tuple[str, ...]:
    """Give the prompts of a run that have the figure."""
    side = entry.side(arm)
    found = _FIGURES.get(metric.id)
    if side is None or found is None:
        return ()
    return tuple(prompt.prompt_id for prompt in side.prompts if found[1](prompt)[0] is not None)


def prompt_nights(
    entries: Sequence[LedgerEntry], nights: Sequence[Night], arm: Arm, metric: NightMetric, prompts: Sequence[str]
) -> tuple[Night, ...]:
    """Give the nights of these prompts together: the mean loss, or their requests counted; gaps stay gaps."""
    read = _FIGURES[metric.id][1]
    return tuple(
        _together(entry, night, arm, metric, (read, frozenset(prompts)))
        for entry, night in zip(entries, nights, strict=True)
    )


def _together(
    entry: LedgerEntry, night: Night, arm: Arm, metric: NightMetric, chosen: tuple[_Read, frozenset[str]]
) -> Night:
    read, names = chosen
    side = entry.side(arm)
    own = [prompt for prompt in side.prompts if prompt.prompt_id in names] if side else []
    found = [read(prompt) for prompt in own]
    values = [(value, n) for value, n in found if value is not None and _fits(metric, value)]
    is_gap = not night.is_valid or len(values) < len(names)
    n = sum(n for _, n in values)
    return Night(
        run_id=night.run_id,
        at=night.at,
        value=None if is_gap else _mean(metric, values),
        n=n,
        comparable=night.comparable,
        is_valid=not is_gap,
        reason=night.reason or ("a prompt has no figure" if is_gap else None),
    )


def _fits(metric: NightMetric, value: float) -> bool:
    return metric.is_rate or (value > 0 and math.isfinite(value))


def _mean(metric: NightMetric, values: Sequence[tuple[float, int]]) -> float:
    if metric.is_rate:
        return sum(value * n for value, n in values) / sum(n for _, n in values)
    return value_of(metric, sum(loss_of(metric, value) for value, _ in values) / len(values))

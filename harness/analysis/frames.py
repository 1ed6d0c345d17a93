"""Trials as tables: a row per trial, a row per gap.

Inside a frame an undefined value is a missing cell with its reason in the column beside it; neither leaves this module
and `tails` as a number.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from harness.analysis.catalog import CATALOG, Failures
from harness.analysis.gaps import gaps
from harness.analysis.latencies import waited_s
from harness.analysis.metrics import why_unmeasured
from harness.analysis.trials import JudgedRecord, at_level
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import TIMEOUT_KINDS

TAIL_METRICS = tuple(metric.id for metric in CATALOG.values() if metric.failures is not Failures.NO_TAIL)
GAP = "gap"


def trial_frame(judged: Sequence[JudgedRecord], golden: GoldenSet, *, level: int = 0) -> pd.DataFrame:
    """Give one row per trial that counts at a level: who, what, whether it failed, every metric that has a tail."""
    prompts = {prompt.id: prompt for prompt in golden.prompts}
    rows = [_row(item, prompts[item.trial.key.prompt_id]) for item in at_level(judged, level)]
    frame = pd.DataFrame(rows, columns=_columns())
    floats = {"waited_s": float} | dict.fromkeys(TAIL_METRICS, float)
    return frame.astype(floats)


def gap_frame(judged: Sequence[JudgedRecord], *, level: int = 0) -> pd.DataFrame:
    """Give one row per gap of every trial that counts at a level, so that a tail of gaps merges raw samples."""
    counted = at_level(judged, level)
    per_trial = pd.DataFrame(
        {
            "arm": [item.trial.key.arm.value for item in counted],
            "prompt_id": [item.trial.key.prompt_id for item in counted],
            GAP: [list(gaps(item.record)) for item in counted],
        }
    )
    return per_trial.explode(GAP, ignore_index=True).dropna(subset=[GAP]).astype({GAP: float})


def reason_of(metric: str) -> str:
    """Name the column that holds the reasons beside a metric's values."""
    return f"{metric} undefined"


def counts_in(metric: str) -> str:
    """Name the column that says whether a prompt's requests count in a metric's tail."""
    return f"counts in {CATALOG[metric].scope}"


def _columns() -> list[str]:
    scopes = list(dict.fromkeys(counts_in(metric) for metric in TAIL_METRICS))
    metrics = [column for metric in TAIL_METRICS for column in (metric, reason_of(metric))]
    return ["arm", "prompt_id", "failure", "is_timeout", "waited_s", *scopes, *metrics]


def _row(item: JudgedRecord, prompt: Prompt) -> dict[str, Any]:
    trial, failure = item.trial, item.record.failure
    row: dict[str, Any] = {
        "arm": trial.key.arm.value,
        "prompt_id": trial.key.prompt_id,
        "failure": trial.failure,
        "is_timeout": failure is not None and failure.kind in TIMEOUT_KINDS,
        "waited_s": waited_s(item.record),
    }
    for metric in TAIL_METRICS:
        row[counts_in(metric)] = why_unmeasured(prompt, CATALOG[metric].scope) is None
        row[metric] = trial.metrics[metric].value
        row[reason_of(metric)] = trial.metrics[metric].reason
    return row

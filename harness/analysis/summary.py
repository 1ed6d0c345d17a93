"""An analysis as plain JSON values: what verdict.json and a report's JSON hold.

Keys are the field names of the result types. A number is finite; an undefined one is null with its reason beside it; an
infinite one, set by failures, is the text "inf" or "-inf". Samples, answers and trials are left out: the run folder
holds them.
"""

import math
from dataclasses import replace
from typing import Any

import msgspec

from harness.analysis.estimators import ESTIMATORS
from harness.analysis.load import side_loads
from harness.analysis.prompts import prompt_token_ratio
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Tail
from harness.analysis.results.judgement import EXIT_CODES, Judgement
from harness.analysis.results.levels import LevelRow
from harness.analysis.results.prompts import PromptRow, PromptSide
from harness.model.digest import plan_sha256

# Format history of the summary. 1: first version.
SUMMARY_VERSION = 1
INFINITE, MINUS_INFINITE = "inf", "-inf"
_GOODPUT_REASON = "no limits are stated"


def to_summary(analysis: Analysis) -> dict[str, object]:
    """Give everything but the samples, under stable keys."""
    case = analysis.case
    found: dict[str, object] = {
        "format_version": SUMMARY_VERSION,
        "certificate": _plain(analysis.certificate),
        **_judgement(analysis.judgement),
        "sides": [_side(case, side) for side in (case.reference, case.candidate) if side is not None],
        **_identity(case),
        "tails": [_tail(tail) for tail in analysis.tails],
        "throughput": [
            {**_plain(side), "goodput": {"value": None, "reason": _GOODPUT_REASON}} for side in analysis.throughput
        ],
        "levels": [_level(row) for row in analysis.levels],
        "knees": _plain(analysis.knees),
        "answers": _plain(analysis.answers),
        "tools": _plain(analysis.tools),
        "structured": _plain(analysis.structured),
        "tokens": _plain(analysis.tokens),
        "loops": _plain(analysis.loops),
        "streaming": _plain(analysis.streaming),
        "divergence": _plain(analysis.divergence),
        "economics": _plain(analysis.economics),
        "failures": _plain(analysis.failures),
        "findings": _plain(analysis.findings),
        "instrument": _plain(analysis.instrument),
        "prompts": [_prompt(row) for row in analysis.prompts],
    }
    return found


def _judgement(judgement: Judgement | None) -> dict[str, object]:
    """Give the verdict and its reasons; one endpoint alone has none and exits with 0."""
    if judgement is None:
        nothing: list[object] = []
        keys = ("worst_case", "gates", "validity", "settle", "not_verified", "read_first", "notes")
        without = dict.fromkeys(("identity", "worst_off"))
        return {"verdict": None, "exit_code": 0, "sentence": None} | dict.fromkeys(keys, nothing) | without
    fields = _plain(judgement)
    return {"verdict": fields.pop("verdict"), "exit_code": EXIT_CODES[judgement.verdict], **fields}


def _side(case: Case, side: Side) -> dict[str, object]:
    return {
        "arm": side.arm.value,
        "name": side.name,
        "base_url": side.endpoint.get("base_url"),
        "model": side.endpoint.get("model"),
        "run_id": side.run_id,
        "was_recorded_earlier": side.was_recorded_earlier,
        "load": _load(case, side),
    }


def _load(case: Case, side: Side) -> dict[str, object]:
    """Say how requests arrived: an open and a closed loop give figures that are not to be compared."""
    loads, plan = side_loads(case, side), side.plan or case.plan
    return {
        "arrival": loads[0].arrival.value,
        "levels": [load.asked for load in loads],
        "ramp_s": loads[0].ramp_s,
        "seed": None if plan is None else plan.seed,
    }


def _level(row: LevelRow) -> dict[str, object]:
    return {**_plain(replace(row, tails=())), "tails": [_tail(tail) for tail in row.tails]}


def _identity(case: Case) -> dict[str, object]:
    """Say what was judged, under which definitions."""
    return {
        "golden": {"name": case.golden.name, "version": case.golden.version, "sha256": case.golden.sha256},
        "plan_sha256": None if case.plan is None else plan_sha256(case.plan),
        "margins_are_from_plan": case.margins_are_from_plan,
        "estimators": ESTIMATORS,
    }


def _tail(tail: Tail) -> dict[str, object]:
    fields = _plain(tail)
    del fields["values"]
    return dict(fields)


def _prompt(row: PromptRow) -> dict[str, object]:
    effects = ("cross_agreement", "ttft_ratio", "decode_ratio", "success_difference")
    return {
        "prompt_id": row.prompt_id,
        "category": row.category,
        "score": _plain(row.score),
        "reference": _prompt_side(row.reference),
        "candidate": None if row.candidate is None else _prompt_side(row.candidate),
        **{name: _plain(getattr(row, name)) for name in effects},
        "prompt_token_ratio": _plain(prompt_token_ratio(row)),
    }


def _prompt_side(side: PromptSide) -> dict[str, object]:
    fields = _plain(side)
    return {**fields, "answers": [group.count for group in side.answers]}


def _plain(value: Any) -> Any:
    """Give JSON values; infinity as text, and no NaN: that would be a bug of ours."""
    return _finite(msgspec.to_builtins(value))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if not isinstance(value, float) or math.isfinite(value):
        return value
    if math.isnan(value):
        raise ValueError("a result is NaN")
    return INFINITE if value > 0 else MINUS_INFINITE

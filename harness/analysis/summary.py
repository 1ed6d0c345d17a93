"""An analysis as plain JSON values: what verdict.json and a report's JSON hold.

Keys are the field names of the result types. A number is finite; an undefined one is null with its reason beside it; an
infinite one, set by failures, is the text "inf" or "-inf". Samples, answers and trials are left out: the run folder
holds them.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from harness.analysis.estimators import ESTIMATORS
from harness.analysis.load import side_loads
from harness.analysis.prompts import prompt_token_ratio
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.attempts import Attempts
from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Throughput
from harness.analysis.results.judgement import EXIT_CODES, Judgement
from harness.analysis.results.prompts import PromptRow, PromptSide
from harness.analysis.results.summary import (
    AttemptsSummary,
    GoldenSummary,
    LoadSummary,
    PromptSideSummary,
    PromptSummary,
    SideSummary,
    Summary,
    ThroughputSummary,
)
from harness.analysis.unverified import is_unverified
from harness.analysis.values import missing
from harness.model.digest import plan_sha256

# Format history of the summary. 1: first version.
SUMMARY_VERSION = 1
INFINITE, MINUS_INFINITE = "inf", "-inf"
LEFT_OUT: Mapping[str, tuple[str, ...]] = {"Tail": ("values",)}  # fields of result types that are samples
_GOODPUT_REASON = "no limits are stated"


def to_summary(analysis: Analysis) -> dict[str, object]:
    """Give everything but the samples, under stable keys."""
    return dict(_without_samples(plain(_summary(analysis))))


def _summary(analysis: Analysis) -> Summary:
    case = analysis.case
    return Summary(
        format_version=SUMMARY_VERSION,
        certificate=analysis.certificate,
        **_judgement(analysis.judgement),
        sides=tuple(_side(case, side) for side in (case.reference, case.candidate) if side is not None),
        golden=GoldenSummary(name=case.golden.name, version=case.golden.version, sha256=case.golden.sha256),
        plan_sha256=None if case.plan is None else plan_sha256(case.plan),
        margins_are_from_plan=case.margins_are_from_plan,
        estimators=ESTIMATORS,
        tails=analysis.tails,
        throughput=tuple(map(_throughput, analysis.throughput)),
        levels=analysis.levels,
        knees=analysis.knees,
        answers=analysis.answers,
        tools=analysis.tools,
        structured=analysis.structured,
        tokens=analysis.tokens,
        loops=analysis.loops,
        streaming=analysis.streaming,
        divergence=analysis.divergence,
        economics=analysis.economics,
        failures=analysis.failures,
        attempts=tuple(map(_attempts, analysis.attempts)),
        findings=analysis.findings,
        cold=analysis.cold,
        timeouts=analysis.timeouts,
        instrument=analysis.instrument,
        prompts=tuple(map(_prompt, analysis.prompts)),
    )


def _judgement(judgement: Judgement | None) -> dict[str, Any]:
    """Give the verdict and its reasons; one endpoint alone has none and exits with 0."""
    if judgement is None:
        keys = ("worst_case", "gates", "validity", "settle", "not_verified", "read_first", "notes")
        without = dict.fromkeys(("verdict", "sentence", "identity", "worst_off"))
        return {"exit_code": 0} | dict.fromkeys(keys, ()) | without
    fields = {field.name: getattr(judgement, field.name) for field in dataclasses.fields(judgement)}
    return {"exit_code": EXIT_CODES[judgement.verdict], **fields}


def _side(case: Case, side: Side) -> SideSummary:
    return SideSummary(
        arm=side.arm,
        name=side.name,
        base_url=_text(side.endpoint.get("base_url")),
        model=_text(side.endpoint.get("model")),
        tls_verified=not is_unverified(side.endpoint),
        run_id=side.run_id,
        was_recorded_earlier=side.was_recorded_earlier,
        load=_load(case, side),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _load(case: Case, side: Side) -> LoadSummary:
    loads, plan = side_loads(case, side), side.plan or case.plan
    return LoadSummary(
        arrival=loads[0].arrival,
        levels=tuple(load.asked for load in loads),
        ramp_s=loads[0].ramp_s,
        seed=None if plan is None else plan.seed,
    )


def _throughput(side: Throughput) -> ThroughputSummary:
    fields = {field.name: getattr(side, field.name) for field in dataclasses.fields(side)}
    return ThroughputSummary(**fields, goodput=missing(_GOODPUT_REASON))


def _attempts(row: Attempts) -> AttemptsSummary:
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    return AttemptsSummary(**fields, attempts_per_request=row.per_request)


def _prompt(row: PromptRow) -> PromptSummary:
    return PromptSummary(
        prompt_id=row.prompt_id,
        category=row.category,
        score=row.score,
        reference=_prompt_side(row.reference),
        candidate=None if row.candidate is None else _prompt_side(row.candidate),
        cross_agreement=row.cross_agreement,
        ttft_ratio=row.ttft_ratio,
        decode_ratio=row.decode_ratio,
        success_difference=row.success_difference,
        prompt_token_ratio=prompt_token_ratio(row),
    )


def _prompt_side(side: PromptSide) -> PromptSideSummary:
    fields = {field.name: getattr(side, field.name) for field in dataclasses.fields(side)}
    return PromptSideSummary(**{**fields, "answers": tuple(group.count for group in side.answers)})


def _without_samples(summary: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the run folder holds: LEFT_OUT."""
    for tail in (*summary["tails"], *(tail for row in summary["levels"] for tail in row["tails"])):
        for name in LEFT_OUT["Tail"]:
            del tail[name]
    return summary


def plain(value: Any) -> Any:
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

"""Presets of the settings: a quick screen, a certification, a sequence of looks."""

import msgspec

from harness.analysis.gatetable import Form, GateRow, gate_rows
from harness.analysis.looks import SEQUENTIAL_REPEATS
from harness.model.golden import GoldenSet
from harness.model.record import LookScheme
from harness.model.servicelevels import slo_gates
from harness.model.settings import Gates, RateGate, RatioGate, Settings

QUICK_REPEATS = 3
QUICK_MARGIN = 0.10
CERTIFY_REPEATS = 10
CERTIFY_P95 = 1.25
CERTIFY_PROMPTS = 50
_MEDIAN = 0.5


def quick(settings: Settings) -> Settings:
    """Make a screen of 3 repeats: only rates, at 10 points or more, and medians can decide, and the verdict says so."""
    gates = settings.verdict
    changed = {row.id: _screened(row, gates) for row in gate_rows(gates) if row.slo is None}
    limits = [msgspec.structs.replace(gate, required=False) for gate in slo_gates(gates)]
    plan = msgspec.structs.replace(
        settings.plan,
        repeats=QUICK_REPEATS,
        max_repeats=max(QUICK_REPEATS, settings.plan.max_repeats),
        looks=LookScheme.SINGLE,
        screen=True,
    )
    verdict = msgspec.structs.replace(gates, **changed, slo=limits)
    return msgspec.structs.replace(settings, plan=plan, verdict=verdict)


def _screened(row: GateRow, gates: Gates) -> RateGate | RatioGate:
    gate = getattr(gates, row.id)
    if row.form is Form.RATES:
        return RateGate(margin=max(gate.margin, QUICK_MARGIN), required=gate.required)
    return RatioGate(margin=gate.margin, required=gate.required and row.q == _MEDIAN) if row.q else _informative(gate)


def _informative(gate: RateGate | RatioGate) -> RateGate | RatioGate:
    return msgspec.structs.replace(gate, required=False)


def certify(settings: Settings) -> Settings:
    """Ask for 10 repeats and a p95 of TTFT within 1.25 times; narrower margins of the user's own stand."""
    p95 = settings.verdict.ttft_p95
    plan = msgspec.structs.replace(
        settings.plan,
        repeats=max(CERTIFY_REPEATS, settings.plan.repeats),
        max_repeats=max(CERTIFY_REPEATS, settings.plan.max_repeats),
    )
    narrow = msgspec.structs.replace(p95, margin=min(p95.margin, CERTIFY_P95))
    return msgspec.structs.replace(
        settings, plan=plan, verdict=msgspec.structs.replace(settings.verdict, ttft_p95=narrow)
    )


def certify_warning(golden: GoldenSet) -> str | None:
    """Warn of a set too small to certify with; None where it is not."""
    n = len(golden.prompts)
    if n >= CERTIFY_PROMPTS:
        return None
    return (
        f"certifying with {n} prompts: a tail within {CERTIFY_P95:g} times asks for {CERTIFY_PROMPTS} or more, and "
        "repeats do not replace prompts"
    )


def sequential(settings: Settings) -> Settings:
    """Look after 3, 5 and 10 repeats, with one error rate for all three."""
    plan = msgspec.structs.replace(
        settings.plan,
        looks=LookScheme.SEQUENTIAL,
        repeats=SEQUENTIAL_REPEATS[0],
        max_repeats=max(SEQUENTIAL_REPEATS[-1], settings.plan.max_repeats),
    )
    return msgspec.structs.replace(settings, plan=plan)

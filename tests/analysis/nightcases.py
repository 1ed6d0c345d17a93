"""Builders of nights and of small ledgers of many nights."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.analysis.intervals import wilson
from harness.analysis.results.nights import Night
from harness.model.ledger import LedgerEntry, LedgerFigure, LedgerPrompt, LedgerSide
from harness.model.record import Arm
from tests.model.ledgers import PARTS, an_entry

START = datetime(2026, 1, 1, 3, 17, tzinfo=UTC)
COMPARED = {**PARTS, "kind": "compare"}


def a_night(value: float | None, place: int = 0, **changes: Any) -> Night:
    """Give a night without an interval; None makes it a gap."""
    given: dict[str, Any] = {
        "run_id": f"run-{place:03d}",
        "at": (START + timedelta(days=place)).isoformat(),
        "value": value,
        "n": 100,
        "comparable": "same",
        "is_valid": value is not None,
        "reason": None if value is not None else "timings are VOID",
    }
    return Night(**{**given, **changes})


def nights(*values: float | None) -> list[Night]:
    return [a_night(value, place) for place, value in enumerate(values)]


def a_timing(value: float, within: float = 0.01) -> LedgerFigure:
    return LedgerFigure(value=value, low=value * (1 - 2 * within), high=value * (1 + 2 * within), n=100)


def a_share(passed: int, n: int) -> LedgerFigure:
    interval = wilson(passed, n)
    return LedgerFigure(value=passed / n, low=interval.low, high=interval.high, n=n)


def a_side(arm: Arm, figures: Mapping[str, LedgerFigure], prompts: Sequence[LedgerPrompt] = ()) -> LedgerSide:
    return LedgerSide(
        arm=arm,
        name=arm.value,
        model="m",
        address=f"https://{arm.value}.example/v1",
        run_id="r",
        started_at=START.isoformat(),
        n=100,
        figures=dict(figures),
        prompts=tuple(prompts),
    )


def a_prompt(prompt_id: str, decode: float, passed: int = 5) -> LedgerPrompt:
    return LedgerPrompt(prompt_id=prompt_id, n=5, n_failed=0, n_passed=passed, ttft_p50_s=0.2, decode_p50=decode)


def a_compared(place: int, sides: Sequence[LedgerSide], **changes: Any) -> LedgerEntry:
    """Give a night's entry, a day after the one before."""
    parts = COMPARED if len(sides) > 1 else PARTS
    at = (START + timedelta(days=place)).isoformat()
    given = {"parts": parts, "started_at": at, "sides": tuple(sides), "kind": parts["kind"]}
    return an_entry(f"run-{place:03d}", **{**given, **changes})

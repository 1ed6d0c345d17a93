"""Builders of small ledger entries for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from harness.model.ledger import LedgerEntry, LedgerFigure, LedgerSide, comparable_digest
from harness.model.record import Arm

PARTS = {"kind": "run", "golden": "a" * 64, "definitions": "3", "reference.model": "m"}


def a_figure(value: float | None = 100.0, **changes: Any) -> LedgerFigure:
    """Give a figure a twentieth wide on either side; without a value it has a reason."""
    given: dict[str, Any] = {"value": value, "n": 40}
    given |= {"reason": "not measured"} if value is None else {"low": value * 0.95, "high": value * 1.05}
    return LedgerFigure(**{**given, **changes})


def a_ledger_side(arm: Arm = Arm.REFERENCE, **changes: Any) -> LedgerSide:
    """Give a side that decodes 100 tokens per second."""
    given: dict[str, Any] = {
        "arm": arm,
        "name": "a",
        "model": "m",
        "address": "https://a.example/v1",
        "run_id": "r1",
        "started_at": "2026-01-01T00:00:00+00:00",
        "n": 40,
        "figures": {"decode_p50": a_figure(), "ttft_p50": a_figure(0.2), "request_success": a_figure(1.0)},
    }
    return LedgerSide(**{**given, **changes})


def an_entry(run_id: str = "r1", day: int = 1, **changes: Any) -> LedgerEntry:
    """Give the entry of a run of one side on a day of 2026, counted from its first."""
    started_at = (datetime(2025, 12, 31, tzinfo=UTC) + timedelta(days=day)).isoformat()
    parts = changes.pop("parts", PARTS)
    given: dict[str, Any] = {
        "run_id": run_id,
        "n_requests": 40,
        "started_at": started_at,
        "kind": "run",
        "golden_name": "small",
        "golden_version": "1",
        "golden_sha256": "a" * 64,
        "plan_sha256": "b" * 64,
        "parts": parts,
        "comparable": comparable_digest(parts),
        "definitions": "3",
        "bench": "0.1.0",
        "sides": (a_ledger_side(run_id=run_id, started_at=started_at),),
        "is_valid": True,
        "timing": "valid",
        "summary_sha256": "c" * 64,
    }
    return LedgerEntry(**{**given, **changes})


def decoding(run_id: str, day: int, value: float | None, **changes: Any) -> LedgerEntry:
    """Give an entry whose only side decodes at this rate."""
    entry = an_entry(run_id, day)
    side = entry.sides[0]
    figures = {**side.figures, "decode_p50": a_figure(value)}
    return msgspec.structs.replace(entry, sides=(msgspec.structs.replace(side, figures=figures),), **changes)

"""Builders of small run headers and attempts for tests."""

from typing import Any

from harness.model.record import Arm, ArmHeader, Attempt, Block, Plan, Reads, RequestKey, RunHeader


def a_plan(*blocks: Block) -> Plan:
    """Give a plan of these blocks."""
    return Plan(seed=1, look_ahead=4, repeats={}, blocks=blocks, settings={}, golden_sha256="0" * 64, estimators="1")


def a_header(**changes: Any) -> RunHeader:
    """Give a header of a run with one arm."""
    given: dict[str, Any] = {
        "run_id": "r",
        "command": "bench run a.yml",
        "started_at": "2026-01-01T00:00:00+00:00",
        "plan": a_plan(),
        "plan_sha256": "0" * 64,
        "golden": {"name": "g", "prompts": []},
        "arms": (ArmHeader(arm=Arm.REFERENCE, endpoint={"name": "a", "model": "m"}),),
    }
    return RunHeader(**{**given, **changes})


def an_attempt(repeat: int = 0, **changes: Any) -> Attempt:
    """Give a sent attempt whose response came in one read."""
    given: dict[str, Any] = {
        "key": RequestKey(arm=Arm.REFERENCE, prompt_id="p", repeat=repeat),
        "attempt": 1,
        "block": repeat,
        "request_sha256": "0" * 64,
        "request_bytes": 10,
        "intended_at_ns": 1,
        "admitted_at_ns": 2,
        "sent_at_ns": 3,
        "ended_at_ns": 9,
        "status": 200,
        "reads": Reads(at_ns=(5,), seen_at_ns=(6,), n_bytes=(4,), source="k"),
    }
    return Attempt(**{**given, **changes})

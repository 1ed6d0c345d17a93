"""Failures and findings, counted."""

from dataclasses import dataclass

from harness.model.record import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """One kind of failure on one side."""

    arm: Arm
    kind: str
    n: int
    prompts: tuple[str, ...]
    example: str
    advice: str
    n_other_levels: int = 0  # of n: at a level of load that is not judged
    n_follow_ups: int = 0  # of n: after the measured levels


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One kind of finding on one side."""

    arm: Arm
    kind: str
    n_responses: int
    example: str
    advice: str
    prompts: tuple[str, ...] = ()  # most responses first; a finding on a whole side has none

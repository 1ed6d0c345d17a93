"""Validity and the verdict."""

from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.results.gate import Gate
from harness.analysis.results.likeness import Identity
from harness.analysis.results.worstoff import WorstOff


class Verdict(StrEnum):
    """The four words."""

    PASS = "PASS"  # noqa: S105  # a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3, Verdict.INVALID: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidityCheck:
    """One condition under which the run says something."""

    id: str
    title: str
    is_met: bool
    evidence: str
    consequence: str  # "INVALID", "VOID for timing", "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict with its reasons."""

    verdict: Verdict
    sentence: str  # the plain sentence
    worst_case: tuple[str, ...] = ()  # still compatible with the data, per gate that had a say
    gates: tuple[Gate, ...] = ()
    validity: tuple[ValidityCheck, ...] = ()
    settle: tuple[str, ...] = ()  # what would settle it: requests, money, command
    not_verified: tuple[str, ...] = ()
    read_first: tuple[str, ...] = ()  # prompt ids
    notes: tuple[str, ...] = ()  # margins chosen after the data, side recorded earlier, ...
    identity: Identity | None = None  # None: no two sides to compare
    worst_off: WorstOff | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """How many answers hold, of one form of one side."""

    n: int
    n_valid: int


class Holds(StrEnum):
    """What can hold of an answer in one form and not in the other."""

    TOOL_CALLS = "tool_calls"  # as the checks expect them
    JSON = "json"
    SCHEMA = "schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormValidity:
    """Whether validity held streamed and unstreamed, on the same prompts."""

    of: Holds
    streamed: Validity
    unstreamed: Validity

"""What one kind of check sees in an answer, before negation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.analysis.results.trial import ToolResult
from harness.model.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a check may look at: the record, and the tool ladder's result where the prompt has one."""

    record: Record
    tool: ToolResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """Whether the plain form holds; undecidable (no JSON to look into) fails the `not-` form too."""

    holds: bool
    expected: str
    came: str
    where: str = ""
    is_decidable: bool = True


JudgeCheck = Callable[[Any, Evidence], CheckOutcome]

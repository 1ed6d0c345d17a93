"""Tool calls and structured output, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.analysis.results.answers import Agreement
from harness.analysis.results.estimates import Value
from harness.analysis.results.trial import LoopOutcome
from harness.model.record import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSide:
    """Tool calls of one side: the ladder's rungs, and calls against their schemas."""

    arm: Arm
    n_trials: int  # requests of prompts that expect a decision about tools, loops that were not run left out
    rungs: Mapping[str, int]  # rung -> how many ended there; "ok" is the top
    n_calling: int  # answers with a call, of all prompts that offer tools
    n_schema_valid: int  # of them: every call names an offered tool and satisfies its schema
    schema_accuracy: Value
    pass_at_k: Value  # chance that at least one of k repeats succeeds, mean over prompts
    pass_all_k: Value  # chance that all k do
    k: int | None = None  # the fewest repeats of any prompt on either side


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolComparison:
    """When tools are called, and how well."""

    triggers: tuple[Agreement, ...]  # F1, the same by finish_reason, share of pairs in which both call
    trigger_share: Value  # pairs in which both sides call, of what the reference achieves with itself
    sides: tuple[ToolSide, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredSide:
    """Answers of one side to prompts that ask for JSON, each counted once from `n_valid` to `n_failed`."""

    arm: Arm
    n: int
    n_valid: int  # JSON as a whole
    n_fenced: int
    n_wrapped: int  # text before or after the JSON
    n_prose: int  # no JSON in it
    n_cut: int  # ends inside the JSON
    n_empty: int
    n_malformed: int  # anything else that is no JSON
    n_failed: int  # requests without an answer
    n_length: int  # of all: finish_reason length
    n_with_schema: int  # requests of prompts that state a schema
    n_schema_valid: int
    schema_valid: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLoops:
    """What became of one side's tool loops."""

    arm: Arm
    n: int  # judged requests of prompts that say what a tool returns
    outcomes: Mapping[LoopOutcome, int]

"""What asking for a stream changes."""

from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.results.judgement import FormValidity
from harness.model.record import Arm


class Aspect(StrEnum):
    """What is compared between the streamed and the unstreamed answers of one endpoint."""

    ANSWER = "answer"  # whether there is one
    TOOL_CALLS = "tool_calls"
    JSON = "json"
    FINISH_REASON = "finish_reason"
    PROMPT_TOKENS = "prompt_tokens"
    COMPLETION_TOKENS = "completion_tokens"
    USAGE = "usage"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDifferences:
    """One aspect: how many unstreamed answers differ in it from every streamed answer to their prompt."""

    aspect: Aspect
    n_compared: int
    n_differing: int
    n_streamed: int = 0  # streamed answers held against the other streamed ones to their prompt
    n_streamed_differing: int = 0  # what varies by itself
    is_beyond_variation: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamParity:
    """Streamed against unstreamed answers to the same prompts, inside one endpoint."""

    arm: Arm
    n_prompts: int  # with an answer in both forms
    n_unstreamed: int  # unstreamed requests, failed ones included
    n_failed: int
    n_texts_differ: int  # unstreamed answers whose wording no streamed one has: a note, since wording varies by itself
    differences: tuple[StreamDifferences, ...] = ()
    validity: tuple[FormValidity, ...] = ()
    nothing: str = ""  # why there is no unstreamed request

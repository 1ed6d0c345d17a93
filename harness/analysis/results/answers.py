"""How often answers agree, and where they part."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.analysis.results.estimates import Value
from harness.model.record import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far the sides' answers agree by one way of comparing, beside each side's agreement with itself."""

    metric: str  # id in the catalogue
    reference_self: Value  # mean over pairs of the reference's own repeats
    candidate_self: Value
    cross: Value  # mean over pairs of one answer of each side
    excess: Value  # (reference_self + candidate_self) / 2 - cross: disagreement beyond the sides' own
    n_prompts: int = 1  # of which each is the mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """How often answers are among the reference's own, where no check says what is right."""

    reference: Value  # each answer against the reference's others, one left out
    candidate: Value  # against as many of them
    difference: Value  # candidate - reference
    traffic_bound: float | None = None  # worst difference for prompts like these, one-sided 95 %
    n_prompts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCount:
    """A value with how many answers hold it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRow:
    """A path of JSON answers or of tool arguments at which the sides differ, most frequent values first."""

    path: str
    reference: tuple[ValueCount, ...]
    candidate: tuple[ValueCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptAnswers:
    """The answers to one prompt, compared."""

    prompt_id: str
    agreements: tuple[Agreement, ...]  # of the ways that apply to the prompt
    acceptance: Acceptance
    paths: tuple[PathRow, ...] = ()  # where the sides differ, most different first
    n_paths: int = 0  # at which both sides could have a value
    n_paths_cut: int = 0  # that differ and are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkRow:
    """What an application on the official SDK would have seen of one side's first response to each prompt."""

    arm: Arm
    way: str  # "create(stream=True)" or "stream()"
    outcomes: Mapping[str, int]  # answer, empty, exception, crash
    n_differing: int  # that differ from what the bytes say


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerComparison:
    """Output parity: in total, by prompt, and as the SDK shows it."""

    agreements: tuple[Agreement, ...] = ()
    acceptance: Acceptance | None = None  # None: every prompt has checks
    prompts: tuple[PromptAnswers, ...] = ()  # most disagreement beyond the sides' own first
    sdk: tuple[SdkRow, ...] = ()

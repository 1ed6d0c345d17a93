"""Refuses a golden set that could not be judged, before anything is sent."""

from dataclasses import dataclass

import msgspec

from harness.analysis.checkarguments import validate_check, validate_prompt
from harness.analysis.examplechecks import example_problems
from harness.errors import ConfigError
from harness.model.golden import GoldenSet, Prompt

REMEDY = "Correct it in the golden set; docs/golden-set.md has an example of every check"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeablePart:
    """What of a prompt can be judged, and why the rest cannot."""

    prompt: Prompt | None  # None: its request itself is at fault
    dropped: tuple[str, ...] = ()


def validate_golden_set(golden: GoldenSet) -> None:
    """Raise ConfigError with the first prompt whose checks, tools or schemas are not usable, or whose example fails."""
    for prompt in golden.prompts:
        problems = prompt_problems(prompt)
        if problems:
            where = f"golden set {golden.name!r}, prompt {prompt.id!r}"
            raise ConfigError("; ".join(problems), where=where, remedy=REMEDY)


def prompt_problems(prompt: Prompt) -> tuple[str, ...]:
    """List what makes a prompt unusable; its example is looked at once everything else is right."""
    return validate_prompt(prompt) or example_problems(prompt)


def judgeable_part(prompt: Prompt) -> JudgeablePart:
    """Leave out the checks that could not be judged, then an example that fails the rest."""
    problems = {i: problem for i, check in enumerate(prompt.checks) if (problem := validate_check(check))}
    kept = [check for i, check in enumerate(prompt.checks) if i not in problems]
    bare = msgspec.structs.replace(prompt, checks=kept)
    if at_fault := validate_prompt(bare):
        return JudgeablePart(prompt=None, dropped=at_fault)
    failing = example_problems(bare)
    dropped = (*problems.values(), *failing[:1])
    return JudgeablePart(prompt=msgspec.structs.replace(bare, example=None) if failing else bare, dropped=dropped)

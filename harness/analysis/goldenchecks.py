"""Refuses a golden set that could not be judged, before anything is sent."""

from harness.analysis.checkarguments import validate_prompt
from harness.analysis.examplechecks import example_problems
from harness.errors import ConfigError
from harness.model.golden import GoldenSet

_REMEDY = "Correct it in the golden set; docs/golden-set.md has an example of every check"


def validate_golden_set(golden: GoldenSet) -> None:
    """Raise ConfigError with the first prompt whose checks, tools or schemas are not usable, or whose example fails."""
    for prompt in golden.prompts:
        problems = validate_prompt(prompt) or example_problems(prompt)
        if problems:
            where = f"golden set {golden.name!r}, prompt {prompt.id!r}"
            raise ConfigError("; ".join(problems), where=where, remedy=_REMEDY)

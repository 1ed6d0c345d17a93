"""A golden set in a few lines: what it holds, what is odd about it."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping

from harness.model.golden import GoldenSet
from harness.model.goldenwarnings import golden_warnings
from harness.report.untrusted import one_line

WIDTH = 80
_TAG = 10  # columns before a line's text
_SHOWN_OF_A_DIGEST = 12


def summary_lines(golden: GoldenSet, file: str) -> list[str]:
    """Name the set, count its prompts, checks and features, list the warnings."""
    prompts = golden.prompts
    checks = Counter(("not-" if one.negated else "") + one.kind for prompt in prompts for one in prompt.checks)
    requires = Counter(name for prompt in prompts for name in prompt.requires)
    fixed = sum(prompt.repeats is not None for prompt in prompts)
    return [
        *tagged("set", title_of(golden, file)),
        *tagged("prompts", f"{len(prompts)}: {counted(Counter(prompt.category for prompt in prompts))}"),
        *tagged("checks", f"{checks.total()}: {counted(checks)}" if checks else "none"),
        *(tagged("requires", counted(requires)) if requires else []),
        *(tagged("repeats", f"fixed for {fixed}, the plan's for the others") if fixed else []),
        *warning_lines(golden),
    ]


def title_of(golden: GoldenSet, file: str) -> str:
    """Give file, name, version and the start of the digest."""
    return f"{file}: {golden.name}, version {golden.version}, digest {golden.sha256[:_SHOWN_OF_A_DIGEST]}"


def warning_lines(golden: GoldenSet) -> list[str]:
    """Give every warning, or say that there is none."""
    warnings = golden_warnings(golden)
    return [line for warning in warnings for line in tagged("warning", warning)] or tagged("warnings", "none")


def counted(counts: Mapping[str, int]) -> str:
    """Give `tools 10, text 3`, most frequent first."""
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def tagged(tag: str, text: str) -> list[str]:
    """Fold a text under its tag."""
    return textwrap.wrap(
        one_line(text, 4000),
        WIDTH,
        initial_indent=f"{tag:<{_TAG}}",
        subsequent_indent=" " * _TAG,
        break_long_words=False,
        break_on_hyphens=False,
    )


def listed(tag: str, texts: Iterable[str]) -> list[str]:
    """Fold several texts, the tag before the first."""
    return [line for i, text in enumerate(texts) for line in tagged(tag if i == 0 else "", text)]

"""The prompts of a golden set as a table of 80 columns."""

from collections import Counter

from harness.cli.goldensummary import WIDTH, tagged, title_of
from harness.model.golden import GoldenSet, Prompt
from harness.report.untrusted import one_line

_HEADS = ("id", "category", "rep", "tools", "checks", "requires")
_MOST = (26, 14, 4, 5, 80, 12)
_CHECKS = 4  # the column that takes what room is left


def table_lines(golden: GoldenSet, file: str) -> list[str]:
    """Give the set's title, then a line per prompt."""
    rows = [_HEADS, *map(_row, golden.prompts)]
    widths = [min(most, max(map(len, column))) for most, column in zip(_MOST, zip(*rows, strict=True), strict=True)]
    widths[_CHECKS] = min(widths[_CHECKS], WIDTH - sum(widths) + widths[_CHECKS] - 2 * (len(widths) - 1))
    lines = ("  ".join(_cell(cell, width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [*tagged("set", title_of(golden, file)), "", *(_cut(line.rstrip(), WIDTH) for line in lines)]


def _row(prompt: Prompt) -> tuple[str, ...]:
    checks = Counter(("not-" if check.negated else "") + check.kind for check in prompt.checks)
    tools = prompt.request.get("tools")
    return (
        prompt.id,
        one_line(prompt.category),
        "plan" if prompt.repeats is None else str(prompt.repeats),
        str(len(tools)) if isinstance(tools, list) and tools else "-",
        ", ".join(name if n == 1 else f"{n} {name}" for name, n in checks.items()) or "none",
        one_line(", ".join(prompt.requires)) or "-",
    )


def _cell(text: str, width: int) -> str:
    return _cut(text, width).ljust(width)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"

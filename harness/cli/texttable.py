"""Tables and paragraphs of plain text."""

import textwrap
from collections.abc import Iterator, Sequence

from harness.cli.screen import columns

_MOST, _LEAST = 140, 40


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> Iterator[str]:
    """Align rows in columns under their heads; the last column keeps its length.

    Where that is wider than `width`, each row is a block instead: its first cell, then the others by name.
    """
    everything = [heads, *rows]
    widths = [max(len(row[place]) for row in everything) for place in range(len(heads))]
    if width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        yield from _blocks(heads, rows)
        return
    for number, row in enumerate(everything):
        yield "  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip()
        if number == 0:
            yield "  ".join("-" * wide for wide in widths)


def _blocks(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for first, *rest in rows:
        yield from paragraph(first, rest="  ")
        told = "; ".join(f"{head}: {cell}" for head, cell in zip(heads[1:], rest, strict=True) if cell)
        yield from paragraph(told, first="  ", rest="  ")


def paragraph(text: str, *, first: str = "", rest: str = "") -> list[str]:
    """Break a text at the terminal's width."""
    width = min(max(columns(), _LEAST), _MOST)
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )

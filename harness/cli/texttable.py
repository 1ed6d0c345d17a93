"""Tables and paragraphs of plain text."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence

_MOST, _LEAST = 140, 80


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align rows in columns under their heads; the last column keeps its length."""
    everything = [heads, *rows]
    widths = [max(len(row[place]) for row in everything) for place in range(len(heads))]
    for number, row in enumerate(everything):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if number == 0:
            yield "  ".join("-" * width for width in widths)


def paragraph(text: str, *, first: str = "", rest: str = "") -> list[str]:
    """Break a text at the terminal's width."""
    width = min(max(shutil.get_terminal_size().columns, _LEAST), _MOST)
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )

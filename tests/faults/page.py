"""Writes the matrix as the page in docs/: `python -m tests.faults.page`."""

from itertools import groupby
from pathlib import Path

from harness.simulator.faults.table import FAULTS
from tests.faults.matrix import MATRIX, SEEN_IN, Row

PAGE = Path(__file__).parents[2] / "docs" / "failures-matrix.md"
_HEAD = """# What goes wrong, and what it is called

Each row is played in the tests: a fault of the [simulator](simulator.md) through `bench run`, or a condition of names,
connections and TLS through the player that `bench run` uses. The record of the request must then give exactly this
failure and these findings. Every kind of failure and every kind of finding there is comes from at least one row.

This page is written from the table in `tests/faults/matrix.py` by `python -m tests.faults.page`; a test compares them.
"""


def page() -> str:
    """Give the whole page."""
    ordered = sorted(MATRIX, key=lambda row: _groups().index(row.group))
    parts = [f"\n## {group[0].upper()}{group[1:]}\n\n{_table(list(rows))}" for group, rows in _grouped(ordered)]
    return _HEAD + "".join(parts)


def _groups() -> list[str]:
    return list(dict.fromkeys(row.group for row in MATRIX))


def _grouped(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    return [(group, list(members)) for group, members in groupby(rows, key=lambda row: row.group)]


def _table(rows: list[Row]) -> str:
    lines = ["| what | effect | failure | findings |", "|---|---|---|---|", *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    effect = row.effect or FAULTS[row.name].effect
    findings = ", ".join(f"`{kind}`" for kind in sorted(row.findings))
    seen = SEEN_IN.get(row.name, "")
    seen = seen if not seen or seen.startswith("nowhere") else f"seen in: {seen}"
    return f"| `{row.name}` | {effect} | {f'`{row.failure}`' if row.failure else ''} | {findings or seen} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

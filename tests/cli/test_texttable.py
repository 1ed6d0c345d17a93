"""A table that is wider than the terminal becomes blocks of lines, in which nothing is lost."""

import pytest

from harness.cli.texttable import grid, paragraph

HEADS = ("gate", "role", "finds")
ROWS = [("Task success", "required", "a loss of 4.5 points"), ("Valid JSON", "", "a loss of 12.8 points")]
WIDE = 12 + 2 + 8 + 2 + 21


def test_a_table_that_fits_is_a_table() -> None:
    assert list(grid(HEADS, ROWS, WIDE)) == [
        "gate          role      finds",
        "------------  --------  ---------------------",
        "Task success  required  a loss of 4.5 points",
        "Valid JSON              a loss of 12.8 points",
    ]


def test_one_that_does_not_names_every_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    assert list(grid(HEADS, ROWS, WIDE - 1)) == [
        "Task success",
        "  role: required; finds: a loss of 4.5",
        "  points",
        "Valid JSON",
        "  finds: a loss of 12.8 points",
    ]


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_a_paragraph_is_as_wide_as_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = paragraph("word " * 100)
    assert columns - 5 < max(map(len, lines)) <= columns

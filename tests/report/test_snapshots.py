"""A change of what a page says shows as a change of a file: `scripts/snapshots` accepts it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report import snapshots


@pytest.mark.parametrize(
    ("file", "told"), [(snapshots.VIEW, snapshots.view_text), (snapshots.PAGE, snapshots.page_text)]
)
def test_the_page_says_what_it_said(file: Path, told: Callable[[], str]) -> None:
    assert told().splitlines() == file.read_text().splitlines()

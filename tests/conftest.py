"""How far the properties are searched, and how wide a terminal is: `--hypothesis-profile=far` looks longer."""

import pytest
from hypothesis import settings

settings.register_profile("usual", deadline=None)  # a busy machine is no fault of an example
settings.register_profile("far", deadline=None, max_examples=1500)
settings.load_profile("usual")


@pytest.fixture(autouse=True)
def _of_no_stated_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the width of lines to each test: a runner of tests may state its own terminal's."""
    monkeypatch.delenv("COLUMNS", raising=False)

"""What is shipped with the package."""

import pytest

from harness.errors import ConfigError
from harness.model.goldenfile import load_golden_set
from harness.model.shipped import shipped_golden_set, shipped_profile


def test_the_shipped_golden_set_loads() -> None:
    assert load_golden_set(shipped_golden_set()).prompts


def test_an_unknown_profile_names_those_that_exist() -> None:
    with pytest.raises(ConfigError, match="'sim-h1000'") as caught:
        shipped_profile("sim-h1000")
    assert caught.value.exit_code == 2
    assert "all-errors, broken-tools, cold" in str(caught.value)


def test_a_path_is_no_shipped_name() -> None:
    with pytest.raises(ConfigError):
        shipped_profile("../profiles/cold")

"""The example files are valid."""

from pathlib import Path

import pytest

from harness.model.endpointfile import load_endpoint
from harness.model.settingsfile import load_settings
from harness.model.suite import load_suite

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ENDPOINTS = sorted(file for file in EXAMPLES.glob("*.yml") if file.name not in ("settings.yml", "suite.yml"))


def test_there_is_an_example_for_each_named_provider() -> None:
    names = {file.stem for file in ENDPOINTS}
    assert names >= {"openai", "scale-to-zero", "vllm", "llama-cpp", "ollama", "openrouter", "azure"}


@pytest.mark.parametrize("file", ENDPOINTS, ids=lambda file: file.stem)
def test_an_example_loads(file: Path) -> None:
    assert load_endpoint(file).name == file.stem


def test_the_settings_example_loads() -> None:
    settings = load_settings(EXAMPLES / "settings.yml")
    assert settings.verdict.tool_success.margin == 0.03
    assert not settings.verdict.e2e_p50.required


def test_the_suite_example_names_files_that_are_there() -> None:
    suite = load_suite(EXAMPLES / "suite.yml")
    sides = [side for measurement in suite.measurements for side in measurement.sides]
    assert sides
    assert {EXAMPLES / side for side in sides} <= set(ENDPOINTS)
    assert (EXAMPLES / str(suite.defaults.settings)).is_file()

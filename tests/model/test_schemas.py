"""The JSON Schemas for editors accept what the loaders accept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from harness.model.endpointfile import endpoint_schema
from harness.model.goldenfile import golden_schema
from harness.model.settingsfile import settings_schema
from harness.model.shipped import shipped_golden_set
from tests.model.test_examples import ENDPOINTS, EXAMPLES

FILES = [
    *((endpoint_schema, file) for file in ENDPOINTS),
    (settings_schema, EXAMPLES / "settings.yml"),
    (golden_schema, shipped_golden_set()),
]


def problems(schema: dict[str, Any], value: object) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(value)]


@pytest.mark.parametrize(("schema", "file"), FILES, ids=lambda value: getattr(value, "stem", ""))
def test_a_shipped_file_is_valid(schema: Callable[[], dict[str, Any]], file: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert problems(schema(), yaml.safe_load(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (endpoint_schema, {"name": "a", "base_url": "http://h/v1", "model": "m", "modle": "m"}),
        (endpoint_schema, {"name": "a", "base_url": "http://h/v1", "model": "m", "api_key": "sk-literal"}),
        (settings_schema, {"plan": {"repeats": 0}}),
        (golden_schema, {"name": "g", "prompts": [{"id": "p", "category": "c", "intent": "i"}]}),
        (golden_schema, {"name": "g", "prompts": [{"id": "p", "checks": [{"contians": "x"}]}]}),
    ],
)
def test_a_wrong_file_is_not(schema: Callable[[], dict[str, Any]], value: object) -> None:
    assert problems(schema(), value)

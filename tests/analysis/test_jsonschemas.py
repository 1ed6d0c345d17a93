"""JSON Schema: what does not compile is the golden set's mistake, what does not fit is the answer's."""

from typing import Any

import pytest

from harness.analysis.jsonschemas import first_violation, schema_problem
from harness.errors import ConfigError

PERSON = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
}


def test_the_first_violation_is_named_with_its_path() -> None:
    assert first_violation(PERSON, {"name": "a", "children": [{"name": "b"}, {"name": 5}, {}]}) == (
        "$.children[1].name: 5 is not of type 'string'"
    )
    assert first_violation(PERSON, {"name": "a", "children": [{"name": "b"}]}) is None


@pytest.mark.parametrize("schema", [{}, True])
def test_an_empty_schema_allows_everything(schema: Any) -> None:
    assert schema_problem(schema) is None
    values: tuple[Any, ...] = (None, 1, "a", [], {})
    assert [value for value in values if first_violation(schema, value)] == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, True),
        ({"type": "number"}, True),
        ({"type": "integer"}, 1.5),
        ({"type": "string"}, None),
        ({"enum": ["a"]}, "A"),
        ({"const": 1}, True),
        ({"minItems": 1}, []),
        (False, None),
        ({"prefixItems": [{"type": "string"}]}, [1]),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5),
    ],
)
def test_draft_2020_12_is_kept(schema: Any, value: Any) -> None:
    assert first_violation(schema, value) is not None


def test_a_schema_that_does_not_compile_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="does not compile: reference '#/nowhere' leads nowhere"):
        first_violation({"$ref": "#/nowhere"}, {})
    with pytest.raises(ConfigError, match="does not compile: not a draft 2020-12 schema"):
        first_violation({"type": "strin"}, {})


def test_a_schema_that_only_refers_to_itself_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="refers to itself without end"):
        first_violation({"allOf": [{"$ref": "#"}]}, {})


def test_a_schema_is_judged_by_its_content_at_the_time() -> None:
    schema: dict[str, Any] = {"type": "string"}
    assert first_violation(schema, 5) is not None
    schema["type"] = "integer"
    assert first_violation(schema, 5) is None

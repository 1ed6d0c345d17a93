"""JSON Schema, draft 2020-12: an uncompilable schema is a mistake in the golden set, not in an answer."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import NoSuchResource, Unresolvable
from referencing.jsonschema import DRAFT202012

from harness.analysis.excerpts import excerpt
from harness.errors import ConfigError


def schema_problem(schema: Any) -> str | None:
    """Say why a schema does not compile: a fault in it, or a reference that leads nowhere in it."""
    if not isinstance(schema, (dict, bool)):
        return f"a schema is a mapping (found {excerpt(schema, 60)})"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"not a draft 2020-12 schema at {error.json_path}: {excerpt(error.message, 160)}"
    resolver = Registry().with_resource("", DRAFT202012.create_resource(schema)).resolver()
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except (NoSuchResource, Unresolvable):
            return f"reference {reference!r} leads nowhere inside the schema"
    return None


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference
    children = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for child in children:
        yield from _references(child)


def first_violation(schema: Any, value: Any) -> str | None:
    """Give path and message of the value's first violation, None when it is valid."""
    try:
        found = _validator(json.dumps(schema)).iter_errors(value)
        errors = sorted(found, key=lambda error: list(map(str, error.path)))
    except RecursionError:
        raise ConfigError("a JSON Schema of the golden set refers to itself without end") from None
    except OverflowError:
        return "$: holds a number too large to be judged"
    return f"{errors[0].json_path}: {excerpt(errors[0].message, 160)}" if errors else None


@lru_cache(maxsize=256)  # every trial of a prompt is judged by the same few schemas
def _validator(schema_json: str) -> Draft202012Validator:
    schema = json.loads(schema_json)
    problem = schema_problem(schema)
    if problem is not None:
        raise ConfigError(f"a JSON Schema of the golden set does not compile: {problem}")
    return Draft202012Validator(schema)

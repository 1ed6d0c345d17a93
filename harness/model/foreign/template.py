"""The part of promptfoo's templates that is read: `{{variable}}` and `{{variable.key}}`."""

import json
import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(r"\{\{-?\s*([A-Za-z_]\w*(?:\.\w+)*)\s*-?\}\}")
_TAGS = re.compile(r"\{\{|\{%|\{#")


class TemplateError(ValueError):
    """A text asks for more than a variable's value; says what."""


def render(value: Any, variables: Mapping[str, Any]) -> Any:
    """Fill in every text of a value; TemplateError for a missing variable, a filter, a loop or a comment."""
    if isinstance(value, str):
        return _rendered(value, variables)
    if isinstance(value, list):
        return [render(item, variables) for item in value]
    if isinstance(value, dict):
        return {key: render(item, variables) for key, item in value.items()}
    return value


def resolved(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in variables that stand in other variables, one level deep."""
    return {name: render(value, variables) if _holds_tag(value) else value for name, value in variables.items()}


def _rendered(text: str, variables: Mapping[str, Any]) -> str:
    without = _VARIABLE.sub("", text)
    if (tag := _TAGS.search(without)) is not None:
        raise TemplateError(f"a template beyond {{{{variable}}}}: {without[tag.start() : tag.start() + 30]!r}")
    return _VARIABLE.sub(lambda found: _text(_value(found[1], variables)), text)


def _value(path: str, variables: Mapping[str, Any]) -> Any:
    value: Any = variables
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            raise TemplateError(f"no value for {{{{{path}}}}}")
        value = value[name]
    return value


def _text(value: Any) -> str:
    """Give a value as JavaScript would put it into a text; lists and mappings as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return number_text(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def number_text(value: float) -> str:
    """Give 5.0 as JavaScript writes it: 5."""
    return str(int(value)) if value.is_integer() else repr(value)


def _holds_tag(value: Any) -> bool:
    return isinstance(value, str) and _TAGS.search(value) is not None

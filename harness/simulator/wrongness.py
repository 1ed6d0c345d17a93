"""Ways to be wrong: another number, another value, another type, another form."""

import json
import random
import re
from typing import Any

_NUMBER = re.compile(r"\d+")
_OTHER_TEXT = "Something else entirely."


def wrong_text(text: str, draws: random.Random) -> str:
    """Change the last number; in JSON one value; else say something else."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if isinstance(document, dict | list):
        return json.dumps(_change_leaf(document, draws, _other_value), ensure_ascii=False)
    numbers = list(_NUMBER.finditer(text))
    if not numbers:
        return _OTHER_TEXT
    last = numbers[-1]
    return text[: last.start()] + str(int(last[0]) + 1) + text[last.end() :]


def wrongly_typed(document: Any, draws: random.Random) -> Any:
    """Turn one value into another type: numbers into text, everything else into a number."""
    return _change_leaf(document, draws, _other_type)


def in_words(document: Any) -> str:
    """Say a document in words, without a bracket or a quote of JSON."""
    said = [f"the {' '.join(map(str, path)) or 'value'} is {_at(document, path)}" for path in _leaf_paths(document, ())]
    return f"Here is what you asked for: {', '.join(said) or 'nothing'}."


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _change_leaf(document: Any, draws: random.Random, change: Any) -> Any:
    paths = list(_leaf_paths(document, ()))
    return _changed_at(document, draws.choice(paths), change) if paths else [document]


def _leaf_paths(value: Any, path: tuple[Any, ...]) -> Any:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaf_paths(item, (*path, key))
    else:
        yield path


def _changed_at(value: Any, path: tuple[Any, ...], change: Any) -> Any:
    if not path:
        return change(value)
    if isinstance(value, dict):
        return {key: _changed_at(item, path[1:], change) if key == path[0] else item for key, item in value.items()}
    return [_changed_at(item, path[1:], change) if i == path[0] else item for i, item in enumerate(value)]


def _other_value(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return _OTHER_TEXT if isinstance(value, str) else "null"


def _other_type(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else 0

"""Says in words what msgspec's validator found, and what a key takes, from the types themselves."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

_GOT = re.compile(r", got `(?P<kind>[^`]+)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_MOST_KEYS = 12
_PATTERNS: Mapping[str, str] = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": "a name of letters, digits, dots, dashes, underscores, 64 at most",
    r"^https?://": "an address that begins with http:// or https://",
    r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$": "a reference to a variable, as in ${OPENAI_API_KEY}",
}
_FOUND: Mapping[str, str] = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number with decimals",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping of keys to values",
    "null": "nothing",
}


def problem_in_words(message: str, kind: object, path: str, *, is_shown: bool = False) -> str:
    """Translate one message: what is expected at the path, and what stands there unless its value is shown.

    A message that is not known stays as it is.
    """
    missing = _MISSING.match(message)
    if missing:
        return f"the key {missing['field']!r} is missing"
    expected = expected_at(kind, path)
    if expected is None or not message.startswith(("Expected", "Invalid")):
        return message
    got = None if is_shown else _GOT.search(message)
    found = _FOUND.get(got["kind"], got["kind"]) if got else None
    return f"expected {expected}" + (f", found {found}" if found else "")


def expected_at(kind: object, path: str) -> str | None:
    """Say what a key takes; None where the types do not say."""
    found = _type_at(kind, path)
    return None if found is None else _words(found)


def keys_at(kind: object, path: str) -> tuple[str, ...]:
    """Give the keys of the section at a path; empty where it is none or takes any."""
    found = _type_at(kind, path)
    return () if found is None else tuple(name for one in _parts(found) for name in _keys(one))


def _keys(found: Any) -> Iterator[str]:
    if isinstance(found, inspect.StructType | inspect.DataclassType):
        yield from (field.encode_name for field in found.fields)


def _type_at(kind: object, path: str) -> Any:
    if not isinstance(kind, type):
        return None
    found: Any = inspect.type_info(kind)
    for name, index in _STEP.findall(path.removeprefix("$")):
        candidates = [inner for one in _parts(found) for inner in _inside(one, name, index)]
        if not candidates:
            return None
        found = candidates[0]
    return found


def _parts(found: Any) -> list[Any]:
    """Give the alternatives of a type, without the notes around it."""
    while isinstance(found, inspect.Metadata):
        found = found.type
    if isinstance(found, inspect.UnionType):
        return [part for one in found.types for part in _parts(one)]
    return [found]


def _inside(found: Any, name: str, index: str) -> Iterator[Any]:
    if isinstance(found, inspect.StructType | inspect.DataclassType):
        yield from (field.type for field in found.fields if field.encode_name == name)
    elif isinstance(found, inspect.DictType):
        yield found.value_type
    elif isinstance(found, inspect.ListType | inspect.VarTupleType | inspect.SetType) and index:
        yield found.item_type


def _words(found: Any) -> str:
    return " or ".join(dict.fromkeys(_words_of(one) for one in _parts(found)))


_SIMPLE: Mapping[type, str] = {
    inspect.BoolType: "true or false",
    inspect.NoneType: "nothing",
    inspect.DictType: "a mapping of keys to values",
}


def _words_of(found: Any) -> str:
    match found:
        case inspect.IntType() | inspect.FloatType():
            return f"{'a whole number' if isinstance(found, inspect.IntType) else 'a number'}{_range(found)}"
        case inspect.StrType():
            return _text(found)
        case inspect.EnumType():
            return f"one of {', '.join(str(one.value) for one in found.cls)}"
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType():
            return f"{_list(found)}, each item {_words(found.item_type)}"
        case inspect.StructType():
            return _section(found)
        case _:
            return _SIMPLE.get(type(found), "another value")


def _section(found: inspect.StructType) -> str:
    keys = list(_keys(found))
    more = ", ..." if len(keys) > _MOST_KEYS else ""
    return f"a mapping with the keys {', '.join(keys[:_MOST_KEYS])}{more}"


def _list(found: inspect.ListType | inspect.VarTupleType | inspect.SetType) -> str:
    most = "" if found.max_length is None else f" of at most {found.max_length}"
    return f"a list{most}"


def _text(found: inspect.StrType) -> str:
    if found.pattern:
        return _PATTERNS.get(found.pattern, f"a text that matches {found.pattern}")
    return "a text that is not empty" if found.min_length else "a text"


def _range(found: Any) -> str:
    least = _bound(found.ge, "from", found.gt, "above")
    most = _bound(found.le, "to" if found.ge is not None else "up to", found.lt, "below")
    return "".join(f" {part}" for part in (least, most) if part)


def _bound(inclusive: float | None, word: str, exclusive: float | None, other_word: str) -> str:
    if inclusive is not None:
        return f"{word} {inclusive:g}"
    return "" if exclusive is None else f"{other_word} {exclusive:g}"


def converted_problem(error: msgspec.ValidationError, kind: object) -> str:
    """Say a validator's whole message in words, its path included."""
    message, _, at = str(error).partition(" - at `")
    path = at.rstrip("`") or "$"
    words = problem_in_words(message, kind, path)
    return f"{words} (at {path.removeprefix('$.')})" if path != "$" else words

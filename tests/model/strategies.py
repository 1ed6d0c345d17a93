"""Any value of a type of the record, by its annotations."""

import dataclasses
import types
from enum import EnumType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

# What a line-wise file could stumble over, beside what text usually holds.
texts = st.text(max_size=8) | st.text(st.sampled_from('\n\r\u2028\u2029\u0085\x0b\x1c\x00"\\é\U0001f600'), max_size=8)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: texts,
    bool: st.booleans(),
    types.NoneType: st.none(),
    Any: json_values,
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Give a strategy for a plain type, an enum, a dataclass, or a container of them."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, EnumType):
        return st.sampled_from(list(kind))
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if get_origin(kind) is dict:
        return st.dictionaries(texts, values_of(arguments[1]), max_size=3)
    if get_origin(kind) in (Union, types.UnionType):
        return st.one_of(*map(values_of, arguments))
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: values_of(hints[field.name]) for field in dataclasses.fields(kind)})

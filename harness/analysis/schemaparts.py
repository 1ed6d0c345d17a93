"""What a JSON Schema says of one value inside it, found through local references and combined schemas."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from referencing import Registry
from referencing.exceptions import NoSuchResource, Unresolvable
from referencing.jsonschema import DRAFT202012

from harness.analysis.jsontext import equal_json

_Pick = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPart:
    """A schema inside a whole one; `root` is where its references begin."""

    raw: Any = None
    root: Any = None

    def at_key(self, key: str) -> "SchemaPart":
        """Give the schema of one key of an object; an empty part where it is not spelled out."""
        return SchemaPart(raw=self._walk().pick(self.raw, lambda node: _of_key(node, key)), root=self.root)

    def at_items(self) -> "SchemaPart":
        """Give the schema of a list's items."""
        return SchemaPart(raw=self._walk().pick(self.raw, lambda node: node.get("items")), root=self.root)

    def is_default(self, value: Any) -> bool:
        """Whether a value is what its absence means."""
        return any(equal_json(default, value) for default in self.defaults())

    def defaults(self) -> tuple[Any, ...]:
        """Give the stated default; empty where none is stated, or alternatives state several."""
        found = self._walk().defaults(self.raw)
        return tuple(found[:1]) if all(equal_json(found[0], other) for other in found[1:]) else ()

    def allows_decimals(self) -> bool:
        """Whether a number with a decimal point may stand; a schema that names no type lets it."""
        return self._walk().allows_decimals(self.raw)

    def _walk(self) -> "_Walk":
        return _Walk(root=self.root)


def part_of(schema: Any) -> SchemaPart:
    """Give a whole schema as a part of itself."""
    return schema if isinstance(schema, SchemaPart) else SchemaPart(raw=schema, root=schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """One walk through a schema's joined and alternative parts; a reference is not followed into itself."""

    root: Any
    followed: frozenset[str] = field(default=frozenset())

    def pick(self, node: Any, of: _Pick) -> Any:
        """Give what `of` finds in a schema and in those that it is made of, as one schema."""
        if not isinstance(node, dict):
            return None
        found = [of(node), *(walk.pick(part, of) for walk, part in self._joined(node))]
        found += [_one_of("anyOf", [self.pick(part, of) for part in options]) for options in _alternatives(node)]
        return _one_of("allOf", found)

    def defaults(self, node: Any) -> list[Any]:
        """List the defaults that a schema states, its own before those that it is made of."""
        if not isinstance(node, dict):
            return []
        if "default" in node:
            return [node["default"]]
        joined = [value for walk, part in self._joined(node) for value in walk.defaults(part)]
        options = (part for parts in _alternatives(node) for part in parts)
        return joined or [value for part in options for value in self.defaults(part)]

    def allows_decimals(self, node: Any) -> bool:
        """Whether every joined part and one of the alternatives lets a decimal point stand."""
        if not isinstance(node, dict):
            return True
        return (
            _names_decimals(node)
            and all(walk.allows_decimals(part) for walk, part in self._joined(node))
            and all(any(map(self.allows_decimals, parts)) for parts in _alternatives(node))
        )

    def _joined(self, node: dict[str, Any]) -> Iterator[tuple["_Walk", Any]]:
        """Give what holds beside the schema itself: the target of its reference, the parts of `allOf`."""
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in self.followed:
            yield _Walk(root=self.root, followed=self.followed | {reference}), _target(self.root, reference)
        for part in _listed(node.get("allOf")):
            yield self, part


def _alternatives(node: dict[str, Any]) -> list[list[Any]]:
    return [parts for name in ("anyOf", "oneOf") if (parts := _listed(node.get(name)))]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _one_of(name: str, found: list[Any]) -> Any:
    """Give the only schema there is, or several under a name that joins them."""
    schemas = [schema for schema in found if isinstance(schema, dict)]
    return schemas[0] if len(schemas) == 1 else {name: schemas} if schemas else None


def _of_key(node: dict[str, Any], key: str) -> Any:
    properties = node.get("properties")
    return properties.get(key) if isinstance(properties, dict) else None


def _names_decimals(node: dict[str, Any]) -> bool:
    kind = node.get("type")
    if kind is not None:
        return kind == "number" or (isinstance(kind, list) and "number" in kind)
    values = [node["const"]] if "const" in node else _listed(node.get("enum"))
    return not values or any(isinstance(value, float) for value in values)


def _target(root: Any, reference: str) -> Any:
    if not isinstance(root, dict):
        return None
    try:
        resolver = Registry().with_resource("", DRAFT202012.create_resource(root)).resolver()
        return resolver.lookup(reference).contents
    except (NoSuchResource, Unresolvable):
        return None

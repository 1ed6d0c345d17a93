"""The request body that an endpoint gets for a golden prompt."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import ConfigError
from harness.model.endpoint import Endpoint
from harness.model.golden import Prompt

_OURS = ("model", "messages", "stream", "stream_options")
_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyDifference:
    """Fields in which two bodies differ, as readable paths."""

    declared: tuple[str, ...]  # an endpoint file explains it
    undeclared: tuple[str, ...]  # nothing does: the two sides would not be asked the same


def request_body(prompt: Prompt, endpoint: Endpoint) -> dict[str, Any]:
    """Golden request, model and stream, pinned sampling, declared differences; `extra_body` merged last."""
    return request_parameters(prompt, endpoint) | endpoint.extra_body


def request_parameters(prompt: Prompt, endpoint: Endpoint, *, is_streamed: bool = True) -> dict[str, Any]:
    """The body before `extra_body`, which goes through a door of its own in the SDK."""
    _refuse_contradictions(endpoint)
    body: dict[str, Any] = {"model": endpoint.model} | prompt.request | endpoint.sampling | {"stream": is_streamed}
    if endpoint.stream_usage and is_streamed:
        body["stream_options"] = body.get("stream_options", {}) | {"include_usage": True}
    renamed = _renamed(body, endpoint)
    kept = {name: value for name, value in renamed.items() if name not in endpoint.params.drop}
    return kept | endpoint.params.add


def without_streaming(body: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what only a stream may be asked for, wherever an endpoint file adds it."""
    return {name: value for name, value in body.items() if name not in ("stream", "stream_options")}


def _renamed(body: Mapping[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Rename all at once, so that a target that is itself renamed is free."""
    renamed: dict[str, Any] = {}
    for name, value in body.items():
        target = endpoint.params.rename.get(name, name)
        if target in renamed:
            raise ConfigError(
                f"params.rename would overwrite {target!r}, which the request already has",
                where=endpoint.name,
                remedy=f"Drop one of the two under params.drop, or pin {target!r} under another name",
            )
        renamed[target] = value
    return renamed


def _refuse_contradictions(endpoint: Endpoint) -> None:
    """Two sections that say opposite things would leave one of them without effect, silently."""
    for name in (*endpoint.params.rename.values(), *endpoint.params.drop):
        if name in _OURS:
            raise ConfigError(
                f"params may not rename to or drop {name!r}",
                where=endpoint.name,
                remedy="stream_usage: false leaves stream_options out; the others belong to the golden set",
            )
    for first, second, names in _contradictions(endpoint):
        if names:
            raise ConfigError(
                f"{first} and {second} both name {', '.join(sorted(names))}",
                where=endpoint.name,
                remedy="Keep it in one of the two",
            )


def _contradictions(endpoint: Endpoint) -> Iterator[tuple[str, str, set[str]]]:
    sampling, extra = set(endpoint.sampling), set(endpoint.extra_body)
    drop, add = set(endpoint.params.drop), set(endpoint.params.add)
    renamed, targets = set(endpoint.params.rename), set(endpoint.params.rename.values())
    yield "params.rename", "params.drop", (renamed | targets) & drop
    yield "params.rename", "params.add", targets & add
    yield "params.rename", "extra_body", targets & extra
    yield "params.drop", "params.add", drop & add
    yield "params.drop", "sampling", drop & sampling
    yield "params.drop", "extra_body", drop & extra
    yield "params.add", "sampling", add & sampling
    yield "params.add", "extra_body", add & extra
    yield "sampling", "extra_body", sampling & extra


def compare_bodies(
    a: Mapping[str, Any], b: Mapping[str, Any], reference: Endpoint, candidate: Endpoint
) -> BodyDifference:
    """Compare field by field; what both files together explain is taken away before the rest is compared."""
    one_name = _one_name(reference, candidate)
    explained = {one_name.get(name, name) for name in (*_explained(reference), *_explained(candidate))}
    bare_a, bare_b = _bare(a, reference, one_name, explained), _bare(b, candidate, one_name, explained)
    undeclared = tuple(_differences(bare_a, bare_b, ""))
    unexplained = {_top(path) for path in undeclared}
    different = _differences(dict(a), dict(b), "")
    declared = tuple(path for path in different if one_name.get(_top(path), _top(path)) not in unexplained)
    return BodyDifference(declared=declared, undeclared=undeclared)


def _one_name(reference: Endpoint, candidate: Endpoint) -> dict[str, str]:
    """Give the names that either file renames into each other one name, whether a prompt uses them or not."""
    groups: list[set[str]] = []
    for pair in (*reference.params.rename.items(), *candidate.params.rename.items()):
        touching = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touching] + [set(pair).union(*touching)]
    return {name: min(group) for group in groups for name in group}


def _explained(endpoint: Endpoint) -> set[str]:
    """Parameters whose values this file sets or leaves out."""
    return {*endpoint.sampling, *endpoint.params.drop, *endpoint.params.add, *endpoint.extra_body, "model"}


def _bare(
    body: Mapping[str, Any], endpoint: Endpoint, one_name: Mapping[str, str], explained: set[str]
) -> dict[str, Any]:
    """The body under one name per parameter, without what is explained."""
    bare: dict[str, Any] = {}
    for name, value in body.items():
        single = one_name.get(name, name)
        bare[name if single in bare else single] = value  # where both names are sent, both are compared
    bare = {name: value for name, value in bare.items() if one_name.get(name, name) not in explained}
    options = bare.get("stream_options")
    if endpoint.stream_usage and isinstance(options, dict):
        rest = {name: value for name, value in options.items() if name != "include_usage"}
        return bare | {"stream_options": rest} if rest else {k: v for k, v in bare.items() if k != "stream_options"}
    return bare


def _differences(a: Any, b: Any, path: str) -> Iterator[str]:
    """Paths of the smallest parts that differ; 1 is neither 1.0 nor true, since the bytes differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for name in dict.fromkeys((*a, *b)):
            inner = f"{path}.{name}" if path else str(name)
            yield from _differences(a.get(name, _ABSENT), b.get(name, _ABSENT), inner)
    elif isinstance(a, list) and isinstance(b, list):
        for position in range(max(len(a), len(b))):
            yield from _differences(_item(a, position), _item(b, position), f"{path}[{position}]")
    elif type(a) is not type(b) or a != b:
        yield path


def _item(items: list[Any], position: int) -> Any:
    return items[position] if position < len(items) else _ABSENT


def _top(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]

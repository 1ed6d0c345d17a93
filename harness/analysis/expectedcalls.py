"""What a golden prompt expects of an answer's tool calls, read from its checks."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from harness.analysis.excerpts import excerpt
from harness.analysis.jsontext import equal_json
from harness.analysis.matcherproblems import keys_problem, matcher_problem
from harness.analysis.matching import (
    Mismatch,
    compare_value,
    default_matches,
    describe,
    excerpt_json,
)
from harness.analysis.schemaparts import SchemaPart, part_of
from harness.model.golden import Check, CheckKind

_CALL_KEYS = {"name", "arguments", "optional", "ignore", "defaults"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCall:
    """One call: its tool, a matcher by argument, what may be absent, what is not looked at (globs; `a.b` inside a)."""

    name: str
    arguments: dict[str, Any] | None = None  # None: any arguments that the tool's schema allows
    optional: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)  # what an absent argument means; before its schema's default

    def mismatches(self, came: dict[str, Any], schema: Any) -> list[Mismatch]:
        """Compare every argument, expected or not; an argument at its default counts as absent."""
        if self.arguments is None:
            return []
        came = {**self.defaults, **came}
        whole = part_of(schema)
        found: list[Mismatch] = []
        for key, matcher in self.arguments.items():
            part = whole.at_key(key)
            where = f"{self.name}.arguments.{key}"
            if key in came:
                found += compare_value(matcher, came[key], where=where, schema=part)
            elif key not in self.optional and not default_matches(matcher, part):
                found.append(Mismatch(where=where, expected=describe(matcher), came="nothing"))
        listed = {*self.arguments, *self.optional}
        others = [key for key in came if key not in listed and self._is_unexpected(key, came[key], whole)]
        looked_at = [mismatch for mismatch in found if not self._is_ignored_inside(mismatch)]
        return looked_at + [self._unexpected(key, came[key]) for key in others]

    def _is_ignored_inside(self, mismatch: Mismatch) -> bool:
        """Whether a place inside an argument is ignored: only a glob with a dot reaches there."""
        path = mismatch.where.removeprefix(f"{self.name}.arguments.")
        return "." in path and any("." in pattern and fnmatchcase(path, pattern) for pattern in self.ignore)

    def _is_unexpected(self, key: str, value: Any, whole: SchemaPart) -> bool:
        if any(fnmatchcase(key, pattern) for pattern in self.ignore):
            return False
        if key in self.defaults:
            return not equal_json(self.defaults[key], value)
        return not whole.at_key(key).is_default(value)

    def _unexpected(self, key: str, value: Any) -> Mismatch:
        where = f"{self.name}.arguments.{key}"
        return Mismatch(where=where, expected="no such argument", came=excerpt_json(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolExpectation:
    """How many calls, which ones, and whether their order counts; `most` None: no ceiling."""

    fewest: int
    most: int | None
    calls: tuple[ExpectedCall, ...] = ()
    is_ordered: bool = False

    def allows_count(self, n_calls: int) -> bool:
        """Whether an answer may have that many calls."""
        return n_calls >= self.fewest and (self.most is None or n_calls <= self.most)

    def counted(self) -> str:
        """Say the expected number of calls."""
        if self.most == self.fewest:
            return {0: "no call", 1: "1 call"}.get(self.fewest, f"{self.fewest} calls")
        return f"{self.fewest} calls or more" if self.most is None else f"{self.fewest} to {self.most} calls"


def tool_expectation(checks: list[Check]) -> ToolExpectation | None:
    """Combine a prompt's checks on tools; None when it has none."""
    by_kind = {check.kind: check.argument for check in checks}
    if CheckKind.NO_TOOL in by_kind:
        return ToolExpectation(fewest=0, most=0)
    calls = expected_calls(by_kind.get(CheckKind.TOOL_CALLED))
    is_ordered = _is_ordered(by_kind.get(CheckKind.TOOL_CALLED))
    if CheckKind.TOOL_COUNT in by_kind:
        fewest, most = count_range(by_kind[CheckKind.TOOL_COUNT])
        return ToolExpectation(fewest=fewest, most=most, calls=calls, is_ordered=is_ordered)
    if CheckKind.TOOL_CALLED in by_kind:
        return ToolExpectation(fewest=len(calls), most=len(calls), calls=calls, is_ordered=is_ordered)
    return None


def expected_calls(argument: Any) -> tuple[ExpectedCall, ...]:
    """Read `tool_called`: one call, a list of calls, or `{order: strict, calls: [...]}`."""
    return tuple(
        ExpectedCall(
            name=item["name"],
            arguments=_arguments(item),
            optional=tuple(item.get("optional") or ()),
            ignore=tuple(item.get("ignore") or ()),
            defaults=item.get("defaults") or {},
        )
        for item in _listed(argument)
    )


def _arguments(item: dict[str, Any]) -> dict[str, Any] | None:
    """Give the matchers; None where a call says nothing about its arguments, {} where it says that there are none."""
    if "arguments" in item:
        return item["arguments"] or {}
    return {} if item.keys() & {"optional", "ignore", "defaults"} else None


def _listed(argument: Any) -> list[Any]:
    if argument is None:
        return []
    calls = argument["calls"] if isinstance(argument, dict) and "calls" in argument else argument
    items = calls if isinstance(calls, list) else [calls]
    return [{"name": item} if isinstance(item, str) else item for item in items]


def _is_ordered(argument: Any) -> bool:
    return isinstance(argument, dict) and argument.get("order") == "strict"


def count_range(argument: Any) -> tuple[int, int | None]:
    """Read `tool_count`: a number, or `{min: a, max: b}` with either left out."""
    if isinstance(argument, dict):
        return argument.get("min", 0), argument.get("max")
    return argument, argument


def tool_called_problem(argument: Any) -> str | None:
    """Say what is wrong with the argument of `tool_called` as written."""
    if isinstance(argument, dict) and "calls" in argument:
        unknown = set(argument) - {"calls", "order"}
        if unknown or argument.get("order", "strict") not in ("strict", "free"):
            return "takes calls and order, which is strict or free"
        argument = argument["calls"]
    items = argument if isinstance(argument, list) else [argument]
    if not items:
        return "takes at least one call"
    return next((problem for item in items if (problem := _call_problem(item))), None)


def _call_problem(item: Any) -> str | None:
    if isinstance(item, str) and item:
        return None
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        return f"a call is a mapping with a name (found {excerpt(item, 60)})"
    unknown = sorted(set(map(str, item)) - _CALL_KEYS)
    if unknown:
        return f"unknown key {unknown[0]!r} in the call of {item['name']!r}"
    for key in ("arguments", "defaults"):
        if not isinstance(item.get(key) or {}, dict):
            return f"{key} of {item['name']!r} are a mapping"
    for key in ("optional", "ignore"):
        names = item.get(key) or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return f"{key} of {item['name']!r} is a list of argument names"
    arguments = item.get("arguments") or {}
    problem = (
        keys_problem(arguments) or keys_problem(item.get("defaults") or {}) or matcher_problem(list(arguments.values()))
    )
    return f"{item['name']}: {problem}" if problem else None

"""Where JSON answers and tool arguments differ between the sides: by path, each side's values with their counts."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.analysis.canonical import canonical_call, canonical_json
from harness.analysis.excerpts import excerpt
from harness.analysis.jsonleaves import json_leaves
from harness.analysis.jsontext import JsonReading, read_json
from harness.analysis.results.answers import PathRow, ValueCount
from harness.model.record import Answer

MOST_ROWS = 40  # paths of one prompt
MOST_VALUES = 6  # values of one side at one path
ABSENT = "absent"
NO_CALL = "none"
WHOLE = "$"
CALLS = "calls"
_OTHER = "other values"
_VALUE_CHARACTERS = 80
_ALIKE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class PathTable:
    """The paths at which the sides differ, most different first."""

    rows: tuple[PathRow, ...] = ()
    n_paths: int = 0  # at which both sides could have a value
    n_cut: int = 0  # rows left out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One answer: what it is as a whole, and the leaves under each root that could be read."""

    heads: dict[str, str]  # path -> what stands there: names of the calls, a list, no JSON
    leaves: dict[str, dict[str, str]]  # root -> path -> value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """One side's values by path, and how many answers could have had one."""

    values: dict[str, Counter[str]] = field(default_factory=dict)
    root_of: dict[str, str] = field(default_factory=dict)  # a head is its own root
    n_read: Counter[str] = field(default_factory=Counter)  # by root

    def add(self, path: str, root: str, value: str) -> None:
        """Count a value."""
        self.values.setdefault(path, Counter())[value] += 1
        self.root_of[path] = root

    def at(self, path: str, root: str) -> Counter[str]:
        """Give the values at a path, absent ones too; nothing where no answer could have had one."""
        counted = Counter(self.values.get(path, {}))
        if n_absent := self.n_read[root] - counted.total() if path != root else 0:
            counted[ABSENT] = n_absent
        return counted


def path_table(reference: Sequence[Answer], candidate: Sequence[Answer], *, is_json: bool) -> PathTable:
    """Compare the shares of values at every path; a side without an answer has nothing to compare.

    Texts are read only where JSON was asked for (`is_json`); elsewhere an answer is its tool calls. What is no JSON, or
    calls no such tool, is said once at its head: below, only answers count that could have had a value.
    """
    one, two = _counted(reference, is_json=is_json), _counted(candidate, is_json=is_json)
    roots = one.root_of | two.root_of
    pairs = {path: (one.at(path, root), two.at(path, root)) for path, root in roots.items()}
    both = {path: (ours, theirs) for path, (ours, theirs) in pairs.items() if ours and theirs}
    apart = {path: _distance(ours, theirs) for path, (ours, theirs) in both.items()}
    differing = sorted((path for path in both if apart[path] > _ALIKE), key=lambda path: -apart[path])
    return PathTable(
        rows=tuple(
            PathRow(path=excerpt(path), reference=_shown(both[path][0]), candidate=_shown(both[path][1]))
            for path in differing[:MOST_ROWS]
        ),
        n_paths=len(both),
        n_cut=max(0, len(differing) - MOST_ROWS),
    )


def _read(answer: Answer, *, is_json: bool) -> _Reading:
    """Read the calls where there are any, else the text where it should be JSON."""
    heads: dict[str, str] = {CALLS: NO_CALL}
    leaves: dict[str, dict[str, str]] = {}
    texts = {WHOLE: answer.text} if is_json and not answer.tool_calls else {}
    if answer.tool_calls:
        heads[CALLS] = ", ".join(sorted(call.name or "?" for call in answer.tool_calls))
        texts = _arguments_by_place(answer)
    for root, text in texts.items():
        reading = read_json(text)
        heads[root] = _head(reading)
        if reading.problem is None:
            leaves[root] = {path: value for path, value in json_leaves(reading.value, root) if path != root}
    return _Reading(heads=heads, leaves=leaves)


def _head(reading: JsonReading) -> str:
    if reading.problem is not None:
        return f"no JSON: {reading.flaw}"
    if isinstance(reading.value, dict):
        return "an object"
    return "a list" if isinstance(reading.value, list) else canonical_json(reading.value)


def _arguments_by_place(answer: Answer) -> dict[str, str]:
    """Give each call's arguments under its tool's name; a tool called again counts on."""
    seen: Counter[str] = Counter()
    found = {}
    for call in sorted(answer.tool_calls, key=canonical_call):
        name = call.name or "?"
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name}#{seen[name]}"] = call.arguments
    return found


def _counted(answers: Sequence[Answer], *, is_json: bool) -> _Counted:
    counted = _Counted()
    for answer in answers:
        reading = _read(answer, is_json=is_json)
        for path, head in reading.heads.items():
            counted.add(path, path, head)
        for root, leaves in reading.leaves.items():
            counted.n_read[root] += 1
            for path, value in leaves.items():
                counted.add(path, root, value)
    return counted


def _distance(one: Counter[str], two: Counter[str]) -> float:
    """Total variation between the two shares of values: 0 for the same, 1 for nothing in common."""
    n, m = one.total(), two.total()
    return math.fsum(abs(one[value] / n - two[value] / m) for value in {*one, *two}) / 2


def _shown(counted: Counter[str]) -> tuple[ValueCount, ...]:
    """Give the most frequent values, shortened; what is left out as one count."""
    shown = counted.most_common(MOST_VALUES)
    rest = counted.total() - sum(count for _, count in shown)
    rows = [ValueCount(value=excerpt(value, _VALUE_CHARACTERS), count=count) for value, count in shown]
    return tuple(rows + ([ValueCount(value=_OTHER, count=rest)] if rest else []))

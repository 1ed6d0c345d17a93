"""A strict reader of Prometheus' text format (version 0.0.4), written from its description."""

import re
from dataclasses import dataclass

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_LABEL}(?:,{_LABEL})*)\}})? (\S+)")
_NUMBER = re.compile(r"[+-]Inf|NaN|[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


@dataclass(frozen=True, slots=True)
class Read:
    name: str
    labels: dict[str, str]
    value: float


def read(text: str) -> list[Read]:
    """Give the samples; ValueError for any line that the format does not allow, and for a family that is not whole."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    families = re.split(r"^(?=# HELP )", text, flags=re.MULTILINE)
    if families.pop(0):
        raise ValueError("a line before the first family")
    found = [sample for family in families for sample in _family(family.removesuffix("\n").split("\n"))]
    _refuse_twice([family.split(" ", 3)[2] for family in families])
    _refuse_twice([str((one.name, sorted(one.labels.items()))) for one in found])
    return found


def _family(lines: list[str]) -> list[Read]:
    name = lines[0].split(" ", 3)[2]
    if len(lines) < 3 or lines[1] not in (f"# TYPE {name} gauge", f"# TYPE {name} counter"):
        raise ValueError(f"{name}: no type or no sample")
    samples = [_sample(line) for line in lines[2:]]
    if {sample.name for sample in samples} != {name}:
        raise ValueError(f"{name}: a sample of another family")
    return samples


def _refuse_twice(names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise ValueError("something twice")


def _sample(line: str) -> Read:
    match = _SAMPLE.fullmatch(line)
    if match is None or not _NUMBER.fullmatch(match.groups()[-1]):
        raise ValueError(line)
    pairs = re.findall(_LABEL, match[2] or "")
    labels = {name: re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], value) for name, value in pairs}
    if len(labels) != len(pairs):
        raise ValueError(f"{line}: a label twice")
    return Read(match[1], labels, float(match.groups()[-1].replace("Inf", "inf")))

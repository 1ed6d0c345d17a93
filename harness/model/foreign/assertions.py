"""promptfoo's assertions as checks: one check, a reason why there is none, or what bench measures anyway."""

import csv
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from harness.model.foreign.template import TemplateError, number_text, render
from harness.model.golden import Check, CheckKind

_NOT = "not-"
_FILE = "file://"
_ANY_JSON = r"(?s)\{.*\}|\[.*\]"
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")
_NAMED_REFERENCE = re.compile(r"(?<!\\)((?:\\\\)*)\\k<([A-Za-z_]\w*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What became of one assertion: a check, or the reason why there is none; `remark` says how they differ."""

    name: str
    check: Check | None = None
    unsupported: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assertion:
    """An assertion whose value is filled in."""

    kind: str
    value: Any
    is_negated: bool
    threshold: Any
    tools: frozenset[str]  # names that the request offers


class _UnsupportedError(ValueError):
    """This assertion has no check; says why."""


def convert_assertion(written: object, variables: Mapping[str, Any], tools: frozenset[str]) -> Conversion:
    """Convert one assertion of a test with these variables, on a request that offers these tools."""
    if not isinstance(written, dict) or not isinstance(written.get("type"), str):
        return Conversion(name="an assertion without a type", unsupported="")
    name = written["type"]
    try:
        return _converted(name, _filled(written, variables, tools))
    except (TemplateError, _UnsupportedError) as error:
        return Conversion(name=name, unsupported=str(error))


def _filled(written: dict[str, Any], variables: Mapping[str, Any], tools: frozenset[str]) -> _Assertion:
    name = written["type"]
    kind = name.removeprefix(_NOT)
    if kind not in _CONVERTERS:
        raise _UnsupportedError("")
    if "transform" in written:
        raise _UnsupportedError("on a transformed answer")
    if written.get("weight") == 0:
        raise _UnsupportedError("of weight 0, which promptfoo lets pass")
    if isinstance(written.get("value"), str) and written["value"].startswith(_FILE):
        raise _UnsupportedError("with a value from another file")
    value = render(written.get("value"), variables)
    is_negated = name.startswith(_NOT)
    return _Assertion(kind=kind, value=value, is_negated=is_negated, threshold=written.get("threshold"), tools=tools)


def _converted(name: str, assertion: _Assertion) -> Conversion:
    check = _CONVERTERS[assertion.kind](assertion)
    return Conversion(name=name, check=check, remark=_remark(assertion))


def _remark(assertion: _Assertion) -> str | None:
    if assertion.kind in _MEASURED:
        return "measured on every request; its margin stands in the settings file"
    if assertion.kind == "contains-json":
        return "read more strictly: " + ("no brackets at all" if assertion.is_negated else "the whole answer is JSON")
    if assertion.kind == "tool-call-f1":
        return "read more strictly: each tool is called once, with arguments that its schema allows"
    if assertion.kind == "is-valid-openai-tools-call":
        return "read as a number of calls; whether they are valid is what tool-call success measures"
    looks_inside = assertion.kind in ("equals", "is-json") and isinstance(assertion.value, (dict, list))
    return "read more strictly: an answer without JSON fails" if looks_inside and assertion.is_negated else None


def _check(assertion: _Assertion, kind: CheckKind, argument: Any) -> Check:
    return Check(kind=kind, argument=argument, negated=assertion.is_negated)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return number_text(float(value)) if isinstance(value, float) else str(value)
    if not isinstance(value, str) or not value.strip():
        raise _UnsupportedError("without a text as its value")
    return value


def _scalars(value: Any) -> list[str]:
    """Read a list, or a text in which commas part the values and quotes protect them."""
    if isinstance(value, str):
        rows = list(csv.reader([value.replace("\n", " ")], skipinitialspace=True))
        value = [part.strip() for row in rows for part in row if part.strip()]
    if not isinstance(value, list) or not value:
        raise _UnsupportedError("without a list of texts as its value")
    return [_scalar(item) for item in value]


def _equals(assertion: _Assertion) -> Check:
    if isinstance(assertion.value, (dict, list)):
        return _check(assertion, CheckKind.JSON_PATH, {"path": "$", "equals": assertion.value})
    return _check(assertion, CheckKind.EQUALS, _scalar(assertion.value))


def _contains(assertion: _Assertion) -> Check:
    return _check(assertion, CheckKind.CONTAINS, _scalar(assertion.value))


def _contains_all(assertion: _Assertion) -> Check:
    return _check(assertion, CheckKind.CONTAINS_ALL, _scalars(assertion.value))


def _contains_any(assertion: _Assertion) -> Check:
    return _check(assertion, CheckKind.CONTAINS_ANY, _scalars(assertion.value))


def _icontains(assertion: _Assertion) -> Check:
    return _check(assertion, CheckKind.REGEX, "(?i)" + _literal(_scalar(assertion.value)))


def _icontains_all(assertion: _Assertion) -> Check:
    ahead = "".join(f"(?=.*{_literal(part)})" for part in _scalars(assertion.value))
    return _check(assertion, CheckKind.REGEX, rf"(?is)\A{ahead}")


def _icontains_any(assertion: _Assertion) -> Check:
    return _check(assertion, CheckKind.REGEX, f"(?i){'|'.join(map(_literal, _scalars(assertion.value)))}")


def _literal(text: str) -> str:
    """Escape a text for a pattern; answers are compared in NFC."""
    return re.escape(unicodedata.normalize("NFC", text)).replace(r"\ ", " ")


def _regex(assertion: _Assertion) -> Check:
    pattern = _NAMED_REFERENCE.sub(r"\1(?P=\2)", _NAMED_GROUP.sub("(?P<", _scalar(assertion.value)))
    try:
        re.compile(pattern)
    except re.error as error:
        raise _UnsupportedError(f"whose pattern Python does not read: {error}") from None
    return _check(assertion, CheckKind.REGEX, pattern)


def _starts_with(assertion: _Assertion) -> Check:
    return _check(assertion, CheckKind.STARTS_WITH, _scalar(assertion.value))


def _ends_with(assertion: _Assertion) -> Check:
    return _check(assertion, CheckKind.ENDS_WITH, _scalar(assertion.value))


def _is_json(assertion: _Assertion) -> Check:
    schema = _schema(assertion.value)
    if schema is None:
        return _check(assertion, CheckKind.JSON_VALID, True)  # noqa: FBT003  # the argument as the file has it
    return _check(assertion, CheckKind.JSON_SCHEMA, schema)


def _contains_json(assertion: _Assertion) -> Check:
    if not assertion.is_negated:
        return _is_json(assertion)
    if _schema(assertion.value) is not None:
        raise _UnsupportedError("with a schema")
    return _check(assertion, CheckKind.REGEX, _ANY_JSON)


def _schema(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = yaml.safe_load(value)
        except yaml.YAMLError:
            raise _UnsupportedError("whose schema is not YAML") from None
    if value is not None and not isinstance(value, (dict, bool)):
        raise _UnsupportedError("whose schema is no mapping")
    return value


def _valid_tools_call(assertion: _Assertion) -> Check:
    if assertion.is_negated:
        raise _UnsupportedError("for which there is no check")
    if not assertion.tools:
        raise _UnsupportedError("without tools in the provider's config")
    return _check(assertion, CheckKind.TOOL_COUNT, {"min": 1})


def _tool_call_f1(assertion: _Assertion) -> Check:
    names = list(dict.fromkeys(_scalars(assertion.value)))
    if assertion.is_negated:
        raise _UnsupportedError("for which there is no check")
    if assertion.threshold not in (None, 1):
        raise _UnsupportedError("with a threshold below 1")
    if absent := [name for name in names if name not in assertion.tools]:
        raise _UnsupportedError(f"of {absent[0]!r}, which the provider's config does not offer")
    return _check(assertion, CheckKind.TOOL_CALLED, names)


def _finish_reason(assertion: _Assertion) -> Check:
    return _check(assertion, CheckKind.FINISH_REASON, _scalar(assertion.value).lower())


def _measured(_assertion: _Assertion) -> None:
    return None


_MEASURED = frozenset({"latency", "cost"})
_CONVERTERS: dict[str, Callable[[_Assertion], Check | None]] = {
    "equals": _equals,
    "contains": _contains,
    "contains-all": _contains_all,
    "contains-any": _contains_any,
    "icontains": _icontains,
    "icontains-all": _icontains_all,
    "icontains-any": _icontains_any,
    "regex": _regex,
    "starts-with": _starts_with,
    "ends-with": _ends_with,
    "is-json": _is_json,
    "contains-json": _contains_json,
    "is-valid-openai-tools-call": _valid_tools_call,
    "tool-call-f1": _tool_call_f1,
    "finish-reason": _finish_reason,
    "latency": _measured,
    "cost": _measured,
}
SUPPORTED = tuple(_CONVERTERS)

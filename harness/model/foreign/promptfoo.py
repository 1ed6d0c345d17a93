"""promptfoo configurations: prompts times tests times variables, each a draft with the checks that exist here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.model.foreign.assertions import Conversion, convert_assertion
from harness.model.foreign.draft import Draft, Item, Skipped, draft_of_body
from harness.model.foreign.promptfoofiles import Template, messages_of_text, provider_settings, read_templates
from harness.model.foreign.template import TemplateError, render, resolved
from harness.model.golden import Check, CheckKind
from harness.model.yamlfile import YamlDocument, read_yaml

_ELSEWHERE = "Write it into this file: other files are not followed, but for prompts"
_SET = "assert-set"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """One test with the default test's parts in it."""

    where: str
    variables: dict[str, Any]
    assertions: list[Any]
    options: dict[str, Any]
    description: str | None
    has_threshold: bool


def read_promptfoo(file: Path) -> Iterator[Item]:
    """Give a draft for each prompt of each test, and what is left out with its reason."""
    document = read_yaml(file)
    if not isinstance(document.value, dict) or "prompts" not in document.value:
        raise ConfigError("no prompts", where=document.where("$"), remedy="A promptfoo file has prompts and tests")
    templates = list(read_templates(document))
    yield from (template for template in templates if isinstance(template, Skipped))
    if document.value.get("scenarios"):
        yield Skipped(where=document.where("$.scenarios"), reason="scenarios")
    usable = [template for template in templates if isinstance(template, Template)]
    for test in _tests(document):
        if isinstance(test, Skipped):
            yield test
        else:
            yield from _items(document, test, usable)


def _tests(document: YamlDocument) -> Iterator[_Test | Skipped]:
    default = _mapping(document, "$.defaultTest", document.value.get("defaultTest"))
    for part in ("vars", "options"):
        _mapping(document, f"$.defaultTest.{part}", default.get(part))
    tests = document.value.get("tests")
    if tests is not None and not isinstance(tests, list):
        raise ConfigError("tests is no list of tests", where=document.where("$.tests"), remedy=_ELSEWHERE)
    if not tests:
        yield _test(document, "$.prompts", {}, default)
    for i, test in enumerate(tests or []):
        path = f"$.tests[{i}]"
        if not isinstance(test, dict):
            yield Skipped(where=document.where(path), reason="a test in another file")
        elif (reason := _unreadable(test)) is not None:
            yield _skipped(document.where(path), reason, _assertions(document, path, test, default))
        else:
            yield _test(document, path, test, default)


def _mapping(document: YamlDocument, path: str, value: Any) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise ConfigError(f"{path[2:]} is no mapping", where=document.where(path), remedy=_ELSEWHERE)
    return value or {}


def _unreadable(test: Mapping[str, Any]) -> str | None:
    """Say why a test is left out as a whole."""
    options = test.get("options")
    if not isinstance(test.get("vars") or {}, dict):
        return "a test with its variables in another file"
    if "prompts" in test:
        return "a test that picks among the prompts"
    if isinstance(options, dict) and {"prefix", "suffix"} & options.keys():
        return "a test with a prefix or suffix"
    return None


def _test(document: YamlDocument, path: str, test: Mapping[str, Any], default: Mapping[str, Any]) -> _Test:
    options = _options(document, path, test, default)
    description = test.get("description")
    return _Test(
        where=document.where(path),
        variables={**(default.get("vars") or {}), **(test.get("vars") or {})},
        assertions=_assertions(document, path, test, default),
        options=options,
        description=description if isinstance(description, str) and description.strip() else None,
        has_threshold="threshold" in test or "threshold" in default,
    )


def _options(document: YamlDocument, path: str, test: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    return {**(default.get("options") or {}), **_mapping(document, f"{path}.options", test.get("options"))}


def _assertions(document: YamlDocument, path: str, test: Mapping[str, Any], default: Mapping[str, Any]) -> list[Any]:
    is_alone = _options(document, path, test, default).get("disableDefaultAsserts")
    common = [] if is_alone else default.get("assert") or []
    written = test.get("assert") or []
    for assertions in (common, written):
        if not isinstance(assertions, list):
            raise ConfigError("assert is no list", where=document.where(f"{path}.assert"), remedy=_ELSEWHERE)
    return [_dereferenced(document, item) for item in (*common, *written)]


def _skipped(where: str, reason: str, assertions: list[Any]) -> Skipped:
    """Leave a test out together with its assertions, which are counted by name."""
    names = (one.get("type") if isinstance(one, dict) else None for one in _flat(assertions))
    lost = tuple(
        f"{name} of a skipped test" if isinstance(name, str) else "an assertion without a type" for name in names
    )
    return Skipped(where=where, reason=reason, unsupported=lost)


def _dereferenced(document: YamlDocument, assertion: Any) -> Any:
    """Follow `$ref: "#/assertionTemplates/name"`."""
    if not isinstance(assertion, dict) or not isinstance(assertion.get("$ref"), str):
        return assertion
    value = document.value
    for name in assertion["$ref"].removeprefix("#/").split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    return value or {"type": f"$ref {assertion['$ref']}"}


def _items(document: YamlDocument, test: _Test, templates: list[Template]) -> Iterator[Item]:
    for variables in _expanded(test):
        if any(isinstance(value, str) and value.startswith("file://") for value in variables.values()):
            yield _skipped(test.where, "a test with a variable from another file", test.assertions)
            continue
        for template in templates:
            name = test.description and (f"{test.description} {template.label}" if len(templates) > 1 else None)
            yield _item(document, replace(test, variables=variables), template, name or test.description)


def _expanded(test: _Test) -> Iterator[dict[str, Any]]:
    """A variable with a list stands for one test per value."""
    if test.options.get("disableVarExpansion"):
        yield test.variables
        return
    values = [value if isinstance(value, list) else [value] for value in test.variables.values()]
    for chosen in product(*values):
        yield dict(zip(test.variables, chosen, strict=True))


def _item(document: YamlDocument, test: _Test, template: Template, name: str | None) -> Item:
    try:
        variables = resolved(test.variables)
        messages = template.messages or messages_of_text(render(template.text, variables))
        messages = render(messages, variables) if template.messages else messages
    except TemplateError as error:
        return _skipped(test.where, str(error), test.assertions)
    settings = provider_settings(document.value)
    item = draft_of_body({**settings.body, **template.settings, "messages": messages}, where=test.where, name=name)
    if isinstance(item, Skipped):
        return _skipped(item.where, item.reason, test.assertions)
    tools = frozenset(_tool_names(item.request.get("tools")))
    converted = [convert_assertion(one, variables, tools) for one in _flat(_transformed(test))]
    return _with_checks(replace(item, intent=test.description), converted, [*settings.remarks, *_remarks(test)])


def _remarks(test: _Test) -> list[str]:
    return ["threshold of a test not read: every check must hold"] if test.has_threshold else []


def _transformed(test: _Test) -> list[Any]:
    """Mark every assertion of a test whose answer is transformed first."""
    if not {"transform", "postprocess"} & test.options.keys():
        return test.assertions
    return [{**one, "transform": ""} if isinstance(one, dict) else one for one in test.assertions]


def _flat(assertions: list[Any]) -> Iterator[Any]:
    """Take a set of assertions apart where all of them must hold."""
    for one in assertions:
        is_set = isinstance(one, dict) and one.get("type") == _SET and isinstance(one.get("assert"), list)
        if not is_set or "threshold" in one:
            yield one
        else:
            yield from _flat([{**part, "transform": ""} if "transform" in one else part for part in one["assert"]])


def _tool_names(tools: Any) -> Iterator[str]:
    for tool in tools if isinstance(tools, list) else ():
        function = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            yield function["name"]


def _with_checks(draft: Draft, converted: list[Conversion], remarks: list[str]) -> Draft:
    unsupported = [f"{one.name} {one.unsupported}".strip() for one in converted if one.unsupported is not None]
    remarks += [f"{one.name} {one.remark}" for one in converted if one.remark is not None and one.unsupported is None]
    checks: list[Check] = []
    for one in converted:
        if one.check is None or one.check in checks:
            continue
        if one.check.kind is CheckKind.TOOL_CALLED and any(c.kind is CheckKind.TOOL_CALLED for c in checks):
            unsupported.append(f"{one.name} beside another one")
        else:
            checks.append(one.check)
    if any(check.kind is CheckKind.TOOL_CALLED for check in checks):  # it asks for valid calls already
        checks = [check for check in checks if check.kind is not CheckKind.TOOL_COUNT]
    changes = (*draft.changes, *dict.fromkeys(remarks))
    return replace(draft, checks=tuple(checks), changes=changes, unsupported=tuple(unsupported))

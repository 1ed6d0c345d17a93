"""Loads a golden set: merges its defaults into each request, parses its checks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import ConfigError
from harness.model.golden import Check, CheckKind, GoldenSet, Prompt
from harness.model.goldenlines import read_golden_lines
from harness.model.requirements import REQUIREMENTS, requirement_like
from harness.model.yamlfile import YamlDocument, config_error, convert_document, read_yaml

LINE_WISE = frozenset({".jsonl", ".ndjson"})


class _Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every prompt's request starts from."""

    request: dict[str, Any] = {}


class _GoldenFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as written."""

    name: str
    version: str = "1"
    defaults: _Defaults = _Defaults()
    prompts: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedGoldenSet:
    """A golden set that still knows where its prompts stand."""

    golden: GoldenSet
    document: YamlDocument

    def where(self, prompt_id: str) -> str:
        """Give `file:line (prompts[3])` of a prompt."""
        position = next(i for i, prompt in enumerate(self.golden.prompts) if prompt.id == prompt_id)
        return self.document.where(f"$.prompts[{position}]")


def load_golden_set(file: Path) -> GoldenSet:
    """Read a golden set, YAML or JSON lines; ConfigError names file, line, prompt and remedy."""
    return locate_golden_set(file).golden


def locate_golden_set(file: Path) -> LocatedGoldenSet:
    """Read a golden set as `load_golden_set` does, and keep its lines."""
    document = read_golden_lines(file) if file.suffix.lower() in LINE_WISE else read_yaml(file)
    written = convert_document(document, _GoldenFile)
    if not written.prompts:
        raise ConfigError(
            "the golden set has no prompt",
            where=document.where("$.prompts"),
            remedy="`bench golden export --to yaml` prints one to start from",
        )
    _check_body(document, written.defaults.request, "$.defaults.request")
    prompts = [_prompt(document, written, position) for position in range(len(written.prompts))]
    _refuse_repeated_ids(document, prompts)
    golden = GoldenSet(name=written.name, version=written.version, prompts=prompts)
    return LocatedGoldenSet(golden=golden, document=document)


def _prompt(document: YamlDocument, written: _GoldenFile, position: int) -> Prompt:
    path = f"$.prompts[{position}]"
    raw = dict(written.prompts[position])
    for name in ("checks", "final"):
        raw[name] = _checks(document, raw.get(name), f"{path}.{name}")
    request = raw.get("request")
    if isinstance(request, dict):
        raw["request"] = {**written.defaults.request, **request}
    try:
        prompt = msgspec.convert(raw, Prompt, strict=True)
    except msgspec.ValidationError as error:
        message = str(error)
        moved = message.replace("`$", f"`{path}") if " - at `$" in message else f"{message} - at `{path}`"
        raise config_error(document, moved, Prompt) from None
    _refuse_unknown_requirements(document, prompt.requires, f"{path}.requires")
    _check_request(document, prompt.request, f"{path}.request")
    _refuse_unsendable(document, prompt.tool_results, f"{path}.tool_results")
    return prompt


def _refuse_unknown_requirements(document: YamlDocument, words: list[str], path: str) -> None:
    """A word that nothing knows would ask no probe for anything, silently."""
    for position, word in enumerate(words):
        if word not in REQUIREMENTS:
            near = requirement_like(word)
            meant = f"Did you mean {near}? " if near else ""
            raise ConfigError(
                f"requires names an unknown feature {word!r:.60}",
                where=document.where(f"{path}[{position}]"),
                remedy=f"{meant}Known: {', '.join(REQUIREMENTS)}",
            )


def _checks(document: YamlDocument, written: object, path: str) -> list[Check]:
    if not isinstance(written, (list, type(None))):
        raise ConfigError(
            f"{path.rpartition('.')[2]} is a list (found {written!r:.60})",
            where=document.where(path),
            remedy="For example: checks: [{contains: Prague}]",
        )
    return [_check(document, item, f"{path}[{i}]") for i, item in enumerate(written or [])]


def _check(document: YamlDocument, item: object, path: str) -> Check:
    if not isinstance(item, dict) or len(item) != 1:
        raise ConfigError(
            f"a check is a mapping of one key (found {item!r:.60})",
            where=document.where(path),
            remedy="For example: contains: Prague",
        )
    ((name, argument),) = item.items()
    normal = str(name).replace("-", "_")
    is_negated = normal.startswith("not_")
    try:
        kind = CheckKind(normal.removeprefix("not_"))
    except ValueError:
        known = ", ".join(sorted(CheckKind))
        raise ConfigError(f"unknown check {name!r}", where=document.where(path), remedy=f"Known: {known}") from None
    return Check(kind=kind, argument=argument, negated=is_negated)


def _check_request(document: YamlDocument, request: dict[str, Any], path: str) -> None:
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ConfigError(
            "the prompt has no messages",
            where=document.where(f"{path}.messages"),
            remedy="For example: messages: [{role: user, content: Hello}]",
        )
    for i, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise ConfigError(
                f"a message has no role (found {message!r:.60})",
                where=document.where(f"{path}.messages[{i}]"),
                remedy="A message is a mapping with role and content",
            )
    if not isinstance(request.get("tools"), (list, type(None))):
        raise ConfigError(
            f"tools is a list (found {request['tools']!r:.60})",
            where=document.where(f"{path}.tools"),
            remedy="For example: tools: [{type: function, function: {name: f}}]",
        )
    _check_body(document, request, path)


def _check_body(document: YamlDocument, body: dict[str, Any], path: str) -> None:
    for name in ("model", "stream", "stream_options"):
        if name in body:
            raise ConfigError(
                f"a request may not set {name!r}",
                where=document.where(f"{path}.{name}"),
                remedy="The model stands in the endpoint file; streaming is the harness's",
            )
    _refuse_unsendable(document, body, path)


def _refuse_unsendable(document: YamlDocument, value: object, path: str) -> None:
    """Refuse what YAML can say and a JSON body cannot, such as the key `no`, which YAML reads as false."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise _not_json(document, f"the key {key!r}", path)
            _refuse_unsendable(document, item, f"{path}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _refuse_unsendable(document, item, f"{path}[{i}]")
    elif not _is_json_scalar(value):
        raise _not_json(document, f"{value!r:.60}", path)


def _is_json_scalar(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
    return value is None or isinstance(value, (bool, int, float))


def _not_json(document: YamlDocument, thing: str, path: str) -> ConfigError:
    return ConfigError(
        f"{thing} cannot stand in a request", where=document.where(path), remedy="Write it as a text in quotes"
    )


def _refuse_repeated_ids(document: YamlDocument, prompts: list[Prompt]) -> None:
    seen: set[str] = set()
    for position, prompt in enumerate(prompts):
        if prompt.id in seen:
            where = document.where(f"$.prompts[{position}].id")
            raise ConfigError(
                f"prompt id {prompt.id!r} is given twice", where=where, remedy="Results are found by id: rename one"
            )
        seen.add(prompt.id)


def golden_schema() -> dict[str, Any]:
    """JSON Schema of a golden set, for editors; a check is a mapping of one key, each also in its `not-` form."""
    (written, prompt), definitions = msgspec.json.schema_components(
        [_GoldenFile, Prompt], ref_template="#/$defs/{name}"
    )
    names = [name.replace("_", mark) for name in CheckKind for mark in ("_", "-")]
    definitions["Check"] = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {prefix + name: {} for name in names for prefix in ("", "not-", "not_")},
        "additionalProperties": False,
    }
    definitions["_GoldenFile"]["properties"]["prompts"]["items"] = prompt
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bench golden set",
        **written,
        "$defs": definitions,
    }

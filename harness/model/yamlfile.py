"""Reads a YAML file into a typed value, or says file, line, path, value and remedy."""

import difflib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from harness.errors import ConfigError
from harness.model.keyforms import WEB_TOKEN_FORM, key_form
from harness.model.validationwords import keys_at, problem_in_words

T = TypeVar("T")

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_NODES = 500_000  # after aliases are followed: stops a "billion laughs" file
MAX_DEPTH = 100  # stops an alias to itself before its paths fill the memory
MAX_KEY_CHARS = 1000
MAX_PATH_CHARS = 64 * 1024 * 1024  # of all paths together: a long key stands in each path below it
MAX_NUMBER_CHARS = 1000  # YAML reads 1:30:00 as a number, in quadratic time
MAX_ANCHORS = 10_000  # each is looked for among all before it
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where PyYAML was built with it
_SECRET_PATHS = ("$.api_key", "$.headers")
_QUOTED = 'Write {file: path} or {command: [words]}; a word that YAML reads as another value in quotes: "false", "1"'
_SCHEMAS = {
    "Endpoint": "endpoint",
    "Settings": "settings",
    "_GoldenFile": "golden",
    "Suite": "suite",
}  # by what is read
_UNKNOWN_FIELD = re.compile(r"^Object contains unknown field `(?P<field>.*)`$", re.DOTALL)
_IN_PROMPT = re.compile(r"^\$\.prompts\[\d+\]")
_KEY = re.compile(rf"\b(?:{key_form(8)}|{WEB_TOKEN_FORM})", re.IGNORECASE)
_DIGITS = re.compile(r"[-+.:_0-9a-fA-FxX]*+")
_AT_PATH = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)


class _Loader(_Parser):  # type: ignore[misc]  # which of the two is known when it runs
    """Safe YAML in which a date stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _whole(loader: _Loader, node: yaml.ScalarNode) -> int:
    """No number of ours has a thousand digits."""
    _refuse_long_number(node)
    return int(loader.construct_yaml_int(node))


def _refuse_long_number(node: yaml.ScalarNode) -> None:
    if len(node.value) > MAX_NUMBER_CHARS:
        raise yaml.MarkedYAMLError(problem="a number of too many digits", problem_mark=node.start_mark)


def _finite(loader: _Loader, node: yaml.ScalarNode) -> float:
    """No limit, price or margin is infinite, and JSON could not carry it."""
    _refuse_long_number(node)
    value = float(loader.construct_yaml_float(node))
    if not math.isfinite(value):
        raise yaml.MarkedYAMLError(problem=f"{node.value} is not a finite number", problem_mark=node.start_mark)
    return value


_Loader.add_constructor("tag:yaml.org,2002:int", _whole)
_Loader.add_constructor("tag:yaml.org,2002:float", _finite)


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """A parsed file that still knows the line of each path, such as `$.limits.concurrency`."""

    file: Path
    value: Any
    lines: dict[str, int]

    def where(self, path: str) -> str:
        """Give `file:line (path)` for a path or its nearest known ancestor; `$` is not written."""
        known = path
        while known not in self.lines and known != "$":
            known = known[: max(known.rfind("."), known.rfind("["))] or "$"
        place = f"{self.file}:{self.lines.get(known, 1)}"
        return place if path == "$" else f"{place} ({path.removeprefix('$.')})"


def read_yaml(file: Path) -> YamlDocument:
    """Parse one document; ConfigError for a file that is missing, too large or not YAML."""
    text = _read_text(file)
    try:
        return _parse(file, text)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(file, error) from None
    except (RecursionError, yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"not readable as YAML: {type(error).__name__}", where=str(file)) from None


def _parse(file: Path, text: str) -> YamlDocument:
    _refuse_too_much(file, text)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise ConfigError("the file is empty", where=str(file), remedy="`bench init` writes files to start from")
        lines = dict(_lines(node, file))
        return YamlDocument(file=file, value=loader.construct_document(node), lines=lines)
    finally:
        loader.dispose()


def _refuse_too_much(file: Path, text: str) -> None:
    """Count values and their depth event by event, before a tree of them is built."""
    walked = depth = n_anchors = 0
    for event in yaml.parse(text, Loader=_Parser):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        walked += isinstance(event, yaml.NodeEvent)
        n_anchors += isinstance(event, yaml.NodeEvent) and event.anchor is not None
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > MAX_NUMBER_CHARS and event.implicit[0]:
            _refuse_long_digits(event)
        if walked > 2 * MAX_NODES or depth > MAX_DEPTH + 1 or n_anchors > MAX_ANCHORS:  # a key is a node, too
            mark = event.start_mark
            raise _too_much(str(file) if mark is None else f"{file}:{mark.line + 1}")


def _refuse_long_digits(event: yaml.ScalarEvent) -> None:
    """Keep it from the patterns that tell numbers from text."""
    if _DIGITS.fullmatch(event.value):
        raise yaml.MarkedYAMLError(problem="a number of too many digits", problem_mark=event.start_mark)  # type: ignore[arg-type]  # either mark has a line


def _too_much(where: str) -> ConfigError:
    return ConfigError(
        f"more than {MAX_NODES} values, or nested deeper than {MAX_DEPTH}, once aliases are followed",
        where=where,
        remedy="Write the values out without aliases (&name, *name), or split the file",
    )


def convert_document(document: YamlDocument, kind: type[T]) -> T:
    """Convert to a typed value; ConfigError names the line, the value and the likely key."""
    try:
        return msgspec.convert(document.value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise config_error(document, str(error), kind) from None


def config_error(document: YamlDocument, message: str, kind: object = None) -> ConfigError:
    """Turn msgspec's message into ours."""
    found = _AT_PATH.match(message)
    problem, path = (found["problem"], found["path"] or "$") if found else (message, "$")
    unknown = _UNKNOWN_FIELD.match(problem)
    if unknown:
        return _unknown_key(document, path, unknown["field"], kind)
    if path == "$.api_key":
        return ConfigError(
            "api_key names an environment variable, a file or a command; a key itself never stands in a file",
            where=document.where(path),
            remedy="Write api_key: ${NAME_OF_VARIABLE} and export it, or {file: path}, or {command: [words]}",
        )
    shown = _shown(document, path)
    words = problem_in_words(problem, kind, _of_kind(path, kind), is_shown=bool(shown))
    remedy = _QUOTED if path.startswith("$.api_key") else _schema_of(kind)
    return ConfigError(f"{words}{shown}", where=document.where(path), remedy=remedy)


def _of_kind(path: str, kind: object) -> str:
    """Give a path as the type sees it: a prompt of a golden set is converted by itself."""
    return _IN_PROMPT.sub("$", path, count=1) if getattr(kind, "__name__", "") == "Prompt" else path


def _schema_of(kind: object) -> str | None:
    """Name the command that prints the keys; None for a file that has none."""
    name = _SCHEMAS.get(getattr(kind, "__name__", ""))
    return None if name is None else f"`bench schema {name}` prints the keys that exist and what each takes"


def _read_text(file: Path) -> str:
    try:
        with file.open("rb") as opened:  # what a device or a pipe holds is in no file's size
            content = opened.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ConfigError(
                f"larger than {MAX_FILE_BYTES} bytes",
                where=str(file),
                remedy="Split it; a golden set may also be JSON lines",
            )
        return content.decode("utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(file), remedy="Check the path and its permissions"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"not UTF-8 at byte {error.start}", where=str(file), remedy="Is it the right file? It must be text in UTF-8"
        ) from None


def _syntax_error(file: Path, error: yaml.MarkedYAMLError) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
    return ConfigError(
        f"not valid YAML: {error.problem or error.context}",
        where=where,
        remedy="Look there and just before: open brackets and quotes, indentation, a value with `: ` in it",
    )


def _lines(root: yaml.Node, file: Path) -> Iterator[tuple[str, int]]:
    """Walk the node tree without recursion, giving each path's line and refusing repeated keys."""
    stack: list[tuple[str, yaml.Node, int]] = [("$", root, 0)]
    walked = n_path_chars = 0
    while stack:
        path, node, depth = stack.pop()
        walked += 1
        n_path_chars += len(path)
        if walked > MAX_NODES or depth > MAX_DEPTH or n_path_chars > MAX_PATH_CHARS:
            raise _too_much(f"{file}:{node.start_mark.line + 1}")
        yield path, node.start_mark.line + 1
        if isinstance(node, yaml.SequenceNode):
            stack.extend((f"{path}[{i}]", item, depth + 1) for i, item in enumerate(node.value))
        elif isinstance(node, yaml.MappingNode):
            _refuse_bad_keys(node, file)
            for key, item in node.value:
                yield f"{path}.{key.value}", key.start_mark.line + 1
                stack.append((f"{path}.{key.value}", item, depth + 1))


def _refuse_bad_keys(node: yaml.MappingNode, file: Path) -> None:
    """Refuse a key that is no text before its text is taken: aliases in it would be followed into all the memory."""
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(
                "a mapping with a key that is itself a list or a mapping",
                where=f"{file}:{node.start_mark.line + 1}",  # an aliased key's own mark is where its anchor stands
                remedy="Write the key as a plain word",
            )
        where = f"{file}:{key.start_mark.line + 1}"
        name = str(key.value)
        if len(name) > MAX_KEY_CHARS:
            raise ConfigError(f"a key of {len(name)} characters", where=where, remedy="Is a line break missing?")
        if name in seen:
            raise ConfigError(f"key {name!r} is given twice", where=where, remedy="Keep one of them")
        seen.add(name)


def _unknown_key(document: YamlDocument, path: str, field: str, kind: object) -> ConfigError:
    own = keys_at(kind, _of_kind(path, kind))
    close = difflib.get_close_matches(field, own, n=1) or difflib.get_close_matches(field, _all_keys(kind), n=1)
    return ConfigError(
        f"unknown key {field!r:.200}",
        where=document.where(f"{path}.{field}"),
        remedy=f"Did you mean {close[0]!r}?" if close else _schema_of(kind),
    )


def _all_keys(kind: object) -> list[str]:
    if not isinstance(kind, type):
        return []
    definitions = msgspec.json.schema(kind).get("$defs", {})
    return sorted({key for part in definitions.values() for key in part.get("properties", {})})


def _shown(document: YamlDocument, path: str) -> str:
    if path.startswith(_SECRET_PATHS):
        return ""
    value = value_at(document.value, path)
    is_secret = _KEY.search(str(value)) or (path == "$.base_url" and any(mark in str(value) for mark in "@?"))
    return "" if value is None or is_secret else f" (found {_shape(value)})"


def _shape(value: Any) -> str:
    """Quote a plain value; of a list or mapping only what it is, since a key may stand anywhere in it."""
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    return "a mapping" if isinstance(value, dict) else f"{value!r:.80}"


def value_at(value: Any, path: str) -> Any:
    """Follow a msgspec path through parsed YAML; None when it does not lead anywhere."""
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path.removeprefix("$")):
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return value

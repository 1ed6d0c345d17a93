"""Reads JSON values from a file, one on each line or in one array, each with its line."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from harness.errors import ConfigError
from harness.model.yamlfile import MAX_DEPTH

MAX_LINE_BYTES = 32 * 1024 * 1024
MAX_ARRAY_BYTES = 256 * 1024 * 1024  # an array is read whole
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonItem:
    """One value and where it begins."""

    line: int
    value: Any


def read_json_lines(file: Path, *, refuse_repeated_keys: bool = False) -> Iterator[JsonItem]:
    """Give the value of each line that is not blank; one line is held in memory at a time."""
    decoder = _decoder(refuse_repeated_keys=refuse_repeated_keys)
    for number, raw in _raw_lines(file):
        place = _Place(file=file, first_line=number)
        text = _decoded(raw, place)
        yield JsonItem(line=number, value=_whole_value(decoder, text, place))


def read_json_items(file: Path) -> Iterator[JsonItem]:
    """Give the items of a JSON array, the values of JSON lines, or the one value of a `.json` file."""
    if _first_byte(file) == b"[":
        yield from _array_items(file)
    elif file.suffix.lower() == ".json":
        yield from _one_or_lines(file)
    else:
        yield from read_json_lines(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a text stands, for messages about a position in it."""

    file: Path
    first_line: int

    def error(self, problem: str, remedy: str | None = None) -> ConfigError:
        return ConfigError(problem, where=f"{self.file}:{self.first_line}", remedy=remedy)

    def not_json(self, error: ValueError) -> ConfigError:
        if isinstance(error, json.JSONDecodeError):
            line = self.first_line + error.lineno - 1
            return ConfigError(
                f"not JSON: {error.msg}",
                where=f"{self.file}:{line}:{error.colno}",
                remedy="Write one whole JSON value on each line, or one array of them",
            )
        return self.error(f"not JSON: {error}")


def _decoder(*, refuse_repeated_keys: bool = False) -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_constant=_refuse_constant,
        parse_float=_finite,
        object_pairs_hook=_unrepeated if refuse_repeated_keys else None,
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large for a number")
    return value


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {repeated!r} is given twice")
    return value


def _raw_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Split at line feeds alone: U+2028 and U+0085 are legal inside JSON."""
    with _opened(file) as stream:
        number = 0
        while raw := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(raw) > MAX_LINE_BYTES:
                raise ConfigError(f"a line larger than {MAX_LINE_BYTES} bytes", where=f"{file}:{number}")
            text = raw.removeprefix(_BOM) if number == 1 else raw
            if text.strip():
                yield number, text


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(file), remedy="Check the path and its permissions"
        ) from None


def _first_byte(file: Path) -> bytes:
    """Give the first byte that is neither white space nor a byte order mark."""
    return next((raw.lstrip()[:1] for _, raw in _raw_lines(file)), b"")


def _decoded(raw: bytes, place: _Place) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        remedy = "Save it as UTF-8" if raw.startswith(_UTF16) else None
        raise place.error(f"not UTF-8 at byte {error.start} of the line", remedy) from None


def _whole_value(decoder: json.JSONDecoder, text: str, place: _Place) -> Any:
    try:
        value = decoder.decode(text.rstrip(_SPACE))
    except ValueError as error:
        raise place.not_json(error) from None
    except RecursionError:
        raise place.error(_too_deep()) from None
    return _shallow(value, place)


def _shallow(value: Any, place: _Place) -> Any:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        children: list[Any] = []
        for item in level:
            children += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        level = children
    if level:
        raise place.error(_too_deep())
    return value


def _too_deep() -> str:
    return f"nested deeper than {MAX_DEPTH}"


def _whole_text(file: Path) -> str:
    with _opened(file) as stream:
        raw = stream.read(MAX_ARRAY_BYTES + 1)
    if len(raw) > MAX_ARRAY_BYTES:
        raise ConfigError(
            f"larger than {MAX_ARRAY_BYTES} bytes in one JSON value",
            where=str(file),
            remedy="Write one item per line: jq -c '.[]' in.json > out.jsonl",
        )
    return _decoded(raw.removeprefix(_BOM), _Place(file=file, first_line=1))


def _one_or_lines(file: Path) -> Iterator[JsonItem]:
    """A `.json` file holds one value over many lines, or is JSON lines under another name."""
    text = _whole_text(file)
    place = _Place(file=file, first_line=1)
    try:
        value, end = _decoder().raw_decode(text, _skip_space(text, 0))
    except ValueError as error:
        raise place.not_json(error) from None
    except RecursionError:
        raise place.error(_too_deep()) from None
    if _skip_space(text, end) < len(text):
        yield from read_json_lines(file)
    else:
        yield JsonItem(line=1, value=_shallow(value, place))


def _array_items(file: Path) -> Iterator[JsonItem]:
    text, decoder = _whole_text(file), _decoder()
    at = _skip_space(text, text.index("[") + 1)
    line, counted = 1, 0
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        value, at = _next_item(decoder, text, at, _Place(file=file, first_line=line))
        yield JsonItem(line=line, value=value)
    if rest := text[at + 1 :].strip(_SPACE):
        raise ConfigError(f"text after the array: {rest!r:.40}", where=str(file))


def _next_item(decoder: json.JSONDecoder, text: str, at: int, place: _Place) -> tuple[Any, int]:
    """Read one item and what parts it from the next."""
    try:
        value, end = decoder.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise _Place(file=place.file, first_line=1).not_json(error) from None  # it counts lines from the text's start
    except ValueError as error:
        raise place.not_json(error) from None
    except RecursionError:
        raise place.error(_too_deep()) from None
    end = _skip_space(text, end)
    if text[end : end + 1] == ",":
        end = _skip_space(text, end + 1)
        if text[end : end + 1] != "]":
            return _shallow(value, place), end
    elif text[end : end + 1] == "]":
        return _shallow(value, place), end
    raise place.error("the array does not go on with a comma or end with a bracket after this item")


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at

"""JSON values from files: what is read, where it stood, and what each mistake says."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.model import jsonitems
from harness.model.jsonitems import JsonItem, read_json_items, read_json_lines
from tests.model.strategies import json_values


def written(folder: Path, content: bytes | str, name: str = "f.jsonl") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def items(file: Path) -> list[tuple[int, object]]:
    return [(item.line, item.value) for item in read_json_items(file)]


def refused(file: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        list(read_json_items(file))
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1}\n[2]\n', [(1, {"a": 1}), (2, [2])]),
        (b'\xef\xbb\xbf{"a": 1}\r\n\r\n  \n{"b": 2}', [(1, {"a": 1}), (4, {"b": 2})]),
        ('{"a": "\u2028\u0085\u2029"}\n{"b": 1}\n'.encode(), [(1, {"a": "\u2028\u0085\u2029"}), (2, {"b": 1})]),
        (b"", []),
        (b"\n \n", []),
        (b"1\n2", [(1, 1), (2, 2)]),
    ],
)
def test_lines_are_parted_by_line_feeds_alone(tmp_path: Path, content: bytes, expected: list[object]) -> None:
    assert items(written(tmp_path, content)) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[]", []),
        ("\ufeff[ ]\n", []),
        ('[{"a": 1},\n {"b": [2,\n 3]},\r\n\n"x"\n]', [(1, {"a": 1}), (2, {"b": [2, 3]}), (5, "x")]),
    ],
)
def test_an_array_gives_its_items_with_their_lines(tmp_path: Path, content: str, expected: list[object]) -> None:
    assert items(written(tmp_path, content)) == expected
    assert items(written(tmp_path, content, "f.json")) == expected


def test_a_json_file_may_hold_one_value_over_many_lines_or_json_lines(tmp_path: Path) -> None:
    assert items(written(tmp_path, '{\n "a":\n 1\n}\n', "f.json")) == [(1, {"a": 1})]
    assert items(written(tmp_path, '{"a": 1}\n{"a": 2}\n', "f.json")) == [(1, {"a": 1}), (2, {"a": 2})]


@pytest.mark.parametrize(
    ("content", "where", "words"),
    [
        ('{"a": 1}\n{"a": \n', ":2:6", "not JSON: Expecting value"),
        ('{"a": 1} x\n', ":1:10", "Extra data"),
        ('{"a": NaN}\n', ":1", "NaN is not a JSON number"),
        ('\n{"a": 1e999}\n', ":2", "1e999 is too large"),
        (b'{"a": "\xff"}\n', ":1", "not UTF-8 at byte 7"),
        ('{"a": 1}\n'.encode("utf-16"), ":1", "Save it as UTF-8"),
        ("[" * 200 + "]" * 200, ":1", "nested deeper than 100"),
        ("\n" + '{"a":' * 200 + "1" + "}" * 200, ":2", "nested deeper than 100"),
        ("[" * 100_000, ":1", "nested deeper"),
        ("{}\n1" + "0" * 5000, ":2", "not JSON"),
        ('[{"a": 1},\n\n{"a": }]', ":3:7", "Expecting value"),
        ('[{"a": 1}\n{"a": 2}]', ":1", "comma"),
        ('[{"a": 1},\n{"a": 2}', ":2", "comma"),
        ("[1,\n]", ":1", "comma"),
        ("[1, 2]\n[3]", "f.jsonl", "text after the array: '[3]'"),
    ],
)
def test_a_mistake_names_its_line(tmp_path: Path, content: bytes | str, where: str, words: str) -> None:
    message = refused(written(tmp_path, content))
    assert f"{tmp_path / 'f.jsonl'}{where if where.startswith(':') else ''}: " in message
    assert words in message


def test_a_broken_json_file_of_many_lines_names_the_line_in_it(tmp_path: Path) -> None:
    assert "f.json:3:1: not JSON" in refused(written(tmp_path, '{\n "a": 1,\n}\n', "f.json"))


def test_a_missing_file_names_its_path(tmp_path: Path) -> None:
    assert f"{tmp_path / 'nowhere.jsonl'}: cannot be read" in refused(tmp_path / "nowhere.jsonl")
    assert "cannot be read" in refused(tmp_path)


def test_a_line_or_array_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonitems, "MAX_LINE_BYTES", 20)
    assert ":2: a line larger than 20 bytes" in refused(written(tmp_path, "1\n" + '"' + "x" * 30 + '"\n'))
    monkeypatch.setattr(jsonitems, "MAX_ARRAY_BYTES", 20)
    assert "larger than 20 bytes" in refused(written(tmp_path, "[1,\n2,\n3,\n4,\n5,\n6,\n7,\n8]\n", "f.json"))


def test_a_key_given_twice_is_refused_only_where_asked(tmp_path: Path) -> None:
    file = written(tmp_path, '{"a": 1}\n{"b": {"a": 1, "a": 2}}\n')
    assert items(file)[1] == (2, {"b": {"a": 2}})
    with pytest.raises(ConfigError, match=r"f\.jsonl:2: not JSON: key 'a' is given twice"):
        list(read_json_lines(file, refuse_repeated_keys=True))


def test_lines_are_read_one_at_a_time(tmp_path: Path) -> None:
    reading = read_json_lines(written(tmp_path, '{"a": 1}\nnot JSON\n'))
    assert next(reading) == JsonItem(line=1, value={"a": 1})


@given(values=st.lists(json_values, max_size=5), indent=st.sampled_from([None, 1]))
def test_what_json_writes_is_read_back(
    values: list[object], indent: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("json")
    lines = written(folder, "".join(json.dumps(value) + "\r\n" for value in values))
    assert [item.value for item in read_json_lines(lines)] == values
    array = written(folder, json.dumps(values, indent=indent), "f.json")
    assert [item.value for item in read_json_items(array)] == values

"""Golden sets as text: YAML and its JSON lines twin load to the same set, letter by letter."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.model import goldenlines
from harness.model.golden import Check, CheckKind, Example, ExampleCall, GoldenSet, Measure, Prompt
from harness.model.goldenfile import load_golden_set, locate_golden_set
from harness.model.goldentext import golden_jsonl, golden_yaml, json_line
from harness.model.shipped import GOLDEN_SETS, shipped_golden_set
from tests.model.strategies import json_values

HEADER = '{"name": "mine", "version": "3"}\n'
PROMPT = '{"id": "a", "category": "c", "intent": "i", "request": {"messages": [{"role": "user", "content": "hi"}]}}\n'
odd_texts = st.text(st.sampled_from("ab \t\n\r\x85\u2028\ufeff:-#'\"|>&*!%@`{}[],?=~\\0é\U0001f600"), max_size=14)
values = st.one_of(json_values, odd_texts, st.floats(allow_nan=False, allow_infinity=False))


def a_prompt(prompt_id: str = "a", **request: Any) -> Prompt:
    body = {"messages": [{"role": "user", "content": "hi"}], **request}
    return Prompt(id=prompt_id, category="c", intent="i", request=body)


def loaded(folder: Path, name: str, text: str) -> GoldenSet:
    file = folder / name
    file.write_text(text, encoding="utf-8", newline="")
    return load_golden_set(file)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, "set.jsonl", text)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize("name", GOLDEN_SETS)
def test_a_shipped_set_survives_both_formats(tmp_path: Path, name: str) -> None:
    golden = load_golden_set(shipped_golden_set(name))
    as_yaml = loaded(tmp_path, "set.yml", golden_yaml(golden))
    as_lines = loaded(tmp_path, "set.jsonl", golden_jsonl(golden))
    assert as_yaml == golden == as_lines
    assert as_yaml.sha256 == golden.sha256 == as_lines.sha256


@given(contents=st.lists(st.tuples(values, odd_texts, odd_texts, values), min_size=1, max_size=3))
@example(contents=[("", "", "0\n\n", "")])  # a version that ends in empty lines
@example(contents=[("a\n\n", "b\n\n", "c\n\n", "d\n\n"), ("e\n\n\n", "f\n\n", "", "g\n\n")])  # and everything else
@settings(max_examples=300)
def test_any_set_survives_both_formats(
    contents: list[tuple[Any, str, str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("sets")
    prompts = [
        Prompt(
            id=f"p{i}",
            category=text,
            intent=other,
            request={"messages": [{"role": "user", "content": text}], "x": value, "y": argument},
            checks=[Check(kind=CheckKind.EQUALS, argument=argument, negated=i == 0)],
            tool_results={other: value},
            tags=[text],
            repeats=i or None,
            measure=Measure(decode=i == 1),
            example=Example(text=other, tool_calls=[ExampleCall(name=text, arguments={text: value})]),
        )
        for i, (value, text, other, argument) in enumerate(contents)
    ]
    golden = GoldenSet(name=contents[0][1], version=contents[0][2], prompts=prompts)
    assert loaded(folder, "set.yml", golden_yaml(golden)) == golden
    assert loaded(folder, "set.jsonl", golden_jsonl(golden)) == golden


def test_what_all_requests_share_stands_under_defaults_in_yaml() -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt("a", temperature=0, n=1), a_prompt("b", temperature=0, n=1.5)])
    written = yaml.safe_load(golden_yaml(golden))
    assert written["defaults"] == {"request": {"temperature": 0}}
    assert [prompt["request"].keys() for prompt in written["prompts"]] == [{"messages", "n"}] * 2


def test_values_that_only_python_takes_for_equal_are_not_shared(tmp_path: Path) -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt("a", x=True), a_prompt("b", x=1)])
    back = loaded(tmp_path, "set.yml", golden_yaml(golden))
    assert [prompt.request["x"] is True for prompt in back.prompts] == [True, False]


def test_one_prompt_shares_nothing() -> None:
    assert "defaults" not in golden_yaml(GoldenSet(name="g", prompts=[a_prompt(temperature=0)]))


@pytest.mark.parametrize("text", ["two\nlines", "tab\n\there", "end of line  \nspaces", "last\n", "a\n\n\nb\n\n"])
def test_a_text_of_several_lines_is_a_block(tmp_path: Path, text: str) -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt(x=text)])
    written = golden_yaml(golden)
    assert "x: |" in written
    assert loaded(tmp_path, "set.yml", written) == golden


def test_comments_stand_at_the_top(tmp_path: Path) -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt()])
    text = golden_yaml(golden, ["made by hand", ""])
    assert text.startswith("# made by hand\n#\nname: g\n")
    assert loaded(tmp_path, "set.yml", text) == golden


def test_a_line_holds_nothing_that_readers_take_for_its_end() -> None:
    line = json_line({"a": "\u2028\u2029\x85 é"})
    assert line.splitlines() == [line.removesuffix("\n")]
    assert json.loads(line) == {"a": "\u2028\u2029\x85 é"}


def test_the_first_line_names_the_set_and_gives_defaults(tmp_path: Path) -> None:
    header = '{"name": "mine", "version": "3", "defaults": {"request": {"temperature": 0}}}\n'
    golden = loaded(tmp_path, "set.jsonl", "\ufeff" + header.replace("\n", "\r\n\r\n") + PROMPT)
    assert (golden.name, golden.version, golden.prompts[0].request["temperature"]) == ("mine", "3", 0)


def test_without_a_first_line_the_file_names_the_set(tmp_path: Path) -> None:
    golden = loaded(tmp_path, "support.jsonl", PROMPT)
    assert (golden.name, golden.version, golden.prompts[0].id) == ("support", "1", "a")
    assert loaded(tmp_path, "support.NDJSON", PROMPT) == golden


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("set.jsonl: the file is empty",)),
        (HEADER, ("set.jsonl:1", "has no prompt")),
        (HEADER + PROMPT + "\n" + PROMPT, ("set.jsonl:4 (prompts[1].id)", "'a' is given twice")),
        (HEADER + PROMPT.replace("intent", "intnt"), ("set.jsonl:2", "unknown key 'intnt'", "'intent'")),
        (HEADER + PROMPT.replace('"messages"', '"model": "m", "messages"'), ("set.jsonl:2", "may not set 'model'")),
        (HEADER + PROMPT.replace('"i"', "5"), ("set.jsonl:2", "prompts[0].intent", "(found 5)")),
        (HEADER + PROMPT.replace('"c"', '"c", "id": "b"'), ("set.jsonl:2", "key 'id' is given twice")),
        (HEADER + PROMPT.replace("hi", "\\ud800"), ("set.jsonl:2", "cannot stand in a request")),
        (HEADER + PROMPT[:-3], ("set.jsonl:2:", "not JSON")),
        (HEADER + "[]\n", ("set.jsonl:2", "prompts[0]", "(found an empty list)")),
        (HEADER.replace("version", "vers") + PROMPT, ("set.jsonl:1", "unknown key 'vers'", "'version'")),
        ('{"name": "a", "prompts": []}\n' + PROMPT, ("set.jsonl:1", "lines of their own")),
        ('{"custom_id": "a", "body": {}}\n', ("set.jsonl:1", "another tool", "bench golden import")),
        ('{"messages": []}\n', ("set.jsonl:1", "another tool", "bench golden import")),
    ],
)
def test_a_mistake_in_json_lines_names_its_line(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    message = refused(tmp_path, text)
    assert [word for word in words if word not in message] == []


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goldenlines, "MAX_FILE_BYTES", 20)
    assert "larger than 20 bytes. bench golden sample" in refused(tmp_path, HEADER + PROMPT)


def test_a_prompt_is_located_in_either_format(tmp_path: Path) -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt("a"), a_prompt("b")])
    for name, text in (("set.yml", golden_yaml(golden)), ("set.jsonl", golden_jsonl(golden))):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        line = 1 + next(i for i, line in enumerate(text.splitlines()) if "b" in line.split(",")[0].split(": ")[-1])
        assert locate_golden_set(file).where("b") == f"{file}:{line} (prompts[1])"

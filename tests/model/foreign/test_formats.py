"""Which format a file has, told by its first item."""

import json
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.model.foreign.formats import TITLES, Format, detect_format
from tests.model.foreign.reading import DATA


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("batch.jsonl", Format.BATCH),
        ("k2.jsonl", Format.BODIES),
        ("finetune.jsonl", Format.FINETUNE),
        ("sharegpt.json", Format.SHAREGPT),
        ("promptfooconfig.yaml", Format.PROMPTFOO),
    ],
)
def test_a_file_of_each_format_is_known(name: str, kind: Format) -> None:
    assert detect_format(DATA / name) is kind


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ({"custom_id": "a"}, Format.BATCH),
        ({"body": {}}, Format.BATCH),
        ({"messages": [{"role": "assistant", "content": "prefill"}], "model": "m"}, Format.BODIES),
        ({"messages": [{"role": "user", "content": "x"}]}, Format.BODIES),
        ({"messages": []}, Format.BODIES),
        ({"input": "x", "model": "m"}, Format.BODIES),
        ({"prompts": ["a"], "tests": []}, Format.PROMPTFOO),
    ],
)
def test_the_first_item_decides(tmp_path: Path, first: object, kind: Format) -> None:
    for name, text in (("f.jsonl", json.dumps(first)), ("f.json", json.dumps(first, indent=1))):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        assert detect_format(file) is kind


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("f.jsonl", "", "the file is empty"),
        ("f.jsonl", "5\n", "no format that is known. Say which it is: --from batch|bodies|"),
        ("f.jsonl", '{"a": 1}\n', "no format that is known"),
        ("f.jsonl", '{"name": "g", "version": "1"}\n', "a golden set already. bench golden export"),
        ("f.jsonl", '{"id": "a", "request": {}}\n', "a golden set already"),
        ("f.yml", "name: g\nprompts: [{id: a, request: {}}]\n", "a golden set already"),
        ("f.yml", "a: b\n", "no format that is known"),
        ("f.yml", "- a\n", "no format that is known"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        detect_format(file)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)


def test_every_format_has_a_title() -> None:
    assert set(TITLES) == set(Format)

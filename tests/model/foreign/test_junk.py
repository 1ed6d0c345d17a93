"""Files of any content are read, skipped with a reason, or refused in one clear error."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.model.foreign.assemble import prompts_of
from harness.model.foreign.draft import Draft, Skipped
from harness.model.foreign.formats import Format, detect_format, read_foreign
from harness.model.golden import GoldenSet
from harness.model.goldenfile import load_golden_set
from harness.model.goldentext import golden_jsonl, golden_yaml
from harness.model.sample import draw_sample
from tests.model.foreign.reading import DATA
from tests.model.strategies import json_values

LINES = {
    kind: [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines() if line]
    for kind, name in ((Format.BATCH, "batch.jsonl"), (Format.BODIES, "k2.jsonl"), (Format.FINETUNE, "finetune.jsonl"))
}
LINES[Format.SHAREGPT] = json.loads((DATA / "sharegpt.json").read_text(encoding="utf-8"))
CONFIG = yaml.safe_load((DATA / "promptfooconfig.yaml").read_text(encoding="utf-8"))
CHAT = (DATA / "promptfoo-chat.json").read_text(encoding="utf-8")


def places(value: Any) -> list[tuple[Any, ...]]:
    """List the path of every value inside."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *rest) for key, child in children for rest in places(child))]


def with_junk(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    changed = copy.copy(value)
    changed[path[0]] = with_junk(value[path[0]], path[1:], junk)
    return changed


def look_at(file: Path, kind: Format) -> None:
    """Read, assemble, write, load: only a ConfigError may end it, and it names the file."""
    items, refused = [], None
    try:
        items = list(read_foreign(file, kind))
        detect_format(file)
    except ConfigError as error:
        refused = str(error)
    assert refused is None or str(file) in refused
    assert all(item.reason for item in items if isinstance(item, Skipped))
    drafts = [item for item in items if isinstance(item, Draft)]
    prompts = list(prompts_of(drafts, prefix=kind))
    draw_sample((draft.request for draft in drafts), 3, random.Random(1))
    if prompts:
        golden = GoldenSet(name="g", prompts=prompts)
        for name, text in (("set.yml", golden_yaml(golden)), ("set.jsonl", golden_jsonl(golden))):
            written = file.with_name(name)
            written.write_text(text, encoding="utf-8", newline="")
            assert load_golden_set(written) == golden


@given(data=st.data(), junk=json_values)
@pytest.mark.parametrize("kind", LINES)
def test_junk_anywhere_in_a_line(
    kind: Format, data: st.DataObject, junk: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    line = data.draw(st.sampled_from(LINES[kind]))
    path = data.draw(st.sampled_from(places(line)))
    file = tmp_path_factory.mktemp("junk") / "f.jsonl"
    file.write_text(json.dumps(with_junk(line, path, junk)) + "\n", encoding="utf-8")
    look_at(file, kind)


@given(data=st.data(), junk=json_values)
def test_junk_anywhere_in_a_promptfoo_configuration(
    data: st.DataObject, junk: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("junk")
    (folder / "promptfoo-chat.json").write_text(CHAT, encoding="utf-8")
    path = data.draw(st.sampled_from(places(CONFIG)))
    file = folder / "promptfooconfig.yaml"
    file.write_text(yaml.safe_dump(with_junk(CONFIG, path, junk), allow_unicode=True), encoding="utf-8")
    look_at(file, Format.PROMPTFOO)


@given(content=st.binary(max_size=60) | st.text(st.sampled_from('[]{}:," \n\\u1e-'), max_size=30).map(str.encode))
@pytest.mark.parametrize("name", ["f.jsonl", "f.json", "f.yml"])
def test_any_bytes(content: bytes, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("junk") / name
    file.write_bytes(content)
    for kind in Format:
        look_at(file, kind)

"""docs/golden-set.md says what the code does: every check, every key, working examples."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.analysis.checkarguments import validate_check
from harness.analysis.goldenchecks import validate_golden_set
from harness.analysis.looks import TWO_ALPHA
from harness.analysis.samplesizes import smallest_n_for_rate, smallest_prompts
from harness.model.golden import Check, CheckKind, GoldenSet, Prompt
from harness.model.goldenfile import load_golden_set
from harness.model.shipped import shipped_golden_set
from tests.analysis.replies import a_check, a_prompt

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "golden-set.md").read_text(encoding="utf-8")
ROWS = re.findall(r"(?m)^\| `(\w+)` \| (.+?) \| `(\w+): (.+)` \| (yes|no) \|$", PAGE)
BLOCKS = re.findall(r"(?s)```yaml\n(.*?)```", PAGE)


def test_the_table_lists_the_checks_in_the_order_of_the_code() -> None:
    assert [row[0] for row in ROWS] == list(CheckKind)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_check_of_the_table_is_valid_as_written(row: tuple[str, ...]) -> None:
    name, _, written, argument, _ = row
    assert written == name
    assert validate_check(a_check(name, yaml.safe_load(argument))) is None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_table_says_which_checks_can_be_negated(row: tuple[str, ...]) -> None:
    check = Check(kind=CheckKind(row[0]), argument=yaml.safe_load(row[3]), negated=True)
    assert (validate_check(check) is None) == (row[4] == "yes")


def test_the_example_file_loads_and_uses_every_key(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(BLOCKS[0], encoding="utf-8")
    golden = load_golden_set(file)
    validate_golden_set(golden)
    written: dict[str, Any] = yaml.safe_load(BLOCKS[0])
    of_loops = {"tool_results", "final"}
    assert set(written["prompts"][0]) == set(Prompt.__struct_fields__) - of_loops


def test_the_example_of_a_call_is_valid() -> None:
    check = a_check("tool_called", yaml.safe_load(BLOCKS[1])["tool_called"])
    assert validate_check(check) is None
    prompt = a_prompt(check, tools={"book_table": {"type": "object"}})
    validate_golden_set(GoldenSet(name="page", prompts=[prompt]))


def test_the_example_of_a_loop_is_valid(tmp_path: Path) -> None:
    shipped = (Path(__file__).resolve().parents[2] / "prompts" / "golden.yml").read_text(encoding="utf-8")
    written: dict[str, Any] = {prompt["id"]: prompt for prompt in yaml.safe_load(shipped)["prompts"]}
    file = tmp_path / "loop.yml"
    prompt = {**written["tool-loop"], **yaml.safe_load(BLOCKS[2])}
    file.write_text(yaml.safe_dump({"name": "page", "prompts": [prompt]}), encoding="utf-8")
    golden = load_golden_set(file)
    validate_golden_set(golden)
    assert golden.prompts[0].has_loop
    assert [check.kind for check in golden.prompts[0].final] == [CheckKind.CONTAINS, CheckKind.NO_TOOL]


def test_the_numbers_of_trials_are_those_of_the_statistics() -> None:
    few, many = re.findall(r"from (\d+)(?: trials)? on", PAGE)
    assert (int(few), int(many)) == (smallest_n_for_rate(0.05, TWO_ALPHA), smallest_n_for_rate(0.02, TWO_ALPHA))
    assert re.findall(r"(\d+) without any disagreement", PAGE) == [str(smallest_prompts(0.05, TWO_ALPHA))]


def test_what_yaml_misreads_is_misread_as_the_page_says() -> None:
    assert yaml.safe_load("[no, on, 12:30, 1.10]") == [False, True, 750, 1.1]


def test_the_readme_of_the_folder_counts_the_prompts() -> None:
    folder = Path(__file__).resolve().parents[2] / "prompts"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert f"{len(load_golden_set(folder / 'golden.yml').prompts)} prompts" in readme


@pytest.mark.parametrize(("name", "place"), [("golden", 0), ("extended", 1)])
def test_the_page_lists_the_shipped_prompts(name: str, place: int) -> None:
    table = PAGE.split("| category | prompt | what is asked |")[1:][place].split("\n\n")[0]
    listed = re.findall(r"(?m)^\| ([\w-]+) \| `([\w-]+)` \| \S.+ \|$", table)
    prompts = load_golden_set(shipped_golden_set(name)).prompts
    assert sorted(listed) == sorted((prompt.category, prompt.id) for prompt in prompts)

"""The published schema of the summary holds for what is written, and for nothing else."""

import copy
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.analysis.analyse import analyse, to_summary
from harness.analysis.results.analysis import Analysis
from harness.analysis.summaryfields import ANYWHERE, FIELDS
from harness.analysis.summaryschema import summary_schema
from harness.model.record import Answer, Arm
from tests.analysis.cases import a_case, a_golden, a_key, a_plan, a_prompt, a_side, failed, replayed
from tests.report.cases import CASES, hostile

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas" / "summary.schema.json"
PROMPTS = [a_prompt(f"p{i}", says="answer") for i in range(4)]


def comparison() -> Analysis:
    return analyse(a_case(replayed(PROMPTS, 3), replayed(PROMPTS, 3, Arm.CANDIDATE), a_golden(*PROMPTS)))


def single() -> Analysis:
    return analyse(a_case(replayed(PROMPTS, 3), None, a_golden(*PROMPTS)))


def all_failed() -> Analysis:
    lost = [
        failed(key=a_key(repeat, arm=Arm.CANDIDATE, prompt_id=prompt.id), block=1 + place)
        for place, (repeat, prompt) in enumerate((repeat, prompt) for repeat in range(3) for prompt in PROMPTS)
    ]
    return analyse(a_case(replayed(PROMPTS, 3), lost, a_golden(*PROMPTS)))


def invalid() -> Analysis:
    wrong = Answer(text="nothing", finish_reason="stop")
    records = replayed(PROMPTS, 3, answer=wrong)
    return analyse(a_case(records, replayed(PROMPTS, 3, Arm.CANDIDATE), a_golden(*PROMPTS)))


def placebo() -> Analysis:
    case = a_case(replayed(PROMPTS, 3), replayed(PROMPTS, 3, Arm.CANDIDATE), a_golden(*PROMPTS))
    return analyse(replace(case, placebo=a_side(replayed(PROMPTS, 3, Arm.PLACEBO), Arm.PLACEBO)))


def levels() -> Analysis:
    records = [*replayed(PROMPTS, 3), *replayed(PROMPTS, 3, level=1)]
    case = a_case(records, None, a_golden(*PROMPTS))
    return analyse(replace(case, reference=replace(case.reference, plan=a_plan(1, 4))))


ANALYSED = {one.__name__: one for one in (comparison, single, all_failed, invalid, placebo, levels)}


@cache
def written(name: str) -> dict[str, Any]:
    made = {**CASES, "hostile": hostile}[name[5:]] if name[:5] == "page-" else ANALYSED[name]
    found: dict[str, Any] = json.loads(json.dumps(to_summary(made()), allow_nan=False))
    return found


@cache
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(PUBLISHED.read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def problems(summary: object) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(summary)]


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize("name", [*ANALYSED, "page-sample", "page-open_loop", "page-hostile"])
def test_what_is_written_satisfies_the_published_schema(name: str) -> None:
    assert problems(written(name)) == []


def test_the_cases_are_what_they_are_called() -> None:
    assert written("invalid")["verdict"] == "INVALID"
    assert written("single")["verdict"] is None
    assert written("all_failed")["failures"][0]["n"] == 12
    assert {row["level"] for row in written("levels")["levels"]} == {0, 1}
    assert {gate["noise"]["source"] for gate in written("placebo")["gates"] if gate["noise"]} == {"placebo"}


@pytest.mark.parametrize(
    "path",
    [(), ("gates", 0), ("gates", 0, "effect"), ("tails", 0, "quantiles", 0), ("sides", 0, "load"), ("prompts", 0)],
    ids=str,
)
def test_a_field_that_nobody_published_is_refused_and_so_is_a_missing_one(path: tuple[str | int, ...]) -> None:
    more, less = copy.deepcopy(written("comparison")), copy.deepcopy(written("comparison"))
    at(more, path)["unheard_of"] = 1
    assert problems(more)
    at(less, path).popitem()
    assert problems(less)


def test_every_object_is_closed_and_whole() -> None:
    types = [found for found in summary_schema()["$defs"].values() if "properties" in found]
    assert len(types) > 40
    assert all(found["additionalProperties"] is False for found in types)
    assert all(set(found["required"]) == set(found["properties"]) for found in types)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"format_version": 2}, "$.format_version"),
        ({"verdict": "MAYBE"}, "$.verdict"),
        ({"exit_code": "1"}, "$.exit_code"),
        ({"sentence": 3}, "$.sentence"),
    ],
)
def test_a_wrong_value_is_named(change: dict[str, Any], fault: str) -> None:
    (problem,) = problems({**written("comparison"), **change})
    assert problem.startswith(f"{fault}: ")


def test_a_number_may_be_infinite_as_text_and_as_nothing_else() -> None:
    whole = copy.deepcopy(written("comparison"))
    for value, is_right in ((1.5, True), (3, True), ("inf", True), ("-inf", True), (None, True), ("NaN", False)):
        whole["gates"][0]["bound"] = value
        assert (problems(whole) == []) is is_right


def test_the_published_file_is_that_of_this_version() -> None:
    assert json.loads(PUBLISHED.read_bytes()) == json.loads(json.dumps(summary_schema())), (
        "run: bench schema summary > docs/schemas/summary.schema.json"
    )


def test_every_field_is_described_once_and_nothing_else_is() -> None:
    types = {name: found["properties"] for name, found in summary_schema()["$defs"].items() if "properties" in found}
    assert len(types) > 40
    every = {f"{name}.{key}": part for name, fields in types.items() for key, part in fields.items()}
    assert [key for key, part in every.items() if "description" not in part] == [], (
        "say what they mean in harness/analysis/summaryfields.py"
    )
    assert {(name, key) for name, fields in FIELDS.items() for key in fields} <= {
        (name, key) for name, fields in types.items() for key in fields
    }
    unnamed = {key for name, fields in types.items() for key in fields if key not in FIELDS.get(name, {})}
    assert unnamed <= ANYWHERE.keys()

"""Structured output: each answer counted once for what it is, and against the schema that its prompt states."""

from typing import Any

import pytest

from harness.analysis.jsontext import Flaw, read_json
from harness.analysis.results.tools import StructuredSide
from harness.analysis.structured import NO_SCHEMA, expects_json, stated_schema, structured_sides
from harness.analysis.trials import judge_side
from harness.model.golden import Check, CheckKind, Prompt
from harness.model.record import Answer, Arm, Record
from tests.analysis.cases import a_golden, a_key, a_prompt, a_record, a_side, failed

SCHEMA = {"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}}
GOOD = '{"total": 5}'


def json_prompt(*checks: Check, **request: Any) -> Prompt:
    return Prompt(id="p", category="c", intent="i", request={"messages": [], **request}, checks=list(checks))


BY_CHECK = json_prompt(Check(kind=CheckKind.JSON_SCHEMA, argument=SCHEMA))
BY_FORMAT = json_prompt(response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}})


def side_of(prompt: Prompt, *texts: str | None, finish: str = "stop") -> StructuredSide:
    records: list[Record] = [
        failed(key=a_key(i)) if text is None else a_record(key=a_key(i), answer=Answer(text=text, finish_reason=finish))
        for i, text in enumerate(texts)
    ]
    golden = a_golden(prompt, a_prompt("other"))
    others = [a_record(key=a_key(0, prompt_id="other"), answer=Answer(text="prose is right here"))]
    judged = judge_side(a_side([*records, *others]), golden)
    return structured_sides({Arm.REFERENCE: judged}, golden)[0]


def test_every_answer_counts_once_for_what_it_is() -> None:
    texts = (
        GOOD,
        '{"total": "5"}',
        f"```json\n{GOOD}\n```",
        f"Sure! {GOOD}",
        f"{GOOD} Anything else?",
        "The total is five.",
        '{"total": 5',
        '{"total": 5,,}',
        "",
        None,
    )
    found = side_of(BY_CHECK, *texts)
    counts = {
        "valid": found.n_valid,
        "fenced": found.n_fenced,
        "wrapped": found.n_wrapped,
        "prose": found.n_prose,
        "cut": found.n_cut,
        "malformed": found.n_malformed,
        "empty": found.n_empty,
        "failed": found.n_failed,
    }
    assert counts == {
        "valid": 2,
        "fenced": 1,
        "wrapped": 2,
        "prose": 1,
        "cut": 1,
        "malformed": 1,
        "empty": 1,
        "failed": 1,
    }
    assert sum(counts.values()) == found.n == len(texts)
    assert (found.n_schema_valid, found.n_with_schema) == (1, 10)
    assert found.schema_valid.value == pytest.approx(0.1)


@pytest.mark.parametrize("prompt", [BY_CHECK, BY_FORMAT], ids=["check", "response_format"])
def test_the_schema_is_that_of_the_check_or_of_the_request(prompt: Prompt) -> None:
    assert expects_json(prompt)
    assert stated_schema(prompt) == SCHEMA
    found = side_of(prompt, GOOD, '{"sum": 5}')
    assert (found.n_valid, found.n_schema_valid) == (2, 1)


def test_json_without_a_schema_has_no_schema_rate() -> None:
    for prompt in (
        json_prompt(Check(kind=CheckKind.JSON_VALID)),
        json_prompt(response_format={"type": "json_object"}),
        json_prompt(Check(kind=CheckKind.JSON_PATH, argument={"path": "$.total"})),
    ):
        found = side_of(prompt, GOOD)
        assert (found.n_valid, found.n_with_schema, found.schema_valid.reason) == (1, 0, NO_SCHEMA)


def test_prompts_that_do_not_ask_for_json_do_not_count() -> None:
    assert not expects_json(a_prompt())
    assert not expects_json(json_prompt(Check(kind=CheckKind.JSON_VALID, negated=True)))
    assert not expects_json(json_prompt(response_format={"type": "text"}))
    assert structured_sides({Arm.REFERENCE: ()}, a_golden(a_prompt())) == ()


def test_truncation_is_what_the_server_says() -> None:
    found = side_of(BY_CHECK, '{"total": 5', GOOD, finish="length")
    assert (found.n_length, found.n_cut, found.n_valid) == (2, 1, 1)
    assert side_of(BY_CHECK, GOOD, finish="model_length").n_length == 1


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        (GOOD, None),
        ("null", None),
        ("```\n[1]\n```", Flaw.FENCED),
        ("no brackets at all", Flaw.PROSE),
        ("Here: [1]", Flaw.WRAPPED),
        ("[1] there", Flaw.WRAPPED),
        ('"open', Flaw.CUT),
        ("{'a': 1}", Flaw.MALFORMED),
        ('{"a": NaN}', Flaw.MALFORMED),
        ("[" * 200 + "]" * 200, Flaw.MALFORMED),
        (" ", Flaw.EMPTY),
    ],
)
def test_what_keeps_a_text_from_being_json_is_named(text: str, flaw: Flaw | None) -> None:
    assert read_json(text).flaw is flaw

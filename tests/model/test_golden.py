"""The golden set as a value: what its prompts are, what its digest covers."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.golden import Check, CheckKind, Example, GoldenSet, Measure, Prompt

KINDS_OF_TOOLS = {CheckKind.TOOL_CALLED, CheckKind.TOOL_COUNT, CheckKind.NO_TOOL}
KINDS_OF_JSON = {CheckKind.JSON_VALID, CheckKind.JSON_SCHEMA, CheckKind.JSON_PATH}


def a_prompt(**changes: Any) -> Prompt:
    given = {"id": "p", "category": "c", "intent": "i", "request": {"messages": [{"role": "user", "content": "hi"}]}}
    return Prompt(**(given | changes))


def digest(*prompts: Prompt) -> str:
    return GoldenSet(name="g", prompts=list(prompts)).sha256


@pytest.mark.parametrize("kind", CheckKind)
def test_a_prompts_checks_say_whether_it_is_about_tools_or_json(kind: CheckKind) -> None:
    assert a_prompt(checks=[Check(kind=kind)]).is_tool_prompt == (kind in KINDS_OF_TOOLS)
    assert a_prompt(checks=[Check(kind=kind)]).is_json_prompt == (kind in KINDS_OF_JSON)
    assert not a_prompt(checks=[Check(kind=kind, negated=True)]).is_json_prompt


def test_a_prompt_is_found_by_its_id() -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt(id="a"), a_prompt(id="b")])
    assert golden.prompt("b").id == "b"
    with pytest.raises(KeyError, match="c"):
        golden.prompt("c")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "q"},
        {"category": "d"},
        {"intent": "j"},
        {"request": {"messages": []}},
        {"checks": [Check(kind=CheckKind.CONTAINS, argument="x")]},
        {"requires": ["tools"]},
        {"tags": ["t"]},
        {"repeats": 3},
        {"measure": Measure(decode=True)},
        {"tool_results": {"f": 1}},
    ],
)
def test_the_digest_moves_with_everything_but_examples(changes: dict[str, Any]) -> None:
    assert digest(a_prompt(**changes)) != digest(a_prompt())
    assert digest(a_prompt(example=Example(text="x"))) == digest(a_prompt())


def test_the_digest_keeps_the_order_of_prompts_and_forgets_that_of_keys() -> None:
    one, other = a_prompt(id="a"), a_prompt(id="b")
    assert digest(one, other) != digest(other, one)
    assert digest(a_prompt(request={"messages": [], "n": 1})) == digest(a_prompt(request={"n": 1, "messages": []}))


@given(
    argument=st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=5),
    kind=st.sampled_from(CheckKind),
    is_negated=st.booleans(),
)
def test_a_set_written_to_a_run_is_read_back_the_same(argument: Any, kind: CheckKind, is_negated: bool) -> None:
    check = Check(kind=kind, argument=argument, negated=is_negated)
    golden = GoldenSet(name="g", prompts=[a_prompt(checks=[check], example=Example(text="x"))])
    written = msgspec.json.encode(msgspec.to_builtins(golden))
    assert msgspec.convert(msgspec.json.decode(written), GoldenSet) == golden

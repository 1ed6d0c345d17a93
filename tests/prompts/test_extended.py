"""The extended set: it can be judged, right answers pass, plausible wrong ones fail, and it stands beside the other."""

import re
from pathlib import Path

import msgspec
import pytest

from harness.analysis.answers import judge_answer
from harness.analysis.goldenchecks import validate_golden_set
from harness.model.chatrequest import required_features, unpinned_sampling
from harness.model.golden import Prompt
from harness.model.goldenfile import load_golden_set
from harness.model.record import Answer, ToolCall
from harness.model.shipped import golden_set_file, shipped_golden_set
from tests.analysis.replies import a_call, a_record, an_answer

FILE = Path(__file__).resolve().parents[2] / "prompts" / "extended.yml"
EXTENDED = load_golden_set(FILE)
IDS = [prompt.id for prompt in EXTENDED.prompts]
REFUSAL = "I'm sorry, but I can't help with that."
TRAINS = {"from": "BLN", "to": "FFO", "date": "2025-09-18"}
SORTED = "apple, cherry, damson, fig, medlar, pear, plum, quince, sloe"

WRONG: dict[str, list[Answer]] = {
    "prefix-first": [an_answer("At most one hundred and twenty days."), an_answer("The rules do not say.")],
    "prefix-second": [an_answer("Margarethe is the archivist's dog."), an_answer("The bridge key.")],
    "class-language": [an_answer("es"), an_answer("Catalan"), an_answer("The code is ca."), an_answer("cat")],
    "math-sort": [
        an_answer(f"{SORTED}\n10"),
        an_answer("apple, cherry, damson, fig, pear, medlar, plum, quince, sloe\n9"),
        an_answer("apple, apple, cherry, damson, fig, fig, medlar, pear, plum, plum, quince, sloe\n12"),
    ],
    "tool-recover": [
        an_answer("Which Frankfurt do you mean?"),
        an_answer("", a_call("find_trains", {**TRAINS, "to": "FFM"})),
        an_answer("", a_call("find_trains", {**TRAINS, "to": "Frankfurt (Oder)"})),
        an_answer("", a_call("find_trains", {"from": "BLN", "to": "FFO"})),
    ],
}
RIGHT: dict[str, list[str]] = {
    "prefix-first": ["For 90 days at most.", "Ninety days."],
    "prefix-second": ['"Old Margarethe".', "It is referred to as **Old Margarethe**."],
    "class-language": ["ca\n", "`ca`"],
    "math-sort": [f"{SORTED.title()}\n\n**9**", SORTED.replace(", ", "\n") + "\n9"],
}


def sent(prompt: Prompt) -> Answer:
    example = prompt.example
    assert example is not None
    calls = tuple(
        ToolCall(name=call.name, arguments=msgspec.json.encode(call.arguments).decode(), id=f"call_{i}", index=i)
        for i, call in enumerate(example.tool_calls)
    )
    return Answer(text=example.text or "", tool_calls=calls, finish_reason="tool_calls" if calls else "stop")


def passes(prompt: Prompt, answer: Answer) -> bool:
    return judge_answer(prompt, a_record(answer)).task_success is True


def test_the_set_can_be_judged_and_its_examples_pass() -> None:
    validate_golden_set(EXTENDED)
    assert [prompt.id for prompt in EXTENDED.prompts if not passes(prompt, sent(prompt))] == []


def test_it_is_shipped_under_its_name() -> None:
    assert golden_set_file(Path("extended")) == FILE


def test_no_prompt_of_it_is_in_the_other_set() -> None:
    golden = load_golden_set(shipped_golden_set())
    assert not set(IDS) & {prompt.id for prompt in golden.prompts}
    requests = [msgspec.json.encode(prompt.request) for prompt in (*golden.prompts, *EXTENDED.prompts)]
    assert len(set(requests)) == len(requests)


@pytest.mark.parametrize("prompt", EXTENDED.prompts, ids=IDS)
def test_a_prompt_is_pinned_and_says_what_it_is_for_and_what_it_needs(prompt: Prompt) -> None:
    assert unpinned_sampling(prompt.request) == ()
    assert re.fullmatch(r"[A-Z][^\n]{30,150}\.", prompt.intent)
    assert prompt.checks
    assert prompt.tags
    assert prompt.requires == required_features(prompt.request)


@pytest.mark.parametrize("prompt", EXTENDED.prompts, ids=IDS)
@pytest.mark.parametrize("text", ["zzz", "", "zzz " * 200, "{}", "1", REFUSAL])
def test_garbage_and_refusals_pass_no_prompt(prompt: Prompt, text: str) -> None:
    assert not passes(prompt, an_answer(text))


@pytest.mark.parametrize("prompt", EXTENDED.prompts, ids=IDS)
def test_no_other_prompts_example_passes(prompt: Prompt) -> None:
    assert [other.id for other in EXTENDED.prompts if passes(prompt, sent(other))] == [prompt.id]


def test_every_prompt_has_a_plausible_wrong_answer_here() -> None:
    assert set(WRONG) == set(IDS)


@pytest.mark.parametrize(
    ("prompt_id", "answer"), [(name, answer) for name, answers in WRONG.items() for answer in answers]
)
def test_a_plausible_wrong_answer_fails(prompt_id: str, answer: Answer) -> None:
    assert not passes(EXTENDED.prompt(prompt_id), answer)


@pytest.mark.parametrize(("prompt_id", "text"), [(name, text) for name, texts in RIGHT.items() for text in texts])
def test_a_right_answer_in_other_words_passes(prompt_id: str, text: str) -> None:
    assert passes(EXTENDED.prompt(prompt_id), an_answer(text))


def test_the_pair_begins_with_the_same_long_text() -> None:
    first, second = (EXTENDED.prompt(name).request["messages"] for name in ("prefix-first", "prefix-second"))
    assert first[0] == second[0]
    assert first[1] != second[1]
    assert len(first[0]["content"]) / 4 > 1024  # some four characters a token; providers cache from 1,024 tokens on


def test_the_file_is_text_that_a_person_reads() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert "\t" not in text
    assert [line for line in text.splitlines() if line != line.rstrip() or len(line) > 120] == []

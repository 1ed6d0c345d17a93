"""What a golden set is warned of, by the prompts that it is about."""

from typing import Any

import pytest

from harness.model.golden import Check, CheckKind, GoldenSet, Measure, Prompt
from harness.model.goldenfile import load_golden_set
from harness.model.goldenwarnings import golden_warnings
from harness.model.shipped import shipped_golden_set

PINNED = {"temperature": 0, "top_p": 1, "max_tokens": 10}
CHECK = Check(kind=CheckKind.CONTAINS, argument="x")


def a_prompt(i: int = 0, request: dict[str, Any] | None = None, **changes: Any) -> Prompt:
    body = {"messages": [{"role": "user", "content": f"hi {i}"}], **PINNED, **(request or {})}
    given = {"id": f"p{i}", "category": "c", "intent": "i", "checks": [CHECK], "measure": Measure(decode=True)}
    return Prompt(**{**given, "request": body, **changes})


def warnings(*prompts: Prompt, n: int = 20) -> tuple[str, ...]:
    """Fill the set up with prompts that nothing is wrong with."""
    others = [a_prompt(100 + i) for i in range(n - len(prompts))]
    return golden_warnings(GoldenSet(name="g", prompts=[*prompts, *others]))


def test_the_shipped_set_has_no_warning() -> None:
    assert golden_warnings(load_golden_set(shipped_golden_set())) == ()


@pytest.mark.parametrize(("n", "words"), [(19, "fewer than 20"), (20, None), (50, None), (51, "more than 50")])
def test_20_to_50_prompts_are_no_warning(n: int, words: str | None) -> None:
    found = warnings(n=n)
    assert [words in one for one in found if words] == ([True] if words else [])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"checks": []}, "1 prompt without a check: timed and compared, never right or wrong (p0)"),
        (
            {"checks": [Check(kind=CheckKind.CONTAINS, argument="x", negated=True)]},
            "1 prompt with nothing but negated checks: any garbage passes them (p0)",
        ),
        (
            {"request": {"temperature": 0.7, "max_tokens": None}},
            "1 prompt with sampling that is not pinned: temperature, max_tokens (p0)",
        ),
        ({"request": {"tools": [{}]}}, "1 prompt whose requires lacks tools, which the request uses (p0)"),
        (
            {"request": {"max_token": 10}},
            "1 prompt with max_token, which is no parameter of chat completions: did you mean max_tokens? (p0)",
        ),
        (
            {"request": {"top_k": 1}},
            (
                "1 prompt with top_k, which is no parameter of chat completions: it is sent as it stands, "
                "and an endpoint may ignore or refuse it (p0)"
            ),
        ),
        ({"request": {"stop": ["x"]}}, "1 prompt whose requires lacks stop, which the request uses (p0)"),
    ],
)
def test_a_prompt_is_warned_of_by_name(changes: dict[str, Any], words: str) -> None:
    assert warnings(a_prompt(**changes)) == (words,)


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdefghijklmnopqrstuv",
        "gsk_abcdefghijklmnopqrstuv",
        "AKIAABCDEFGHIJKLMNOP",
        "Authorization: Bearer abcdefghijklmnopqrstuv",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.x",
    ],
)
def test_a_text_that_looks_like_a_key_is_warned_of_and_not_repeated(key: str) -> None:
    request = {"messages": [{"role": "user", "content": f"my key is {key}, why does it fail?"}]}
    (found,) = warnings(a_prompt(request=request))
    assert "looks like a key" in found
    assert "p0" in found
    assert key not in found


@pytest.mark.parametrize(
    "text", ["task-management-of-the-whole-company", "risk-assessment-abcdefghijklmnop", "sk-short"]
)
def test_a_plain_word_does_not_look_like_a_key(text: str) -> None:
    assert warnings(a_prompt(request={"messages": [{"role": "user", "content": text}]})) == ()


def test_one_request_under_two_ids_is_warned_of() -> None:
    (found,) = warnings(a_prompt(1), a_prompt(1, id="q"))
    assert found == "2 prompts with the same request: raise repeats instead, or their answers count twice (p1, q)"


def test_too_few_prompts_for_the_decode_gates_are_warned_of() -> None:
    prompts = [a_prompt(i, measure=Measure(decode=i < 4)) for i in range(20)]
    (found,) = warnings(*prompts)
    assert found.startswith("4 prompts with measure.decode: the gates of the decode rate need 5")


def test_many_prompts_are_named_by_the_first_few() -> None:
    (found,) = warnings(*(a_prompt(i, checks=[]) for i in range(8)))
    assert "8 prompts" in found
    assert found.endswith("(p0, p1, p2, p3, p4, … and 3 more)")

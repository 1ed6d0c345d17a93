"""What of an imported prompt can be judged: bad checks and failing examples are left out, bad requests refused."""

from harness.analysis.goldenchecks import judgeable_part, prompt_problems
from harness.model.golden import Check, CheckKind, Example
from tests.analysis.replies import a_prompt

GOOD = Check(kind=CheckKind.CONTAINS, argument="x")
BAD = Check(kind=CheckKind.REGEX, argument="(")


def test_a_check_that_cannot_be_judged_is_left_out_with_its_reason() -> None:
    part = judgeable_part(a_prompt(GOOD, BAD, GOOD))
    assert part.prompt is not None
    assert part.prompt.checks == [GOOD, GOOD]
    assert len(part.dropped) == 1
    assert part.dropped[0].startswith("regex: the regular expression '('")
    assert prompt_problems(part.prompt) == ()


def test_an_example_that_fails_the_checks_is_left_out_and_they_stay() -> None:
    part = judgeable_part(a_prompt(GOOD, example=Example(text="nothing of it")))
    assert part.prompt is not None
    assert (part.prompt.example, part.prompt.checks) == (None, [GOOD])
    assert len(part.dropped) == 1
    assert "its example fails contains: x" in part.dropped[0]


def test_a_request_with_a_schema_that_does_not_compile_is_refused() -> None:
    part = judgeable_part(a_prompt(GOOD, tools={"f": {"type": "nonsense"}}))
    assert part.prompt is None
    assert "parameters of tool 'f'" in part.dropped[0]


def test_nothing_is_left_out_of_a_good_prompt() -> None:
    prompt = a_prompt(GOOD, example=Example(text="x"))
    part = judgeable_part(prompt)
    assert (part.prompt, part.dropped) == (prompt, ())

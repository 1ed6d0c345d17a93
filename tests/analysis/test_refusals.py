"""What counts as a refusal, and what only sounds like one."""

import pytest

from harness.analysis.refusals import is_refusal
from harness.model.record import Answer
from tests.analysis.replies import a_call, an_answer

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I\u2019m sorry, I can\u2019t assist with that request.",
    "I'm sorry, but I'm unable to help with that.",
    "I am very sorry, but I cannot provide this.",
    "Sorry, I won't do that.",
    "Sorry, but I can not share it.",
    "I can't help with that.",
    "I cannot comply with this request.",
    "I am not able to discuss this.",
    "I won't be able to assist you.",
    "I'm not able to share that.",
    "I apologize, but I cannot answer.",
    "Unfortunately, I can't provide that.",
    "I must decline.",
    "As an AI language model, I cannot do this.",
    "**I can't assist with that.**",
    "I'm sorry, but I don't feel comfortable with this.",
    "Your request was blocked by our policy.",
]
ANSWERS = [
    "",
    "Sorry for the delay! The capital is Paris.",
    "I'm sorry, I misread that: it is Thursday.",
    "I'm sorry to hear that. Try restarting the router.",
    "I can't help but admire this question: 42.",
    "I can help with that.",
    "I cannot find a comma in this sentence, so the count is 0.",
    "The answer is 5. I'm sorry, but I can't help further.",
    "You must decline the noun in the genitive.",
    "As an AI example, take chess.",
    "I won the game.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_recognised_by_how_it_begins(text: str) -> None:
    assert is_refusal(Answer(text=text, finish_reason="stop"))


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_that_regrets_something_is_none(text: str) -> None:
    assert not is_refusal(Answer(text=text, finish_reason="stop"))


def test_the_refusal_channel_and_a_content_filter_are_refusals() -> None:
    assert is_refusal(Answer(refusal="No."))
    assert is_refusal(Answer(text="The", finish_reason="content_filter"))


def test_an_answer_that_calls_a_tool_refuses_nothing() -> None:
    assert not is_refusal(an_answer("I'm sorry, but I can't help with that.", a_call("f")))

"""Judges held against single answers: what a word shows, and what a plain server leaves out."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.model.probe import ProbeClass, ProbeResult
from harness.probes.catalogue import chosen
from harness.probes.classify import classify
from harness.probes.probe import Target
from harness.probes.sampling import repeated_fraction
from tests.probes.probed import probed
from tests.probes.recorded import exchange_of

C = ProbeClass


def an_answer(text: str, reason: str = "stop", asked: dict[str, Any] | None = None, **usage: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
    counts = {"prompt_tokens": 5, "completion_tokens": 16} | usage
    body = json.dumps({"model": "m", "choices": [choice], "usage": counts})
    return {
        "asked": asked or {},
        "status": 200,
        "headers": [["content-type", "application/json"]],
        "reads": [[1.0, body]],
    }


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Red", C.SUPPORTED),
        ("**red**.", C.SUPPORTED),
        ("The picture is red.", C.SUPPORTED),
        ("I cannot see the coloured picture you shared.", C.IGNORED),
        ("Rendered", C.IGNORED),
        ("I cannot see images. If you tell me its code I can say whether it is red, green or blue.", C.IGNORED),
    ],
)
def test_seeing_red_is_a_word_of_a_short_answer(text: str, outcome: ProbeClass) -> None:
    (probe,) = chosen(ids=["image"])
    assert classify(probe, [exchange_of("red", 0, an_answer(text))], Target(model="m")).outcome is outcome


@pytest.mark.parametrize("probe", ["compression", "headers_cache_responses"])
def test_what_a_plain_server_leaves_out_is_no_feature_ignored(probe: str, tmp_path: Path) -> None:
    (result,) = probed({probe: "accepted"}, tmp_path / "p", probe).results
    assert (result.outcome, result.change) == (C.ACCEPTED, None)
    assert len(result.notes) == 1


def judged(probe: str, answers: dict[str, list[dict[str, Any]]], window: int | None = None) -> ProbeResult:
    """Classify answers by their request's label."""
    (found,) = chosen(ids=[probe])
    taken = [exchange_of(label, n, answer) for label, all_of in answers.items() for n, answer in enumerate(all_of)]
    return classify(found, taken, Target(model="m", window=window))


def texts(n_different: int, n: int = 5) -> list[dict[str, Any]]:
    return [an_answer(f"words {min(k, n_different - 1)}") for k in range(n)]


@pytest.mark.parametrize(
    ("n_narrow", "n_wide", "outcome"),
    [
        (1, 5, C.SUPPORTED),
        (1, 3, C.SUPPORTED),
        (2, 5, C.SUPPORTED),
        (1, 2, C.INCONCLUSIVE),
        (4, 5, C.INCONCLUSIVE),
        (3, 5, C.INCONCLUSIVE),
        (5, 4, C.IGNORED),
        (5, 5, C.IGNORED),
    ],
)
@pytest.mark.parametrize(("probe", "labels"), [("temperature", ("0", "1.5")), ("top_p", ("0.01", "1"))])
def test_one_answer_more_or_less_decides_nothing(
    probe: str, labels: tuple[str, str], n_narrow: int, n_wide: int, outcome: ProbeClass
) -> None:
    found = judged(probe, {labels[0]: texts(n_narrow), labels[1]: texts(n_wide)})
    assert found.outcome is outcome, found.evidence


APPLES = " ".join(["apple"] * 40)
TWELVE = " ".join(f"w{n}" for n in range(12))


@pytest.mark.parametrize(
    ("frequency", "presence", "none", "outcome", "of_presence"),
    [
        (TWELVE, APPLES, APPLES, C.SUPPORTED, "accepted"),
        (TWELVE, TWELVE, APPLES, C.SUPPORTED, "supported"),
        (APPLES, APPLES, APPLES, C.IGNORED, "accepted"),
        (APPLES + " pear", APPLES, APPLES, C.IGNORED, "accepted"),  # another text, as repetitive
        (APPLES + " and a pear", APPLES, APPLES, C.INCONCLUSIVE, "accepted"),
        (TWELVE, TWELVE, TWELVE, C.INCONCLUSIVE, "inconclusive"),
    ],
)
def test_a_penalty_is_judged_by_the_repetition_it_leaves(
    frequency: str, presence: str, none: str, outcome: ProbeClass, of_presence: str
) -> None:
    answers = {"frequency_penalty": frequency, "presence_penalty": presence, "none": none}
    found = judged("penalties", {label: [an_answer(text)] * 3 for label, text in answers.items()})
    assert (found.outcome, found.facts["presence_penalty"]) == (outcome, of_presence), found.evidence


def test_the_share_of_words_that_had_occurred_before() -> None:
    assert repeated_fraction("a b a b a") == pytest.approx(3 / 5)
    assert repeated_fraction("Apple, apple. pear") == pytest.approx(1 / 3)
    assert repeated_fraction("") == 0


def test_a_refused_presence_penalty_is_named() -> None:
    refusal = {
        "asked": {"presence_penalty": 2},
        "status": 400,
        "headers": [["content-type", "application/json"]],
        "reads": [[1.0, '{"error": {"message": "no presence_penalty", "param": "presence_penalty"}}']],
    }
    answers = {"frequency_penalty": [an_answer(TWELVE)], "presence_penalty": [refusal], "none": [an_answer(APPLES)]}
    found = judged("penalties", answers)
    assert (found.outcome, found.param) == (C.REJECTED, "presence_penalty")
    assert found.facts == {"frequency_penalty": "supported", "presence_penalty": "rejected"}


A, B = "ZEBRA-4417", "OTTER-9052"


@pytest.mark.parametrize(
    ("text", "n_prompt", "outcome"),
    [
        ("I cannot do that.", None, C.INCONCLUSIVE),  # a model that does not do as told proves nothing
        ("I cannot do that.", 900, C.IGNORED),
        ("I cannot do that.", 2100, C.ACCEPTED),
        (B, None, C.IGNORED),
        (B, 900, C.IGNORED),
        (f"{A} and {B}", 900, C.ACCEPTED),
        (f"{A} and {B}", None, C.ACCEPTED),
    ],
)
def test_a_cut_prompt_is_proven_by_markers_or_by_tokens(text: str, n_prompt: int | None, outcome: ProbeClass) -> None:
    found = judged("context_overflow", {"too long": [an_answer(text, prompt_tokens=n_prompt)]}, 2000)
    assert found.outcome is outcome, found.evidence


@pytest.mark.parametrize(
    ("reason", "n_said", "outcome"),
    [("stop", 1, C.ACCEPTED), ("length", 1990, C.IGNORED), ("length", 4000, C.ACCEPTED), ("length", None, C.ACCEPTED)],
)
def test_a_lowered_budget_is_proven_by_an_answer_that_ends_before_it(
    reason: str, n_said: int | None, outcome: ProbeClass
) -> None:
    answer = an_answer("ready", reason, {"max_tokens": 4000}, completion_tokens=n_said)
    assert judged("budget_overflow", {"double": [answer]}, 2000).outcome is outcome


def test_a_seed_that_repeats_in_part_shows_nothing_certain() -> None:
    parts = {"seed 7": [an_answer(t) for t in "aab"], "seed 8": [an_answer("c")] * 3}
    assert judged("seed", parts).outcome is C.INCONCLUSIVE
    assert judged("seed", {"seed 7": texts(3, 3), "seed 8": texts(3, 3)}).outcome is C.IGNORED


def test_trials_of_one_form_that_disagree_leave_the_others_their_class() -> None:
    forms = ("developer", "two system", "parts", "name", "assistant last")
    answers = {form: [an_answer("Hello PELICAN")] * 3 for form in forms}
    answers["parts"] = [an_answer("Hello"), *answers["parts"][1:]]
    found = judged("messages", answers)
    assert (found.outcome, found.facts["parts"], found.facts["name"]) == (C.INCONCLUSIVE, "inconclusive", "supported")


def test_prose_is_no_cut_json_and_a_whole_body_no_stream() -> None:
    assert judged("json_truncated", {"cut": [an_answer("The sea is")] * 2}).outcome is C.INCONCLUSIVE
    assert judged("json_truncated", {"cut": [an_answer('{"code": "z')] * 2}).outcome is C.BROKEN
    assert judged("json_truncated", {"cut": [an_answer('{"code": "z', "length")] * 2}).outcome is C.SUPPORTED
    whole = judged("tool_stream_parity", {"plain": [an_answer("x")] * 3, "stream": [an_answer("x")] * 3})
    assert (whole.outcome, "instead of a stream" in whole.evidence) == (C.INCONCLUSIVE, True)

from collections.abc import Mapping, Sequence

import pytest

from harness.analysis.divergence import divergence_curves
from harness.analysis.results.likeness import DivergenceCurve
from harness.model.golden import Check, CheckKind, Prompt
from harness.model.record import Answer, Arm, Record
from tests.analysis.cases import a_case, a_golden, a_key, a_prompt, a_record


def records(arm: Arm, texts: Mapping[str, Sequence[str]]) -> list[Record]:
    return [
        a_record(key=a_key(repeat, arm=arm, prompt_id=prompt_id), answer=Answer(text=text))
        for prompt_id, found in texts.items()
        for repeat, text in enumerate(found)
    ]


def curves(
    reference: Mapping[str, Sequence[str]], candidate: Mapping[str, Sequence[str]], *prompts: Prompt
) -> dict[str, DivergenceCurve]:
    case = a_case(records(Arm.REFERENCE, reference), records(Arm.CANDIDATE, candidate), a_golden(*prompts))
    return {curve.pair: curve for curve in divergence_curves(case)}


def test_pairs_that_never_part_are_censored() -> None:
    found = curves({"p": ["abcdef", "abcdef", "abXdef"]}, {"p": ["abcdef"]})
    own = found["reference with itself"]
    # Three pairs: one censored at 6, two part at character 3.
    assert (own.n_pairs, own.n_parting) == (3, 2)
    assert own.characters == (3.0,)
    assert own.shares[0] == pytest.approx(1 / 3)
    assert own.median.value == 3
    assert set(found) == {"reference with itself", "reference with candidate"}


def test_the_estimate_is_kaplan_and_meiers() -> None:
    found = curves({"p": ["aaXXXX"], "q": ["aa"], "r": ["aaaXX"]}, {"p": ["aaYY"], "q": ["aa"], "r": ["aaaY"]}, *abc())
    between = found["reference with candidate"]
    # Parting at 3 and at 4, censored at 2: at risk 2 at 3 (1/2 stay), 1 at 4 (none stays).
    assert between.characters == (3.0, 4.0)
    assert list(between.shares) == pytest.approx([0.5, 0.0])


def abc() -> list[Prompt]:
    return [a_prompt("p"), a_prompt("q"), a_prompt("r")]


def test_a_longer_answer_parts_at_the_shorter_ones_end() -> None:
    found = curves({"p": ["abc"]}, {"p": ["abcdef"]})
    assert found["reference with candidate"].characters == (4.0,)


def test_equal_answers_never_part() -> None:
    found = curves({"p": ["abc", "abc"]}, {"p": ["abc", "abc"]})
    assert [curve.n_parting for curve in found.values()] == [0, 0, 0]
    assert all(curve.median.reason == "more than half of the pairs never part" for curve in found.values())


def test_json_and_one_endpoint_alone_have_no_curve() -> None:
    json = Prompt(id="p", category="c", intent="i", request={}, checks=[Check(kind=CheckKind.JSON_VALID)])
    assert curves({"p": ["{}"]}, {"p": ["[]"]}, json) == {}
    assert divergence_curves(a_case(records(Arm.REFERENCE, {"p": ["a", "b"]}), None, a_golden())) == ()

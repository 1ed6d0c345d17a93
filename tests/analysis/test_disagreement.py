import itertools
import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import permutation_test

from harness.analysis.analyse import analyse
from harness.analysis.disagreement import Block, compare_blocks, excess_disagreement, is_greedy
from harness.analysis.identity import Limits, compare_identity, identity_limits, likeness_of
from harness.analysis.kernels import Modality, kernel_matrix, modality_of
from harness.analysis.results.case import Case
from harness.analysis.results.gate import Gate, Outcome
from harness.analysis.results.judgement import Judgement, Verdict
from harness.analysis.results.likeness import Likeness
from harness.analysis.samplesizes import smallest_n_for_rate
from harness.model.golden import Check, CheckKind, GoldenSet, Prompt
from harness.model.record import Answer, Arm, Looks, Record, ToolCall
from harness.model.settings import Gates, RateGate, Settings
from tests.analysis.cases import a_case, a_golden, a_key, a_plan, a_prompt, a_record, a_side

RNG = np.random.default_rng
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def said(*texts: str) -> list[Answer]:
    return [Answer(text=text) for text in texts]


def called(*arguments: str) -> Answer:
    calls = [ToolCall(index=i, id=f"c{i}", name="f", arguments=text) for i, text in enumerate(arguments)]
    return Answer(tool_calls=tuple(calls))


def block(first: Sequence[str], second: Sequence[str], name: str = "p") -> Block:
    alike = kernel_matrix(Modality.GREEDY_TEXT, said(*first, *second))
    return Block(prompt_id=name, modality=Modality.GREEDY_TEXT, alike=alike, n_first=len(first))


def test_an_answer_is_compared_as_its_prompt_asks() -> None:
    plain = a_prompt()
    tools = Prompt(id="t", category="c", intent="i", request={"messages": [], "tools": [TOOL]})
    json = Prompt(id="j", category="c", intent="i", request={}, checks=[Check(kind=CheckKind.JSON_VALID)])
    code = Prompt(id="k", category="code", intent="i", request={})
    assert modality_of(tools, is_greedy=True) is Modality.TOOL_CALLS
    assert modality_of(json, is_greedy=True) is Modality.JSON
    assert modality_of(code, is_greedy=True) is Modality.CODE
    assert modality_of(plain, is_greedy=True) is Modality.GREEDY_TEXT
    assert modality_of(plain, is_greedy=False) is Modality.TEXT


def test_calls_are_one_multiset_and_silence_is_text() -> None:
    answers = [called('{"a": 1}', '{"b": 2}'), called('{"b": 2.0}', '{"a": 1}'), called('{"a": 1}'), *said("x", "y")]
    found = kernel_matrix(Modality.TOOL_CALLS, answers)
    assert found.tolist()[0] == [1, 1, 0, 0, 0]
    assert (found[3, 3], found[3, 4], found[2, 3]) == (1, 0, 0)


def test_code_is_its_tokens_in_their_order() -> None:
    found = kernel_matrix(Modality.CODE, said("a = b", "a  =\n b", "b = a"))
    assert found[0, 1] == pytest.approx(1)
    # Runs of 1 to 3 tokens: a, =, b, "a =", "= b", "a = b"; the other way round only the single ones are shared.
    assert found[0, 2] == pytest.approx(3 / 6)


def test_greedy_text_is_the_shared_beginning() -> None:
    assert kernel_matrix(Modality.GREEDY_TEXT, said("abcd", "abxyz"))[0, 1] == pytest.approx(2 / 5)


@pytest.mark.parametrize("modality", list(Modality))
def test_every_kernel_is_positive_and_between_0_and_1(modality: Modality) -> None:
    chance = random.Random(4)
    texts = ["".join(chance.choices("ab {}", k=chance.randrange(9))) for _ in range(25)]
    answers = [*said(*texts, '{"a": 1, "b": 2}', '{"a": 1, "b": 3}'), called('{"a": 1}'), called('{"a": 2}')]
    found = kernel_matrix(modality, answers)
    assert np.linalg.eigvalsh(found).min() > -1e-9
    assert np.allclose(found, found.T)
    assert np.allclose(np.diag(found), 1)
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-9


def test_greedy_is_what_the_body_says() -> None:
    prompt = Prompt(id="p", category="c", intent="i", request={"temperature": 0})
    plain, warm = a_side([]), a_side([], sampling={"temperature": 0.7})
    dropped, extra = a_side([], params={"drop": ["temperature"]}), a_side([], extra_body={"temperature": 1})
    assert is_greedy(prompt, plain, plain)
    assert not any(is_greedy(prompt, plain, other) for other in (warm, dropped, extra))
    assert not is_greedy(a_prompt(), plain)


def test_excess_is_own_agreement_over_that_between() -> None:
    found = excess_disagreement([block("aab", "abb", f"p{i}") for i in range(5)], RNG(1))
    # Each side: one pair of three agrees; between: a with a 2 of 9, b with b 2 of 9.
    assert found.reference_self.value == pytest.approx(1 / 3)
    assert found.candidate_self.value == pytest.approx(1 / 3)
    assert found.cross.value == pytest.approx(4 / 9)
    assert found.effect.value == pytest.approx(1 / 3 - 4 / 9)


def of_excess(excess: float, name: str) -> Block:
    """Give a prompt whose sides always repeat themselves and agree with each other in all but this."""
    alike = np.ones((6, 6))
    alike[:3, 3:] = alike[3:, :3] = 1 - excess
    return Block(prompt_id=name, modality=Modality.TEXT, alike=alike, n_first=3)


def bounds_of(excesses: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    found = excess_disagreement([of_excess(u, str(i)) for i, u in enumerate(excesses)], RNG(1), level=level, draws=0)
    assert found.effect.value == pytest.approx(np.mean(excesses))
    assert found.bounds is not None
    return found.bounds


def test_the_bound_is_students_over_prompts_corrected_for_their_skewness() -> None:
    # 24 prompts at 0 and 6 at .5: mean .1, sd .20342, skewness 1.5 (two values, 4 : 1), c = 1.5 / sqrt(30) = .27386,
    # t(.95, 29) = 1.69913, w = cbrt(1 - c (t + c / 6)) = cbrt(.52218) = .80528; .1 + (3 / c) (1 - w) .20342 / sqrt(30).
    low, high = bounds_of([0.0] * 24 + [0.5] * 6)
    assert high == pytest.approx(0.1792, abs=1e-4)
    # Lower: w = cbrt(1 + c (t - c / 6)) = cbrt(1.45282) = 1.13260.
    assert low == pytest.approx(0.0461, abs=1e-4)


def test_without_spread_a_share_of_prompts_may_still_be_unseen() -> None:
    # .905^30 = 5 %: were 9.5 % of prompts to differ, 30 draws would miss them that often.
    assert bounds_of([0.0] * 30) == pytest.approx((0.0, 0.0950), abs=1e-4)
    assert bounds_of([1.0] * 30) == pytest.approx((0.9050, 1.0), abs=1e-4)
    # The others keep their .04: .04 + .96 of .0950, and .04 of .9050.
    assert bounds_of([0.04] * 30) == pytest.approx((0.0362, 0.1312), abs=1e-4)


def test_ten_points_need_as_many_prompts_as_a_rate_needs_trials() -> None:
    for alpha in (0.05, 0.03):
        n = smallest_n_for_rate(0.10, alpha)
        assert bounds_of([0.0] * n, 1 - alpha)[1] < 0.10 <= bounds_of([0.0] * (n - 1), 1 - alpha)[1]


def test_a_little_spread_does_not_make_up_for_prompts_that_were_never_drawn() -> None:
    assert bounds_of([0.0] * 29 + [0.01])[1] >= bounds_of([0.0] * 30)[1]


def test_the_worst_is_that_all_prompts_differ_wholly() -> None:
    # Corrected for skewness alone the bound of one in five would be 1.81.
    assert bounds_of([0.0, 1.0, 0.0, 0.0, 0.0])[1] == 1


def direct(one: Sequence[str], two: Sequence[str]) -> float:
    """Excess of one prompt by its definition, pair by pair."""

    def alike(pairs: Sequence[tuple[str, str]]) -> float:
        return sum(a == b for a, b in pairs) / len(pairs)

    own = alike(list(itertools.combinations(one, 2))), alike(list(itertools.combinations(two, 2)))
    return sum(own) / 2 - alike(list(itertools.product(one, two)))


def test_p_of_few_labellings_is_exact_and_agrees_with_scipy() -> None:
    one, two = "aaab", "abbb"
    letters = "".join(one), "".join(two)
    found = excess_disagreement([block(*letters)] + [block("aaa", "aaa", str(i)) for i in range(4)], RNG(1))
    theirs = permutation_test(
        ([ord(c) for c in one], [ord(c) for c in two]),
        lambda x, y: direct([str(v) for v in x], [str(v) for v in y]),
        permutation_type="independent",
        alternative="greater",
    )
    # The other prompts add no excess under any labelling, so that p is the first prompt's own.
    assert found.p_value == pytest.approx(theirs.pvalue)


def test_drawn_and_counted_labellings_agree() -> None:
    blocks = [block("aaabbb", "abbbbb", "1"), *(block("aaaaaa", "aaaaaa", str(i)) for i in range(2, 6))]
    counted = excess_disagreement(blocks, RNG(1), draws=10**15).p_value
    drawn = excess_disagreement(blocks, RNG(1), draws=40_000).p_value
    long = [block("aaabbb" * 2, "abbbbb" * 2, "1"), *(block("aa" * 6, "aa" * 6, str(i)) for i in range(2, 6))]
    assert counted == pytest.approx(drawn, abs=0.012)
    assert (excess_disagreement(long, RNG(1), draws=2_000).p_value or 0) < 0.2


def test_permuting_finds_no_more_than_its_level() -> None:
    """Of 200 pairs of equal sides at most 20 are found at 5 %: more has a chance of 0.06 % if the size is 5 %."""
    chance = random.Random(11)
    found = [
        excess_disagreement(
            [block("".join(chance.choices("aab", k=4)), "".join(chance.choices("aab", k=4)), str(i)) for i in range(6)],
            RNG(seed),
            draws=199,
        )
        for seed in range(200)
    ]
    tested = [one.p_value for one in found if one.p_value is not None]
    assert len(tested) > 150
    assert sum(p <= 0.05 for p in tested) <= 20


def test_where_nothing_agrees_with_itself_nothing_is_measured() -> None:
    found = excess_disagreement([block("abcd", "efgh", str(i)) for i in range(8)], RNG(1))
    assert not found.is_measurable
    assert found.reason == ("not measurable: the reference agrees with itself in 0% only (at least 30% is needed)")
    assert (found.bounds, found.p_value, found.effect.value) == (None, None, None)
    assert likeness_of(found, Limits()) is Likeness.NOT_MEASURABLE


def test_two_answers_or_four_prompts_are_too_few() -> None:
    golden = a_golden(a_prompt())
    answers = {"p": said("a", "a")}
    assert compare_blocks(golden, answers, answers, lambda _: True) == []
    few = excess_disagreement([block("aaa", "aaa", str(i)) for i in range(4)], RNG(1))
    assert few.reason == "4 prompts with 3 answers on each side; 5 are needed"


def case_of(reference: Sequence[str], candidate: Sequence[str], n_prompts: int = 8) -> Case:
    """Give a case in which every prompt has these answers, one letter each."""
    prompts = [replace_temperature(a_prompt(f"p{i}")) for i in range(n_prompts)]
    golden = GoldenSet(name="g", prompts=prompts)
    sides = [
        [record(arm, prompt.id, repeat, text) for prompt in prompts for repeat, text in enumerate(texts)]
        for arm, texts in ((Arm.REFERENCE, reference), (Arm.CANDIDATE, candidate))
    ]
    return a_case(sides[0], sides[1], golden)


def replace_temperature(prompt: Prompt) -> Prompt:
    return Prompt(id=prompt.id, category="c", intent="i", request={**prompt.request, "temperature": 0})


def record(arm: Arm, prompt_id: str, repeat: int, text: str) -> Record:
    return a_record(key=a_key(repeat, arm=arm, prompt_id=prompt_id), answer=Answer(text=text))


def test_the_identity_line_says_what_was_found() -> None:
    same = compare_identity(case_of("aaaaaa", "aaaaaa", n_prompts=30), Limits())
    few = compare_identity(case_of("aaaaaa", "aaaaaa"), Limits())
    other = compare_identity(case_of("aaaaaa", "bbbbbb"), Limits())
    lost = compare_identity(case_of("abcdef", "abcdef"), Limits())
    assert same is not None
    assert few is not None
    assert other is not None
    assert lost is not None
    assert [one.likeness for one in (same, few, other, lost)] == [
        Likeness.INDISTINGUISHABLE,
        Likeness.NOT_SETTLED,
        Likeness.SHIFTED,
        Likeness.NOT_MEASURABLE,
    ]
    assert other.sentence == (
        "IDENTITY: shifted (the reference agrees with itself 100 %, the candidate with itself 100 %, the reference "
        "with the candidate 0 %: excess disagreement 100 points, at most 100 points with 95 % confidence, where "
        "below 10 points would count as alike; equal sides would differ as much with p below 0.001; self-noise, "
        "the same between two halves of the reference's repeats: 0 points)"
    )
    assert lost.sentence == (
        "IDENTITY: not measurable (the reference agrees with itself in 0% only (at least 30% is needed))"
    )
    assert other.modalities == {"greedy text": 8}


def test_no_shift_found_is_not_yet_alike() -> None:
    found = compare_identity(case_of("aab", "aab", n_prompts=5), Limits(margin=-1.0))
    assert found is not None
    assert found.likeness is Likeness.NOT_SETTLED


def test_self_noise_of_the_answers_takes_the_placebo_when_there_is_one() -> None:
    case = case_of("aaaaaa", "aaaaaa")
    odd = case_of("ababab", "aaaaaa")
    records = [replace(one, key=replace(one.key, arm=Arm.PLACEBO)) for one in case.reference.records]
    with_placebo = replace(odd, placebo=a_side(records, Arm.PLACEBO))
    split, placebo = compare_identity(odd, Limits()), compare_identity(with_placebo, Limits())
    assert split is not None
    assert placebo is not None
    assert split.noise is not None
    assert placebo.noise is not None
    # Even repeats say a, odd ones b: the halves agree with themselves and never with each other.
    assert split.noise.source == "split"
    assert split.noise.effect.value == pytest.approx(1.0)
    # Pairs of ababab agree in 6 of 15, those of the placebo always, and half of those between.
    assert placebo.noise.source == "placebo"
    assert placebo.noise.effect.value == pytest.approx((0.4 + 1) / 2 - 0.5)


def gated(case: Case) -> Judgement:
    """Judge with identity as a required gate."""
    settings = Settings(verdict=Gates(identity=RateGate(margin=0.1, required=True)))
    judgement = analyse(replace(case, settings=settings)).judgement
    assert judgement is not None
    return judgement


def identity_gate(judgement: Judgement) -> Gate:
    return next(gate for gate in judgement.gates if gate.id == "identity")


def test_as_a_gate_it_passes_fails_and_never_passes_unmeasured() -> None:
    texts = ("aaaaaa", "aaaaaa"), ("aaaaaa", "bbbbbb"), ("abcdef", "abcdef")
    found = [gated(case_of(one, two, n_prompts=30)) for one, two in texts]
    outcomes = [identity_gate(one).outcome for one in found]
    assert outcomes == [Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE]
    assert found[1].verdict is Verdict.FAIL
    noise = identity_gate(found[1]).noise
    assert noise is not None
    assert (noise.source, noise.effect.value) == ("split", 0)


def test_off_by_default_a_shift_is_information_only() -> None:
    judgement = analyse(case_of("aaaaaa", "bbbbbb")).judgement
    assert judgement is not None
    assert not identity_gate(judgement).is_required
    assert judgement.verdict is not Verdict.FAIL
    assert judgement.identity is not None
    assert judgement.identity.likeness is Likeness.SHIFTED


def test_a_placebo_that_shifts_makes_a_required_identity_invalid() -> None:
    case = case_of("aaaaaa", "aaaaaa")
    other = case_of("bbbbbb", "aaaaaa").reference.records
    records = [replace(one, key=replace(one.key, arm=Arm.PLACEBO)) for one in other]
    judgement = gated(replace(case, placebo=a_side(records, Arm.PLACEBO)))
    assert judgement.verdict is Verdict.INVALID
    assert "Excess disagreement +100 points, allowed 10 points" in judgement.sentence
    noise = identity_gate(judgement).noise
    assert noise is not None
    assert (noise.source, noise.outcome) == ("placebo", Outcome.FAIL)


def test_limits_are_those_of_the_look() -> None:
    plan = replace(a_plan(4.0), looks=Looks(alphas=(0.03, 0.02)))
    case = replace(case_of("aaa", "aaa"), plan=plan, look=2)
    assert identity_limits(case).level == pytest.approx(0.98)
    assert identity_limits(replace(case, look=3)).level == pytest.approx(0.98)
    assert identity_limits(case).margin == 0.10

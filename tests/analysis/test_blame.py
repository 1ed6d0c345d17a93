"""Who moved, which prompts moved, and what a rerun says."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pytest

from harness.analysis.blame import blame_prompts
from harness.analysis.confirmation import judge_rerun, prompts_to_rerun
from harness.analysis.drift import drift_of
from harness.analysis.ledgernights import nights_of
from harness.analysis.nightlyregression import check_night, with_reruns
from harness.analysis.nightmetrics import NIGHT_METRICS
from harness.analysis.promptnights import prompt_nights
from harness.analysis.results.nights import Mover, NightlyRule, RegressionWord, RerunWord
from harness.model.ledger import LedgerEntry, LedgerSide, comparable_digest
from harness.model.record import Arm
from tests.analysis.nightcases import a_compared, a_night, a_prompt, a_share, a_side, a_timing

DECODE, TASK, COST = (NIGHT_METRICS[name] for name in ("decode_p50", "task_success", "cost_per_success"))
RULE = NightlyRule()
N = 20
PROMPTS = ("long", "short", "tool", "json")


def a_series(seed: int = 1, **last: Mapping[str, float]) -> list[LedgerEntry]:
    """Give twenty even nights and one on which each side's prompts decode at other ratios."""
    rng = np.random.default_rng(seed)
    return [
        a_compared(
            place, [_side(rng, arm, last.get(arm, {}) if place == N else {}) for arm in ("reference", "candidate")]
        )
        for place in range(N + 1)
    ]


def _side(rng: np.random.Generator, arm: str, ratios: Mapping[str, float]) -> LedgerSide:
    night = np.exp(0.01 * rng.normal())
    rates = {name: 100 * ratios.get(name, 1.0) * night * np.exp(0.01 * rng.normal()) for name in PROMPTS}
    passed = {name: 0 if ratios.get(name, 1.0) == 0.5 else 5 for name in PROMPTS}
    figures = {
        "decode_p50": a_timing(float(np.median(list(rates.values())))),
        "task_success": a_share(sum(passed.values()), 20),
    }
    prompts = [a_prompt(name, float(rates[name]), passed[name]) for name in PROMPTS]
    return a_side(Arm(arm), figures, prompts)


def nights(*ratios: float) -> list[float]:
    """Give twenty nights near 100, then these."""
    rng = np.random.default_rng(2)
    return [*(100 * np.exp(0.01 * rng.normal(size=N))), *(100 * ratio for ratio in ratios)]


@pytest.mark.parametrize(
    ("candidate", "reference", "mover"),
    [
        (0.85, 1.0, Mover.CANDIDATE),
        (0.85, 0.86, Mover.BOTH),
        (1.0, 0.85, Mover.REFERENCE),
        (0.80, 0.90, Mover.CANDIDATE),  # both, and the candidate by far more
        (1.0, 1.0, Mover.UNSETTLED),
    ],
)
def test_the_difference_of_differences_says_who_moved(candidate: float, reference: float, mover: Mover) -> None:
    one = [a_night(float(value), place) for place, value in enumerate(nights(candidate))]
    other = [a_night(float(value), place) for place, value in enumerate(reversed(nights(1.0)[:N]))]
    found = drift_of(one, [*other, a_night(100 * reference, N)], (0, 1), DECODE, RULE)
    assert found.mover is mover
    assert found.difference is not None
    assert found.candidate is not None
    assert found.reference is not None
    together = found.candidate.loss - found.reference.loss
    assert found.difference.loss == pytest.approx(together, abs=0.01)  # Hodges-Lehmann means do not add exactly


def test_without_a_reference_in_that_night_nobody_can_tell() -> None:
    one = [a_night(float(value), place) for place, value in enumerate(nights(0.85))]
    gone = [*(a_night(float(value), place) for place, value in enumerate(nights())), a_night(None, N)]
    assert drift_of(one, gone, (0, 1), DECODE, RULE).mover is Mover.UNSETTLED
    assert drift_of(one, None, (0, 1), DECODE, RULE).mover is Mover.ONE_SIDE


def test_the_prompt_that_moved_is_named() -> None:
    entries = a_series(candidate={"long": 0.7})
    series = nights_of(entries, Arm.CANDIDATE, [DECODE])["decode_p50"]
    found = blame_prompts(entries, series, Arm.CANDIDATE, DECODE, (0, 1), RULE)
    assert found.flagged == ("long",)
    assert found.prompts[0].prompt_id == "long"
    assert found.prompts[0].level == pytest.approx(70, rel=0.04)
    p_values = sorted((prompt.p_value, prompt.adjusted_p) for prompt in found.prompts)
    assert p_values[0][1] == pytest.approx(min(p * 4 / (rank + 1) for rank, (p, _) in enumerate(p_values)))


def test_what_moves_all_prompts_flags_all_and_a_figure_of_the_whole_flags_none() -> None:
    entries = a_series(candidate=dict.fromkeys(PROMPTS, 0.8))
    check = check_night(entries, 0, [DECODE], RULE)
    assert set(check.suspicions[0].blame.flagged) == set(PROMPTS)
    series = nights_of(entries, Arm.CANDIDATE, [COST])["cost_per_success"]
    assert blame_prompts(entries, series, Arm.CANDIDATE, COST, (0, 1), RULE).reason is not None


def test_several_prompts_together_are_their_geometric_mean_or_their_requests() -> None:
    entries = a_series(candidate={"long": 0.5})
    series = nights_of(entries, Arm.CANDIDATE, [DECODE, TASK])
    together = prompt_nights(entries, series["decode_p50"], Arm.CANDIDATE, DECODE, ("long", "short"))[-1]
    candidate = entries[-1].side(Arm.CANDIDATE)
    assert candidate is not None
    own = {prompt.prompt_id: prompt.decode_p50 for prompt in candidate.prompts}
    assert together.value == pytest.approx(((own["long"] or 0) * (own["short"] or 0)) ** 0.5)
    counted = prompt_nights(entries, series["task_success"], Arm.CANDIDATE, TASK, ("long", "short"))[-1]
    assert (counted.value, counted.n) == (0.5, 10)


def test_tool_calls_and_json_are_blamed_by_their_own_counts() -> None:
    """A prompt whose prose fails has no part in a fall of tool calls, and one without a tool is not asked again."""
    entries = []
    for place in range(N + 1):
        right = 0 if place == N else 25
        prompts = [
            msgspec.structs.replace(a_prompt("tool", 100, 0), n=25, n_tool=25, n_tool_right=right),
            msgspec.structs.replace(a_prompt("steady", 100), n=25, n_tool=25, n_tool_right=25),
            msgspec.structs.replace(a_prompt("prose", 100, 0 if place == N else 5), n=25),
            msgspec.structs.replace(a_prompt("json", 100), n=25, n_json=20, n_json_valid=right * 4 // 5),
        ]
        figures = {"tool_success": a_share(25 + right, 50), "json_validity": a_share(right * 4 // 5, 20)}
        entries.append(a_compared(place, [a_side(Arm.REFERENCE, figures, prompts)]))
    metrics = [NIGHT_METRICS[name] for name in ("tool_success", "json_validity")]
    tools, jsons = check_night(entries, 0, metrics, RULE).suspicions
    assert {prompt.prompt_id for prompt in tools.blame.prompts} == {"tool", "steady"}
    assert prompts_to_rerun(tools) == ("tool",)
    assert prompts_to_rerun(jsons) == ("json",)
    series = nights_of(entries, Arm.REFERENCE, metrics)["json_validity"]
    assert prompt_nights(entries, series, Arm.REFERENCE, metrics[1], ["json"])[0].n == 20


def again(entries: Sequence[LedgerEntry], ratios: Mapping[str, float], **changes: object) -> LedgerEntry:
    """Give a rerun of some prompts: another set, and no other part."""
    kept = [prompt for prompt in PROMPTS if prompt in ratios]
    rng = np.random.default_rng(9)
    sides = [_side(rng, "reference", {}), _side(rng, "candidate", ratios)]
    sides = [
        msgspec.structs.replace(side, prompts=tuple(one for one in side.prompts if one.prompt_id in kept))
        for side in sides
    ]
    parts = {**entries[-1].parts, "golden": "subset"}
    given = {"parts": parts, "comparable": comparable_digest(parts), "golden_sha256": "subset", **changes}
    return a_compared(N + 1, sides, **given)


@pytest.mark.parametrize(
    ("ratio", "word", "ending"),
    [
        (0.75, RerunWord.CONFIRMED, RegressionWord.REGRESSION),
        (1.0, RerunWord.REFUTED, RegressionWord.NOTHING),
    ],
)
def test_a_rerun_decides_a_suspicion(ratio: float, word: RerunWord, ending: RegressionWord) -> None:
    entries = a_series(candidate={"long": 0.7, "short": 0.8, "tool": 0.8})
    check = check_night(entries, 0, [DECODE], RULE)
    (suspicion,) = check.suspicions
    assert check.word is RegressionWord.SUSPICION
    assert set(prompts_to_rerun(suspicion) or ()) == {"long", "tool", "short"}
    told = judge_rerun(entries, 0, again(entries, dict.fromkeys(("long", "short", "tool"), ratio)), suspicion, RULE)
    assert told.word is word, told
    assert set(told.prompts or ()) == {"long", "short", "tool"}
    assert with_reruns(check, {"decode_p50": told}).word is ending


def test_a_rerun_elsewhere_or_without_a_value_leaves_it_open() -> None:
    entries = a_series(candidate={"long": 0.7, "short": 0.8, "tool": 0.8})
    (suspicion,) = check_night(entries, 0, [DECODE], RULE).suspicions
    other = again(entries, {"long": 0.7})
    moved = msgspec.structs.replace(other, parts={**other.parts, "reference.model": "n"})
    void = again(entries, {"long": 0.7}, timing="VOID", reasons=("the loop was late",))
    for rerun, reason in ((moved, "reference.model"), (void, "the loop was late"), (again(entries, {}), "none of the")):
        told = judge_rerun(entries, 0, rerun, suspicion, RULE)
        assert told.word is RerunWord.OPEN
        assert reason in told.sentence


def test_lost_tasks_are_blamed_and_confirmed_by_their_counts() -> None:
    entries = a_series(candidate={"long": 0.5, "json": 0.5})
    check = check_night(entries, 0, [TASK], RULE)
    (suspicion,) = check.suspicions
    assert set(suspicion.blame.flagged) == {"long", "json"}
    assert suspicion.drift.mover is Mover.CANDIDATE
    rerun = judge_rerun(entries, 0, again(entries, {"long": 0.5, "json": 0.5}), suspicion, RULE)
    assert rerun.word is RerunWord.CONFIRMED


@pytest.mark.parametrize(("n", "word"), [(3, RerunWord.OPEN), (25, RerunWord.OPEN), (40, RerunWord.REFUTED)])
def test_a_few_requests_without_a_loss_refute_nothing(n: int, word: RerunWord) -> None:
    """Of 6, 50 or 80 requests none is lost: Wilson's end is z^2 / (n + z^2), one-sided, and 5 points are allowed."""
    entries = a_series(candidate={"long": 0.5, "json": 0.5})
    (suspicion,) = check_night(entries, 0, [TASK], RULE).suspicions
    few = again(entries, {"long": 1.0, "json": 1.0})
    prompts = tuple(msgspec.structs.replace(one, n=n, n_passed=n) for one in few.sides[1].prompts)
    rerun = msgspec.structs.replace(few, sides=(few.sides[0], msgspec.structs.replace(few.sides[1], prompts=prompts)))
    told = judge_rerun(entries, 0, rerun, suspicion, RULE)
    assert told.word is word
    assert told.shift is not None
    assert told.shift.loss_high == pytest.approx(1.6449**2 / (2 * n + 1.6449**2), rel=1e-3)
    assert told.sentence == f"unchanged from the baseline nights in the rerun: {word.value}"


def test_a_night_does_not_confirm_itself() -> None:
    entries = a_series(candidate=dict.fromkeys(PROMPTS, 0.8))
    (suspicion,) = check_night(entries, 0, [DECODE], RULE).suspicions
    itself = judge_rerun(entries, 0, entries[-1], suspicion, RULE)
    older = again(entries, dict.fromkeys(PROMPTS, 0.8), started_at="2026-01-20T02:00:00+00:00")
    assert (itself.word, judge_rerun(entries, 0, older, suspicion, RULE).word) == (RerunWord.OPEN, RerunWord.OPEN)
    assert "a night of this series" in itself.sentence


def test_a_suspicious_night_is_no_baseline_of_its_own_rerun() -> None:
    """In the first fourteen nights it would be one of the baseline period."""
    entries = a_series(candidate=dict.fromkeys(PROMPTS, 0.6))[N - 9 :]
    check = check_night(entries, 0, [DECODE], RULE)
    (suspicion,) = check.suspicions
    told = judge_rerun(entries, 0, again(entries, dict.fromkeys(PROMPTS, 0.6)), suspicion, RULE)
    assert told.shift is not None
    assert told.shift.n_baseline == told.shift.n_noise == 9


def test_a_reference_that_moved_too_is_not_said_to_have_stood() -> None:
    entries = a_series(candidate=dict.fromkeys(PROMPTS, 0.7), reference=dict.fromkeys(PROMPTS, 0.85))
    (suspicion,) = check_night(entries, 0, [DECODE], RULE).suspicions
    assert suspicion.drift.mover is Mover.CANDIDATE
    assert suspicion.drift.sentence.startswith("both sides moved, the candidate further")


def test_a_recorded_reference_cannot_say_who_moved() -> None:
    """Its figures are the same every night: a difference with it is the candidate's own change."""
    entries = a_series(candidate={"long": 0.7, "short": 0.7, "tool": 0.7})
    recorded = [
        msgspec.structs.replace(entry, sides=(msgspec.structs.replace(entry.sides[0], run_id="old"), entry.sides[1]))
        for entry in entries
    ]
    (suspicion,) = check_night(recorded, 0, [DECODE], RULE).suspicions
    assert suspicion.drift.mover is Mover.ONE_SIDE

"""Verdicts over synthetic comparisons: how often an equal candidate FAILs, and one at a margin PASSes its gate.

Every scenario draws new prompts, new endpoints and new requests for each set, under the shipped settings with the
repeats that the plan allocates.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from benchmarks.calibration.tables import Share, head, percent, row, share_of
from benchmarks.synthetic import Defect, draw_trials, draw_world, golden_set, without_mistakes
from harness.analysis.allocation import allocate
from harness.analysis.certificate import certify
from harness.analysis.figures import Draws, Figures, Terms
from harness.analysis.gatefigures import gate_figures
from harness.analysis.gates import Scale, decide, judge_gates
from harness.analysis.gatetable import gate_rows
from harness.analysis.looks import looks_of, plan_alpha
from harness.analysis.pairs import pair_trials
from harness.analysis.placebo import judge_placebo
from harness.analysis.results.case import Case, Side
from harness.analysis.results.gate import Outcome
from harness.analysis.results.judgement import Judgement
from harness.analysis.results.trial import Trial
from harness.analysis.validity import Evidence, check_validity
from harness.analysis.verdict import decide_verdict
from harness.model.golden import GoldenSet
from harness.model.record import Arm, LookScheme, Plan
from harness.model.settings import PlanSettings, Settings

LOOKS = looks_of(LookScheme.TWO, PlanSettings().repeats)  # the shipped scheme, at its first look
FEWER = Draws(bootstrap=1_000, permutation=999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is simulated, and the gate that it is about."""

    name: str
    defect: Defect = field(default_factory=Defect)
    success: float | None = None  # of the reference on every prompt of these kinds; drawn when None
    on_kinds: Collection[str] = ("tool",)
    failure: float = 0.002  # share of failed requests on either side
    price: float | None = None  # of a token
    never_wrong: bool = False
    gate: str | None = None


EQUAL = (
    Scenario(name="no difference"),
    Scenario(name="no difference, no wrong answer, no failure", never_wrong=True),
)
DEFECTS = (
    Scenario(name="tool success 30 points lower", defect=Defect(tool_drop=0.30), success=0.97, gate="tool_success"),
    Scenario(name="tool success 15 points lower", defect=Defect(tool_drop=0.15), success=0.97, gate="tool_success"),
    Scenario(name="TTFT 1.6 times", defect=Defect(ttft_factor=1.6), gate="ttft_p50"),
)
# The candidate is worse by exactly the shipped margin; with no failures, so that nothing else moves the effect.
AT_MARGIN = (
    Scenario(
        name="task success 5 points lower",
        defect=Defect(tool_drop=0.05, json_drop=0.05, text_drop=0.05),
        success=0.97,
        on_kinds=("tool", "json", "text"),
        failure=0.0,
        gate="task_success",
    ),
    Scenario(
        name="tool success 5 points lower",
        defect=Defect(tool_drop=0.05),
        success=0.97,
        failure=0.0,
        gate="tool_success",
    ),
    Scenario(name="request success 2 points lower", defect=Defect(failure=0.02), failure=0.002, gate="request_success"),
    Scenario(
        name="valid JSON 5 points lower",
        defect=Defect(json_drop=0.05),
        success=0.97,
        on_kinds=("json",),
        failure=0.0,
        gate="json_validity",
    ),
    Scenario(name="TTFT 1.25 times", defect=Defect(ttft_factor=1.25), failure=0.0, gate="ttft_p50"),
    Scenario(name="TTFT 1.5 times", defect=Defect(ttft_factor=1.5), failure=0.0, gate="ttft_p95"),
    Scenario(name="E2E 1.25 times", defect=Defect(e2e_factor=1.25), failure=0.0, gate="e2e_p50"),
    Scenario(name="decode rate 0.8 times", defect=Defect(rate_factor=0.8), failure=0.0, gate="decode_p50"),
    Scenario(name="decode rate 0.67 times", defect=Defect(rate_factor=0.67), failure=0.0, gate="decode_p5"),
    Scenario(name="tokens 1.25 times", defect=Defect(token_factor=1.25), failure=0.0, gate="completion_length"),
    Scenario(name="tokens 0.8 times", defect=Defect(token_factor=0.8), failure=0.0, gate="completion_length"),
    Scenario(name="cost 1.25 times", defect=Defect(token_factor=1.25), price=1e-5, gate="cost_per_success"),
)
SCENARIOS = (*EQUAL, *DEFECTS, *AT_MARGIN)


def judgements(
    scenario: Scenario,
    sets: int,
    seed: int,
    draws: Draws = FEWER,
    repeats: int | None = None,
    *,
    with_placebo: bool = False,
) -> Iterator[Judgement]:
    """Judge so many synthetic comparisons."""
    for case, trials in comparisons(scenario, sets, seed, repeats, with_placebo=with_placebo):
        yield judge(case, trials, draws)


def judge(case: Case, trials: Sequence[Trial], draws: Draws) -> Judgement:
    """Decide as `judge_case` does, and leave out the words: what would settle an open verdict takes the most time."""
    gates = judge_gates(case, pair_trials(trials), None, draws)
    placebo = judge_placebo(case, trials, None, draws)
    evidence = Evidence(case=case, trials=trials, pairs=pair_trials(trials), certificate=certify(()))
    checks = check_validity(evidence, placebo.faults if placebo else None)
    return Judgement(verdict=decide_verdict(gates, checks), sentence="", gates=gates, validity=checks)


def comparisons(
    scenario: Scenario, sets: int, seed: int, repeats: int | None = None, *, with_placebo: bool = False
) -> Iterator[tuple[Case, list[Trial]]]:
    """Draw so many synthetic comparisons; each set has its own seed for drawing and for resampling."""
    golden, settings = golden_set(), _settings(repeats)
    allocation = allocate(golden, settings)
    for number in range(sets):
        rng = np.random.default_rng([seed, number, crc32(scenario.name.encode())])
        world = draw_world(golden, rng, success=scenario.success, on_kinds=scenario.on_kinds, failure=scenario.failure)
        world = replace(world, price=scenario.price)
        if scenario.never_wrong:
            world = without_mistakes(world)
        trials = draw_trials(golden, allocation.repeats, world, scenario.defect, rng, with_placebo=with_placebo)
        plan = Plan(
            seed=number,
            look_ahead=0,
            repeats=allocation.repeats,
            blocks=(),
            settings={},
            golden_sha256="",
            estimators="",
            demotions=allocation.demotions,
            looks=LOOKS,
        )
        case = case_of(golden, settings, plan)
        yield (replace(case, placebo=side_of(Arm.PLACEBO)) if with_placebo else case), trials


def _settings(repeats: int | None) -> Settings:
    """Give the shipped settings, or those with more repeats."""
    if repeats is None:
        return Settings()
    return Settings(plan=PlanSettings(repeats=repeats, max_repeats=max(repeats, PlanSettings().max_repeats)))


def case_of(golden: GoldenSet, settings: Settings, plan: Plan) -> Case:
    """Give a case without records: the trials are drawn."""
    reference, candidate = (side_of(arm) for arm in (Arm.REFERENCE, Arm.CANDIDATE))
    return Case(golden=golden, settings=settings, plan=plan, reference=reference, candidate=candidate)


def side_of(arm: Arm) -> Side:
    """Give an arm without records."""
    return Side(arm=arm, name=arm.value, endpoint={}, run_id="synthetic", records=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How the verdicts and one gate's outcomes fell."""

    sets: int
    verdicts: Counter[str]
    outcomes: dict[str, Counter[Outcome]]

    def verdict(self, name: str) -> Share:
        """Share of one verdict."""
        return Share(events=self.verdicts[name], sets=self.sets)

    def gate(self, gate: str, outcome: Outcome) -> Share:
        """Share of one gate's outcome."""
        return Share(events=self.outcomes[gate][outcome], sets=self.sets)


def count(found: Iterator[Judgement]) -> Counts:
    """Count verdicts, and outcomes of the gates that decide."""
    verdicts: Counter[str] = Counter()
    outcomes: dict[str, Counter[Outcome]] = {}
    for judgement in found:
        verdicts[judgement.verdict.value] += 1
        for gate in judgement.gates:
            if not (gate.is_required or gate.demoted_because):
                continue
            outcomes.setdefault(gate.id, Counter())[gate.outcome] += 1
    return Counts(sets=verdicts.total(), verdicts=verdicts, outcomes=outcomes)


def equal_lines(sets: int, seed: int, repeats: int | None = None) -> Iterator[str]:
    """Give the verdicts on equal sides: FAIL in at most 5 %."""
    yield from _verdict_lines(EQUAL, sets, seed, repeats)


def defect_lines(sets: int, seed: int, repeats: int | None = None) -> Iterator[str]:
    """Give the verdicts on real losses."""
    yield from _verdict_lines(DEFECTS, sets, seed, repeats)


def _verdict_lines(scenarios: tuple[Scenario, ...], sets: int, seed: int, repeats: int | None) -> Iterator[str]:
    yield from head(["scenario", "sets", "PASS", "FAIL (upper bound)", "INCONCLUSIVE", "INVALID", "gate: PASS / FAIL"])
    for scenario in scenarios:
        found = count(judgements(scenario, sets, seed, FEWER, repeats))
        shares = [percent(found.verdict(name).rate) for name in ("PASS", "INCONCLUSIVE", "INVALID")]
        gate = _gate_cell(scenario.gate, found) if scenario.gate else _rarely_passing(found)
        yield row([scenario.name, sets, shares[0], found.verdict("FAIL").bounded, *shares[1:], gate])


def _gate_cell(gate: str, found: Counts) -> str:
    passed, failed = found.gate(gate, Outcome.PASS), found.gate(gate, Outcome.FAIL)
    return f"{gate}: {percent(passed.rate)} / {percent(failed.rate)}"


def _rarely_passing(found: Counts) -> str:
    """Name the gates that hold up a PASS most, with how often they pass."""
    shares = {gate: found.gate(gate, Outcome.PASS).rate for gate in found.outcomes if _is_judged(found.outcomes[gate])}
    least = sorted(shares, key=lambda gate: shares[gate])[:3]
    return "least often: " + ", ".join(f"{gate} {100 * shares[gate]:.0f} %" for gate in least)


def _is_judged(outcomes: Counter[Outcome]) -> bool:
    return outcomes[Outcome.NOT_APPLICABLE] < outcomes.total()


def margin_lines(sets: int, seed: int) -> Iterator[str]:
    """Give each gate's false PASS at its margin: at most the level of its look."""
    yield from head(["candidate", "gate", "one-sided level", "n per side", "sets", "false PASS (upper bound)"])
    for scenario in AT_MARGIN:
        found = [judge_gate(case, trials, scenario.gate or "") for case, trials in comparisons(scenario, sets, seed)]
        passed = share_of(outcome is Outcome.PASS for _, outcome in found)
        yield row([scenario.name, scenario.gate, f"{LOOKS.alphas[0]:g}", found[0][0].n, sets, passed.bounded])


def judge_gate(case: Case, trials: Sequence[Trial], gate: str) -> tuple[Figures, Outcome]:
    """Judge one gate without its detection: PASS needs none, and all others would take most of the time."""
    chosen = next(found for found in gate_rows(case.settings.verdict) if found.id == gate)
    terms = Terms(alpha=plan_alpha(case.plan), margin=chosen.settings(case.settings.verdict).margin)
    draws = Draws(bootstrap=1_000, permutation=1)
    seed = case.plan.seed if case.plan else 0
    figures = gate_figures(chosen, pair_trials(trials), case.golden, seed, draws, terms)
    return figures, decide(figures, Scale.of(chosen), terms.margin or 0.0, None)

"""Counts verdicts over synthetic comparisons: how often an equal candidate FAILs, how often a defect is found.

    python -m benchmarks.calibration --sets 1000

Every scenario draws new prompts, new endpoints and new requests for each set, under the shipped settings with the
repeats that the plan allocates. Run from the repository's root.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmarks.synthetic import Defect, draw_trials, draw_world, golden_set, without_mistakes
from harness.analysis.allocation import allocate
from harness.analysis.gatefigures import Draws
from harness.analysis.results import Case, Judgement, Outcome, Side
from harness.analysis.verdict import judge_case
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Plan
from harness.model.settings import PlanSettings, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is simulated, and the gate that it is about."""

    name: str
    defect: Defect = field(default_factory=Defect)
    tool_success: float | None = None  # of the reference on every tool prompt; drawn when None
    never_wrong: bool = False
    gate: str | None = None


SCENARIOS = (
    Scenario(name="no difference"),
    Scenario(name="no difference, no wrong answer, no failure", never_wrong=True),
    Scenario(
        name="tool success 30 points lower", defect=Defect(tool_drop=0.30), tool_success=0.97, gate="tool_success"
    ),
    Scenario(
        name="tool success 15 points lower", defect=Defect(tool_drop=0.15), tool_success=0.97, gate="tool_success"
    ),
    Scenario(name="TTFT 1.6 times", defect=Defect(ttft_factor=1.6), gate="ttft_p50"),
    Scenario(
        name="at the margin: tool success 5 points lower",
        defect=Defect(tool_drop=0.05),
        tool_success=0.97,
        gate="tool_success",
    ),
    Scenario(name="at the margin: TTFT 1.25 times", defect=Defect(ttft_factor=1.25), gate="ttft_p50"),
    Scenario(name="at the margin: TTFT 1.5 times", defect=Defect(ttft_factor=1.5), gate="ttft_p95"),
    Scenario(name="at the margin: decode rate 0.8 times", defect=Defect(rate_factor=0.8), gate="decode_p50"),
    Scenario(name="at the margin: decode rate 0.67 times", defect=Defect(rate_factor=0.67), gate="decode_p5"),
)


def judgements(
    scenario: Scenario, sets: int, seed: int, draws: Draws, repeats: int | None = None
) -> Iterator[Judgement]:
    """Judge so many synthetic comparisons; each set has its own seed for drawing and for resampling."""
    golden, settings = golden_set(), _settings(repeats)
    allocation = allocate(golden, settings)
    for number in range(sets):
        rng = np.random.default_rng([seed, number])
        world = draw_world(golden, rng, tool_success=scenario.tool_success)
        if scenario.never_wrong:
            world = without_mistakes(world)
        trials = draw_trials(golden, allocation.repeats, world, scenario.defect, rng)
        plan = Plan(
            seed=number,
            look_ahead=0,
            repeats=allocation.repeats,
            blocks=(),
            settings={},
            golden_sha256="",
            estimators="",
            demotions=allocation.demotions,
        )
        yield judge_case(_case(golden, settings, plan), trials, (), draws)


def _settings(repeats: int | None) -> Settings:
    """Give the shipped settings, or those with more repeats."""
    if repeats is None:
        return Settings()
    return Settings(plan=PlanSettings(repeats=repeats, max_repeats=max(repeats, PlanSettings().max_repeats)))


def _case(golden: GoldenSet, settings: Settings, plan: Plan) -> Case:
    reference, candidate = (
        Side(arm=arm, name=arm.value, endpoint={}, run_id="synthetic", records=())
        for arm in (Arm.REFERENCE, Arm.CANDIDATE)
    )
    return Case(golden=golden, settings=settings, plan=plan, reference=reference, candidate=candidate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How the verdicts and one gate's outcomes fell."""

    sets: int
    verdicts: Counter[str]
    outcomes: dict[str, Counter[Outcome]]


def count(found: Iterator[Judgement]) -> Counts:
    """Count verdicts, and outcomes by gate."""
    verdicts: Counter[str] = Counter()
    outcomes: dict[str, Counter[Outcome]] = {}
    for judgement in found:
        verdicts[judgement.verdict.value] += 1
        for gate in judgement.gates:
            outcomes.setdefault(gate.id, Counter())[gate.outcome] += 1
    return Counts(sets=verdicts.total(), verdicts=verdicts, outcomes=outcomes)


def upper_bound(events: int, sets: int) -> float:
    """Exact one-sided 95 % upper bound of a rate (Clopper and Pearson)."""
    from scipy.stats import beta  # noqa: PLC0415  # the only use

    return 1.0 if events == sets else float(beta.ppf(0.95, events + 1, sets - events))


def table(scenarios: tuple[Scenario, ...], sets: int, seed: int, repeats: int | None = None) -> Iterator[str]:
    """Give the table's lines, each as soon as it is known."""
    yield "| scenario | sets | PASS | FAIL (95 % upper bound) | INCONCLUSIVE | INVALID | gate: PASS / FAIL |"
    yield "|---|---|---|---|---|---|---|"
    for scenario in scenarios:
        yield _line(scenario, count(judgements(scenario, sets, seed, Draws(), repeats)))


def _line(scenario: Scenario, found: Counts) -> str:
    share: Callable[[int], str] = lambda events: f"{100 * events / found.sets:.1f} %"  # noqa: E731
    fails = found.verdicts["FAIL"]
    cells = [
        scenario.name,
        str(found.sets),
        share(found.verdicts["PASS"]),
        f"{share(fails)} ({100 * upper_bound(fails, found.sets):.1f} %)",
        share(found.verdicts["INCONCLUSIVE"]),
        share(found.verdicts["INVALID"]),
        _gate_cell(scenario, found),
    ]
    return f"| {' | '.join(cells)} |"


def _gate_cell(scenario: Scenario, found: Counts) -> str:
    if scenario.gate is None:
        return _rarely_passing(found)
    outcomes = found.outcomes[scenario.gate]
    passed, failed = outcomes[Outcome.PASS], outcomes[Outcome.FAIL]
    return f"{scenario.gate}: {100 * passed / found.sets:.1f} % / {100 * failed / found.sets:.1f} %"


def _rarely_passing(found: Counts) -> str:
    """Name the gates that hold up a PASS most, with how often they pass."""
    shares = {gate: outcomes[Outcome.PASS] / found.sets for gate, outcomes in found.outcomes.items()}
    least = sorted(shares, key=lambda gate: shares[gate])[:3]
    return "least often: " + ", ".join(f"{gate} {100 * shares[gate]:.0f} %" for gate in least)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sets", type=int, default=1_000, help="comparisons per scenario")
    parser.add_argument("--seed", type=int, default=20_261_124)
    parser.add_argument("--repeats", type=int, help="repeats of every prompt; the shipped number and its allocation")
    parser.add_argument("--only", help="the scenarios whose name holds this text")
    arguments = parser.parse_args()
    chosen = tuple(scenario for scenario in SCENARIOS if not arguments.only or arguments.only in scenario.name)
    for line in table(chosen, arguments.sets, arguments.seed, arguments.repeats):
        print(line, flush=True)


if __name__ == "__main__":
    main()

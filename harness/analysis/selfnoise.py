"""What every gate shows between the reference and itself: with a placebo arm, or with its own repeats in two halves.

The split is one fixed split: neighbouring repeats of a prompt form a pair (even against odd), and the roles alternate
from pair to pair (ABBA), so that a drift during the run cancels. It halves n, so it is wider than the comparison.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from harness.analysis.gatefigures import Draws, gate_figures
from harness.analysis.gatetable import GateRow, gate_rows
from harness.analysis.pairs import Pair, judged_trials
from harness.analysis.results.case import Case
from harness.analysis.results.gate import Gate, GateKind, SelfNoise
from harness.analysis.results.trial import Trial
from harness.analysis.words import percent, points, ratio
from harness.model.record import Arm

PLACEBO, SPLIT = "placebo", "split"
_SPLIT_DRAWS = 500  # its interval is shown, nothing is decided by it


def split_pairs(trials: Sequence[Trial]) -> tuple[Pair, ...]:
    """Pair the reference's repeats of each prompt with each other; an odd one out is left out."""
    by_prompt: dict[str, list[Trial]] = defaultdict(list)
    for trial in judged_trials(trials, Arm.REFERENCE):
        by_prompt[trial.key.prompt_id].append(trial)
    return tuple(
        _pair(index, one, two)
        for prompt_id in sorted(by_prompt)
        for index, (one, two) in enumerate(_neighbours(by_prompt[prompt_id]))
    )


def _neighbours(trials: Sequence[Trial]) -> list[tuple[Trial, Trial]]:
    ordered = sorted(trials, key=lambda trial: trial.key.repeat)
    return list(zip(ordered[::2], ordered[1::2], strict=False))


def _pair(index: int, one: Trial, two: Trial) -> Pair:
    first, second = (one, two) if index % 2 == 0 else (two, one)
    return Pair(prompt_id=one.key.prompt_id, reference=first, candidate=second)


def placebo_pairs(trials: Sequence[Trial]) -> tuple[Pair, ...]:
    """Pair the reference with the third arm, which is the reference once more."""
    reference = {_place(trial): trial for trial in judged_trials(trials, Arm.REFERENCE)}
    placebo = {_place(trial): trial for trial in judged_trials(trials, Arm.PLACEBO)}
    return tuple(
        Pair(prompt_id=place[0], reference=reference[place], candidate=placebo[place])
        for place in sorted(reference.keys() & placebo.keys())
    )


def _place(trial: Trial) -> tuple[str, int]:
    return trial.key.prompt_id, trial.key.repeat


def with_noise(
    case: Case,
    gates: Sequence[Gate],
    trials: Sequence[Trial],
    placebo: Sequence[Gate] | None,
    of_answers: SelfNoise | None,
) -> tuple[Gate, ...]:
    """Put beside each gate what it shows between the reference and itself; `of_answers`: that of their disagreement."""
    if placebo is not None:
        noise = {gate.id: _placebo_noise(gate) for gate in placebo}
    else:
        pairs, seed = split_pairs(trials), case.plan.seed if case.plan else case.settings.plan.seed
        noise = {row.id: _split_noise(row, case, pairs, seed) for row in gate_rows(case.settings.verdict)}
        noise |= {} if of_answers is None else {gate.id: of_answers for gate in gates if _is_of_answers(gate)}
    return tuple(replace(gate, noise=noise.get(gate.id)) for gate in gates)


def _is_of_answers(gate: Gate) -> bool:
    return gate.kind is GateKind.DISAGREEMENT


def _split_noise(row: GateRow, case: Case, pairs: Sequence[Pair], seed: int) -> SelfNoise:
    """Compute a gate's figures on the split: effect and interval, without a test."""
    found = gate_figures(row, pairs, case.golden, seed, Draws(bootstrap=_SPLIT_DRAWS, permutation=1))
    return SelfNoise(source=SPLIT, effect=found.effect, interval=found.interval, n=found.n)


def _placebo_noise(gate: Gate) -> SelfNoise:
    """Give a placebo's gate, judged as a candidate's would be."""
    return SelfNoise(
        source=PLACEBO, effect=gate.effect, interval=gate.interval, outcome=gate.outcome, n=gate.n_candidate
    )


def effect_words(kind: GateKind, effect: float) -> str:
    """Write an effect of a gate: a ratio, a share, or a difference in points."""
    if kind is GateKind.RATIO:
        return ratio(effect)
    return percent(effect) if kind is GateKind.SHARE else points(effect)

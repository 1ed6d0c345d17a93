"""Analyses a case: everything that a page may say about it."""

from collections import Counter
from collections.abc import Sequence

from harness.analysis.certificate import certify
from harness.analysis.economics import side_economics
from harness.analysis.failures import failure_rows
from harness.analysis.findingrows import finding_rows
from harness.analysis.frames import gap_frame, trial_frame
from harness.analysis.instrument import side_instrument
from harness.analysis.knees import knees, words_of
from harness.analysis.levels import level_rows
from harness.analysis.load import side_loads
from harness.analysis.prompts import prompt_rows
from harness.analysis.results import Analysis, Case, Instrument, Judgement, LevelRow, Side, Trial
from harness.analysis.sdkrows import sdk_rows
from harness.analysis.summary import to_summary
from harness.analysis.tails import tails
from harness.analysis.throughput import side_throughput
from harness.analysis.trials import judge_side
from harness.analysis.verdict import judge_case

__all__ = ["analyse", "to_summary"]


def analyse(case: Case) -> Analysis:
    """Judge every request, aggregate per side, decide; the same case gives the same analysis."""
    sides = _sides(case)
    loads = {side.arm: side_loads(case, side) for side in sides}
    judged = {side.arm: judge_side(side, case.golden, is_open_loop=loads[side.arm][0].is_open_loop) for side in sides}
    everything = [item for found in judged.values() for item in found]
    trials = tuple(item.trial for item in everything)
    instrument = tuple(side_instrument(case, side, judged[side.arm]) for side in sides)
    levels = level_rows(case, judged, instrument)
    return Analysis(
        case=case,
        judgement=_judge(case, trials, instrument),
        trials=trials,
        tails=tails(trial_frame(everything, case.golden), gap_frame(everything), tuple(judged)),
        prompts=prompt_rows(everything, case.golden, tuple(judged)),
        economics=tuple(side_economics(side, judged[side.arm]) for side in sides),
        throughput=tuple(side_throughput(arm, found, loads[arm][0]) for arm, found in judged.items()),
        failures=tuple(row for arm, found in judged.items() for row in failure_rows(arm, found)),
        findings=tuple(row for side in sides for row in (*finding_rows(side.arm, judged[side.arm]), *sdk_rows(side))),
        instrument=instrument,
        certificate=certify(instrument, others=_other_levels(levels)),
        levels=levels,
        knees=knees(levels),
    )


def _sides(case: Case) -> tuple[Side, ...]:
    return (case.reference,) if case.candidate is None else (case.reference, case.candidate)


def _judge(case: Case, trials: Sequence[Trial], instrument: Sequence[Instrument]) -> Judgement | None:
    return None if case.candidate is None else judge_case(case, trials, instrument)


def _other_levels(rows: Sequence[LevelRow]) -> dict[str, list[Instrument]]:
    """Give the instrument's figures at each level after the first, under a name that no other level has."""
    levels: dict[tuple[int, str], list[Instrument]] = {}
    for row in rows:
        levels.setdefault((row.level, words_of(row)), []).append(row.instrument)
    n_of = Counter(words for _, words in levels)
    return {
        f"at {words}" if n_of[words] == 1 else f"at {words} (level {level + 1})": found
        for (level, words), found in levels.items()
        if level
    }

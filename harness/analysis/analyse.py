"""Analyses a case: everything that a page may say about it."""

from collections.abc import Sequence

from harness.analysis.economics import side_economics
from harness.analysis.failures import failure_rows
from harness.analysis.findingrows import finding_rows
from harness.analysis.frames import gap_frame, trial_frame
from harness.analysis.instrument import side_instrument
from harness.analysis.prompts import prompt_rows
from harness.analysis.results import Analysis, Case, Instrument, Judgement, Side, Trial
from harness.analysis.sdkrows import sdk_rows
from harness.analysis.summary import to_summary
from harness.analysis.tails import tails
from harness.analysis.throughput import asked_concurrency, side_throughput
from harness.analysis.trials import judge_side
from harness.analysis.verdict import judge_case

__all__ = ["analyse", "to_summary"]


def analyse(case: Case) -> Analysis:
    """Judge every request, aggregate per side, decide; the same case gives the same analysis."""
    sides = _sides(case)
    judged = {side.arm: judge_side(side, case.golden) for side in sides}
    everything = [item for found in judged.values() for item in found]
    trials = tuple(item.trial for item in everything)
    instrument = tuple(side_instrument(arm, found) for arm, found in judged.items())
    concurrency = asked_concurrency([side.endpoint for side in sides])
    return Analysis(
        case=case,
        judgement=_judge(case, trials, instrument),
        trials=trials,
        tails=tails(trial_frame(everything, case.golden), gap_frame(everything), tuple(judged)),
        prompts=prompt_rows(everything, case.golden, tuple(judged)),
        economics=tuple(side_economics(side, judged[side.arm]) for side in sides),
        throughput=tuple(side_throughput(arm, found, concurrency) for arm, found in judged.items()),
        failures=tuple(row for arm, found in judged.items() for row in failure_rows(arm, found)),
        findings=tuple(row for side in sides for row in (*finding_rows(side.arm, judged[side.arm]), *sdk_rows(side))),
        instrument=instrument,
    )


def _sides(case: Case) -> tuple[Side, ...]:
    return (case.reference,) if case.candidate is None else (case.reference, case.candidate)


def _judge(case: Case, trials: Sequence[Trial], instrument: Sequence[Instrument]) -> Judgement | None:
    return None if case.candidate is None else judge_case(case, trials, instrument)

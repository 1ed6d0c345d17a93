"""Analyses a case: everything that a page may say about it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from harness.analysis.answerparity import compare_answers
from harness.analysis.attempts import side_attempts
from harness.analysis.certificate import certify
from harness.analysis.coldpath import cold_path
from harness.analysis.divergence import divergence_curves
from harness.analysis.economics import side_economics
from harness.analysis.failures import failure_rows
from harness.analysis.findingrows import finding_rows
from harness.analysis.frames import gap_frame, trial_frame
from harness.analysis.instrument import side_instrument
from harness.analysis.knees import knees, words_of
from harness.analysis.levels import level_rows
from harness.analysis.load import side_loads
from harness.analysis.loops import tool_loops
from harness.analysis.prompts import prompt_rows
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.answers import AnswerComparison
from harness.analysis.results.case import Case, Side
from harness.analysis.results.cold import ColdPath
from harness.analysis.results.evidence import FailureRow, FindingRow
from harness.analysis.results.instrument import Instrument
from harness.analysis.results.judgement import Judgement
from harness.analysis.results.levels import LevelRow
from harness.analysis.results.timeouts import TimeoutSizing
from harness.analysis.results.trial import Trial
from harness.analysis.sdkrows import sdk_findings, sdk_rows
from harness.analysis.streamparity import parity_findings, stream_parity
from harness.analysis.structured import structured_sides
from harness.analysis.summary import to_summary
from harness.analysis.tails import tails
from harness.analysis.throughput import side_throughput
from harness.analysis.timeoutsizing import size_timeouts
from harness.analysis.tokenparity import compare_tokens
from harness.analysis.toolparity import compare_tools
from harness.analysis.trials import JudgedRecord, follow_up_records, judge_side
from harness.analysis.verdict import judge_case
from harness.model.record import Arm

__all__ = ["analyse", "to_summary"]


def analyse(case: Case) -> Analysis:
    """Judge every request, aggregate per side, decide; the same case gives the same analysis."""
    sides = _sides(case)
    has_answers = case.redaction is None  # what a redacted copy has in their place is not to be compared
    loads = {side.arm: side_loads(case, side) for side in sides}
    judged = {side.arm: judge_side(side, case.golden, is_open_loop=loads[side.arm][0].is_open_loop) for side in sides}
    everything = [item for found in judged.values() for item in found]
    trials = tuple(item.trial for item in everything)
    instrument = tuple(side_instrument(case, side, judged[side.arm]) for side in sides)
    levels = level_rows(case, judged, instrument)
    streaming = tuple(stream_parity(side, judged[side.arm], case.golden) for side in sides if has_answers)
    cold = {side.arm: cold_path(side) for side in sides}
    certificate = certify(instrument, others=_other_levels(levels))
    return Analysis(
        case=case,
        judgement=_judge(case, (*trials, *_placebo_trials(case)), instrument),
        trials=trials,
        tails=tails(trial_frame(everything, case.golden), gap_frame(everything), tuple(judged)),
        prompts=prompt_rows(everything, case.golden, tuple(judged), is_void=certificate.is_void),
        economics=tuple(side_economics(side, judged[side.arm]) for side in sides),
        throughput=tuple(side_throughput(arm, found, loads[arm][0]) for arm, found in judged.items()),
        failures=tuple(row for side in sides for row in _failures(side, judged[side.arm])),
        findings=tuple(
            row
            for side, own, parity in zip_longest(sides, instrument, streaming)
            for row in (
                *_findings(side, judged[side.arm], own),
                *(parity_findings(parity) if parity else ()),
                *sdk_findings(side),
            )
        ),
        instrument=instrument,
        certificate=certificate,
        levels=levels,
        knees=knees(levels),
        answers=_answers(judged, case, sides),
        tools=compare_tools(judged, case.golden) if has_answers else None,
        structured=structured_sides(judged, case.golden) if has_answers else (),
        tokens=compare_tokens(judged, case.golden),
        loops=tuple(found for arm in judged if (found := tool_loops(arm, _trials(judged[arm]))) is not None),
        streaming=streaming,
        divergence=divergence_curves(case) if has_answers else (),
        attempts=tuple(row for side in sides if (row := side_attempts(case, side)) is not None),
        cold=tuple(path for path in cold.values() if path is not None),
        timeouts=_timeouts(case, sides, cold),
    )


def _answers(judged: Mapping[Arm, Sequence[JudgedRecord]], case: Case, sides: Sequence[Side]) -> AnswerComparison:
    if case.redaction is not None:
        return AnswerComparison()
    return compare_answers(judged, case.golden, [row for side in sides for row in sdk_rows(side)])


def _trials(judged: Sequence[JudgedRecord]) -> list[Trial]:
    return [item.trial for item in judged]


def _failures(side: Side, judged: Sequence[JudgedRecord]) -> tuple[FailureRow, ...]:
    return failure_rows(side.arm, judged, follow_up_records(side))


def _findings(side: Side, judged: Sequence[JudgedRecord], own: Instrument) -> tuple[FindingRow, ...]:
    late_share = own.late_shared_fraction.value
    return finding_rows(side.arm, judged, follow_up_records(side), late_share=late_share)


def _timeouts(case: Case, sides: Sequence[Side], cold: Mapping[Arm, ColdPath | None]) -> tuple[TimeoutSizing, ...]:
    sized = (size_timeouts(side, case.golden, cold[side.arm]) for side in sides)
    return tuple(one for one in sized if one is not None)


def _sides(case: Case) -> tuple[Side, ...]:
    return (case.reference,) if case.candidate is None else (case.reference, case.candidate)


def _placebo_trials(case: Case) -> list[Trial]:
    """Judge the third arm's requests for the gates only: no table lists it as a side."""
    side = case.placebo
    if side is None:
        return []
    return _trials(judge_side(side, case.golden, is_open_loop=side_loads(case, side)[0].is_open_loop))


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

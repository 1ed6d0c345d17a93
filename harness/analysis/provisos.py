"""What a verdict does not say, and what a reader must know before believing it."""

from collections.abc import Sequence
from statistics import NormalDist

from harness.analysis.certificatewords import achieved_words
from harness.analysis.exploratory import why_exploratory
from harness.analysis.gatewords import level_words, name_of
from harness.analysis.intervals import prompts_like_these_bound
from harness.analysis.load import load_words, side_loads
from harness.analysis.looks import is_planned, plan_alpha
from harness.analysis.pairs import Pair, judged_trials
from harness.analysis.recordedsides import earlier_sides, recorded_warnings
from harness.analysis.results.case import Case
from harness.analysis.results.gate import Gate, Outcome
from harness.analysis.results.instrument import Instrument
from harness.analysis.results.trial import Trial
from harness.analysis.sentences import worse_though_informative
from harness.analysis.shortfall import LEAST_ACHIEVED
from harness.analysis.tokenizers import tokenizer_note
from harness.analysis.words import count_of, listed, points
from harness.model.record import Arm
from harness.model.redaction import redaction_words


def unverified(case: Case, gates: Sequence[Gate], pairs: Sequence[Pair]) -> tuple[str, ...]:
    """List what this run leaves open, whatever the verdict."""
    return (
        *(f"{gate.title}: {gate.reason.removeprefix(f'{gate.title}: ')}" for gate in gates if _is_absent(gate)),
        *(f"{gate.title}: {gate.demoted_because}" for gate in gates if gate.demoted_because),
        _traffic(len({pair.prompt_id for pair in pairs}), plan_alpha(case.plan, case.look)),
        *_timings(case),
        _load(case),
        "Cold starts: first contacts and warm-ups are recorded but not judged",
        "Other hours and other places: this is one client at one time; run it again at another hour",
        "That answers are worded the same: only what the checks look at is judged",
    )


def _timings(case: Case) -> list[str]:
    if case.recorded_timings or not earlier_sides(case):
        return []
    return ["Timings: the sides were not measured together, so their ratios are informative"]


def _is_absent(gate: Gate) -> bool:
    return gate.outcome is Outcome.NOT_APPLICABLE and gate.is_required


def _traffic(n_prompts: int, alpha: float) -> str:
    bound = prompts_like_these_bound([0.0] * n_prompts, NormalDist().inv_cdf(1 - alpha))
    if bound is None:
        return "Any traffic: no prompt was compared"
    return (
        f"Traffic unlike these prompts; for prompts like them, {count_of(n_prompts, 'prompt')} can exclude a loss of "
        f"{points(bound, signed=False)} at best ({level_words(1 - alpha)})"
    )


def _load(case: Case) -> str:
    loads = side_loads(case, case.candidate or case.reference)
    if len(loads) == 1:
        return f"Load other than this run's ({load_words(loads[0])} on each side)"
    return f"Load other than that of the first level ({load_words(loads[0])} on each side): the others are not judged"


def judgement_notes(
    case: Case,
    trials: Sequence[Trial],
    pairs: Sequence[Pair],
    gates: Sequence[Gate],
    instrument: Sequence[Instrument] = (),
) -> tuple[str, ...]:
    """List what weakens or qualifies the verdict."""
    return tuple(
        note
        for note in (
            *_redacted(case),
            *_exploratory(case),
            *_earlier_sides(case),
            *recorded_warnings(case),
            _unlike_loads(case),
            _unlike_achieved(instrument),
            _unpaired(trials, pairs),
            tokenizer_note(pairs),
            _worse_inside(gates),
            worse_though_informative(gates),
            _demoted(gates),
        )
        if note
    )


def _redacted(case: Case) -> list[str]:
    return [] if case.redaction is None else [redaction_words(case.redaction)]


def _exploratory(case: Case) -> list[str]:
    """Each look has its own chance of a false PASS, too: the plan paid for so many."""
    notes = [
        f"{reason[:1].upper()}{reason[1:]}: this verdict is exploratory, not the one that the plan registered."
        for reason in why_exploratory(case)
    ]
    fishing = "Who looks until one passes lets a worse candidate pass more often than stated."
    return notes if is_planned(case.plan, case.look) else [*notes, fishing]


def _earlier_sides(case: Case) -> list[str]:
    return [
        f"The {side.arm} was recorded earlier (run {side.run_id}): what changed in between, on the network or on the "
        "server, counts as a difference."
        for side in earlier_sides(case)
    ]


def _unlike_loads(case: Case) -> str:
    """Two runs may have been measured under different loads, which the gates would take for the candidate's doing."""
    if case.candidate is None:
        return ""
    one, two = side_loads(case, case.reference)[0], side_loads(case, case.candidate)[0]
    if (one.arrival, one.asked) == (two.arrival, two.asked):
        return ""
    return (
        f"The sides were judged under different loads, the reference at {load_words(one)} and the candidate at "
        f"{load_words(two)}: what that does to their timings counts as a difference."
    )


def _unlike_achieved(instrument: Sequence[Instrument]) -> str:
    """One plan may have put unlike loads on its sides: the look-ahead or a quota holds one of them."""
    loads = [one.load for one in instrument]
    there = [load.achieved.value for load in loads if load.achieved.value is not None]
    reasons = list(dict.fromkeys(load.shortfall for load in loads if load.shortfall))
    is_alike = len(there) < 2 or min(there) >= LEAST_ACHIEVED * max(there)  # noqa: PLR2004  # a comparison
    if not reasons or is_alike or len({load.words for load in loads}) > 1:
        return ""
    told = " and ".join(f"{achieved_words(one.load)} on the {one.arm}" for one in instrument)
    return f"The timing gates compare the sides at unlike loads, on average {told}: {listed(reasons)}."


def _unpaired(trials: Sequence[Trial], pairs: Sequence[Pair]) -> str:
    lone = [f"{left} of the {arm}" for arm in (Arm.REFERENCE, Arm.CANDIDATE) if (left := _left(trials, pairs, arm))]
    if not lone:
        return ""
    return f"Requests without a partner on the other side are left out of the gates: {' and '.join(lone)}."


def _left(trials: Sequence[Trial], pairs: Sequence[Pair], arm: Arm) -> int:
    return len(judged_trials(trials, arm)) - len(pairs)


def _worse_inside(gates: Sequence[Gate]) -> str:
    worse = [name_of(gate.id) for gate in gates if gate.is_measurably_worse]
    return f"Measurably worse, inside your margin: {', '.join(worse)}." if worse else ""


def _demoted(gates: Sequence[Gate]) -> str:
    names = [name_of(gate.id) for gate in gates if gate.demoted_because]
    if not names:
        return ""
    return f"Informative only, because this run is too small for them to pass: {', '.join(names)}."

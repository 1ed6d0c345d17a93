"""The verdict: INVALID if the run says nothing, FAIL, PASS, or INCONCLUSIVE; with its sentence and reasons."""

from collections.abc import Sequence

from harness.analysis.certificate import certify
from harness.analysis.gatefigures import Draws
from harness.analysis.gates import judge_gates
from harness.analysis.gatewords import worst_case
from harness.analysis.pairs import pair_trials
from harness.analysis.provisos import judgement_notes, unverified
from harness.analysis.readfirst import prompts_to_read
from harness.analysis.results import Case, Gate, Instrument, Judgement, Outcome, Trial, ValidityCheck, Verdict
from harness.analysis.sentences import is_too_small, verdict_sentence
from harness.analysis.settling import what_would_settle
from harness.analysis.validity import INVALID, NO_PASS, Evidence, check_validity, why_timing_is_void


def judge_case(
    case: Case, trials: Sequence[Trial], instrument: Sequence[Instrument], draws: Draws | None = None
) -> Judgement:
    """Judge the candidate against the reference; `draws` is smaller only where many comparisons are simulated."""
    pairs = pair_trials(trials)
    checks = check_validity(Evidence(case=case, trials=trials, pairs=pairs, certificate=certify(instrument)))
    void_timing = why_timing_is_void(checks)
    gates = judge_gates(case, pairs, void_timing, draws)
    verdict = decide_verdict(gates, checks)
    open_verdict = verdict is Verdict.INCONCLUSIVE
    return Judgement(
        verdict=verdict,
        sentence=verdict_sentence(verdict, gates, checks, n_prompts=len({pair.prompt_id for pair in pairs})),
        worst_case=tuple(worst_case(gate) for gate in gates if gate.is_required and _is_judged(gate)),
        gates=gates,
        validity=checks,
        settle=what_would_settle(case, gates, pairs, trials, void_timing=void_timing) if open_verdict else (),
        not_verified=unverified(case, gates, pairs),
        read_first=prompts_to_read(case.golden, pairs),
        notes=judgement_notes(case, trials, pairs, gates, instrument),
    )


def decide_verdict(gates: Sequence[Gate], checks: Sequence[ValidityCheck]) -> Verdict:
    """Combine: a required gate fails alone, all must pass together, and too little is never a PASS."""
    if any(check.consequence == INVALID and not check.is_met for check in checks):
        return Verdict.INVALID
    # A gate that was demoted cannot hold up a PASS, but what it proves still counts.
    if any(gate.outcome is Outcome.FAIL and (gate.is_required or gate.demoted_because) for gate in gates):
        return Verdict.FAIL
    judged = [gate for gate in gates if gate.is_required and _is_judged(gate)]
    may_pass = all(check.is_met for check in checks if check.consequence == NO_PASS) and not is_too_small(gates)
    if judged and may_pass and all(gate.outcome is Outcome.PASS for gate in judged):
        return Verdict.PASS
    return Verdict.INCONCLUSIVE


def _is_judged(gate: Gate) -> bool:
    return gate.outcome is not Outcome.NOT_APPLICABLE

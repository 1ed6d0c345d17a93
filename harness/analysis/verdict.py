"""The verdict: INVALID if the run says nothing, FAIL, PASS, or INCONCLUSIVE; with its sentence and reasons."""

from collections.abc import Sequence

from harness.analysis.certificate import certify
from harness.analysis.exploratory import exploratory_words
from harness.analysis.gatefigures import Draws
from harness.analysis.gates import judge_gates
from harness.analysis.gatewords import worst_case
from harness.analysis.identity import compare_identity, identity_limits, placebo_disagreement
from harness.analysis.pairs import pair_trials
from harness.analysis.placebo import judge_placebo
from harness.analysis.provisos import judgement_notes, unverified
from harness.analysis.readfirst import prompts_to_read
from harness.analysis.recordedsides import recorded_words
from harness.analysis.results.case import Case
from harness.analysis.results.gate import Gate, Outcome
from harness.analysis.results.instrument import Instrument
from harness.analysis.results.judgement import Judgement, ValidityCheck, Verdict
from harness.analysis.results.trial import Trial
from harness.analysis.selfnoise import with_noise
from harness.analysis.sentences import is_too_small, verdict_sentence
from harness.analysis.settling import what_would_settle
from harness.analysis.validity import INVALID, NO_PASS, Evidence, check_validity, why_timing_is_void
from harness.analysis.worstoff import find_worst_off


def judge_case(
    case: Case, trials: Sequence[Trial], instrument: Sequence[Instrument], draws: Draws | None = None
) -> Judgement:
    """Judge the candidate against the reference; `draws` is smaller only where many comparisons are simulated."""
    is_simulated = draws is not None  # then what is only shown is left out
    pairs = pair_trials(trials)
    evidence = Evidence(case=case, trials=trials, pairs=pairs, certificate=certify(instrument))
    void_timing = why_timing_is_void(check_validity(evidence))
    wants_identity = not is_simulated or case.settings.verdict.identity.required
    identity = compare_identity(case, identity_limits(case)) if wants_identity else None
    gates = judge_gates(case, pairs, void_timing, draws, identity.disagreement if identity else None)
    same = placebo_disagreement(case, identity_limits(case))
    placebo = judge_placebo(case, trials, void_timing, draws, same)
    checks = check_validity(evidence, placebo.faults if placebo else None)
    worst_off = None if is_simulated else find_worst_off(case, pairs, void_timing=void_timing)
    if not is_simulated:
        gates = with_noise(
            case, gates, trials, placebo.gates if placebo else None, identity.noise if identity else None
        )
    verdict = decide_verdict(gates, checks)
    open_verdict = verdict is Verdict.INCONCLUSIVE
    return Judgement(
        verdict=verdict,
        sentence=exploratory_words(case)
        + recorded_words(case)
        + verdict_sentence(
            verdict,
            gates,
            checks,
            n_prompts=len({pair.prompt_id for pair in pairs}),
            is_screen=_is_screen(case),
        ),
        worst_case=tuple(worst_case(gate) for gate in gates if _counts(gate) and _is_judged(gate) and not gate.is_void),
        gates=gates,
        validity=checks,
        settle=what_would_settle(case, gates, pairs, trials, void_timing=void_timing) if open_verdict else (),
        not_verified=unverified(case, gates, pairs),
        read_first=prompts_to_read(case.golden, pairs, worst_off.regressions if worst_off else ()),
        notes=judgement_notes(case, trials, pairs, gates, instrument),
        identity=identity,
        worst_off=worst_off,
    )


def _is_screen(case: Case) -> bool:
    """Whether the run was planned as a screen: settings that come later cannot make it more than that."""
    plan = case.plan.settings.get("plan", {}) if case.plan else {}
    return case.settings.plan.screen or bool(plan.get("screen"))


def decide_verdict(gates: Sequence[Gate], checks: Sequence[ValidityCheck]) -> Verdict:
    """Combine: a required gate fails alone, all must pass together, and too little is never a PASS."""
    if any(check.consequence == INVALID and not check.is_met for check in checks):
        return Verdict.INVALID
    # A gate that was demoted cannot hold up a PASS, but what it proves still counts.
    if any(gate.outcome is Outcome.FAIL and _counts(gate) for gate in gates):
        return Verdict.FAIL
    judged = [gate for gate in gates if gate.is_required and _is_judged(gate)]
    may_pass = all(check.is_met for check in checks if check.consequence == NO_PASS) and not is_too_small(gates)
    if judged and may_pass and all(gate.outcome is Outcome.PASS for gate in judged):
        return Verdict.PASS
    return Verdict.INCONCLUSIVE


def is_final(judgement: Judgement) -> bool:
    """Whether no further look could change it: a loss that lies inside the margin may yet pass as measurably worse."""
    if judgement.verdict is not Verdict.FAIL:
        return judgement.verdict is not Verdict.INCONCLUSIVE
    return any(gate.is_beyond_margin and (gate.is_required or gate.demoted_because) for gate in judgement.gates)


def _counts(gate: Gate) -> bool:
    """Whether it had a say: it is required, or was demoted and failed all the same."""
    return gate.is_required or (gate.outcome is Outcome.FAIL and bool(gate.demoted_because))


def _is_judged(gate: Gate) -> bool:
    return gate.outcome is not Outcome.NOT_APPLICABLE

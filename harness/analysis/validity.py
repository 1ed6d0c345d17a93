"""Asks whether the run says anything: the reference answers, nothing was cached, the instrument kept up."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.certificatelimits import VOID
from harness.analysis.pairs import Pair, judged_trials
from harness.analysis.responsecache import cached_answers, repeated_ids
from harness.analysis.results.case import Case, Side
from harness.analysis.results.instrument import Certificate, CertificateRow
from harness.analysis.results.judgement import ValidityCheck
from harness.analysis.results.trial import Trial
from harness.analysis.words import count_of, percent
from harness.model.record import Arm, Record

INVALID = "INVALID"
NO_PASS = "no PASS"  # noqa: S105  # a consequence
NOTE = "note"
VOID_TIMING = "Timings are void:"  # how the reason of a gate begins that cannot be judged for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the checks look at."""

    case: Case
    trials: Sequence[Trial]
    pairs: Sequence[Pair]
    certificate: Certificate

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that there are."""
        case = self.case
        return tuple(side for side in (case.reference, case.candidate, case.placebo) if side is not None)

    @property
    def endpoints(self) -> dict[str, list[Record]]:
        """What is judged by endpoint: a placebo is the reference once more."""
        found: dict[str, list[Record]] = {}
        for side in self.sides:
            arm = Arm.REFERENCE if side.arm is Arm.PLACEBO else side.arm
            found.setdefault(arm, []).extend(_judged(side))
        return found


def check_validity(evidence: Evidence, placebo: Sequence[str] | None = None) -> tuple[ValidityCheck, ...]:
    """Check everything; each check stands alone, so that a reader sees all that is wrong at once.

    `placebo` names what the reference failed against itself; None: no third arm was judged.
    """
    return (
        _common_prompts(evidence),
        _reference_answers(evidence),
        _reference_lost(evidence),
        *([] if placebo is None else [_placebo(evidence, placebo)]),
        _response_cache(evidence),
        _model_field(evidence),
        _finished(evidence),
        _usage(evidence),
        *_instrument_checks(evidence.certificate),
    )


def why_timing_is_void(checks: Sequence[ValidityCheck]) -> str | None:
    """Give the reason why no timing gate may decide; None when the instrument kept within its limits."""
    broken = [check for check in checks if check.consequence == VOID and not check.is_met]
    if not broken:
        return None
    return f"{VOID_TIMING} {'; '.join(check.evidence for check in broken)}."


def _common_prompts(evidence: Evidence) -> ValidityCheck:
    prompts = {pair.prompt_id for pair in evidence.pairs}
    found = f"{count_of(len(evidence.pairs), 'pair')} of requests on {count_of(len(prompts), 'prompt')}"
    return ValidityCheck(
        id="common_prompts",
        title="Both sides answered the same prompts",
        is_met=bool(evidence.pairs),
        evidence=found if evidence.pairs else "no prompt and repeat was judged on both sides",
        consequence=INVALID,
    )


def _reference_answers(evidence: Evidence) -> ValidityCheck:
    floor = evidence.case.settings.validity.reference_task_floor
    outcomes = [trial.task_success for trial in judged_trials(evidence.trials, Arm.REFERENCE)]
    checkable = [outcome for outcome in outcomes if outcome is not None]
    right = sum(checkable)
    found = f"{right} of {count_of(len(checkable), 'checkable trial')} right (floor {percent(floor)})"
    return ValidityCheck(
        id="reference_answers",
        title="The reference answers this set",
        is_met=not checkable or right >= floor * len(checkable),
        evidence=found if checkable else "no trial is checkable: nothing says whether the answers are right",
        consequence=INVALID,
    )


def _reference_lost(evidence: Evidence) -> ValidityCheck:
    most = evidence.case.settings.validity.reference_lost_fraction
    trials = judged_trials(evidence.trials, Arm.REFERENCE)
    lost = sum(trial.failure is not None for trial in trials)
    return ValidityCheck(
        id="reference_lost",
        title="The reference lost few requests",
        is_met=lost <= most * len(trials),
        evidence=f"{lost} of {len(trials)} lost (limit {percent(most)})",
        consequence=INVALID,
    )


def _placebo(evidence: Evidence, faults: Sequence[str]) -> ValidityCheck:
    """Where the reference fails against itself, what a candidate fails or passes says nothing."""
    n = len(judged_trials(evidence.trials, Arm.PLACEBO))
    return ValidityCheck(
        id="placebo",
        title="The reference passes against itself",
        is_met=not faults and n > 0,
        evidence="; ".join(faults) if faults else f"{count_of(n, 'request')} of a third arm, judged by the same gates",
        consequence=INVALID if n else NOTE,
    )


def _response_cache(evidence: Evidence) -> ValidityCheck:
    ids = [f"{arm}: {line}" for arm, records in evidence.endpoints.items() for line in repeated_ids(records)]
    answers = [
        f"{side.arm}: {line}"
        for side in evidence.sides
        for line in cached_answers(judged_trials(evidence.trials, side.arm))
    ]
    found = [*ids, *answers]
    return ValidityCheck(
        id="response_cache",
        title="Every answer was made for its request",
        is_met=not found,
        evidence="; ".join(found) if found else "no repeated response id, no repeat too fast to be generated",
        consequence=INVALID,
    )


def _model_field(evidence: Evidence) -> ValidityCheck:
    models = {
        arm: sorted({record.model_reported or "" for record in records} - {""})
        for arm, records in evidence.endpoints.items()
    }
    changed = [f"{arm}: {' and '.join(names)}" for arm, names in models.items() if len(names) > 1]
    told = [f"{arm}: {names[0]}" for arm, names in models.items() if names]
    return ValidityCheck(
        id="model_field",
        title="The reported model stayed the same",
        is_met=not changed,
        evidence="; ".join(changed or told) or "no reply names its model",
        consequence=INVALID,
    )


def _finished(evidence: Evidence) -> ValidityCheck:
    """Who stops a run may have looked at it: what it shows so far can fail the candidate, not pass it."""
    found = [f"{side.arm}: {side.unfinished}" for side in evidence.sides if side.unfinished is not None]
    return ValidityCheck(
        id="finished",
        title="The run went to the end of its plan",
        is_met=not found,
        evidence="; ".join(found) or "every planned request was sent",
        consequence=NO_PASS,
    )


def _usage(evidence: Evidence) -> ValidityCheck:
    """Missing usage is a note: the gates that need tokens are INCONCLUSIVE by themselves."""
    answered = {side.arm: [record for record in _judged(side) if record.failure is None] for side in evidence.sides}
    silent = {
        arm: sum(record.usage is None or record.usage.completion_tokens is None for record in records)
        for arm, records in answered.items()
    }
    found = [f"{arm}: {count} of {len(answered[arm])} answers without usage" for arm, count in silent.items() if count]
    return ValidityCheck(
        id="usage",
        title="Token usage was reported",
        is_met=not found,
        evidence="; ".join(found) or "every answer reports its tokens",
        consequence=NOTE,
    )


def _judged(side: Side) -> list[Record]:
    """Give what the verdict stands on; the other levels of load have notes of their own."""
    return [
        record
        for record in side.records
        if record.key.level == 0 and not (record.key.is_warmup or record.key.is_follow_up or record.is_possibly_cold)
    ]


def _instrument_checks(certificate: Certificate) -> tuple[ValidityCheck, ...]:
    """The certificate's gated rows, as conditions among the others."""
    gated = [row for row in certificate.rows if row.condition]
    return tuple(_instrument_check(row) for row in gated) or (
        ValidityCheck(
            id="instrument",
            title="The instrument watched itself",
            is_met=False,
            evidence="nothing is known of receive lag and send lateness",
            consequence=NOTE,
        ),
    )


def _instrument_check(row: CertificateRow) -> ValidityCheck:
    """What was not measured meets no limit, and is a note."""
    return ValidityCheck(
        id=row.id,
        title=row.condition,
        is_met=row.is_met is True,
        evidence=row.evidence,
        consequence=NOTE if row.is_met is None else row.consequence,
    )

"""Judges checks on an answer: what was expected, what came, where."""

from harness.analysis.checkoutcome import Evidence, JudgeCheck
from harness.analysis.excerpts import LONGEST_CAME, excerpt
from harness.analysis.replychecks import REPLY_CHECKS
from harness.analysis.results.trial import CheckResult
from harness.analysis.textchecks import TEXT_CHECKS
from harness.model.golden import Check, CheckKind

_JUDGES: dict[CheckKind, JudgeCheck] = {**TEXT_CHECKS, **REPLY_CHECKS}


def judge_check(check: Check, evidence: Evidence) -> CheckResult:
    """Judge one check; the check must be valid (`checkarguments.validate_check`)."""
    outcome = _JUDGES[check.kind](check.argument, evidence)
    passed = outcome.is_decidable and outcome.holds != check.negated
    expected = f"not: {outcome.expected}" if check.negated else outcome.expected
    return CheckResult(
        check=as_written(check),
        passed=passed,
        expected=expected,
        came=excerpt(outcome.came, LONGEST_CAME) or "nothing",
        where=excerpt(outcome.where),
    )


def as_written(check: Check) -> str:
    """Give the check as it stands in the file: `not-contains: sorry`."""
    name = ("not-" if check.negated else "") + check.kind.replace("_", "-")
    return name if check.argument in (None, True) else f"{name}: {excerpt(check.argument, 120)}"

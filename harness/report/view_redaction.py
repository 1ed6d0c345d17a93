"""Says on the first screen that prompts and answers were struck out, and what that leaves unsaid."""

from harness.analysis.results.case import Case
from harness.model.redaction import damage_words
from harness.report.page import Fact


def redaction_facts(case: Case) -> tuple[Fact, ...]:
    """Give the line, or nothing where all is there."""
    redaction = case.redaction
    if redaction is None:
        return ()
    verdict = "" if redaction.verdict is None else f"the original's verdict: {redaction.verdict}; "
    damage = f"{damage_words(redaction)}; " if redaction.n_damaged else ""
    detail = f"{verdict}{damage}not judged again: {'; '.join(redaction.not_judged_again)}"
    return (Fact(label="redacted", value="prompts and answers struck out", detail=detail),)

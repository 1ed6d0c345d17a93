"""Says why a verdict is not the one that its plan registered."""

from harness.analysis.looks import is_planned
from harness.analysis.results.case import Case


def why_exploratory(case: Case) -> tuple[str, ...]:
    """Give the reasons as clauses; empty where the plan registered this judgement."""
    return tuple(reason for reason in (_other_plan(case), _late_margins(case), _unplanned_look(case)) if reason)


def exploratory_words(case: Case) -> str:
    """Give what stands before the verdict's sentence; empty where the plan registered this judgement."""
    reasons = why_exploratory(case)
    return f"Exploratory ({'; '.join(reasons)}): " if reasons else ""


def _other_plan(case: Case) -> str:
    return "" if case.plan_matches_digest else "the plan does not match its digest"


def _late_margins(case: Case) -> str:
    is_said = case.margins_are_from_plan or not case.plan_matches_digest
    return "" if is_said else "the margins were chosen after the data"


def _unplanned_look(case: Case) -> str:
    if is_planned(case.plan, case.look):
        return ""
    planned = len(case.plan.looks.alphas) if case.plan else 1
    return f"this is look {case.look} at the data and the plan has {planned}"

"""In which fields the two sides' requests differ, and whether an endpoint file says so: as text."""

from collections.abc import Sequence

from harness.analysis.results.case import Case
from harness.report.exhibits import FieldDifference
from harness.report.page import Cell, Column, Table
from harness.report.untrusted import one_line, visible

_SHOWN = 40
_NAMED = 4  # prompts
_VALUE = 160
_DECLARED = Cell(text="declared")
_UNDECLARED = Cell(text="undeclared", detail="nothing explains it", tone="bad")


def bodies_table(differences: Sequence[FieldDifference] | None, case: Case) -> Table | None:
    """Lay them out, undeclared ones first; None where there is nothing to compare."""
    if differences is None or case.candidate is None:
        return None
    more = len(differences) - _SHOWN
    return Table(
        caption="Where the two request bodies differ",
        columns=(
            Column(title="field", is_number=False),
            Column(title="", is_number=False),
            Column(title=visible(case.reference.name), is_number=False),
            Column(title=visible(case.candidate.name), is_number=False),
            Column(title="prompts", is_number=False),
        ),
        rows=tuple(_row(found, len(case.golden.prompts)) for found in differences[:_SHOWN]),
        notes=_notes(differences, more),
    )


def _row(found: FieldDifference, n_prompts: int) -> tuple[Cell, ...]:
    return (
        Cell(text=one_line(found.path, _VALUE)),
        _DECLARED if found.is_declared else _UNDECLARED,
        Cell(text=one_line(found.reference, _VALUE)),
        Cell(text=one_line(found.candidate, _VALUE)),
        Cell(text=_prompts(found.prompts, n_prompts)),
    )


def _prompts(prompts: Sequence[str], n_prompts: int) -> str:
    if len(prompts) == n_prompts:
        return f"all {n_prompts}"
    named = ", ".join(map(visible, prompts[:_NAMED]))
    return f"{named} and {len(prompts) - _NAMED} more" if len(prompts) > _NAMED else named


def _notes(differences: Sequence[FieldDifference], more: int) -> tuple[str, ...]:
    if not differences:
        return ("None: both sides are asked the same, byte for byte of JSON.",)
    declared = "Declared: an endpoint file sets, renames, adds or leaves it out. Everything else is the same."
    return (declared, f"{more} more fields not shown.") if more > 0 else (declared,)

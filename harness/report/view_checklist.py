"""The cut-over checklist as text."""

from collections import Counter

from harness.analysis.checklist import Checklist, Prior, State
from harness.report.page import ChecklistView, ItemView, Tone
from harness.report.untrusted import one_line, visible
from harness.report.view_probes import error_table

_SHOWN: dict[State, tuple[str, Tone]] = {
    State.DONE: ("\N{CHECK MARK}", "good"),
    State.NOT_DONE: ("\N{EN DASH}", "warn"),
    State.FAILED: ("\N{MULTIPLICATION SIGN}", "bad"),
}
_LINE = 600


def checklist_view(found: Checklist, prior: Prior) -> ChecklistView:
    """Say the checklist; the error contracts stand beside each other where both were probed."""
    counts = Counter(item.state for item in found.items)
    told = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    both = [one for one in (prior.reference_probes, prior.probes) if one is not None]
    return ChecklistView(
        name=visible(found.name),
        sentence=f"Before an application moves to {visible(found.name)}: {told}, of {len(found.items)} items.",
        items=tuple(
            ItemView(
                title=item.title,
                word=item.state.value,
                icon=_SHOWN[item.state][0],
                tone=_SHOWN[item.state][1],
                evidence=one_line(item.evidence, _LINE),
                command=_as_code(one_line(item.command, _LINE)),
            )
            for item in found.items
        ),
        changes=tuple(one_line(change, _LINE) for change in found.changes),
        source=one_line(found.source, _LINE),
        errors=error_table(both) if len(both) > 1 else None,
    )


def _as_code(command: str) -> str:
    """Set the commands of ours within a sentence as code."""
    return f"`{command}`" if command.startswith("bench ") else command


def n_open(view: ChecklistView | None) -> str:
    """Count what is not done, for the contents."""
    return "0" if view is None else str(sum(item.word != State.DONE.value for item in view.items))

"""The memo as files: one page of HTML, and its Markdown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.model.storage import write_atomically
from harness.report.markdown import code, prose, text
from harness.report.write import file_stem, make_folder

if TYPE_CHECKING:
    from harness.analysis.results.analysis import Analysis
    from harness.model.record import RunHeader
    from harness.report.memo import MemoView

_TRIGGER_HEADS = ("roll back when more than", "you allow, false alarm", "noticed")
_HEADS = ("gate", "outcome", "effect", "worst case", "allowed", "n per side")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenMemo:
    """Where a memo lies."""

    html: Path
    markdown: Path


def write_memo(analysis: "Analysis", header: "RunHeader | None", reports: Path, *, suffix: str = "") -> WrittenMemo:
    """Write the memo beside the report of the same name."""
    from harness.analysis.catalog import CATALOG  # noqa: PLC0415  # keeps the command line light
    from harness.report.html import render_memo  # noqa: PLC0415  # jinja2 and matplotlib load below
    from harness.report.memo import memo_view  # noqa: PLC0415

    view = memo_view(analysis, header, CATALOG)
    make_folder(reports)
    stem = f"{file_stem(analysis.case)}{suffix}.memo"
    written = WrittenMemo(html=reports / f"{stem}.html", markdown=reports / f"{stem}.md")
    write_atomically(written.html, render_memo(view).encode())
    write_atomically(written.markdown, memo_markdown(view).encode())
    return written


def memo_markdown(view: "MemoView") -> str:
    """Render the memo as Markdown; the same view gives the same bytes."""
    return "\n\n".join(part for part in _parts(view) if part) + "\n"


def _parts(view: "MemoView") -> Iterator[str]:
    yield f"# Cut-over memo: {view.verdict.word}, {text(view.title)}"
    yield prose(view.verdict.sentence)
    yield "## What was compared"
    yield _list([f"{side.arm}: {text(side.name)}, {text(side.model)}, {code(side.base_url)}" for side in view.sides])
    details = [(fact, f" ({text(fact.detail)})" if fact.detail else "") for fact in view.facts]
    yield _list([f"{fact.label}: {text(fact.value)}{detail}" for fact, detail in details])
    yield from _gates(view)
    yield f"## Rollback triggers\n\n{prose(view.triggers_lede)}"
    yield _triggers(view)
    yield prose(view.caveat)
    more = [f"{view.n_more_not_verified} more in the report"] if view.n_more_not_verified else []
    yield f"## Not verified\n\n{_list([*map(prose, view.not_verified), *more]) or 'Nothing is listed.'}"
    yield f"## Read first\n\n{_list([code(prompt) for prompt in view.read_first]) or 'No prompt stands out.'}"
    yield f"## How to reproduce\n\n{_list([f'{text(fact.label)}: {code(fact.value)}' for fact in view.reproduce])}"
    yield f"Run {code(view.run_id)}"


def _gates(view: "MemoView") -> Iterator[str]:
    if not view.gates:
        return
    rows = [
        (
            text(gate.title) if gate.role == "required" else f"{text(gate.title)} (not judged: too small)",
            gate.word,
            text(gate.effect.text),
            text(gate.worst_case.text),
            text(gate.allowed),
            gate.n,
        )
        for gate in view.gates
    ]
    yield f"## Worst case still compatible with the data\n\n{_grid(_HEADS, rows)}"


def _triggers(view: "MemoView") -> str:
    rows = [tuple(map(text, (one.text, one.allowed, one.noticed))) for one in view.triggers]
    return _grid(_TRIGGER_HEADS, rows) if rows else ""


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    ruler = [":--", *["--:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ruler, *rows))


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)

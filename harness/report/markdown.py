"""The page as Markdown, short enough for a comment on a pull request."""

import re
from collections.abc import Iterable, Iterator, Sequence

from harness.report.page import Card, Cell, ChecklistView, GateView, ReportView, Table
from harness.report.untrusted import one_line, visible

_ICONS = {
    "PASS": "\N{WHITE HEAVY CHECK MARK}",
    "FAIL": "\N{CROSS MARK}",
    "INCONCLUSIVE": "\N{BLACK QUESTION MARK ORNAMENT}",
    "INVALID": "\N{WARNING SIGN}\ufe0f",
}
_ACTIVE = re.compile(r"([\\`*_\[\]<>#|~$&])")
_MENTION_OR_LINK = re.compile(r"(?i)(@|://|www\.)")
_BLOCK_START = re.compile(r"^(\s*)([-+=]|\d+[.)](?=\s|$))")
_BREAK = "\u200b"  # keeps a host from turning a name into a mention or a text into a link
_CARDS = 12
_DONE = "done"


def render_markdown(view: ReportView) -> str:
    """Render the comment; the same view gives the same bytes."""
    return "\n\n".join(part for part in _parts(view) if part) + "\n"


def _parts(view: ReportView) -> Iterator[str]:
    verdict = view.verdict
    icon = _ICONS.get(verdict.word, "")
    yield f"## {icon} {verdict.word}: {text(view.title)}".replace("  ", " ")
    yield _certificate(view)
    yield prose(verdict.sentence)
    yield prose(view.identity)
    yield " \N{MIDDLE DOT} ".join(f"{fact.label} {text(fact.value)}" for fact in view.facts)
    yield _list("Worst case still compatible with the data", verdict.worst_case)
    yield _list("What would settle it", verdict.settle)
    yield _list("Not verified", verdict.not_verified)
    yield _list("Notes", verdict.notes)
    yield _list("Validity checks that are not met", _broken(view))
    yield _gates(view.gates)
    yield from _worst_off(view)
    yield from (table_text(table) for table in view.tails)
    yield table_text(view.throughput) if view.throughput else ""
    yield from _levels(view)
    yield checklist_text(view.checklist) if view.checklist else ""
    yield from _parity(view)
    yield from (table_text(table) for table in (view.loops, *view.streaming) if table is not None)
    yield _cards("Failures", view.failures, "No request failed.")
    yield _cards("Findings", view.findings, "Nothing to report.")
    yield _reproduce(view)


def checklist_text(view: ChecklistView) -> str:
    """Give the cut-over checklist with what the code must change; also a file of its own."""
    items = [
        f"- [{'x' if item.word == _DONE else ' '}] **{text(item.title)}**: {item.word}. {prose(item.evidence)}"
        + (f"  \n  To do: {prose(item.command)}" if item.command else "")
        for item in view.items
    ]
    changes = [f"- {prose(change)}" for change in view.changes]
    parts = [
        f"### Cut-over checklist: {text(view.name)}",
        prose(view.sentence),
        "\n".join(items),
        "**What your code must change**",
        "\n".join(changes),
        table_text(view.errors) if view.errors else "",
        f"Probes: {text(view.source)}",
    ]
    return "\n\n".join(part for part in parts if part)


def _worst_off(view: ReportView) -> Iterator[str]:
    """Say which prompts and which group of them got worse."""
    if view.worst_off is None:
        return
    yield f"### Worst off\n\n{prose(view.worst_off.sentence)}"
    yield table_text(view.worst_off.prompts) if view.worst_off.prompts else ""


def _parity(view: ReportView) -> Iterator[str]:
    """Give what is said about answers, tools, structured output and tokens, each with its sentence."""
    tables = (*view.answers, *view.tools, view.structured, view.economics, view.tokens)
    yield from (table_text(table) for table in tables if table is not None)
    yield from (prose(note) for note in (view.answers_note, view.tokens_note) if note)


def _certificate(view: ReportView) -> str:
    """Say before any figure whether the timings count."""
    told = view.certificate
    return f"**{text(told.word[:1].upper() + told.word[1:])}.** {prose(told.sentence)}"


def _levels(view: ReportView) -> Iterator[str]:
    """Give every level of load, where there is more than one number to say of it."""
    if view.levels is None:
        return
    yield f"### Load levels\n\n{prose(view.levels.lede)}"
    yield "\n".join(
        f"- {text(reading.label)} ({reading.detail}): {prose(reading.value)}" for reading in view.levels.readings
    )
    yield from (table_text(table) for table in view.levels.tables)
    yield prose(view.counted)


def _broken(view: ReportView) -> list[str]:
    return [f"{check.title}: {check.evidence} ({check.consequence})" for check in view.validity if check.consequence]


def _list(title: str, lines: Iterable[str]) -> str:
    items = [f"- {prose(line)}" for line in lines]
    return "\n".join([f"**{title}**", "", *items]) if items else ""


def _gates(gates: Sequence[GateView]) -> str:
    heads = ("gate", "outcome", "reference", "candidate", "effect (95 %)", "worst case", "allowed", "against itself")
    rows = [
        (
            text(gate.title) if gate.role == "required" else f"{text(gate.title)} (informative)",
            f"{_ICONS.get(gate.word, '')} {gate.word}".strip(),
            _cell(gate.reference),
            _cell(gate.candidate),
            _cell(gate.effect),
            text(gate.worst_case.text),
            text(gate.allowed),
            text(gate.noise.text),
        )
        for gate in gates
    ]
    return "### Gates\n\n" + _grid(heads, rows) if rows else ""


def table_text(table: Table) -> str:
    """Give a table under its caption, with its notes."""
    notes = [f"\n{prose(note)}" for note in table.notes]
    heads = [text(column.title) for column in table.columns]
    body = _grid(heads, [[_cell(cell) for cell in row] for row in table.rows])
    return "\n".join([f"### {text(table.caption)}", "", body, *notes])


def _cell(cell: Cell) -> str:
    return f"{text(cell.text)} ({text(cell.detail)})" if cell.detail else text(cell.text)


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table: the first column to the left, figures to the right."""
    ruler = [":--", *["--:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ruler, *rows))


def _cards(title: str, cards: Sequence[Card], empty: str) -> str:
    lines = [
        f"- {text(card.side)} ({card.arm}): {card.count}, {text(card.title)} ({code(card.kind)})"
        + (f": {code(card.example)}" if card.example else "")
        + (f"  \n  {prose(card.advice)}" if card.advice else "")
        for card in cards[:_CARDS]
    ]
    more = [f"- {len(cards) - _CARDS} more kinds in the page"] if len(cards) > _CARDS else []
    return "\n".join([f"### {title}", "", *(lines + more or [empty])])


def _reproduce(view: ReportView) -> str:
    lines = [
        f"- {text(fact.label)}: {code(fact.value)}" + (f" ({text(fact.detail)})" if fact.detail else "")
        for fact in view.reproduce
    ]
    run = f"- run: {code(view.run_id)}"
    return "\n".join(["<details><summary>How to reproduce</summary>", "", *lines, run, "", "</details>"])


def prose(line: str) -> str:
    """Escape our own sentence with what it quotes; what stands between backticks is code."""
    parts = one_line(line, 2_000).split("`")
    if len(parts) % 2 == 0:
        return text(line)
    return "".join(code(part) if index % 2 else text(part, keep_edges=True) for index, part in enumerate(parts))


def text(value: str, *, keep_edges: bool = False) -> str:
    """Escape a text so that it is read, not acted on: no markup, no link, no mention, no line break."""
    line = visible(re.sub(r"\s*\n\s*", " ", value)) if keep_edges else one_line(value, 2_000)
    escaped = _ACTIVE.sub(r"\\\1", line)
    escaped = _MENTION_OR_LINK.sub(lambda match: _defused(match[0]), escaped)
    return _BLOCK_START.sub(lambda match: f"{match[1]}{_guarded(match[2])}", escaped)


def _defused(found: str) -> str:
    return f"{found[0]}{_BREAK}{found[1:]}"


def _guarded(start: str) -> str:
    return f"{start[:-1]}\\{start[-1]}"


def code(value: str) -> str:
    """Set a text as code: a fence longer than any within, pipes safe inside tables."""
    line = one_line(value, 400).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line else ""

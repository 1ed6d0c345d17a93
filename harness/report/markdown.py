"""The page as Markdown, short enough for a comment on a pull request."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.report.coldpage import TimeoutsSide
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
_WORST = 8  # rows of prompts that got worse
_DONE = "done"
MOST_BYTES = 60_000  # GitHub takes 65,536 characters in a comment
_NOTE_BYTES = 400  # for the line that says what was left out
_JOINT = "\n\n"
_UNFIT = "Timings do not count: what follows shows what this client saw, not what the endpoints do."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A part of the comment that is there as a whole or not at all."""

    title: str
    body: str


def render_markdown(view: ReportView) -> str:
    """Render the comment, shorter than a host allows; the same view gives the same bytes."""
    kept: list[str] = []
    left_out: list[str] = []
    room = MOST_BYTES - _NOTE_BYTES
    for section in _sections(view):
        n_bytes = len(section.body.encode()) + len(_JOINT)
        if n_bytes <= room:
            kept.append(section.body)
            room -= n_bytes
        elif section.body:
            left_out.append(section.title)
    if left_out:
        kept.append(f"Left out, since a comment must be short: {', '.join(left_out)}. The page has it.")
    return _JOINT.join(part for part in kept if part) + "\n"


def _sections(view: ReportView) -> Iterator[_Section]:
    """What decides comes first and open; what explains it is folded."""
    for title, body in _open_parts(view):
        yield _Section(title=title, body=body)
    for title, parts in _folded_parts(view):
        body = _JOINT.join(part for part in parts if part)
        yield _Section(title=title, body=_fold(title, body) if body else "")


def _open_parts(view: ReportView) -> Iterator[tuple[str, str]]:
    verdict = view.verdict
    icon = _ICONS.get(verdict.word, "")
    yield "verdict", f"## {icon} {verdict.word}: {text(view.title)}".replace("  ", " ")
    yield "timings", _certificate(view)
    yield "sentence", prose(verdict.sentence)
    yield "identity", prose(view.identity)
    yield "facts", " \N{MIDDLE DOT} ".join(f"{fact.label} {text(fact.value)}" for fact in view.facts)
    yield "validity", _list("Validity checks that are not met", _broken(view))
    yield "gates", _gates(view.gates)
    yield "worst case", _list("Worst case still compatible with the data", verdict.worst_case)
    yield "worst prompts", _JOINT.join(part for part in _worst_off(view) if part)
    yield "what would settle it", _list("What would settle it", verdict.settle)
    yield "what was not verified", _list("Not verified", verdict.not_verified)
    yield "notes", _list("Notes", verdict.notes)


def _folded_parts(view: ReportView) -> Iterator[tuple[str, list[str]]]:
    yield _titled("Failures", view.failures), [*_cards(view.failures), *map(table_text, view.attempts)]
    throughput = [table_text(view.throughput)] if view.throughput else []
    unfit = [_UNFIT] if view.certificate.tone == "void" else []
    yield "Tails and throughput", [*unfit, *map(table_text, view.tails), *throughput]
    yield "Load levels", list(_levels(view))
    yield "Cold path and time limits", list(_cold(view))
    yield "Answers, tools, tokens and money", list(_parity(view))
    followed = [table for table in (view.loops, *view.streaming) if table is not None]
    yield "Tool loops and streaming", list(map(table_text, followed))
    yield "Cut-over checklist", [checklist_text(view.checklist)] if view.checklist else []
    yield _titled("Findings", view.findings), _cards(view.findings)
    yield "How to reproduce", [_reproduce(view)]


def _titled(title: str, cards: Sequence[Card]) -> str:
    return f"{title} ({len(cards)} {'kind' if len(cards) == 1 else 'kinds'})"


def _fold(title: str, body: str) -> str:
    """Fold a part; the blank lines let a host read what is inside as Markdown."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


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
    first = ", ".join(map(code, view.verdict.read_first))
    yield f"Read first: {first}" if first else ""
    yield _shortened(view.worst_off.prompts) if view.worst_off.prompts else ""


def _shortened(table: Table) -> str:
    """Give the first rows: a comment is no place for all."""
    more = len(table.rows) - _WORST
    if more <= 0:
        return table_text(table)
    return table_text(replace(table, rows=table.rows[:_WORST], notes=("The page has more of them.",)))


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


def _cold(view: ReportView) -> Iterator[str]:
    """Give the wakes, and the time limits of each side as they are pasted."""
    if view.timeouts and view.certificate.tone == "void":
        yield _UNFIT
    yield from (table_text(table) for table in (view.cold.tables if view.cold else ()))
    for side in view.timeouts.sides if view.timeouts else ():
        yield f"**Time limits of {text(side.name)}**\n\n" + "\n".join(f"    {line}" for line in _pasted(side))


def _pasted(side: TimeoutsSide) -> list[str]:
    return [line for snippet in side.snippets for line in snippet.text.splitlines()]


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


def _cards(cards: Sequence[Card]) -> list[str]:
    lines = [
        f"- {text(card.side)} ({card.arm}): {card.count}, {text(card.title)} ({code(card.kind)})"
        + (f": {code(card.example)}" if card.example else "")
        + (f"  \n  {prose(card.advice)}" if card.advice else "")
        for card in cards[:_CARDS]
    ]
    more = [f"- {len(cards) - _CARDS} more kinds in the page"] if len(cards) > _CARDS else []
    return ["\n".join(lines + more)] if lines else []


def _reproduce(view: ReportView) -> str:
    lines = [
        f"- {text(fact.label)}: {code(fact.value)}" + (f" ({text(fact.detail)})" if fact.detail else "")
        for fact in view.reproduce
    ]
    run = f"- run: {code(view.run_id)}"
    return "\n".join([*lines, run])


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

"""The page of a probing as Markdown and as lines for a terminal."""

import textwrap
from collections.abc import Iterator, Sequence

from harness.model.probe import ProbeClass, ProbeReport
from harness.report.markdown import prose, table_text, text
from harness.report.probepage import ChangeView, ProbesView
from harness.report.untrusted import one_line
from harness.report.view_probes import NOT_RUN, all_probes, difference_of, differing, name_of
from harness.report.view_tls import LABEL

_WIDTH = 100
_NAME = 24
_CLASS = 14
_ASKED = 7  # how often each of a probe's requests was sent
_MOST_CHANGES = 12
_TROUBLE = (ProbeClass.IGNORED, ProbeClass.BROKEN, ProbeClass.REJECTED, ProbeClass.INCONCLUSIVE)


def render_probes_markdown(view: ProbesView) -> str:
    """Render the page without its raw evidence; the same view gives the same bytes."""
    return "\n\n".join(part for part in _parts(view) if part) + "\n"


def _parts(view: ProbesView) -> Iterator[str]:
    yield f"## Probes: {text(view.title)}"
    yield prose(view.sentence)
    yield " \N{MIDDLE DOT} ".join(f"{fact.label} {text(fact.value)}" for fact in view.facts)
    if view.differences is not None:
        yield table_text(view.differences)
    changes = [f"- {prose(change.text)} ({text(_asked_by(change))})" for change in view.changes]
    yield "\n".join(["### What your code must change", "", *(changes or ["No probe asks for a change."])])
    yield table_text(view.summary)
    if view.errors is not None:
        yield table_text(view.errors)
    yield from (table_text(group) for group in view.groups)
    yield "\n".join(f"- {text(line)}" for line in view.skipped)


def probes_block(view: ProbesView, reports: Sequence[ProbeReport], pages: Sequence[str]) -> list[str]:
    """Give the table for a terminal: with several endpoints, what differs stands first."""
    apart = [one.id for one in differing(reports)] if len(reports) > 1 else []
    everything = all_probes(reports)
    first = [one for one in everything if one.id in apart]
    rest = [one for one in everything if one.id not in apart]
    heads = f"{'probe':<{_NAME}}" + "".join(f"{one_line(name_of(one), _CLASS - 1):<{_CLASS}}" for one in reports)
    return [
        *(f"WARNING: TLS {fact.value}" for fact in view.facts if fact.label == LABEL),
        *textwrap.wrap(view.sentence, _WIDTH),
        "",
        heads + f"{'asked':<{_ASKED}}evidence",
        *(_row(one.id, reports) for one in first),
        *(["", "the same on all:"] if first and rest else []),
        *(_row(one.id, reports) for one in rest),
        *(["", *view.skipped] if view.skipped else []),
        *_changes(view),
        *(f"{'page':<{_NAME}}{page}" for page in pages),
    ]


def _row(probe_id: str, reports: Sequence[ProbeReport]) -> str:
    results = [report.result(probe_id) for report in reports]
    words = "".join(f"{(NOT_RUN if one is None else one.outcome.value):<{_CLASS}}" for one in results)
    told = [one.evidence for one in results if one is not None and one.outcome in _TROUBLE]
    there = [one.evidence for one in results if one is not None]
    times = f"{max(one.trials for one in results if one is not None)}x"
    line = f"{probe_id:<{_NAME}}{words}{times:<{_ASKED}}{one_line((told or there or [''])[0], _WIDTH)}"
    apart = difference_of(probe_id, reports) if len(reports) > 1 else ""
    line += f" [{apart}]" if apart and apart != "another class" else ""
    return one_line_cut(line)


def one_line_cut(line: str) -> str:
    """Keep a row's columns, cut to the width of a row."""
    limit = _WIDTH + 20
    return line if len(line) <= limit else f"{line[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"


def _asked_by(change: ChangeView) -> str:
    return f"{change.side}: {', '.join(probe for probe, _ in change.probes)}"


def _changes(view: ProbesView) -> Iterator[str]:
    if not view.changes:
        return
    yield ""
    yield "what your code must change:"
    for change in view.changes[:_MOST_CHANGES]:
        yield from textwrap.wrap(
            f"{change.text} ({_asked_by(change)})", _WIDTH, initial_indent="- ", subsequent_indent="  "
        )
    if len(view.changes) > _MOST_CHANGES:
        yield f"- and {len(view.changes) - _MOST_CHANGES} more in the page"

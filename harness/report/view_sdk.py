"""What an application on the official SDK would have had of a prompt's first response: as text."""

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.results.case import Side
from harness.analysis.sdkrows import HELPER, PLAIN
from harness.decode.sdk_view import SdkView
from harness.model.record import Answer, Arm, Record, RequestKey
from harness.report import format as fmt
from harness.report.page import Cell, Column, Table, Tone
from harness.report.untrusted import one_line

_SHOWN = 300  # characters of a text
_CALL = 160
_TONES: Mapping[str, Tone] = {"answer": "plain", "empty": "warn", "exception": "warn", "crash": "bad"}
_AS_ON_THE_WIRE = "the answer as it came"


def sdk_tables(sides: Sequence[Side], names: Mapping[Arm, str]) -> Mapping[str, Table]:
    """Give a table per prompt whose first response was replayed; both ways of reading it share a row where alike."""
    rows: dict[str, list[tuple[Cell, ...]]] = {}
    for side in sides:
        records = {record.key: record for record in side.records if record.attempt == 1}
        for key in dict.fromkeys((*side.sdk_views, *side.sdk_helper_views)):
            rows.setdefault(key.prompt_id, []).extend(_rows(side, key, records.get(key), names))
    return {prompt_id: _table(found) for prompt_id, found in rows.items()}


def _table(rows: Sequence[tuple[Cell, ...]]) -> Table:
    return Table(
        caption="The first response through OpenAI's SDK",
        columns=tuple(Column(title=title, is_number=False) for title in ("side", "read with", "outcome", "it gives")),
        rows=tuple(rows),
    )


def _rows(side: Side, key: RequestKey, record: Record | None, names: Mapping[Arm, str]) -> Iterator[tuple[Cell, ...]]:
    ways = {PLAIN: side.sdk_views.get(key), HELPER: side.sdk_helper_views.get(key)}
    found = {way: view for way, view in ways.items() if view is not None}
    together = len(found) > 1 and ways[PLAIN] == ways[HELPER]
    for way, view in list(found.items())[: 1 if together else None]:
        yield (
            Cell(text=names.get(side.arm, side.arm.value)),
            Cell(text=" and ".join(found) if together else way),
            Cell(text=view.outcome, tone=_TONES[view.outcome]),
            _given(view, record.answer if record else Answer()),
        )


def _given(view: SdkView, answer: Answer) -> Cell:
    raised = f"{view.exception_type}: {view.exception_message}" if view.exception_type else ""
    came = one_line(raised, _SHOWN)
    calls = [f"{call.name or '(no name)'}({call.arguments})" for call in view.tool_calls]
    if not raised and view.outcome == "answer" and _is_as_on_the_wire(view, answer):
        return Cell(text=_AS_ON_THE_WIRE, tone="muted")
    parts = [one_line(part, limit) for part, limit in [(view.text, _SHOWN), *((call, _CALL) for call in calls)] if part]
    return Cell(text="; ".join(parts) or fmt.DASH, detail=came) if parts else Cell(text=came or fmt.DASH)


def _is_as_on_the_wire(view: SdkView, answer: Answer) -> bool:
    ours = [(call.name, call.arguments) for call in answer.tool_calls]
    return view.text == answer.text and [(call.name, call.arguments) for call in view.tool_calls] == ours

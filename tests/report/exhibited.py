"""Cases with what a page shows beside the analysis: instants and bytes of single requests, unlike bodies."""

import json
from dataclasses import replace
from functools import cache

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Side
from harness.analysis.results.trial import Trial
from harness.decode.sdk_view import SdkView
from harness.model.record import Arrivals, Record, Stamps
from harness.report.chosen import chosen_requests
from harness.report.exhibits import Exchange, Exhibits, FieldDifference, cut_response
from harness.report.page import ReportView
from harness.report.view import build_view
from tests.report.cases import CASES, HOSTILE, hostile, large
from tests.report.sample import RUN_ID, catalog, header, known

MS = 1_000_000
LONG_LINE = HOSTILE + "x" * 1_000_000


def timed(analysis: Analysis, n_events: int = 40) -> Analysis:
    """Give every record a stream: head after 5 ms, an event each 10 ms from 100 ms on, the end 1 ms after the last."""
    case = analysis.case
    candidate = None if case.candidate is None else _timed_side(case.candidate, n_events)
    return replace(analysis, case=replace(case, reference=_timed_side(case.reference, n_events), candidate=candidate))


def _timed_side(side: Side, n_events: int) -> Side:
    records = tuple(_timed(record, n_events) for record in side.records)
    first = records[0]
    view = SdkView(outcome="answer", text=first.answer.text, tool_calls=first.answer.tool_calls)
    raised = SdkView(outcome="crash", exception_type="TypeError", exception_message=HOSTILE)
    return replace(side, records=records, sdk_views={first.key: view}, sdk_helper_views={first.key: raised})


def _timed(record: Record, n_events: int) -> Record:
    at_ns = tuple((100 + 10 * n) * MS for n in range(n_events))
    stamps = Stamps(
        intended_at_ns=-MS,
        sent_at_ns=0,
        headers_at_ns=5 * MS,
        event_1_at_ns=90 * MS,
        token_1_at_ns=at_ns[0],
        answer_1_at_ns=at_ns[0],
        token_n_at_ns=at_ns[-1],
        ended_at_ns=at_ns[-1] + MS,
    )
    ones = (1,) * n_events
    zeros = (0,) * n_events
    arrivals = Arrivals(
        at_ns=at_ns, read=tuple(range(n_events)), content_chars=ones, reasoning_chars=zeros, tool_chars=zeros
    )
    return replace(record, stamps=stamps, arrivals=arrivals)


def exhibits_of(analysis: Analysis, body: str, wire: bytes) -> Exhibits:
    """Give every chosen request the same bytes."""
    head, tail = cut_response(wire)
    exchange = Exchange(
        address="POST https://h100.example/v1/chat/completions", body=body, head=head, tail=tail, n_bytes=len(wire)
    )
    declared = FieldDifference(
        path="model", reference='"a"', candidate='"b"', is_declared=True, prompts=tuple(_prompt_ids(analysis))
    )
    undeclared = FieldDifference(
        path="temperature",
        reference="0",
        candidate="not sent",
        is_declared=False,
        prompts=tuple(_prompt_ids(analysis)[:1]),
    )
    return Exhibits(
        exchanges={chosen.key: exchange for chosen in chosen_requests(analysis).values()},
        differences=None if analysis.case.candidate is None else (undeclared, declared),
        folders=("elsewhere/my runs/" + RUN_ID,),
    )


def _prompt_ids(analysis: Analysis) -> list[str]:
    return [row.prompt_id for row in analysis.prompts]


@cache
def exhibited_view(case: str) -> ReportView:
    """Give a case's view with everything that a command adds."""
    if case == "hostile":
        return _view(timed(_long_line(hostile())), LONG_LINE, LONG_LINE.encode("utf-8", "surrogatepass"))
    chunk = json.dumps({"choices": [{"delta": {"content": "4"}}]})
    events = f"data: {chunk}\n\n" * 3 + "data: [DONE]\n\n"
    wire = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{events}".encode()
    return _view(timed(_partly_alike(CASES[case]())), json.dumps({"model": "a", "stream": True}, indent=1), wire)


def _partly_alike(analysis: Analysis) -> Analysis:
    """Let the sides agree on every third prompt as the reference does with itself: not all are flagged."""
    rows = tuple(
        row if place % 3 else replace(row, cross_agreement=row.reference.self_agreement)
        for place, row in enumerate(analysis.prompts)
    )
    return replace(analysis, prompts=rows)


def _view(analysis: Analysis, body: str, wire: bytes) -> ReportView:
    return build_view(analysis, header(), catalog(), None, exhibits_of(analysis, body, wire))


def _long_line(analysis: Analysis) -> Analysis:
    """Let one answer be a line of a megabyte."""
    candidate = analysis.case.candidate
    if candidate is None:
        raise LookupError("hostile")
    first, *others = candidate.records
    first = replace(first, answer=replace(first.answer, text=LONG_LINE))
    return replace(analysis, case=replace(analysis.case, candidate=replace(candidate, records=(first, *others))))


def largest_view() -> ReportView:
    """Give 50 prompts, 10 repeats, both sides: long and different answers, streams of 600 events, 60 kB responses."""
    found = timed(large(), n_events=600)
    sides = (found.case.reference, found.case.candidate)
    trials = tuple(
        Trial(
            key=record.key,
            block=0,
            run_id=RUN_ID,
            is_judged=True,
            failure=None,
            task_success=None,
            metrics={"e2e": known(1.0 + record.key.repeat / 100)},
        )
        for side in sides
        if side is not None
        for record in side.records
    )
    chunk = json.dumps({"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": "語 and"}}]})
    wire = f"data: {chunk}\n\n".encode() * 700
    body = json.dumps({"messages": [{"role": "user", "content": "word " * 1_500}]}, indent=1)
    return _view(replace(found, trials=trials), body, wire)

"""The page of a probing as text, from probe folders: differences first."""

from collections import Counter
from collections.abc import Iterator, Sequence

from harness.model.probe import ErrorFacts, ProbeClass, ProbeExchange, ProbeReport, ProbeResult
from harness.model.probestorage import StoredProbing
from harness.report import format as fmt
from harness.report.page import Cell, Column, Fact, Section, SideLabel, Table, Tone
from harness.report.probepage import ChangeView, EvidenceView, ExchangeView, ProbesView
from harness.report.untrusted import excerpt, one_line, visible
from harness.report.view_tls import tls_facts_of

TONES: dict[ProbeClass, Tone] = {
    ProbeClass.SUPPORTED: "good",
    ProbeClass.IGNORED: "bad",
    ProbeClass.REJECTED: "warn",
    ProbeClass.BROKEN: "bad",
    ProbeClass.ACCEPTED: "plain",
    ProbeClass.INCONCLUSIVE: "muted",
}
NOT_RUN = "not run"
_MEANINGS = {
    ProbeClass.SUPPORTED: "answered 200, and the effect was seen",
    ProbeClass.IGNORED: "answered 200, and an effect that must be visible was absent",
    ProbeClass.REJECTED: "answered 4xx, where the same request without the feature got 2xx",
    ProbeClass.BROKEN: "5xx, a hang, something malformed, or a wrong effect",
    ProbeClass.ACCEPTED: "answered 200; no effect can be seen from outside",
    ProbeClass.INCONCLUSIVE: "the control failed, or it hangs on the model's will after all trials",
}
_REQUEST_LIMIT, _RESPONSE_LIMIT, _LINE = 1_200, 1_600, 240
_NOT_COMPARED = frozenset({"model"})  # two endpoints name theirs as they like
_NO_PLACE = {"none": "the request was served", "transport": "no HTTP answer"}


def build_probes_view(probings: Sequence[StoredProbing]) -> ProbesView:
    """Say everything that the page says; pure but for reading the raw evidence."""
    reports = [probing.report for probing in probings]
    sides = tuple(_side(report) for report in reports)
    changes = tuple(_changes(reports))
    differences = _differences(reports) if len(reports) > 1 else None
    errors = error_table(reports)
    return ProbesView(
        title=" and ".join(side.name for side in sides),
        sentence=_sentence(reports, differences),
        tone=_tone(reports),
        sections=_sections(differences, errors, changes),
        sides=sides,
        facts=(*tls_facts_of([probing.report.endpoint for probing in probings]), *_facts(probings)),
        summary=_summary(reports),
        differences=differences,
        groups=tuple(_groups(reports)),
        errors=errors,
        changes=changes,
        skipped=tuple(_skipped(reports)),
        evidence=tuple(_evidence(probings)),
    )


def _side(report: ProbeReport) -> SideLabel:
    return SideLabel(
        arm="",
        name=visible(name_of(report)),
        model=one_line(str(report.endpoint.get("model", "model not named"))),
        base_url=one_line(str(report.endpoint.get("base_url", ""))),
    )


def name_of(report: ProbeReport) -> str:
    """Give the endpoint's name."""
    return str(report.endpoint.get("name", "unnamed"))


def _sections(differences: Table | None, errors: Table | None, changes: Sequence[ChangeView]) -> tuple[Section, ...]:
    found = (
        Section(id="summary", title="Summary"),
        Section(id="differences", title="Differences", badge=str(len(differences.rows))) if differences else None,
        Section(id="changes", title="What your code must change", badge=str(len(changes))),
        Section(id="probes", title="Probes"),
        Section(id="errors", title="Error contract") if errors else None,
        Section(id="evidence", title="Raw evidence"),
    )
    return tuple(section for section in found if section is not None)


def _sentence(reports: Sequence[ProbeReport], differences: Table | None) -> str:
    parts = []
    for report in reports:
        counts = Counter(result.outcome for result in report.results)
        told = ", ".join(f"{counts[kind]} {kind}" for kind in ProbeClass if counts[kind]) or "nothing was probed"
        parts.append(f"{visible(name_of(report))}: {told}")
    tail = "" if differences is None else f" They differ in {fmt.count(len(differences.rows))} of the probes."
    return f"{'. '.join(parts)}.{tail}"


def _tone(reports: Sequence[ProbeReport]) -> Tone:
    found = {result.outcome for report in reports for result in report.results}
    if found & {ProbeClass.IGNORED, ProbeClass.BROKEN}:
        return "bad"
    return "warn" if ProbeClass.REJECTED in found else "good"


def _facts(probings: Sequence[StoredProbing]) -> tuple[Fact, ...]:
    per_side = [
        ("requests", [fmt.count(len(probing.exchanges)) for probing in probings]),
        ("context window", [_window(probing.report) for probing in probings]),
        ("probed", [fmt.moment(probing.report.started_at) for probing in probings]),
        ("raw evidence", [visible(str(probing.folder)) for probing in probings]),
    ]
    return tuple(Fact(label=label, value=" / ".join(dict.fromkeys(values))) for label, values in per_side)


def _window(report: ProbeReport) -> str:
    return "not known" if report.context_window is None else f"{fmt.count(report.context_window)} tokens"


def _summary(reports: Sequence[ProbeReport]) -> Table:
    counts = [Counter(result.outcome for result in report.results) for report in reports]
    return Table(
        caption="Probes by class",
        columns=(Column(title="", is_number=False), *(Column(title=visible(name_of(one))) for one in reports)),
        rows=tuple(
            (
                Cell(text=kind.value, detail=_MEANINGS[kind]),
                *(Cell(text=fmt.count(one[kind]), tone=TONES[kind] if one[kind] else "muted") for one in counts),
            )
            for kind in ProbeClass
        ),
        notes=(
            "Ignored is the class to fear: no error tells your code that the feature is gone.",
            "“The model's choice”: another model may do otherwise; trials say how often it was asked.",
        ),
    )


def all_probes(reports: Sequence[ProbeReport]) -> list[ProbeResult]:
    """Give one result per probe that any endpoint has, in the catalogue's order."""
    found = {result.id: result for report in reversed(reports) for result in report.results}
    return sorted(found.values(), key=lambda result: (result.number, result.id))


def differing(reports: Sequence[ProbeReport]) -> list[ProbeResult]:
    """Give the probes of which two endpoints show something else, another class first."""
    rows = [one for one in all_probes(reports) if difference_of(one.id, reports)]
    return sorted(rows, key=lambda one: len({_word(report.result(one.id)) for report in reports}) == 1)


def difference_of(probe_id: str, reports: Sequence[ProbeReport]) -> str:
    """Say in what the endpoints differ; empty where they do not."""
    results = [report.result(probe_id) for report in reports]
    if len({_word(result) for result in results}) > 1:
        return "another class"
    there = [result for result in results if result is not None]
    if len({(result.status, result.code) for result in there}) > 1:
        return "another error"
    names = dict.fromkeys(name for result in there for name in result.facts if name not in _NOT_COMPARED)
    return ", ".join(name for name in names if len({repr(result.facts.get(name)) for result in there}) > 1)


def _word(result: ProbeResult | None) -> str:
    return NOT_RUN if result is None else result.outcome.value


def _differences(reports: Sequence[ProbeReport]) -> Table:
    rows = tuple(
        (
            Cell(text=one.id, detail=difference_of(one.id, reports)),
            *(_result_cell(report.result(one.id), one.id, reports) for report in reports),
        )
        for one in differing(reports)
    )
    return Table(
        caption="Where the endpoints differ" if rows else "No probe shows a difference",
        columns=_columns(reports),
        rows=rows,
    )


def _columns(reports: Sequence[ProbeReport]) -> tuple[Column, ...]:
    names = (Column(title=visible(name_of(report)), is_number=False) for report in reports)
    return (Column(title="probe", is_number=False), *names)


def _result_cell(result: ProbeResult | None, probe_id: str, reports: Sequence[ProbeReport]) -> Cell:
    """Give a class with its evidence, and of the facts only those that the endpoints do not share."""
    if result is None:
        return Cell(text=NOT_RUN, detail=_why_not(probe_id, reports), tone="muted")
    others = [report.result(probe_id) for report in reports]
    apart = [
        f"{name} {value}"
        for name, value in result.facts.items()
        if name not in _NOT_COMPARED
        and f"{name} {value}" not in result.evidence
        and len({repr(one.facts.get(name)) for one in others if one is not None}) > 1
    ]
    return Cell(
        text=result.outcome.value,
        detail=one_line(" · ".join((_evidence_line(result), *apart)), _LINE),
        tone=TONES[result.outcome],
    )


def _why_not(probe_id: str, reports: Sequence[ProbeReport]) -> str:
    return next((report.skipped[probe_id] for report in reports if probe_id in report.skipped), "")


def _evidence_line(result: ProbeResult) -> str:
    """Say where another model may do otherwise, and how often it was asked; a refusal is no model's choice."""
    if not result.needs_model or result.outcome is ProbeClass.REJECTED:
        return result.evidence
    is_told = result.trials == 1 or f"{result.trials} trials" in result.evidence
    return f"{result.evidence} (the model's choice{'' if is_told else f', {result.trials} trials'})"


def _groups(reports: Sequence[ProbeReport]) -> Iterator[Table]:
    everything = all_probes(reports)
    for group in dict.fromkeys(one.group for one in everything):
        yield Table(
            caption=group,
            columns=_columns(reports),
            rows=tuple(
                (
                    Cell(text=f"{one.number} {one.id}", detail=one_line(one.question, _LINE)),
                    *(_plain_cell(report.result(one.id), one.id, report) for report in reports),
                )
                for one in everything
                if one.group == group
            ),
        )


def _plain_cell(result: ProbeResult | None, probe_id: str, report: ProbeReport) -> Cell:
    if result is None:
        return Cell(text=NOT_RUN, detail=one_line(report.skipped.get(probe_id, ""), _LINE), tone="muted")
    notes = (f"note: {note}" for note in result.notes)
    detail = one_line(" · ".join((_evidence_line(result), *notes)), 2 * _LINE)
    return Cell(text=result.outcome.value, detail=detail, tone=TONES[result.outcome])


def error_table(reports: Sequence[ProbeReport]) -> Table | None:
    """Lay the answers to requests that must fail beside each other; None where none was asked."""
    facts = [{error.case: error for result in report.results for error in result.errors} for report in reports]
    cases = list(dict.fromkeys(case for found in facts for case in found))
    if not cases:
        return None
    return Table(
        caption="How requests that must fail do",
        columns=(Column(title="case", is_number=False), *_columns(reports)[1:]),
        rows=tuple(_error_row(case, [found.get(case) for found in facts]) for case in cases),
        notes=("Code that branches on a status, a type or a code must be read against this table.",),
    )


def _error_row(case: str, errors: Sequence[ErrorFacts | None]) -> tuple[Cell, ...]:
    keys = {_contract(error) for error in errors}
    cells = (_error_cell(error, differs=len(keys) > 1) for error in errors)
    return (Cell(text=case.replace("_", " "), detail="differs" if len(keys) > 1 else ""), *cells)


def _contract(error: ErrorFacts | None) -> tuple[object, ...]:
    """What code may branch on; messages are for people."""
    if error is None:
        return (None,)
    return (error.status, error.shape, error.error_type, error.code, error.param, error.place, *sorted(error.headers))


def _error_cell(error: ErrorFacts | None, *, differs: bool) -> Cell:
    if error is None:
        return Cell(text=fmt.DASH, tone="muted")
    head = _NO_PLACE.get(error.place) or f"{error.status} {error.shape or ''}".strip()
    where = ["inside the stream"] if error.place == "stream" else []
    named = [f"{name} {value}" for name, value in (("type", error.error_type), ("code", error.code)) if value]
    param = [f"param {error.param}"] if error.param else []
    headers = [f"headers {', '.join(sorted(error.headers))}"] if error.headers else []
    message = [f'"{error.message}"'] if error.message else []
    detail = one_line(" · ".join((*where, *named, *param, *headers, *message)), _LINE)
    return Cell(text=one_line(head), detail=detail, tone="warn" if differs else "plain")


def _changes(reports: Sequence[ProbeReport]) -> Iterator[ChangeView]:
    """What only a later endpoint asks for comes first: code that runs on the first one lives with the rest."""
    asking: dict[tuple[int, str, str], list[int]] = {}
    for position, report in enumerate(reports):
        for result in report.results:
            if result.change:
                asking.setdefault((result.number, result.id, result.change), []).append(position)
    merged: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for (_, probe, change), positions in sorted(asking.items(), key=lambda item: (0 in item[1], item[0])):
        merged.setdefault((change, tuple(positions)), []).append(probe)
    for (change, places), probes in merged.items():
        yield ChangeView(
            side=" and ".join(visible(name_of(reports[place])) for place in places),
            probes=tuple((probe, _anchor(places[0], probe)) for probe in probes),
            text=one_line(change, 2 * _LINE),
        )


def _anchor(position: int, probe_id: str) -> str:
    return f"evidence-{position}-{probe_id}"


def _skipped(reports: Sequence[ProbeReport]) -> Iterator[str]:
    for report in reports:
        if report.stopped is not None:
            yield one_line(f"{name_of(report)}: the rest was not run, it cannot be reached: {report.stopped}", _LINE)
        for probe, reason in report.skipped.items():
            yield one_line(f"{name_of(report)}: {probe} was not run: {reason}", _LINE)


def _evidence(probings: Sequence[StoredProbing]) -> Iterator[EvidenceView]:
    for position, probing in enumerate(probings):
        for result in sorted(probing.report.results, key=lambda one: one.number):
            asked = [probing.exchanges[line] for line in result.exchanges if line < len(probing.exchanges)]
            yield EvidenceView(
                anchor=_anchor(position, result.id),
                title=f"{result.number} {result.id}",
                side=visible(name_of(probing.report)),
                word=result.outcome.value,
                tone=TONES[result.outcome],
                exchanges=tuple(_exchange(probing, exchange) for exchange in asked),
            )


def _exchange(probing: StoredProbing, exchange: ProbeExchange) -> ExchangeView:
    attempt = exchange.attempt
    kind = "control" if exchange.is_control else "variant"
    failed = f", {attempt.failure.kind}: {attempt.failure.message}" if attempt.failure else ""
    ended = fmt.DASH if attempt.status is None else str(attempt.status)
    asked = f"{exchange.method} {exchange.target}" + (f"\n{exchange.body}" if exchange.body else "")
    # A megabyte of evidence stays in its folder: only what the page shows is decoded.
    answered = probing.wire(exchange).decode("utf-8", "replace")
    return ExchangeView(
        title=one_line(f"{exchange.label} ({kind}, trial {exchange.trial + 1}): {ended}{failed}", _LINE),
        asked=excerpt(asked, _REQUEST_LIMIT),
        answered=excerpt(answered, _RESPONSE_LIMIT),
    )

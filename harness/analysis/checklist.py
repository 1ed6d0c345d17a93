"""The cut-over checklist: each item done, not done or failed, from evidence, with the command that would do it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from harness.analysis.findingrows import LATE_READING
from harness.analysis.latencies import time_to_first_token
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Case, Side
from harness.analysis.results.instrument import VOID_FIGURE
from harness.analysis.results.judgement import Verdict
from harness.analysis.results.timeouts import LimitKind, SizedLimit
from harness.analysis.results.tokens import Economics
from harness.analysis.timeoutsizing import CAP_FACTOR
from harness.analysis.words import count_of, listed
from harness.model.endpoint import Timeouts
from harness.model.probe import ProbeClass, ProbeReport, ProbeResult
from harness.model.record import Arm, FindingKind, Record

_CORE = frozenset({"models", "chat", "stream"})
_BAD = (ProbeClass.REJECTED, ProbeClass.IGNORED, ProbeClass.BROKEN)
_FINDINGS = 12
_NAMED = 6
_VOID_WAITS = f"{VOID_FIGURE[:1].upper()}{VOID_FIGURE[1:]} in this run"
_STALE_DAYS = 30  # a provider may have changed since


class State(StrEnum):
    """How far an item is."""

    DONE = "done"
    NOT_DONE = "not done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the checklist."""

    id: str
    title: str
    state: State
    evidence: str
    command: str = ""  # what would do it, or do it again; empty where nothing is left to do


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What the checklist knows beside the run."""

    file: str  # the endpoint file to name in commands
    reference_file: str
    needed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # probe id: the prompts that need it
    unpinned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # parameter: the prompts without it
    probes: ProbeReport | None = None  # of the endpoint to move to
    reference_probes: ProbeReport | None = None
    probes_source: str = ""  # their folder
    days: Mapping[str, str] = field(default_factory=dict)  # probe id: the day on which it was asked, ISO 8601
    run_day: str = ""  # on which the run began


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """All items about the endpoint to move to, and what the application's code must change."""

    name: str
    items: tuple[Item, ...]
    changes: tuple[str, ...]
    source: str  # where the probes come from


def cutover_checklist(analysis: Analysis, prior: Prior) -> Checklist:
    """Go through every item; pure."""
    side = analysis.case.candidate or analysis.case.reference
    items = (
        _completion(side, prior),
        _stream(side, prior),
        _tool_call(side, prior, analysis.case),
        _model(side),
        _sampling(prior, analysis.case),
        _usage(analysis, side, prior),
        _features(prior),
        _golden(analysis, prior),
        _timeouts(analysis, side, prior),
    )
    source = f"{prior.probes_source}{_age(prior)}" if prior.probes else "no probe folder of this endpoint was found"
    return Checklist(name=side.name, items=items, changes=tuple(_changes(analysis, side, prior)), source=source)


def _asked_on(prior: Prior, probe_id: str) -> str:
    """Say on which day a probe was asked, and that it is stale where that is long before the run."""
    day = prior.days.get(probe_id)
    if day is None:
        return ""
    n_days = _days_before(prior, day)
    is_stale = n_days is not None and n_days > _STALE_DAYS
    return f" (probed on {day}{f', {n_days} days before the run: stale, probe again' if is_stale else ''})"


def _days_before(prior: Prior, day: str) -> int | None:
    return (date.fromisoformat(prior.run_day) - date.fromisoformat(day)).days if prior.run_day else None


def _is_stale(prior: Prior, probe_id: str) -> bool:
    day = prior.days.get(probe_id)
    return day is not None and (_days_before(prior, day) or 0) > _STALE_DAYS


def _age(prior: Prior) -> str:
    """Say from when to when the probes are, and how many of them are stale."""
    days = sorted(set(prior.days.values()))
    if not days:
        return ""
    n_stale = sum(_is_stale(prior, probe) for probe in prior.days)
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    stale = f"; {n_stale} of {len(prior.days)} more than {_STALE_DAYS} days before the run: stale, probe again"
    return f", probed {span}{stale if n_stale else ''}"


def _completion(side: Side, prior: Prior) -> Item:
    whole = [record for record in side.records if not record.key.is_streamed]
    return _smoke("completion", "Smoke test: one completion", whole, _probed(prior, "chat"), prior)


def _stream(side: Side, prior: Prior) -> Item:
    streamed = [record for record in side.records if record.key.is_streamed]
    served = [record for record in streamed if record.was_streamed or record.failure is not None]
    return _smoke("stream", "Smoke test: one stream", served, _probed(prior, "stream"), prior)


def _tool_call(side: Side, prior: Prior, case: Case) -> Item:
    """Count what came with a call, and what failed where one could have come."""
    with_tools = {prompt.id for prompt in case.golden.prompts if prompt.request.get("tools")}
    calls = [
        record
        for record in side.records
        if record.answer.tool_calls or (record.failure is not None and record.key.prompt_id in with_tools)
    ]
    probed = _probed(prior, "tool_auto")
    return _smoke("tool_call", "Smoke test: one tool call", calls, probed, prior, "an answer with a tool call")


def _probed(prior: Prior, probe_id: str) -> ProbeResult | None:
    return prior.probes.result(probe_id) if prior.probes else None


def _smoke(
    item: str, title: str, records: Sequence[Record], probed: ProbeResult | None, prior: Prior, noun: str = "an answer"
) -> Item:
    """Take the run's own requests first: they are the application's; then the probe."""
    right = sum(record.failure is None for record in records)
    command = f"bench probe {prior.file} --probe chat --probe stream --probe tool_auto"
    if right:
        state, evidence, command = State.DONE, f"{right} of {count_of(len(records), 'request')} of the run", ""
    elif records:
        beside = f"; {_told(prior, probed)}" if probed is not None else ""
        state, evidence = State.FAILED, f"none of {count_of(len(records), 'request')} of the run succeeded{beside}"
    elif probed is not None and probed.outcome is ProbeClass.SUPPORTED and not _is_stale(prior, probed.id):
        state, evidence, command = State.DONE, _told(prior, probed), ""
    elif probed is not None:
        state = State.FAILED if probed.outcome in _BAD else State.NOT_DONE  # accepted or uncertain shows nothing
        evidence = _told(prior, probed)
    else:
        state, evidence = State.NOT_DONE, f"neither the run nor a probe shows {noun}"
    return Item(id=item, title=title, state=state, evidence=evidence, command=command)


def _told(prior: Prior, probed: ProbeResult) -> str:
    return f"probe {probed.id} is {probed.outcome}: {probed.evidence}{_asked_on(prior, probed.id)}"


def _model(side: Side) -> Item:
    asked = str(side.endpoint.get("model", ""))
    reported = {record.model_reported for record in side.records if record.model_reported}
    others = sorted(reported - {asked})
    told = f"every request of the run takes {asked!r} from the endpoint file; no prompt names a model"
    answered = f", and the answers call it {listed(others[:_NAMED])}" if others else ""
    return Item(
        id="model",
        title="The model is one configuration value",
        state=State.DONE if asked else State.FAILED,
        evidence=f"{told}{answered}. Search your own code for the old name",
    )


def _sampling(prior: Prior, case: Case) -> Item:
    title = "All sampling is pinned"
    if not prior.unpinned:
        n = count_of(len(case.golden.prompts), "prompt")
        return Item(id="sampling", title=title, state=State.DONE, evidence=f"temperature, top_p and a length in {n}")
    named = [f"{name} in {count_of(len(ids), 'prompt')}" for name, ids in prior.unpinned.items()]
    pins = ", ".join(f"{name}: ..." for name in prior.unpinned)
    return Item(
        id="sampling",
        title=title,
        state=State.NOT_DONE,
        evidence=f"left to the server's default: {listed(named)}",
        command=f"write sampling: {{{pins}}} into {prior.file}",
    )


def _usage(analysis: Analysis, side: Side, prior: Prior) -> Item:
    title = "Usage is the server's, not an estimate of the client"
    found = next((one for one in analysis.economics if one.arm is side.arm), None)
    command = f"bench probe {prior.file} --probe stream_usage --probe usage_agreement"
    if found is None or not found.n_successes:
        return Item(
            id="usage",
            title=title,
            state=State.NOT_DONE,
            evidence="no answer of the run could hold any",
            command=command,
        )
    missing = found.n_no_usage + found.n_zero_usage
    agreement = _probed(prior, "usage_agreement")
    if missing or (agreement is not None and agreement.outcome is ProbeClass.BROKEN):
        evidence = _usage_words(found, agreement)
        return Item(id="usage", title=title, state=State.FAILED, evidence=evidence, command=command)
    told = f"token counts came with all {count_of(found.n_successes, 'answer')}"
    return Item(id="usage", title=title, state=State.DONE, evidence=told)


def _usage_words(found: Economics, agreement: ProbeResult | None) -> str:
    parts = [
        f"{count_of(found.n_no_usage, 'answer')} without a token count" if found.n_no_usage else "",
        f"{count_of(found.n_zero_usage, 'answer')} with a count of zero" if found.n_zero_usage else "",
        f"usage_agreement: {agreement.evidence}" if agreement and agreement.outcome is ProbeClass.BROKEN else "",
    ]
    return "; ".join(part for part in parts if part)


def _features(prior: Prior) -> Item:
    title = "Each non-core feature in use is probed and recorded"
    needed = [probe for probe in prior.needed if probe not in _CORE]
    shown = {probe: _probed(prior, probe) for probe in needed}
    bad = [
        f"{probe} {one.outcome}{_asked_on(prior, probe)}"
        for probe, one in shown.items()
        if one is not None and one.outcome in _BAD
    ]
    unknown = [probe for probe, one in shown.items() if one is None]
    words = "".join(f" --probe {probe}" for probe in unknown or needed)
    command = f"bench probe {prior.file}{words}"
    if bad:
        return Item(id="features", title=title, state=State.FAILED, evidence="; ".join(bad), command=command)
    if unknown:
        told = f"in use and not probed: {', '.join(unknown)}"
        return Item(id="features", title=title, state=State.NOT_DONE, evidence=told, command=command)
    open_ones = [
        f"{one.id} {one.outcome}{_asked_on(prior, one.id)}"
        for one in shown.values()
        if one and (one.outcome is ProbeClass.INCONCLUSIVE or _is_stale(prior, one.id))
    ]
    told = (
        f"{count_of(len(needed), 'feature')} in use, all probed{_span(prior, needed)}"
        if needed
        else "the set uses none"
    )
    return Item(
        id="features",
        title=title,
        state=State.NOT_DONE if open_ones else State.DONE,
        evidence=f"{told}; open: {', '.join(open_ones)}" if open_ones else told,
        command=command if open_ones else "",
    )


def _span(prior: Prior, probes: Sequence[str]) -> str:
    days = sorted({prior.days[probe] for probe in probes if probe in prior.days})
    return f" ({days[0] if len(days) == 1 else f'{days[0]} to {days[-1]}'})" if days else ""


_VERDICT_STATES = {Verdict.PASS: State.DONE, Verdict.FAIL: State.FAILED}


def _golden(analysis: Analysis, prior: Prior) -> Item:
    title = "Golden prompts are compared"
    command = f"bench compare {prior.reference_file} {prior.file}"
    if analysis.judgement is None:
        told = "one endpoint was measured; nothing was compared"
        return Item(id="golden", title=title, state=State.NOT_DONE, evidence=told, command=command)
    verdict = analysis.judgement.verdict
    state = _VERDICT_STATES.get(verdict, State.NOT_DONE)
    told = f"{verdict}: {analysis.judgement.sentence}"
    return Item(id="golden", title=title, state=state, evidence=told, command="" if state is State.DONE else command)


def _timeouts(analysis: Analysis, side: Side, prior: Prior) -> Item:
    """Hold the stated limits against the measured profile; a wake is only seen by who lets the endpoint fall asleep."""
    told = _VOID_WAITS if analysis.certificate.is_void else _waits(side.records)
    sized = next((one for one in analysis.timeouts if one.arm is side.arm), None)
    cap, first = _section(side, "cold").get("cap_s"), _stated(side, LimitKind.FIRST_OUTPUT)
    title = "Timeouts are sized, the cold path included"
    if isinstance(cap, int | float) and first is not None and cap > first:
        return Item(
            id="timeouts",
            title=title,
            state=State.FAILED,
            evidence=f"cold.cap_s is {cap:g} and timeouts.first_output_s {first:g}: a wake would be given up. {told}",
            command=f"write timeouts: {{first_output_s: {cap * CAP_FACTOR:g}}} into {prior.file}",
        )
    if sized is None or not sized.n_wakes:
        return _no_wake(side, prior, title, told)
    short = [limit for limit in sized.limits if _is_short(side, limit)]
    wakes = f"{count_of(sized.n_wakes, 'wake')} on record, the longest {sized.longest_wake.value or 0:.1f} s"
    if not short:
        return Item(id="timeouts", title=title, state=State.DONE, evidence=f"{wakes}; no stated limit is shorter")
    named = listed([f"{limit.kind}_s {_stated(side, limit.kind):g}" for limit in short])
    values = ", ".join(f"{limit.kind}_s: {limit.value.value:g}" for limit in short)
    return Item(
        id="timeouts",
        title=title,
        state=State.FAILED,
        evidence=f"shorter than the measured profile asks for: {named}. {wakes}",
        command=f"write timeouts: {{{values}}} into {prior.file}",
    )


def _no_wake(side: Side, prior: Prior, title: str, told: str) -> Item:
    idle = _section(side, "cold").get("idle_after_s")
    seconds_idle = f"{idle:g}" if isinstance(idle, int | float) else "900"
    return Item(
        id="timeouts",
        title=title,
        state=State.NOT_DONE,
        evidence=f"nobody has measured a wake of this endpoint. {told}",
        command=f"bench cold {prior.file} --idle {seconds_idle}",
    )


def _is_short(side: Side, limit: SizedLimit) -> bool:
    stated = _stated(side, limit.kind)
    return stated is not None and limit.value.value is not None and stated < limit.value.value


def _stated(side: Side, kind: LimitKind) -> float | None:
    """Give the limit that held in the run; a total that no file states was derived from each request's work."""
    defaults: Mapping[LimitKind, float] = {
        LimitKind.CONNECT: Timeouts().connect_s,
        LimitKind.FIRST_OUTPUT: Timeouts().first_output_s,
        LimitKind.IDLE: Timeouts().idle_s,
    }
    found = _section(side, "timeouts").get(f"{kind}_s", defaults.get(kind))
    return float(found) if isinstance(found, int | float) else None


def _section(side: Side, name: str) -> Mapping[str, object]:
    found = side.endpoint.get(name)
    return found if isinstance(found, Mapping) else {}


def _waits(records: Sequence[Record]) -> str:
    """Give the longest wait of a stream for its first output, warm and first contact apart.

    Without a stream the first output is the whole answer, which says how long it is, not when it began.
    """
    parts = []
    streamed = [record for record in records if record.was_streamed]
    for is_cold, words in ((False, "warm"), (True, "at first contact")):
        found = [time_to_first_token(record).value for record in streamed if record.is_possibly_cold is is_cold]
        waits = [wait for wait in found if wait is not None]
        if waits:
            parts.append(f"{max(waits):.2f} s {words}")
    return f"Longest wait of a stream for its first output: {' and '.join(parts)}" if parts else "No stream was timed"


def _changes(analysis: Analysis, side: Side, prior: Prior) -> Iterator[str]:
    """List what an application's code has to do otherwise, the declared differences first."""
    url, model = side.endpoint.get("base_url"), side.endpoint.get("model")
    yield f"Take base_url ({url}), key and model ({model}) from configuration."
    yield from _declared(_section(side, "params"))
    yield from _probe_changes(prior)
    yield from _error_changes(prior)
    if analysis.tokens is not None and analysis.tokens.guard:
        yield analysis.tokens.guard
    yield from _finding_changes(analysis, side)


def _declared(params: Mapping[str, object]) -> Iterator[str]:
    rename, drop, add = params.get("rename"), params.get("drop"), params.get("add")
    for old, new in rename.items() if isinstance(rename, Mapping) else ():
        yield f"Send `{new}` in place of `{old}`."
    for name in drop if isinstance(drop, Sequence) else ():
        yield f"Do not send `{name}`."
    for name, value in add.items() if isinstance(add, Mapping) else ():
        yield f"Send `{name}: {value}` with every request."


def _probe_changes(prior: Prior) -> Iterator[str]:
    """What is in use comes first."""
    results = [result for result in (prior.probes.results if prior.probes else ()) if result.change]
    for result in sorted(results, key=lambda one: (one.id not in prior.needed, one.number)):
        used = "" if result.id in prior.needed else " (not used by the golden set)"
        yield f"{result.change} {result.id} is {result.outcome}{used}: {result.evidence}{_asked_on(prior, result.id)}"


def _error_changes(prior: Prior) -> Iterator[str]:
    if prior.probes is None or prior.reference_probes is None:
        return
    before = {error.case: error for result in prior.reference_probes.results for error in result.errors}
    for error in (error for result in prior.probes.results for error in result.errors):
        old = before.get(error.case)
        if old is None:
            continue
        pairs = (
            ("status", old.status, error.status),
            ("shape", old.shape, error.shape),
            ("type", old.error_type, error.error_type),
            ("code", old.code, error.code),
            ("place", old.place, error.place),
        )
        apart = [f"{name} {new} instead of {was}" for name, was, new in pairs if was != new]
        if apart:
            yield f"Error handling, {error.case.replace('_', ' ')}: {', '.join(apart)}."


def _finding_changes(analysis: Analysis, side: Side) -> Iterator[str]:
    """Take the findings that only the new endpoint has: the code already lives with the others."""
    if side.arm is not Arm.CANDIDATE:
        return
    before = {row.kind for row in analysis.findings if row.arm is Arm.REFERENCE}
    new = [row for row in analysis.findings if row.arm is side.arm and row.kind not in before and row.advice]
    for row in new[:_FINDINGS]:
        if row.kind not in {FindingKind.MODEL_DIFFERS, LATE_READING}:
            yield f"{row.advice} ({row.kind}, {count_of(row.n_responses, 'response')})"

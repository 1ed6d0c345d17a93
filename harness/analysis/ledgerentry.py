"""Makes a run's line in the ledger from its analysis: the same run under the same definitions gives the same bytes."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from harness.analysis.cost import price_book
from harness.analysis.estimators import ESTIMATORS
from harness.analysis.intervals import wilson
from harness.analysis.load import side_loads
from harness.analysis.pairs import judged_trials
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Interval, Tail, Value
from harness.analysis.results.gate import Gate
from harness.analysis.results.instrument import TimingVerdict
from harness.analysis.results.judgement import Verdict
from harness.analysis.results.prompts import PromptRow, PromptSide
from harness.analysis.results.trial import Rung, Trial
from harness.analysis.validity import INVALID
from harness.analysis.values import known
from harness.model.digest import plan_sha256
from harness.model.ledger import (
    LedgerEntry,
    LedgerFigure,
    LedgerGate,
    LedgerPrompt,
    LedgerSide,
    comparable_digest,
)
from harness.model.record import Arm, RunHeader
from harness.model.vantage import vantage_of

TIMING_WORDS = {TimingVerdict.VALID: "valid", TimingVerdict.VOID: "VOID", TimingVerdict.UNKNOWN: "not known"}
QUANTILES = {
    "ttft_p50": ("ttft", 0.5),
    "ttft_p95": ("ttft", 0.95),
    "decode_p50": ("decode_rate", 0.5),
    "e2e_p50": ("e2e", 0.5),
}
_SPOKEN_QUERY = {"api-version", "api_version"}  # values that are no secrets
_ENDPOINT_PARTS = ("sampling", "params", "extra_body", "stream_usage", "timeouts")
_DIGITS = 12  # of the digest of headers


def ledger_entry(
    analysis: Analysis, headers: Mapping[Arm, RunHeader], *, n_requests: int, summary_sha256: str
) -> LedgerEntry:
    """Give the line of a run; `headers` are those of each side's run, `n_requests` the state of their data."""
    case = analysis.case
    main = headers[(case.candidate or case.reference).arm]
    parts = comparable_parts(case)
    judgement = analysis.judgement
    reasons = tuple(_reasons(analysis))
    return LedgerEntry(
        run_id=entry_id(case),
        n_requests=n_requests,
        started_at=main.started_at,
        kind="run" if case.candidate is None else "compare",
        golden_name=case.golden.name,
        golden_version=case.golden.version,
        golden_sha256=case.golden.sha256,
        plan_sha256=None if case.plan is None else plan_sha256(case.plan),
        comparable=comparable_digest(parts),
        parts=parts,
        definitions=ESTIMATORS,
        bench=_bench_version(main),
        vantage=vantage_of(main),
        sides=tuple(_side(analysis, side, headers[side.arm]) for side in _sides(case)),
        is_valid=not reasons,
        timing=TIMING_WORDS[analysis.certificate.verdict],
        reasons=(*reasons, *analysis.certificate.reasons),
        look=case.look,
        verdict=None if judgement is None else judgement.verdict.value,
        gates=() if judgement is None else tuple(map(_gate, judgement.gates)),
        summary_sha256=summary_sha256,
    )


def entry_id(case: Case) -> str:
    """Name an entry as its report: by its run, or by both where the sides come from two."""
    main = case.candidate or case.reference
    if case.reference.run_id == main.run_id:
        return main.run_id
    return f"{main.run_id}-against-{case.reference.run_id}"


def comparable_parts(case: Case) -> dict[str, str]:
    """Give all that must be alike for figures to stand in one series: margins and repeats need not."""
    parts = {
        "kind": "run" if case.candidate is None else "compare",
        "golden": case.golden.sha256,
        "definitions": ESTIMATORS,
    }
    for side in _sides(case):
        parts |= {f"{side.arm.value}.{name}": value for name, value in _side_parts(case, side).items()}
    return parts


def _side_parts(case: Case, side: Side) -> dict[str, str]:
    load = side_loads(case, side)[0]
    found = {
        **endpoint_parts(side.endpoint),
        "load": f"{load.arrival.value} {load.asked:g}" + (f", ramp {load.ramp_s:g} s" if load.ramp_s else ""),
    }
    if side.was_recorded_earlier:
        found["recorded"] = side.run_id  # the same figures each night: its own kind of series
    return found


def endpoint_parts(endpoint: Mapping[str, object]) -> dict[str, str]:
    """Give what must be alike of an endpoint as configured, which is known before anything is sent."""
    found = {"address": address_of(endpoint), "model": str(endpoint.get("model", ""))}
    prices = price_book(endpoint)
    if prices is not None:
        found["currency"] = prices.currency
    headers = endpoint.get("headers")
    if isinstance(headers, Mapping) and headers:
        found["headers"] = _headers_digest(headers)
    return found | {name: _part(endpoint[name]) for name in _ENDPOINT_PARTS if endpoint.get(name)}


def _headers_digest(headers: Mapping[str, str]) -> str:
    """Digest the headers as the endpoint file has them: references stay references, and what is written is not told."""
    lowered = {name.lower(): value for name, value in headers.items()}
    return hashlib.sha256(_part(lowered).encode()).hexdigest()[:_DIGITS]


def _part(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def address_of(endpoint: Mapping[str, object]) -> str:
    """Give where an endpoint was called: no credentials, and of a query the names only but for an API's version."""
    url = urlsplit(str(endpoint.get("base_url", "")))
    pairs = parse_qsl(url.query, keep_blank_values=True)
    query = "&".join(f"{name}={value if name.lower() in _SPOKEN_QUERY else '*'}" for name, value in pairs)
    place = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"
    return f"{place}?{query}" if query else place


def _sides(case: Case) -> tuple[Side, ...]:
    return (case.reference,) if case.candidate is None else (case.reference, case.candidate)


def _bench_version(header: RunHeader) -> str:
    packages = header.provenance.get("packages")
    return str(packages.get("bench-harness") or "") if isinstance(packages, dict) else ""


def _reasons(analysis: Analysis) -> Iterator[str]:
    """Give why no figure of it may enter a series."""
    case, judgement = analysis.case, analysis.judgement
    yield from (f"{side.arm.value}: {side.unfinished}" for side in _sides(case) if side.unfinished is not None)
    for side in _sides(case):
        if not judged_trials(analysis.trials, side.arm):
            yield f"{side.arm.value}: no request was judged"
    if judgement is not None and judgement.verdict is Verdict.INVALID:
        broken = [check for check in judgement.validity if check.consequence == INVALID and not check.is_met]
        yield from (f"{check.title}: {check.evidence}" for check in broken)


def _side(analysis: Analysis, side: Side, header: RunHeader) -> LedgerSide:
    trials = judged_trials(analysis.trials, side.arm)
    return LedgerSide(
        arm=side.arm,
        name=side.name,
        model=str(side.endpoint.get("model", "")),
        address=address_of(side.endpoint),
        run_id=side.run_id,
        started_at=header.started_at,
        n=len(trials),
        labels=labels_of(side.endpoint),
        figures={**_quantiles(analysis, side.arm), **_rates(trials), **_costs(analysis, side)},
        prompts=tuple(_prompts(analysis.prompts, side.arm, trials)),
    )


def labels_of(endpoint: Mapping[str, object]) -> dict[str, str]:
    """Give the labels of an endpoint file, the further ones among them."""
    labels = endpoint.get("labels")
    if not isinstance(labels, Mapping):
        return {}
    others = labels.get("other")
    named = {name: value for name, value in labels.items() if name != "other" and value}
    return {str(name): str(value) for name, value in {**(others or {}), **named}.items()}


def _quantiles(analysis: Analysis, arm: Arm) -> dict[str, LedgerFigure]:
    tails = {tail.metric: tail for tail in analysis.tails if tail.arm is arm}
    return {name: _quantile(tails.get(metric), q) for name, (metric, q) in QUANTILES.items()}


def _quantile(tail: Tail | None, q: float) -> LedgerFigure:
    found = next((quantile for quantile in tail.quantiles if quantile.q == q), None) if tail else None
    if tail is None or found is None:
        return LedgerFigure(value=None, n=tail.n if tail else 0, reason="no request has a value")
    return _figure(found.value, found.interval, tail.n)


def _figure(value: Value, interval: Interval | None, n: int) -> LedgerFigure:
    number = finite(value.value)
    reason = value.reason if value.value is None else None if number is not None else "a failure sets it"
    return LedgerFigure(
        value=number,
        low=finite(interval.low) if interval else None,
        high=finite(interval.high) if interval else None,
        n=n,
        reason=reason,
    )


def finite(value: float | None) -> float | None:
    """Give a number that JSON holds: an infinite bound is none."""
    return value if value is not None and math.isfinite(value) else None


def _rates(trials: Sequence[Trial]) -> dict[str, LedgerFigure]:
    return {
        "request_success": _rate([trial.failure is None for trial in trials]),
        "task_success": _rate([trial.task_success for trial in trials if trial.task_success is not None]),
        "tool_success": _rate(_tools_right(trials)),
        "json_validity": _rate(_json_valid(trials)),
    }


def _tools_right(trials: Sequence[Trial]) -> list[bool]:
    tools = [trial.tool for trial in trials if trial.tool is not None and trial.tool.rung is not Rung.NOT_RUN]
    return [tool.rung is Rung.OK for tool in tools]


def _json_valid(trials: Sequence[Trial]) -> list[bool]:
    return [trial.json_valid for trial in trials if trial.json_valid is not None]


def _rate(passed: Sequence[bool]) -> LedgerFigure:
    if not passed:
        return LedgerFigure(value=None, n=0, reason="no request of this kind")
    interval = wilson(sum(passed), len(passed))
    return LedgerFigure(value=sum(passed) / len(passed), low=interval.low, high=interval.high, n=len(passed))


def _costs(analysis: Analysis, side: Side) -> dict[str, LedgerFigure]:
    """Give money by request, whatever was sent: a bill grows with repeats and levels, which a series does not fix."""
    found = next((one for one in analysis.economics if one.arm is side.arm), None)
    if found is None:
        return {}
    n = len(side.records)
    each = found.cost if found.cost.value is None or not n else known(found.cost.value / n)
    return {
        "cost_per_request": _figure(each, None, n),
        "cost_per_success": _figure(found.cost_per_success, None, found.n_successes),
    }


def _prompts(rows: Sequence[PromptRow], arm: Arm, trials: Sequence[Trial]) -> Iterator[LedgerPrompt]:
    own: dict[str, list[Trial]] = {}
    for trial in trials:
        own.setdefault(trial.key.prompt_id, []).append(trial)
    for row in sorted(rows, key=lambda row: row.prompt_id):
        side = row.candidate if arm is Arm.CANDIDATE else row.reference
        if side is not None:
            yield _prompt(row.prompt_id, side, own.get(row.prompt_id, []))


def _prompt(prompt_id: str, side: PromptSide, trials: Sequence[Trial]) -> LedgerPrompt:
    tools, jsons = _tools_right(trials), _json_valid(trials)
    return LedgerPrompt(
        prompt_id=prompt_id,
        n=side.n,
        n_failed=side.n_failed,
        n_passed=side.task_successes,
        n_tool=len(tools),
        n_tool_right=sum(tools),
        n_json=len(jsons),
        n_json_valid=sum(jsons),
        ttft_p50_s=finite(side.ttft_p50_s.value),
        decode_p50=finite(side.decode_p50.value),
    )


def _gate(gate: Gate) -> LedgerGate:
    return LedgerGate(
        id=gate.id,
        outcome=gate.outcome.value,
        is_required=gate.is_required,
        effect=finite(gate.effect.value),
        low=finite(gate.interval.low) if gate.interval else None,
        high=finite(gate.interval.high) if gate.interval else None,
        margin=gate.margin,
    )

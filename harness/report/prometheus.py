"""An analysis in Prometheus' text format, for the node exporter's textfile collector."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from harness.analysis.catalog import CATALOG
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Side
from harness.analysis.results.estimates import Value
from harness.analysis.results.gate import Outcome
from harness.analysis.results.instrument import TimingVerdict
from harness.analysis.results.judgement import EXIT_CODES, Judgement, Verdict
from harness.model.record import RunHeader
from harness.report.untrusted import visible

_UNIT_SUFFIXES = {"s": "_seconds", "tok/s": "_tokens_per_second", "chars/s": "_characters_per_second"}
_LABEL = 200  # characters of a label's value


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value under its labels."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Samples of one gauge."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def render_prometheus(analysis: Analysis, header: RunHeader | None) -> str:
    """Render the file; an undefined value has no sample, one that failures made infinite is +Inf."""
    families = [family for family in _families(analysis, header) if family.samples]
    return "".join(line + "\n" for family in families for line in _lines(family))


def _families(analysis: Analysis, header: RunHeader | None) -> Iterator[Family]:
    sides = [side for side in (analysis.case.reference, analysis.case.candidate) if side is not None]
    yield _family("bench_run_info", "What was measured: always 1.", *_runs(sides, analysis))
    if header is not None:
        started_s = datetime.fromisoformat(header.started_at).timestamp()
        yield _family("bench_run_start_timestamp_seconds", "When the run started.", Sample(labels={}, value=started_s))
    certificate = analysis.certificate.verdict
    is_void = Sample(labels={}, value=float(certificate is TimingVerdict.VOID))
    is_valid = Sample(labels={}, value=float(certificate is TimingVerdict.VALID))
    yield _family("bench_timing_valid", "1 where the timings count.", is_valid)
    yield _family("bench_timing_void", "1 where the timings do not count; neither is 1 where that is unknown.", is_void)
    if analysis.judgement is not None:
        yield from _verdict(analysis.judgement)
        yield from _gates(analysis.judgement)
    yield from _tails(analysis, sides)
    yield from _rates(analysis)
    yield from _counts(analysis)


def _runs(sides: list[Side], analysis: Analysis) -> Iterator[Sample]:
    golden = analysis.case.golden
    for side in sides:
        labels = {
            "arm": side.arm.value,
            "endpoint": side.name,
            "model": str(side.endpoint.get("model", "")),
            "run": side.run_id,
            "golden": golden.name,
            "golden_version": golden.version,
        }
        yield Sample(labels=labels, value=1.0)


def _verdict(judgement: Judgement) -> Iterator[Family]:
    words = (Sample(labels={"verdict": word.value}, value=float(word is judgement.verdict)) for word in Verdict)
    yield _family("bench_verdict", "1 for the verdict of the run, 0 for the others.", *words)
    code = Sample(labels={}, value=EXIT_CODES[judgement.verdict])
    yield _family("bench_exit_code", "0 PASS, 1 FAIL, 3 INCONCLUSIVE, 4 INVALID.", code)
    unmet = [check for check in judgement.validity if not check.is_met]
    labelled = (Sample(labels={"check": check.id, "consequence": check.consequence}, value=1.0) for check in unmet)
    yield _family("bench_validity_unmet", "1 for each condition of validity that is not met.", *labelled)


def _gates(judgement: Judgement) -> Iterator[Family]:
    gates = [(gate, {"gate": gate.id, "required": str(gate.is_required).lower()}) for gate in judgement.gates]
    outcomes = (
        Sample(labels={**labels, "outcome": outcome.value}, value=float(gate.outcome is outcome))
        for gate, labels in gates
        for outcome in Outcome
    )
    yield _family("bench_gate_outcome", "1 for the outcome of the gate, 0 for the others.", *outcomes)
    kinds = [(gate, {**labels, "kind": gate.kind.value}) for gate, labels in gates]
    effects = _defined((labels, gate.effect) for gate, labels in kinds if not gate.is_void)
    yield _family("bench_gate_effect", "Effect: candidate less reference as a fraction, or their ratio.", *effects)
    margins = (Sample(labels=labels, value=gate.margin) for gate, labels in kinds)
    yield _family("bench_gate_margin", "The largest effect that is called the same.", *margins)
    counted = [(gate.bound, labels) for gate, labels in kinds if not gate.is_void]
    bounds = (Sample(labels=labels, value=bound) for bound, labels in counted if bound is not None)
    yield _family("bench_gate_bound", "The worst effect that is still compatible with the data.", *bounds)


def _tails(analysis: Analysis, sides: list[Side]) -> Iterator[Family]:
    names = {side.arm: side.name for side in sides}
    for metric in dict.fromkeys(tail.metric for tail in analysis.tails):
        found = CATALOG[metric]
        tails = [tail for tail in analysis.tails if tail.metric == metric]
        quantiles = _defined(
            ({"arm": tail.arm.value, "endpoint": names[tail.arm], "quantile": f"{quantile.q:g}"}, quantile.value)
            for tail in tails
            for quantile in tail.quantiles
        )
        suffix = _UNIT_SUFFIXES.get(found.unit, "")
        yield _family(f"bench_{metric}{suffix}", f"{found.title}: quantiles of the judged requests.", *quantiles)
    n = (
        Sample(labels={"arm": tail.arm.value, "endpoint": names[tail.arm], "metric": tail.metric}, value=tail.n)
        for tail in analysis.tails
    )
    yield _family("bench_tail_requests", "Samples of a metric, failures included.", *n)


def _rates(analysis: Analysis) -> Iterator[Family]:
    tokens = _defined(({"arm": side.arm.value}, side.output_tokens_per_s) for side in analysis.throughput)
    yield _family("bench_throughput_tokens_per_second", "Output tokens of all streams.", *tokens)
    requests = _defined(({"arm": side.arm.value}, side.requests_per_s) for side in analysis.throughput)
    yield _family("bench_throughput_requests_per_second", "Requests completed.", *requests)


def _counts(analysis: Analysis) -> Iterator[Family]:
    sent = (Sample(labels={"arm": side.arm.value}, value=side.n_requests) for side in analysis.economics)
    yield _family("bench_requests", "Requests sent, warm-ups included.", *sent)
    failed = (Sample(labels={"arm": side.arm.value}, value=side.n_failed) for side in analysis.economics)
    yield _family("bench_requests_failed", "Requests that failed.", *failed)
    kinds = (Sample(labels={"arm": row.arm.value, "kind": row.kind}, value=row.n) for row in analysis.failures)
    yield _family("bench_failures", "Requests that failed, by kind.", *kinds)
    tokens = (
        Sample(labels={"arm": side.arm.value, "kind": kind}, value=count)
        for side in analysis.economics
        for kind, count in (("prompt", side.prompt_tokens), ("completion", side.completion_tokens))
        if count is not None
    )
    yield _family("bench_tokens", "Tokens as usage reports them.", *tokens)
    costs = _defined(({"arm": row.arm.value, "currency": row.currency or ""}, row.cost) for row in analysis.economics)
    yield _family("bench_cost", "Price book times usage.", *costs)


def _family(name: str, told: str, *samples: Sample) -> Family:
    return Family(name=name, help=told, samples=samples)


def _defined(pairs: Iterator[tuple[dict[str, str], Value]]) -> Iterator[Sample]:
    for labels, value in pairs:
        if value.value is not None:
            yield Sample(labels=labels, value=value.value)


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {_escaped(family.help)}"
    yield f"# TYPE {family.name} gauge"
    for sample in family.samples:
        labels = ",".join(f'{name}="{_label(value)}"' for name, value in sample.labels.items())
        yield (
            f"{family.name}{{{labels}}} {_number(sample.value)}" if labels else f"{family.name} {_number(sample.value)}"
        )


def _label(value: str) -> str:
    return _escaped(visible(value)[:_LABEL]).replace('"', '\\"')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))

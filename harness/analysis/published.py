"""A tier as its published row, or every reason why it is not published."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from harness.analysis.cost import price_book
from harness.analysis.estimators import ESTIMATORS
from harness.analysis.exploratory import why_exploratory
from harness.analysis.load import Load, load_words, side_loads
from harness.analysis.quantiles import quantile
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Side
from harness.analysis.results.estimates import Quantile, Tail
from harness.analysis.results.instrument import TimingVerdict
from harness.analysis.results.judgement import Verdict
from harness.analysis.results.published import PublishedFigure, PublishedRow
from harness.analysis.results.trial import Trial
from harness.analysis.validity import INVALID
from harness.model.endpoint import Labels
from harness.model.record import Arrival, RunHeader

CACHE_AS_IS = "as is"  # a run sends each prompt as it stands: whatever cache the server keeps may answer it
_DECODE, _TTFT = "decode_rate", "ttft"
_MIDDLE = 0.5
_PACKAGE = "bench-harness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a row comes from."""

    header: RunHeader
    evidence_sha256: str
    folder: str  # from the page


def why_not_published(analysis: Analysis, header: RunHeader, side: Side) -> tuple[str, ...]:
    """Give every reason in the analysis itself; empty where the side may be published."""
    return tuple(_reasons(analysis, header, side))


def _reasons(analysis: Analysis, header: RunHeader, side: Side) -> Iterator[str]:
    case, certificate = analysis.case, analysis.certificate
    if side.unfinished is not None:
        yield f"the run did not finish: {side.unfinished}"
    if certificate.verdict is not TimingVerdict.VALID:
        yield f"its timings are not valid: {certificate.verdict} ({'; '.join(certificate.reasons)})"
    if analysis.judgement is not None and analysis.judgement.verdict is Verdict.INVALID:
        yield f"the run is INVALID: {'; '.join(_unmet(analysis))}"
    if case.golden.sha256 != header.plan.golden_sha256:
        yield "its golden set is not the one that its plan names: its texts were changed or taken out"
    yield from (f"it is exploratory: {reason}" for reason in why_exploratory(case))
    if tier_of(side) is None:
        yield f"endpoint {side.name} has no tier: its file says none under labels"
    yield from _without_figure(analysis, side)


def _unmet(analysis: Analysis) -> list[str]:
    judgement = analysis.judgement
    checks = judgement.validity if judgement is not None else ()
    return [f"{check.title}: {check.evidence}" for check in checks if not check.is_met and check.consequence == INVALID]


def _without_figure(analysis: Analysis, side: Side) -> Iterator[str]:
    tail = _tail(analysis, side, _DECODE)
    if tail is None or not tail.values:
        yield "no request has a decode rate: no prompt of the golden set says measure: {decode: true}, or none was read"
    elif _figure(tail) is None:
        yield f"the median decode rate has no interval: {_middle(tail).value.reason or f'{tail.n} requests'}"


def tier_of(side: Side) -> str | None:
    """Give the tier that the endpoint file names."""
    return _labels(side.endpoint).tier


def published_row(analysis: Analysis, side: Side, origin: Origin) -> PublishedRow:
    """Give the row of a side that may be published."""
    labels, header = _labels(side.endpoint), origin.header
    tier, decode = labels.tier, _figure(_tail(analysis, side, _DECODE))
    if tier is None or decode is None:
        raise ValueError("ask why_not_published first")
    timed = [trial for trial in analysis.trials if trial.key.arm is side.arm and _is_timed(trial)]
    return PublishedRow(
        tier=tier,
        hardware=labels.hardware,
        checkpoint=labels.checkpoint,
        region=labels.region,
        labels=dict(sorted(labels.other.items())),
        decode=decode,
        ttft=_figure(_tail(analysis, side, _TTFT)),
        n_prompts=len({trial.key.prompt_id for trial in timed}),
        prompt_tokens_p50=_median(timed, "prompt_tokens"),
        completion_tokens_p50=_median(timed, "completion_tokens"),
        host=host_of(str(side.endpoint.get("base_url", ""))),
        model=str(side.endpoint.get("model", "")),
        models_reported=tuple(sorted({record.model_reported for record in side.records if record.model_reported})),
        endpoint_sha256=_digest(side.endpoint),
        golden_name=analysis.case.golden.name,
        golden_version=analysis.case.golden.version,
        golden_sha256=analysis.case.golden.sha256,
        load=_load_words(side_loads(analysis.case, side)[0]),
        cache=CACHE_AS_IS,
        cached_fraction=_cached_fraction(analysis, side),
        prices=price_book(side.endpoint),
        validity=analysis.certificate.verdict.value,
        instrument=analysis.certificate.line,
        measured_at=header.started_at,
        run_id=header.run_id,
        arm=side.arm,
        folder=origin.folder,
        bench=_version(header.provenance),
        definitions=ESTIMATORS,
        plan_sha256=header.plan_sha256,
        evidence_sha256=origin.evidence_sha256,
    )


def _labels(endpoint: Mapping[str, object]) -> Labels:
    return msgspec.convert(endpoint.get("labels", {}), Labels)


def _tail(analysis: Analysis, side: Side, metric: str) -> Tail | None:
    return next((tail for tail in analysis.tails if tail.metric == metric and tail.arm is side.arm), None)


def _middle(tail: Tail) -> Quantile:
    return next(found for found in tail.quantiles if found.q == _MIDDLE)


def _figure(tail: Tail | None) -> PublishedFigure | None:
    """Give the median with both its bounds; None where one of the three is missing or infinite."""
    if tail is None:
        return None
    middle = _middle(tail)
    value, interval = middle.value.value, middle.interval
    if value is None or interval is None or interval.low is None or interval.high is None:
        return None
    if not all(abs(end) < float("inf") for end in (value, interval.low, interval.high)):
        return None
    return PublishedFigure(
        value=value,
        low=interval.low,
        high=interval.high,
        level=interval.level,
        method=interval.method,
        n=tail.n,
        n_failed=tail.n_failed,
    )


def _is_timed(trial: Trial) -> bool:
    return trial.is_judged and trial.metrics[_DECODE].value is not None


def _median(trials: Sequence[Trial], metric: str) -> float | None:
    return quantile([value for trial in trials if (value := trial.metrics[metric].value) is not None], _MIDDLE)


def host_of(base_url: str) -> str:
    """Give host and port of an address: what may hold a credential is left out."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


def _digest(endpoint: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(endpoint, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _load_words(load: Load) -> str:
    arrival = "closed loop" if load.arrival is Arrival.CLOSED else f"open loop, {load.arrival}"
    return f"{load_words(load)}, {arrival}"


def _cached_fraction(analysis: Analysis, side: Side) -> float | None:
    found = next(one for one in analysis.economics if one.arm is side.arm)
    if found.cached_tokens is None or not found.prompt_tokens:
        return None
    return found.cached_tokens / found.prompt_tokens


def _version(provenance: Mapping[str, object]) -> str:
    packages = provenance.get("packages")
    found = packages.get(_PACKAGE) if isinstance(packages, Mapping) else None
    return str(found) if found else "not known"

"""One side of a run through other tools' definitions, beside our own figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.frames import GAP, gap_frame, trial_frame
from harness.analysis.lenspeers import Pool
from harness.analysis.lensstream import Heard
from harness.analysis.lenstools import PEERS, Peer
from harness.analysis.load import Load
from harness.analysis.results.estimates import Tail, Value
from harness.analysis.results.lens import LATENCIES, Family, LensFigure, LensSide, Statistic, ToolReport
from harness.analysis.tails import tails
from harness.analysis.throughput import side_throughput
from harness.analysis.trials import JudgedRecord, at_level
from harness.analysis.values import known, missing, quotient
from harness.model.golden import GoldenSet
from harness.model.record import Arm
from harness.units import seconds

OWN = "bench"
NO_MEAN = "not given, since a failure has no finite latency"
NO_SUCCESS = "no request that it counts as a success; it prints 0 or nothing"
_QUANTILES = {Statistic.MEDIAN: 0.5, Statistic.P99: 0.99}
_OWN_WHY = {
    Family.TTFT: "token_1 − sent: the first output of any channel; failures rank as slower than anything",
    Family.TPOT: "1 / decode rate, where the tokens and the reads of an answer allow one",
    Family.ITL: "gaps between reads that carry output, pooled; not called inter-token, since a chunk may hold several",
    Family.E2E: "token_N − sent: the last output; failures rank as slower than anything",
    Family.OUTPUT_RATE: "sum of N over successes over the time from the first request sent to the last output",
    Family.REQUEST_RATE: "successes over the time from the first request sent to the last output",
}
_OWN_METRIC = {Family.TTFT: "ttft", Family.TPOT: "decode_rate", Family.ITL: GAP, Family.E2E: "e2e"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SideOnRecord:
    """What a lens looks at: one side's judged requests at a level, and how each stream is heard."""

    arm: Arm
    endpoint: str
    level: int
    judged: Sequence[JudgedRecord]
    golden: GoldenSet
    heard: Sequence[Heard]
    n_left_out: int = 0


def lens_of(side: SideOnRecord) -> LensSide:
    """Give every tool's figures of one side."""
    return LensSide(
        arm=side.arm,
        endpoint=side.endpoint,
        level=side.level,
        n_requests=len(side.heard),
        n_left_out=side.n_left_out,
        own=_own_report(side),
        tools=tuple(peer_report(peer, side.heard) for peer in PEERS),
    )


def peer_report(peer: Peer, requests: Sequence[Heard]) -> ToolReport:
    """Give what one tool would have said of these requests."""
    counted = [request for request in requests if peer.counts(request)]
    latencies = (figure for family in LATENCIES for figure in _latency_figures(peer, family, counted))
    return ToolReport(
        tool=peer.name,
        source=peer.source,
        n_counted=len(counted),
        n_failed=len(requests) - len(counted),
        figures=(*latencies, _output_rate(peer, requests, counted), _request_rate(peer, requests, counted)),
        why=peer.why | peer.absent,
    )


def _latency_figures(peer: Peer, family: Family, counted: Sequence[Heard]) -> Iterator[LensFigure]:
    reason = _why_no_latency(peer, family, counted)
    pool = () if reason else _pooled(peer, family, counted)
    for statistic in (Statistic.MEAN, *_QUANTILES):
        yield LensFigure(
            family=family,
            statistic=statistic,
            value=missing(reason) if reason else _summary(pool, statistic, is_by_rank=peer.is_by_rank),
            n=len(pool) or None,
            is_nearest=family in peer.nearest and bool(pool),
        )


def _why_no_latency(peer: Peer, family: Family, counted: Sequence[Heard]) -> str | None:
    if family in peer.absent:
        return peer.absent[family]
    if not counted:
        return NO_SUCCESS
    return _why_no_tokens(peer, counted) if family in peer.needs_tokens else None


def _why_no_tokens(peer: Peer, requests: Sequence[Heard]) -> str | None:
    n_unknown = sum(peer.tokens(request) is None for request in requests)
    return f"{n_unknown} of {len(requests)} without usage: it would {peer.without_tokens}" if n_unknown else None


def _pooled(peer: Peer, family: Family, counted: Sequence[Heard]) -> Pool:
    return tuple(value for request in counted for value in peer.latencies[family](request))


def _summary(pool: Pool, statistic: Statistic, *, is_by_rank: bool) -> Value:
    """One number for a pool: the weighted mean, or a quantile as the tool takes it."""
    if not pool:
        return missing("no request has such a value; it prints 0 or nothing")
    values = np.array([value for value, _ in pool])
    weights = np.array([weight for _, weight in pool])
    if statistic is Statistic.MEAN:
        return known(float(np.average(values, weights=weights)))
    q = _QUANTILES[statistic]
    if is_by_rank:  # the smallest value at which the cumulated share of the weights reaches q
        return known(float(np.quantile(values, q, weights=weights, method="inverted_cdf")))
    return known(float(np.quantile(values, q)))


def _output_rate(peer: Peer, requests: Sequence[Heard], counted: Sequence[Heard]) -> LensFigure:
    of = requests if peer.counts_failures else counted
    reason = _why_no_tokens(peer, of)
    tokens = sum(peer.tokens(request) or 0 for request in of)
    amount = missing(reason) if reason else known(tokens)
    window = peer.token_window(requests, counted)
    is_nearest = Family.OUTPUT_RATE in peer.nearest and bool(counted)
    return _rate(Family.OUTPUT_RATE, amount, window, is_nearest=is_nearest)


def _request_rate(peer: Peer, requests: Sequence[Heard], counted: Sequence[Heard]) -> LensFigure:
    n = len(requests) if peer.counts_failures else len(counted)
    return _rate(Family.REQUEST_RATE, known(n), peer.request_window(requests, counted))


def _rate(family: Family, amount: Value, window: tuple[int, int] | None, *, is_nearest: bool = False) -> LensFigure:
    lasted = missing(NO_SUCCESS) if window is None else known(seconds(window[1] - window[0]))
    return LensFigure(
        family=family,
        statistic=Statistic.TOTAL,
        value=quotient(amount, lasted),
        is_nearest=is_nearest,
    )


def _own_report(side: SideOnRecord) -> ToolReport:
    counted = at_level(side.judged, side.level)
    n_failed = sum(item.record.failure is not None for item in counted)
    return ToolReport(
        tool=OWN,
        source="",
        n_counted=len(counted) - n_failed,
        n_failed=n_failed,
        figures=(*_own_latencies(side), *_own_rates(side)),
        why=_OWN_WHY,
    )


def _own_latencies(side: SideOnRecord) -> Iterator[LensFigure]:
    frame, gaps = trial_frame(side.judged, side.golden, level=side.level), gap_frame(side.judged, level=side.level)
    found = {tail.metric: tail for tail in tails(frame, gaps, [side.arm], tuple(_OWN_METRIC.values()))}
    for family, metric in _OWN_METRIC.items():
        tail = found.get(metric)
        for statistic in (Statistic.MEAN, *_QUANTILES):
            n = len(tail.values) if tail is not None and tail.values else None
            yield LensFigure(family=family, statistic=statistic, value=_own_value(tail, family, statistic), n=n)


def _own_value(tail: Tail | None, family: Family, statistic: Statistic) -> Value:
    if statistic is Statistic.MEAN:
        return missing(NO_MEAN)
    if tail is None:
        return missing("no request counts at this level")
    if family is Family.TPOT:
        return _own_tpot(tail, statistic)
    return next(one.value for one in tail.quantiles if one.q == _QUANTILES[statistic])


def _own_tpot(rates: Tail, statistic: Statistic) -> Value:
    """The median decode rate's inverse; the rate's slow tail ends at its p5."""
    if statistic is not Statistic.MEDIAN:
        return missing("rates are judged by their p50, p10 and p5")
    return quotient(known(1.0), next(one.value for one in rates.quantiles if one.q == _QUANTILES[statistic]))


def _own_rates(side: SideOnRecord) -> Iterator[LensFigure]:
    found = side_throughput(side.arm, side.judged, Load(level=side.level, asked=1))  # what was asked is of no account
    for family, value in (
        (Family.OUTPUT_RATE, found.output_tokens_per_s),
        (Family.REQUEST_RATE, found.requests_per_s),
    ):
        yield LensFigure(family=family, statistic=Statistic.TOTAL, value=value)

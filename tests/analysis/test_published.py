"""A tier's row: its figures by another way, and every reason why there is none."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from scipy.stats import binom

from harness.analysis.estimators import ESTIMATORS
from harness.analysis.published import Origin, host_of, published_row, why_not_published
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Side
from harness.analysis.results.instrument import TimingVerdict
from harness.analysis.results.judgement import ValidityCheck, Verdict
from harness.analysis.results.published import PublishedRow
from harness.cli.rejudging import Rejudged, rejudge
from harness.model.record import Arm
from tests.cli.published import RECORDED

Change = Callable[[Analysis], Analysis]


@pytest.fixture(scope="module")
def judged() -> Rejudged:
    return rejudge(RECORDED)


def side_of(analysis: Analysis, arm: Arm = Arm.REFERENCE) -> Side:
    case = analysis.case
    return next(one for one in (case.reference, case.candidate) if one is not None and one.arm is arm)


def row_of(judged: Rejudged, **changes: Any) -> PublishedRow:
    side = replace(side_of(judged.analysis), **changes)
    return published_row(judged.analysis, side, Origin(header=judged.run.header, evidence_sha256="e", folder="f"))


def with_endpoint(judged: Rejudged, **changes: Any) -> Mapping[str, object]:
    return {**side_of(judged.analysis).endpoint, **changes}


def test_the_figure_is_the_middle_of_the_rates_and_its_interval_two_of_them(judged: Rejudged) -> None:
    """Of nine values the interval goes from the second to the eighth: the first such pair that holds 95 %."""
    decode = row_of(judged).decode
    rates = sorted(
        trial.metrics["decode_rate"].value or 0.0
        for trial in judged.analysis.trials
        if trial.is_judged and trial.key.arm is Arm.REFERENCE
    )
    assert (decode.n, len(rates), decode.n_failed) == (9, 9, 0)
    assert rates[3] < decode.value < rates[5]
    assert decode.value == pytest.approx(statistics.median(rates), rel=0.01)
    assert (decode.low, decode.high) == (rates[1], rates[7])
    assert binom.cdf(7, 9, 0.5) - binom.cdf(1, 9, 0.5) >= 0.95
    assert (decode.level, decode.method) == (0.95, "order statistics")


def test_a_row_says_under_what_it_was_measured(judged: Rejudged) -> None:
    row = row_of(judged)
    assert (row.tier, row.hardware, row.host, row.model) == (
        "sim-h100",
        "2x H100 (simulated)",
        "127.0.0.1:8101",
        "sim-model",
    )
    assert (row.load, row.cache, row.cached_fraction) == ("1 request in flight, closed loop", "as is", 0.0)
    assert (row.golden_name, row.golden_sha256) == ("throughput-small", judged.run.header.plan.golden_sha256)
    assert (row.validity, row.definitions, row.run_id) == ("valid for timing", ESTIMATORS, RECORDED.name)
    assert row.prices is not None
    assert (row.prices.currency, row.prices.input_per_mtok, row.prices.output_per_mtok) == ("USD", 2.5, 10.0)
    assert (row.n_prompts, row.completion_tokens_p50) == (3, 20)


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://user:sk-secret@api.example:8443/v1/k-secret?sig=secret#secret", "api.example:8443"),
        ("http://[::1]:8000/v1", "[::1]:8000"),
        ("", ""),
    ],
)
def test_of_an_address_only_the_host_is_published(base_url: str, host: str) -> None:
    assert host_of(base_url) == host


def test_a_run_whose_cache_or_price_is_not_known_says_nothing_of_it(judged: Rejudged) -> None:
    analysis = judged.analysis
    silent = replace(analysis, economics=tuple(replace(one, cached_tokens=None) for one in analysis.economics))
    row = published_row(
        silent,
        replace(side_of(silent), endpoint=with_endpoint(judged, prices=None)),
        Origin(header=judged.run.header, evidence_sha256="e", folder="f"),
    )
    assert (row.cached_fraction, row.prices) == (None, None)


def test_the_recorded_run_may_be_published(judged: Rejudged) -> None:
    for arm in (Arm.REFERENCE, Arm.CANDIDATE):
        assert why_not_published(judged.analysis, judged.run.header, side_of(judged.analysis, arm)) == ()


def void(analysis: Analysis) -> Analysis:
    return replace(
        analysis, certificate=replace(analysis.certificate, verdict=TimingVerdict.VOID, reasons=("read late",))
    )


def unknown(analysis: Analysis) -> Analysis:
    return replace(analysis, certificate=replace(analysis.certificate, verdict=TimingVerdict.UNKNOWN))


def invalid(analysis: Analysis) -> Analysis:
    assert analysis.judgement is not None
    unmet = ValidityCheck(id="x", title="Answers are fresh", is_met=False, evidence="ids repeat", consequence="INVALID")
    return replace(analysis, judgement=replace(analysis.judgement, verdict=Verdict.INVALID, validity=(unmet,)))


def unfinished(analysis: Analysis) -> Analysis:
    return in_case(analysis, reference=replace(analysis.case.reference, unfinished="stopped: budget"))


def looked_at_too_often(analysis: Analysis) -> Analysis:
    return in_case(analysis, look=3)


def other_margins(analysis: Analysis) -> Analysis:
    return in_case(analysis, margins_are_from_plan=False)


def other_texts(analysis: Analysis) -> Analysis:
    golden = analysis.case.golden
    prompts = [
        type(one)(**{**{f: getattr(one, f) for f in one.__struct_fields__}, "intent": "#"}) for one in golden.prompts
    ]
    return in_case(analysis, golden=type(golden)(name=golden.name, version=golden.version, prompts=prompts))


def without_tier(analysis: Analysis) -> Analysis:
    reference = analysis.case.reference
    return in_case(analysis, reference=replace(reference, endpoint={**reference.endpoint, "labels": {}}))


def too_few(analysis: Analysis) -> Analysis:
    tails = [
        replace(tail, quantiles=tuple(replace(one, interval=None) for one in tail.quantiles)) for tail in analysis.tails
    ]
    return replace(analysis, tails=tuple(tails))


def no_rate(analysis: Analysis) -> Analysis:
    return replace(analysis, tails=tuple(replace(tail, values=()) for tail in analysis.tails))


def in_case(analysis: Analysis, **changes: Any) -> Analysis:
    return replace(analysis, case=replace(analysis.case, **changes))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (void, "its timings are not valid: VOID for timing (read late)"),
        (unknown, "its timings are not valid: not known"),
        (invalid, "the run is INVALID: Answers are fresh: ids repeat"),
        (unfinished, "the run did not finish: stopped: budget"),
        (looked_at_too_often, "it is exploratory: this is look 3 at the data and the plan has 2"),
        (other_margins, "it is exploratory: the margins were chosen after the data"),
        (other_texts, "its golden set is not the one that its plan names"),
        (without_tier, "endpoint sim-h100 has no tier"),
        (too_few, "the median decode rate has no interval: 9 requests"),
        (no_rate, "no request has a decode rate"),
    ],
)
def test_what_stands_against_publishing_is_said(judged: Rejudged, change: Change, reason: str) -> None:
    analysis = change(judged.analysis)
    (found,) = why_not_published(analysis, judged.run.header, side_of(analysis))
    assert found.startswith(reason)


def test_all_reasons_are_said_at_once(judged: Rejudged) -> None:
    analysis = void(unfinished(without_tier(judged.analysis)))
    assert len(why_not_published(analysis, judged.run.header, side_of(analysis))) == 3

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from harness.analysis.results.estimates import Tail
from harness.analysis.results.gate import Gate, GateKind, SelfNoise
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.plot_curves import ends_of
from harness.report.plotdata import EcdfPlot, PairedPlot
from harness.report.view_curves import MOST_STEPS, curve_of, kept_ranks
from harness.report.view_forest import forest_figure
from harness.report.view_paired import MOST_PROMPTS
from tests.report.leveled import leveled
from tests.report.pages import view, view_of
from tests.report.sample import catalog, gates, interval, known, missing, sample

MS = fmt.Scale(symbol="ms", factor=1000.0)
NAMES = {Arm.REFERENCE: "a"}


def a_tail(values: list[float], n_failed: int = 0, metric: str = "ttft") -> Tail:
    return Tail(
        metric=metric, arm=Arm.REFERENCE, n=len(values) + n_failed, n_failed=n_failed, values=tuple(sorted(values))
    )


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 900), k=st.integers(0, 50))
def test_the_drawn_curve_of_n_requests_with_k_failures_ends_at_what_arrived(n: int, k: int) -> None:
    arrived = max(n - k, 0)
    curve = curve_of(a_tail([0.1 + rank / 1000 for rank in range(arrived)], n - arrived), MS, NAMES, catalog())
    xs, ys = ends_of(curve, (50.0, 9e9), is_exceedance=False)
    assert (xs[-1], ys[-1]) == (9e9, arrived / n)
    assert ys == sorted(ys)
    assert len(curve.steps) <= MOST_STEPS


def test_a_curve_by_hand() -> None:
    curve = curve_of(a_tail([0.2, 0.1], n_failed=2), MS, NAMES, catalog())
    assert [(step.value, step.share) for step in curve.steps] == [(100.0, 0.25), (200.0, 0.5)]
    assert (curve.n, curve.n_never, curve.label) == (4, 2, "a (n 4, 2 failures)")


def test_the_band_is_the_exact_binomial_interval_of_each_share() -> None:
    curve = curve_of(a_tail([rank / 10 for rank in range(1, 8)], n_failed=3), MS, NAMES, catalog())
    for rank, step in enumerate(curve.steps, start=1):
        expected = binomtest(rank, 10).proportion_ci(0.95, method="exact")
        assert (step.low, step.high) == pytest.approx((expected.low, expected.high))
    assert curve.edge is not None
    assert (curve.edge.low, curve.edge.high) == pytest.approx((0.0, 1 - 0.025 ** (1 / 10)))


def test_gaps_fall_from_all_to_the_longest_and_have_no_band() -> None:
    curve = curve_of(a_tail([1.0, 2.0, 2.0, 5.0], metric="gap"), MS, NAMES, catalog())
    assert [step.share for step in curve.steps] == [1.0, 0.75, 0.5, 0.25]
    assert (curve.edge, curve.steps[0].low) == (None, None)


def test_thinning_keeps_both_ends_whole() -> None:
    ranks = kept_ranks(10_000, 240)
    assert ranks[:60] == list(range(1, 61))
    assert ranks[-60:] == list(range(9_941, 10_001))
    assert len(ranks) == 240
    assert kept_ranks(240, 240) == list(range(1, 241))


def test_a_possibly_cold_request_is_drawn_beside_its_curve_and_not_in_it() -> None:
    both = sample()
    first = replace(both.trials[0], is_judged=False, metrics={**both.trials[0].metrics, "ttft": known(9.0)})
    figure = view_of(replace(both, trials=(first, *both.trials[1:]))).figures[0]
    assert isinstance(figure.plot, EcdfPlot)
    reference, candidate = figure.plot.panels[0].curves
    assert (reference.cold, candidate.cold, reference.n) == ((9000.0,), (), 140)
    assert "h100-gateway, possibly cold and in no curve: 9,000" in figure.description
    assert "possibly cold requests, in no curve" in figure.caption


def test_answers_have_a_curve_of_their_own_only_where_reasoning_comes_first() -> None:
    both = sample()
    first = [tail for tail in both.tails if tail.metric == "ttft"]
    same = [replace(tail, metric="ttfat") for tail in first]
    later = [replace(tail, metric="ttfat", values=tuple(value + 1 for value in tail.values)) for tail in first]
    shown = {
        name: [figure.id for figure in view_of(replace(both, tails=(*both.tails, *tails))).figures]
        for name, tails in (("same", same), ("later", later))
    }
    assert "ecdf-ttfat" not in shown["same"]
    assert "ecdf-ttfat" in shown["later"]


def test_levels_of_load_have_a_panel_each_and_the_judged_one_is_named() -> None:
    found = view("leveled")
    assert found.levels is not None
    (figure,) = found.levels.tails
    assert isinstance(figure.plot, EcdfPlot)
    assert [panel.title for panel in figure.plot.panels] == [f"{n}\u00a0in flight" for n in (1, 4, 16, 64)]
    assert [sum(curve.n_never for curve in panel.curves) for panel in figure.plot.panels] == [0, 0, 0, 11]
    assert found.figures[0].title.endswith("(at 1\u00a0in flight)")
    assert sum(row.n_failed for row in leveled().levels) == 11


def ratios(values: list[float | None]) -> PairedPlot:
    both = sample()
    row = both.prompts[0]
    assert row.candidate is not None
    unit = replace(row.reference, ttft_p50_s=known(1.0))
    rows = tuple(
        replace(
            row,
            prompt_id=f"p{place:03}",
            reference=unit,
            candidate=replace(
                row.candidate, ttft_p50_s=missing("unattainable (3 of 5 failed)") if value is None else known(value)
            ),
        )
        for place, value in enumerate(values)
    )
    figure = view_of(replace(both, prompts=rows)).paired[0]
    assert isinstance(figure.plot, PairedPlot)
    return figure.plot


def test_a_prompt_whose_median_falls_among_failures_stands_first_and_counts_in_the_median() -> None:
    plot = ratios([1.0, 1.2, None, None, None, 1.1, 1.3])  # the fourth of seven is 1.3
    assert [point.label for point in plot.points][:3] == ["p004", "p003", "p002"]
    assert plot.median == 1.3
    assert plot.median_label == "median 1.30× (95\u00a0%: 1.00× to unattainable)"


def test_very_many_prompts_are_drawn_at_both_ends() -> None:
    plot = ratios([1 + place / 1000 for place in range(100)])
    assert (len(plot.points), plot.n_between) == (MOST_PROMPTS, 40)
    assert plot.points[0].label == "p099"
    assert plot.points[-1].label == "p000"


def a_gate(**changes: object) -> Gate:
    gate = next(gate for gate in gates() if gate.id == "ttft_p50")
    return replace(gate, **changes)  # type: ignore[arg-type]


def test_the_forest_draws_the_reference_against_itself() -> None:
    noise = SelfNoise(source="placebo", effect=known(1.02), interval=interval(0.97, 1.06))
    figure = forest_figure([a_gate(noise=noise)])
    assert figure is not None
    assert "the reference against itself (placebo) 1.02 (0.97 to 1.06)" in figure.description


def test_a_change_in_either_direction_has_two_margins() -> None:
    figure = forest_figure([a_gate(is_two_sided=True, margin=0.8)])
    assert figure is not None
    (row,) = figure.plot.ratios  # type: ignore[union-attr]
    assert (row.margin, row.other_margin, row.is_bad_high) == (1.25, 0.8, True)


def test_a_share_has_an_axis_of_its_own_and_a_gate_without_effect_its_reason() -> None:
    share = a_gate(kind=GateKind.SHARE, effect=known(0.02), interval=interval(0.0, 0.05), bound=0.04, margin=0.01)
    figure = forest_figure([share, a_gate(title="E2E p50", effect=missing("no output"), interval=None)])
    assert figure is not None
    (row,) = figure.plot.shares  # type: ignore[union-attr]
    assert (row.effect, row.margin, row.high) == pytest.approx((2.0, 1.0, 5.0))
    assert figure.caption == "Not drawn, without an effect: E2E p50 (no output)."

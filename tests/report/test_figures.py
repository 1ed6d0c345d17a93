import csv
import io
import math
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from harness.model.record import Arm
from harness.report.page import Figure
from harness.report.plot_axes import log_ticks
from harness.report.plotdata import Curve, EcdfPanel, EcdfPlot, ForestPlot, PairedPlot, Step
from harness.report.plots import draw_figure
from tests.report.cases import CASES
from tests.report.pages import figures_of, hostile_view, view, view_of
from tests.report.sample import missing, sample


def ecdf(case: str, figure_id: str) -> tuple[Figure, EcdfPlot]:
    figure = next(figure for figure in view(case).figures if figure.id == figure_id)
    assert isinstance(figure.plot, EcdfPlot)
    return figure, figure.plot


def curves(plot: EcdfPlot) -> tuple[Curve, ...]:
    (panel,) = plot.panels
    return panel.curves


def a_plot(curve: Curve, *, is_log: bool = True, x_label: str = "x") -> Figure:
    plot = EcdfPlot(x_label=x_label, is_log=is_log, panels=(EcdfPanel(title="", curves=(curve,)),))
    return Figure(id="x", title="t", description="d", plot=plot, csv="")


def a_curve(values: tuple[float, ...], n: int, *, arm: str = "reference", label: str = "r") -> Curve:
    steps = tuple(Step(value=value, share=(rank + 1) / n) for rank, value in enumerate(values))
    return Curve(arm=arm, label=label, n=n, n_never=n - len(values), steps=steps)


def test_failures_are_steps_that_never_arrive() -> None:
    _, plot = ecdf("sample", "ecdf-ttft")
    reference, candidate = curves(plot)
    assert (reference.n, reference.n_never, len(reference.steps)) == (140, 0, 140)
    assert (candidate.n, candidate.n_never, len(candidate.steps)) == (140, 3, 137)
    assert candidate.label == "a100-serverless (n 140, 3 failures)"


def test_failures_do_not_count_in_a_rate() -> None:
    _, plot = ecdf("sample", "ecdf-decode-rate")
    assert [(curve.n, curve.n_never) for curve in curves(plot)] == [(30, 0), (30, 0)]


def test_latencies_stand_on_a_log_axis_in_milliseconds() -> None:
    _, plot = ecdf("sample", "ecdf-ttft")
    assert (plot.x_label, plot.is_log) == ("TTFT, ms, log axis", True)
    tail = next(tail for tail in sample().tails if tail.metric == "ttft")
    assert [step.value for step in curves(plot)[0].steps] == pytest.approx([value * 1000 for value in tail.values])


def test_a_side_that_failed_throughout_is_a_flat_curve() -> None:
    figure, plot = ecdf("all_failed", "ecdf-ttft")
    assert [(curve.arm, len(curve.steps), curve.n_never) for curve in curves(plot)] == [
        ("reference", 140, 0),
        ("candidate", 0, 140),
    ]
    assert "no request has a value; all 140 never arrive" in figure.description
    assert "a100-serverless (n 140, 140 failures)" in draw_figure(figure)


def test_two_sides_without_any_value_have_the_reason_in_place_of_a_plot() -> None:
    found = view("both_failed")
    assert found.figures == ()
    told = {figure.title: figure.reasons for figure in found.withheld}
    assert told["TTFT"] == (
        "h100-gateway: 140 of 140 (100.0\u00a0%) failed",
        "a100-serverless: 140 of 140 (100.0\u00a0%) failed",
    )
    assert {"TTFT", "Decode rate", "E2E latency", "TTFT of each prompt: candidate over reference"} <= set(told)


def test_the_download_holds_every_step() -> None:
    figure, _ = ecdf("sample", "ecdf-ttft")
    head, *rows = csv.reader(io.StringIO(figure.csv))
    assert head == ["side", "ttft_ms", "cumulative_share", "low", "high"]
    assert len(rows) == 140 + 137
    assert rows[-1][0] == "candidate"
    assert float(rows[-1][2]) == pytest.approx(137 / 140)


def test_the_forest_has_effect_interval_bound_and_margin_of_every_gate_with_an_effect() -> None:
    forest = view("sample").forest
    assert forest is not None
    assert isinstance(forest.plot, ForestPlot)
    tool = forest.plot.differences[0]
    assert (tool.label, tool.outcome, tool.is_bad_high) == ("Tool-call success", "FAIL", False)
    assert (tool.effect, tool.low, tool.high) == pytest.approx((-100 * 11 / 60, -30.2, -8.7))
    assert (tool.bound, tool.margin) == pytest.approx((-27.18, -5.0))
    assert [row.label for row in forest.plot.differences][-1] == "Refusals (informative)"
    assert [row.label for row in forest.plot.ratios][:2] == ["TTFT p95", "TTFT p50"]
    assert "Truncated" not in forest.csv


def test_an_infinite_effect_is_an_arrow_that_says_so() -> None:
    forest = view("all_failed").forest
    assert forest is not None
    assert isinstance(forest.plot, ForestPlot)
    assert math.inf in [row.effect for row in forest.plot.ratios]
    assert "TTFT p50,FAIL,unbounded,unbounded,unbounded,unbounded,1.25" in forest.csv
    assert draw_figure(forest).count(">FAIL, unbounded<") == sum(
        map(math.isinf, (row.effect for row in forest.plot.ratios))
    )
    assert "nan" not in draw_figure(forest)


def test_an_axis_of_rates_does_not_blow_up_noise() -> None:
    figure = a_plot(a_curve((118.9, 118.9125, 118.925), 3), is_log=False)
    texts = [element.text or "" for element in ET.fromstring(draw_figure(figure)).iter("text")]  # noqa: S314  # our own
    ticks = [float(text) for text in texts if re.fullmatch(r"[\d.]+", text)]
    assert 2 <= len(ticks) <= 7
    assert max(ticks) - min(ticks) >= 3


def test_prompts_are_paired_largest_ratio_first() -> None:
    figure = next(figure for figure in view("sample").paired if figure.id == "paired-ttft")
    assert isinstance(figure.plot, PairedPlot)
    ratios = [point.ratio for point in figure.plot.points]
    assert ratios == sorted(ratios, reverse=True)
    assert (len(ratios), figure.plot.margin) == (28, 1.25)
    assert all(point.label for point in figure.plot.points)
    assert figure.description.startswith(f"{sum(ratio > 1 for ratio in ratios)} of 28 prompts are slower")


def test_prompts_without_a_ratio_are_counted() -> None:
    both = sample()
    bare = replace(both.prompts[2].reference, ttft_p50_s=missing("not in the TTFT class"))
    found = view_of(replace(both, prompts=(*both.prompts[:2], replace(both.prompts[2], reference=bare))))
    figure = next(figure for figure in found.paired if figure.id == "paired-ttft")
    assert figure.description.endswith("; 1 prompt without a ratio")
    assert "Without a ratio: not in the TTFT class (1)." in figure.caption


@pytest.mark.parametrize("case", CASES)
def test_every_figure_draws_as_one_named_svg_without_style(case: str) -> None:
    for figure in figures_of(view(case)):
        drawing = draw_figure(figure)
        root = ET.fromstring(drawing)  # noqa: S314  # our own drawing
        assert root.tag == "svg"
        assert (root[0].tag, root[0].text) == ("title", figure.title)
        assert (root[1].tag, root[1].text) == ("desc", figure.description)
        assert not [element for element in root.iter() if "style" in element.attrib or element.tag == "style"]


def test_the_same_figure_draws_the_same_bytes() -> None:
    figure, _ = ecdf("sample", "ecdf-ttft")
    assert draw_figure(figure) == draw_figure(figure)


def test_names_are_drawn_as_they_are_written() -> None:
    drawing = draw_figure(a_plot(a_curve((1.0, 2.0), 2, label="$x^2$ 日本 <b> & \\frac"), x_label="$y$"))
    texts = [element.text for element in ET.fromstring(drawing).iter("text")]  # noqa: S314  # our own drawing
    assert "$x^2$ 日本 <b> & \\frac" in texts
    assert "$y$" in texts


def test_a_hostile_name_cannot_leave_the_drawing() -> None:
    found = hostile_view()
    for figure in figures_of(found):
        assert not re.search(r"<(script|img)", draw_figure(figure))


def test_one_value_draws() -> None:
    for is_log in (True, False):
        assert "one" in draw_figure(a_plot(a_curve((5.0,), 3, arm="candidate", label="one"), is_log=is_log))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (90, 1_700, [100, 150, 200, 300, 500, 700, 1_000, 1_500]),
        (550, 4_800, [700, 1_000, 1_500, 2_000, 3_000]),
        (8, 90, [10, 15, 20, 30, 50, 70]),
        (1, 1e6, [1, 10, 100, 1_000, 10_000, 1e5, 1e6]),
        (1, 1e9, [1, 100, 1e4, 1e6, 1e8]),
    ],
)
def test_a_log_axis_has_round_ticks_with_room_for_their_labels(low: float, high: float, ticks: list[float]) -> None:
    expected = ticks if len(ticks) <= 7 else [100, 200, 500, 1_000]
    assert log_ticks(low, high) == pytest.approx(expected)


def test_sides_keep_their_line_styles() -> None:
    figure, _ = ecdf("sample", "ecdf-ttft")
    drawing = draw_figure(figure)
    assert {"s-ref", "s-cand"} <= set(re.findall(r"\bs-\w+", drawing))
    assert "stroke-dasharray" in drawing
    assert [curve.arm for curve in curves(ecdf("sample", "ecdf-ttft")[1])] == [Arm.REFERENCE, Arm.CANDIDATE]

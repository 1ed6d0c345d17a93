"""The levels of load on the page, in Markdown, in the terminal block: figures taken from the analysis again."""

import csv
import io
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.instrument import TimingVerdict
from harness.analysis.results.levels import LevelRow
from harness.model.record import Arm, Arrival
from harness.report.markdown import render_markdown
from harness.report.page import Cell, LevelsView, ReportView, Table
from harness.report.plotdata import LoadLine, LoadPoint, SaturationPlot
from harness.report.plots import draw_figure
from harness.report.terminal import MOST_LINES, TEXT_WIDTH, end_block
from harness.report.view import build_view
from harness.report.view_levels import in_order
from tests.analysis.cases import a_plan
from tests.report.cases import CASES
from tests.report.leveled import leveled, open_loop
from tests.report.pages import figures_of, parsed, squeezed, view, view_of
from tests.report.sample import catalog, header, missing, sample, single

PAGE = "reports/run.html"


def levels(case: str) -> LevelsView:
    found = view(case).levels
    assert found is not None
    return found


def row_of(analysis: Analysis, arm: Arm, level: int) -> LevelRow:
    return next(row for row in analysis.levels if (row.arm, row.level) == (arm, level))


def number(row: LevelRow, metric: str, q: float) -> float:
    found = row.quantile(metric, q)
    assert found is not None
    assert found.value.value is not None
    return found.value.value


def column(table: Table, title: str) -> list[Cell]:
    place = [column.title for column in table.columns].index(title)
    return [row[place] for row in table.rows]


def fact(found: ReportView, label: str) -> tuple[str, str]:
    return next((fact.value, fact.detail) for fact in found.facts if fact.label == label)


@pytest.mark.parametrize("case", CASES)
def test_every_page_says_how_requests_arrived(case: str) -> None:
    value, _ = fact(view(case), "load")
    assert re.match(r"(closed loop|open loop, (Poisson|constant)): [\d., ]+ (in flight|requests/s)$", value)
    assert value in parsed(case).text
    assert value in render_markdown(view(case))


def test_what_fixes_the_load_is_said_with_it() -> None:
    assert fact(view("sample"), "load") == ("closed loop: 4 in flight", "on each side")
    assert fact(view("leveled"), "load") == ("closed loop: 1, 4, 16, 64 in flight", "on each side, the first is judged")
    assert fact(view("open_loop"), "load") == (
        "open loop, Poisson: 2, 4, 8 requests/s",
        "on each side, the first is judged, seed 7, ramp 2 s",
    )
    assert fact(view("single_rate"), "load") == ("open loop, constant: 2 requests/s", "seed 7")


def test_two_runs_under_different_loads_are_both_said() -> None:
    both = sample()
    case = replace(
        both.case, plan=a_plan(8), reference=replace(both.case.reference, plan=a_plan(2.5, arrival=Arrival.POISSON))
    )
    value, detail = fact(view_of(replace(both, case=case)), "load")
    assert value == "open loop, Poisson: 2.5 requests/s / closed loop: 8 in flight"
    assert detail == "on each side, seed 7 / on each side"


def test_one_level_of_a_closed_loop_has_no_section() -> None:
    for found in (view("sample"), view("single")):
        assert found.levels is None
        assert "levels" not in [section.id for section in found.sections]
    assert "Load levels" not in parsed("sample").text
    assert "Load levels" not in render_markdown(view("sample"))
    one = replace(sample(), levels=leveled().levels[:2])
    assert view_of(one).levels is None


@pytest.mark.parametrize("case", ["leveled", "open_loop", "single_rate"])
def test_the_section_stands_after_the_tails(case: str) -> None:
    ids = [section.id for section in view(case).sections]
    assert ids[ids.index("tails") + 1] == "levels"
    text = parsed(case).text
    assert squeezed(levels(case).lede) in text
    for reading in levels(case).readings:
        assert reading.value in text


def test_the_lede_explains_the_loop_and_says_what_is_judged() -> None:
    assert levels("leveled").lede == (
        "Closed loop: each side keeps so many requests in flight, and the end of one starts the next. The whole set is "
        "replayed at each level; only the first, 1\u00a0in flight, is judged."
    )
    assert levels("open_loop").lede.startswith(
        "Open loop: on each side 2, 4 and 8 requests/s are due at random, independently of each other (Poisson, "
        "seed 7), whatever has answered by then."
    )
    assert "The load rises over the first 2 s of a level." in levels("open_loop").lede
    assert "due at equal distances (seed 7)" in levels("single_rate").lede
    assert "judged" not in levels("single_rate").lede


def test_both_sides_of_a_level_stand_beside_each_other() -> None:
    for table in levels("leveled").tables:
        assert [(row[0].text, row[0].detail, row[1].text) for row in table.rows][:4] == [
            ("1\u00a0in flight", "judged", "h100-gateway"),
            ("1\u00a0in flight", "judged", "a100-serverless"),
            ("4\u00a0in flight", "", "h100-gateway"),
            ("4\u00a0in flight", "", "a100-serverless"),
        ]
        assert len(table.rows) == 8
    assert levels("leveled").is_paired
    assert not levels("single_rate").is_paired


def test_sides_of_runs_with_other_levels_are_sorted_by_what_they_share() -> None:
    rows = leveled().levels
    kept = [row for row in rows if row.arm is Arm.REFERENCE or row.asked != 4]
    reordered = [replace(row, level=row.level - (row.arm is Arm.CANDIDATE and row.asked > 4)) for row in kept]
    assert [(row.asked, row.arm.value) for row in in_order(reordered)] == [
        (1, "reference"),
        (1, "candidate"),
        (4, "reference"),
        (16, "reference"),
        (16, "candidate"),
        (64, "reference"),
        (64, "candidate"),
    ]


def test_failures_stand_at_their_level_by_kind_in_words() -> None:
    refused = row_of(leveled(), Arm.CANDIDATE, 3).n_failed
    assert refused > 7  # more than a twentieth of 140: p95 falls among them
    found = column(levels("leveled").tables[0], "failed")
    assert found[:-1] == [Cell(text="0")] * 7
    assert found[-1] == Cell(text=str(refused), detail=f"{refused} rate limited", tone="bad")
    latency = levels("leveled").tables[1]
    assert column(latency, "TTFT p95, ms")[-1] == Cell(
        text="unattainable", detail=f"{refused} of 140 failed", tone="bad"
    )


def test_a_levels_quantiles_are_those_of_its_tail() -> None:
    for row, cell in zip(in_order(leveled().levels), column(levels("leveled").tables[1], "TTFT p50, ms"), strict=True):
        assert cell.text == f"{number(row, 'ttft', 0.5) * 1000:,.0f}"
        assert re.fullmatch(r"[\d,]+ to [\d,]+", cell.detail)


def test_a_far_quantile_has_a_column_where_a_level_can_support_it() -> None:
    assert not [column for table in levels("leveled").tables for column in table.columns if "p99, " in column.title]
    rows = leveled().levels
    tail = rows[0].tail("ttft")
    assert tail is not None
    far = tuple(replace(found, value=replace(found.value, value=0.5, reason=None)) for found in tail.quantiles)
    tails = tuple(replace(one, quantiles=far) if one.metric == "ttft" else one for one in rows[0].tails)
    found = view_of(replace(leveled(), levels=(replace(rows[0], tails=tails), *rows[1:]))).levels
    assert found is not None
    cells = column(found.tables[1], "TTFT p99, ms")
    assert [cell.text for cell in cells] == ["500", *["–"] * 7]
    assert any(note.startswith("TTFT: p99 is not estimable from 140 requests") for note in found.tables[1].notes)


def test_an_open_loop_gives_each_latency_from_sent_and_from_intended() -> None:
    captions = [table.caption for table in levels("open_loop").tables]
    assert captions[1:3] == ["TTFT, from sent and from intended", "E2E latency, from sent and from intended"]
    titles = [found.title for found in levels("open_loop").tables[1].columns][2:]
    assert titles == ["from sent, p50, ms", "from intended, p50, ms", "from sent, p95, ms", "from intended, p95, ms"]
    last = row_of(open_loop(), Arm.CANDIDATE, 2)
    assert number(last, "ttft_from_intended", 0.95) > 1.2 * number(last, "ttft", 0.95)
    shown = [table.caption for table in view("open_loop").tails]
    assert [caption.partition(",")[0] for caption in shown] == [
        "TTFT",
        "TTFT from intended",
        "Decode rate",
        "E2E latency",
        "E2E from intended",
    ]


def test_a_closed_loop_shows_no_latency_from_intended() -> None:
    assert "from intended" not in parsed("leveled").text.partition("Definitions Metric")[0].partition("Manifest")[0]
    assert "TTFT from intended, ms" not in [table.caption for table in view("leveled").more_tails]
    assert [head.label for head in view("single").headlines if "intended" in head.label] == []
    labels = [head.label for head in view("single_rate").headlines]
    assert labels[:4] == ["TTFT p50", "TTFT p95", "TTFT from intended p50", "TTFT from intended p95"]


def test_what_was_there_of_the_load_stands_beside_what_was_asked() -> None:
    assert [cell.text for cell in column(levels("leveled").tables[0], "achieved")][::2] == [
        "1.00",
        "4.00",
        "16.0",
        "64.0",
    ]
    row = row_of(open_loop(), Arm.REFERENCE, 0)
    assert row.achieved.value is not None
    assert row.scheduled.value is not None
    assert column(levels("open_loop").tables[0], "achieved")[0] == Cell(
        text=f"{row.achieved.value:.2f}", detail=f"of {row.scheduled.value:.2f} due"
    )


def test_throughput_is_large_at_full_load_and_small_over_the_whole_level() -> None:
    for row, cell in zip(in_order(leveled().levels), column(levels("leveled").tables[0], "output tok/s"), strict=True):
        steady, whole = row.throughput.steady_output_tokens_per_s.value, row.throughput.output_tokens_per_s.value
        assert (cell.text, cell.detail) == (f"{steady:,.1f}", f"{whole:,.1f}")


def test_a_level_that_was_never_full_shows_the_whole_only() -> None:
    rows = leveled().levels
    never = missing("never 64 requests in flight")
    empty = replace(rows[-1], throughput=replace(rows[-1].throughput, steady_output_tokens_per_s=never))
    found = view_of(replace(leveled(), levels=(*rows[:-1], empty))).levels
    assert found is not None
    assert column(found.tables[0], "output tok/s")[-1].text == "–"
    assert column(found.tables[0], "output tok/s")[-1].detail == f"{empty.throughput.output_tokens_per_s.value:,.1f}"
    assert found.tables[0].notes[-1] == (
        "64\u00a0in flight, a100-serverless: no throughput at full load: never 64 requests in flight."
    )
    assert found.figure is not None
    assert isinstance(found.figure.plot, SaturationPlot)
    assert found.figure.plot.panels[0].y_label == "output tok/s, whole level"
    assert found.figure.plot.panels[0].lines[0].points[0].value == rows[0].throughput.output_tokens_per_s.value


def test_doubts_about_a_level_are_said_under_it() -> None:
    rows = leveled().levels
    late = replace(
        rows[2], timing=TimingVerdict.VOID, notes=("timings are void at this level: sent 9 ms late",), n_set_aside=2
    )
    found = view_of(replace(leveled(), levels=(*rows[:2], late, *rows[3:]))).levels
    assert found is not None
    assert found.tables[0].rows[2][0] == Cell(text="4\u00a0in flight", detail="VOID for timing")
    assert found.tables[0].notes[-2:] == (
        "4\u00a0in flight, h100-gateway: 2 requests set aside, possibly cold or cancelled.",
        "4\u00a0in flight, h100-gateway: timings are void at this level: sent 9 ms late.",
    )


def plot_of(case: str) -> SaturationPlot:
    figure = levels(case).figure
    assert figure is not None
    assert isinstance(figure.plot, SaturationPlot)
    return figure.plot


def line_of(plot: SaturationPlot, panel: int, arm: str, *, is_main: bool = True) -> LoadLine:
    return next(line for line in plot.panels[panel].lines if (line.arm, line.is_main) == (arm, is_main))


def test_the_plot_has_throughput_and_both_quantiles_over_the_load() -> None:
    plot = plot_of("leveled")
    assert (plot.loads, plot.is_log) == ((1, 4, 16, 64), True)
    assert [panel.y_label for panel in plot.panels] == ["output tok/s, at full load", "TTFT, ms, log axis"]
    moved = [row.throughput.steady_output_tokens_per_s.value for row in leveled().levels if row.arm is Arm.REFERENCE]
    assert [point.value for point in line_of(plot, 0, "reference").points] == moved
    for is_main, q in ((True, 0.95), (False, 0.5)):
        expected = [number(row, "ttft", q) * 1000 for row in leveled().levels if row.arm is Arm.REFERENCE]
        found = line_of(plot, 1, "reference", is_main=is_main).points
        assert [point.value for point in found] == pytest.approx(expected)
        assert all(
            point.low <= point.value <= point.high for point in found if point.value and point.low and point.high
        )
        assert all(point.low is not None for point in found)
    assert line_of(plot, 1, "candidate").points[-1] == LoadPoint(load=64, value=None, is_beyond=True)


def test_an_open_loop_adds_a_panel_and_needs_no_log_axis() -> None:
    plot = plot_of("open_loop")
    assert [panel.y_label.partition(",")[0] for panel in plot.panels] == ["output tok/s", "TTFT", "TTFT from intended"]
    assert (plot.loads, plot.is_log, plot.x_label) == ((2, 4, 8), False, "load asked of each side, requests/s")


def test_one_load_is_no_line() -> None:
    assert levels("single_rate").figure is None
    assert "saturation" not in [figure.id for figure in figures_of(view("single_rate"))]


def test_the_drawing_has_a_tick_at_every_level_and_marks_what_lies_beyond() -> None:
    figure = levels("leveled").figure
    assert figure is not None
    drawing = draw_figure(figure)
    texts = [element.text for element in ET.fromstring(drawing).iter("text")]  # noqa: S314  # our own drawing
    assert [text for text in texts if text in {"1", "4", "16", "64"}][:4] == ["1", "4", "16", "64"]
    assert {"h100-gateway", "a100-serverless", "TTFT, ms, log axis"} <= set(texts)
    assert draw_figure(figure) == drawing
    assert "nan" not in drawing


def test_a_side_without_any_value_is_drawn_without_one() -> None:
    """Every request of the candidate failed at every level: its quantiles all point out of the top."""
    rows = tuple(
        replace(
            row,
            tails=(),
            throughput=replace(
                row.throughput,
                output_tokens_per_s=missing("no success"),
                steady_output_tokens_per_s=missing("no success"),
            ),
        )
        if row.arm is Arm.CANDIDATE
        else row
        for row in leveled().levels
    )
    found = view_of(replace(leveled(), levels=rows))
    assert found.levels is not None
    assert found.levels.figure is not None
    assert "nan" not in draw_figure(found.levels.figure)
    assert "no value at 64" in found.levels.figure.description
    nobody = tuple(replace(row, tails=()) for row in rows)
    bare = view_of(replace(leveled(), levels=nobody)).levels
    assert bare is not None
    assert bare.figure is not None
    assert draw_figure(bare.figure)


def test_the_download_holds_what_is_drawn_in_seconds() -> None:
    figure = levels("open_loop").figure
    assert figure is not None
    head, *rows = csv.reader(io.StringIO(figure.csv))
    assert head[:5] == ["side", "load", "achieved", "output_tok_s", "ttft_p50_s"]
    assert head[-1] == "ttft_from_intended_p95_s"
    assert [(row[0], row[1]) for row in rows] == [
        (arm, load) for load in ("2", "4", "8") for arm in ("reference", "candidate")
    ]
    last = row_of(open_loop(), Arm.CANDIDATE, 2)
    assert float(rows[-1][-1]) == pytest.approx(number(last, "ttft_from_intended", 0.95))


def test_readings_name_the_side_and_the_load() -> None:
    found = levels("leveled").readings
    assert [(reading.label, reading.detail) for reading in found] == [
        ("h100-gateway", "reference"),
        ("a100-serverless", "candidate"),
    ]
    assert found[0].value.startswith("From 16 requests in flight on throughput hardly grows: at 64")
    assert levels("single_rate").readings == ()


def test_counts_say_what_they_count() -> None:
    found = view("leveled")
    refused = row_of(leveled(), Arm.CANDIDATE, 3).n_failed
    assert fact(found, "requests") == ("560 / 560", "reference / candidate")
    assert fact(found, "at other levels") == ("420 / 420", "of load, not judged")
    assert fact(found, "failed")[0] == f"0 / {refused}"
    assert "at other levels" not in [fact.label for fact in view("sample").facts]
    assert "set aside" not in [fact.label for fact in found.facts]
    assert found.failures[0].count == f"{refused} requests, {refused} at other levels"
    assert found.failure_line.endswith(f"({refused} rate_limited; {refused} at other levels)")
    assert found.counted == "Of everything that was sent: all 4 levels of load, and warm-ups."
    assert parsed("leveled").text.count(found.counted) == 3  # money, failures, findings
    assert view("sample").counted == view("single_rate").counted == ""
    assert found.throughput is not None
    assert found.throughput.caption == "System throughput at the judged level, all streams together"
    assert [column.title for column in found.throughput.columns][2] == "output tok/s, whole level"


def test_one_endpoints_tile_counts_what_is_judged() -> None:
    """Warm-ups and other levels fail too; the tile is of the judged requests, as the gates are."""
    alone = single()
    lost = [replace(trial, is_judged=False, failure="server_error") for trial in alone.trials[:9]]
    found = view_of(replace(alone, trials=(*lost, *alone.trials[9:])))
    tile = next(head for head in found.headlines if head.label == "Request success")
    failed = sum(trial.failure is not None for trial in alone.trials[9:])
    assert tile.sides == f"{131 - failed} of 131"


def test_markdown_has_every_level() -> None:
    text = render_markdown(view("leveled"))
    assert "### Load levels\n\nClosed loop: each side keeps" in text
    refused = row_of(leveled(), Arm.CANDIDATE, 3).n_failed
    assert re.search(rf"\| 64 in flight \| a100-serverless \(candidate\) \| 64\.0 \| 140 \| {refused} \(", text)
    assert "- h100-gateway (reference): From 16 requests in flight on throughput hardly grows" in text
    assert "Of everything that was sent" in text
    assert "unattainable" in text


def test_the_manifest_says_the_load_of_the_plan() -> None:
    plan = open_loop().case.plan
    assert plan is not None
    found = build_view(open_loop(), replace(header(), plan=plan), catalog())
    facts = {fact.label: (fact.value, fact.detail) for group in found.manifest for fact in group.facts}
    assert facts["arrival"] == ("poisson", "")
    assert facts["levels of load"] == ("2.0, 4.0, 8.0", "requests per second on each side")
    assert facts["arrival.ramp_s"] == ("2.0", "")


def short(found: ReportView) -> ReportView:
    """Leave room in the terminal's block."""
    return replace(found, gate_rows=found.gate_rows[:1], next_step="read it")


def test_the_terminal_names_the_levels_with_what_they_moved_where_a_line_holds_it() -> None:
    block = end_block(short(view("leveled")), PAGE)
    (line,) = (line for line in block if line.startswith("levels"))
    assert len(line) <= TEXT_WIDTH
    moved = {
        arm: " → ".join(
            f"{row.throughput.steady_output_tokens_per_s.value:,.0f}" for row in leveled().levels if row.arm is arm
        )
        for arm in (Arm.REFERENCE, Arm.CANDIDATE)
    }
    full = f"levels  1 4 16 64 in flight: {moved[Arm.REFERENCE]} / {moved[Arm.CANDIDATE]} tok/s"
    assert line == (full if len(full) <= TEXT_WIDTH else full.replace(" →", ""))
    assert len(block) <= MOST_LINES


def test_the_terminal_shortens_the_line_and_leaves_it_out_before_a_figure() -> None:
    found = short(view("leveled"))
    assert found.levels is not None
    long = replace(found, levels=replace(found.levels, lines=("x" * 90, "1 4 16 64 in flight")))
    assert "levels  1 4 16 64 in flight" in end_block(long, PAGE)
    none = replace(found, levels=replace(found.levels, lines=("x" * 90,)))
    assert not [line for line in end_block(none, PAGE) if line.startswith("levels")]
    one = replace(view("leveled").gate_rows[0], word="FAIL")
    crowded = replace(view("leveled"), gate_rows=(one,) * 20)
    assert not [line for line in end_block(crowded, PAGE) if line.startswith("levels")]
    assert sum(line.startswith("FAIL ") for line in end_block(crowded, PAGE)) == 20

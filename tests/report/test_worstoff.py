from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Interval, Value
from harness.analysis.results.gate import Gate, GateKind, Outcome, SelfNoise
from harness.analysis.results.likeness import Disagreement, DivergenceCurve, Identity, Likeness
from harness.analysis.results.worstoff import Cohort, Regression, WorstOff
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.page import ReportView
from harness.report.plotdata import SurvivalPlot
from harness.report.plots import draw_figure
from harness.report.terminal import MOST_LINES, end_block
from harness.report.view_verdict import gate_view
from tests.report.pages import squeezed, view_of
from tests.report.sample import catalog, known, sample

LESS_THAN = "<b>&"


def disagreement(**changes: Any) -> Disagreement:
    given: dict[str, Any] = {
        "effect": known(0.061),
        "reference_self": known(0.83),
        "candidate_self": known(0.82),
        "cross": known(0.764),
        "bounds": (0.02, 0.09),
        "p_value": 0.001,
    }
    return Disagreement(**{**given, **changes})


def identity(**changes: Any) -> Identity:
    given: dict[str, Any] = {
        "likeness": Likeness.SHIFTED,
        "sentence": "IDENTITY: shifted (excess disagreement 6.1 points)",
        "disagreement": disagreement(),
        "noise": SelfNoise(source="split", effect=known(0.012), n=60),
    }
    return Identity(**{**given, **changes})


def worst_off() -> WorstOff:
    return WorstOff(
        regressions=(
            Regression(
                prompt_id=f"{LESS_THAN}tool",
                metric="ttft",
                reference=known(0.2),
                candidate=Value(value=None, reason="falls among failures"),
                n_reference=5,
                n_candidate=5,
                p_value=0.0004,
                adjusted_p=0.02,
            ),
        ),
        n_tests=30,
        smallest_p=0.004,
        cohort=Cohort(
            kind="tag",
            name="tools",
            metric="ttft",
            effect=known(1.4),
            elsewhere=known(1.0),
            p_value=0.01,
            n_prompts=3,
            n_cohorts=9,
        ),
        sentence=f"1 prompt stands out: `{LESS_THAN}tool`.",
    )


CURVES = (
    DivergenceCurve(
        pair="reference with itself",
        n_pairs=4,
        n_parting=1,
        characters=(12.0,),
        shares=(0.75,),
        median=Value(value=None, reason="more than half of the pairs never part"),
    ),
    DivergenceCurve(
        pair="reference with candidate",
        n_pairs=9,
        n_parting=9,
        characters=(3.0, 8.0),
        shares=(0.4, 0.0),
        median=known(3.0),
    ),
)


def changed(**changes: Any) -> Analysis:
    analysis = sample()
    assert analysis.judgement is not None
    judgement = replace(analysis.judgement, **{"identity": identity(), "worst_off": worst_off(), **changes})
    return replace(analysis, judgement=judgement, divergence=CURVES)


def told(**changes: Any) -> ReportView:
    return view_of(changed(**changes))


def test_the_identity_line_stands_on_every_report() -> None:
    found = told()
    assert "IDENTITY: shifted (excess disagreement 6.1 points)" in render_html(found)
    assert "IDENTITY: shifted (excess disagreement 6.1 points)" in render_markdown(found)
    lines = end_block(found, "page.html")
    assert len(lines) <= MOST_LINES + 1  # every gate that is open is shown
    assert any(squeezed(line) == "answers shifted: excess disagreement +6.1 points (self-noise +1.2)" for line in lines)


def test_what_cannot_be_measured_has_no_number_in_the_terminal() -> None:
    lost = identity(likeness=Likeness.NOT_MEASURABLE, disagreement=disagreement(reason="nothing agrees"))
    assert told(identity=lost).identity_line == "not measurable"


def test_worst_off_is_a_section_with_its_table() -> None:
    found = told()
    assert "worstoff" in [section.id for section in found.sections]
    assert found.worst_off is not None
    assert found.worst_off.note == "With this many repeats the smallest p of a single prompt is 0.004."
    assert found.worst_off.prompts is not None
    sure = told(worst_off=replace(worst_off(), smallest_p=0.0003)).worst_off
    assert sure is not None
    assert sure.note == ""  # any p can be reached
    row = found.worst_off.prompts.rows[0]
    assert [cell.text for cell in row] == [f"{LESS_THAN}tool", "TTFT", "200\u00a0ms", "–", "below 0.001", "0.020"]
    assert row[3].detail == "falls among failures"
    page = render_html(found)
    assert LESS_THAN not in page
    assert "&lt;b&gt;&amp;tool" in page
    assert "### Worst off" in render_markdown(found)


def test_one_endpoint_alone_has_neither() -> None:
    analysis = sample()
    alone = replace(analysis, case=replace(analysis.case, candidate=None), judgement=None)
    found = view_of(alone)
    assert (found.identity, found.worst_off) == ("", None)


def test_no_prompt_to_read_is_said() -> None:
    assert "Read first: no prompt stands out." in render_html(told(read_first=()))
    assert "no prompt stands out" not in render_html(told(read_first=("tool-nested",)))


def test_curves_have_a_text_and_their_numbers() -> None:
    figure = told().divergence
    assert figure is not None
    assert figure.description == (
        "reference with itself: 1 of 4 pairs part (25.0\u00a0%), more than half of the pairs never part. "
        "reference with candidate: 9 of 9 pairs part (100.0\u00a0%), half of them by character 3"
    )
    assert figure.csv.splitlines()[1:] == [
        "reference with itself,12,0.75",
        "reference with candidate,3,0.4",
        "reference with candidate,8,0",
    ]
    assert isinstance(figure.plot, SurvivalPlot)
    assert "reference with itself (1 of 4 part)" in draw_figure(figure)


def test_curves_without_a_fall_are_drawn_level() -> None:
    level = tuple(replace(curve, characters=(), shares=(), n_parting=0) for curve in CURVES)
    found = view_of(replace(changed(), divergence=level)).divergence
    assert found is not None
    assert "<svg" in draw_figure(found)


def a_gate(noise: SelfNoise | None, **changes: Any) -> Gate:
    given: dict[str, Any] = {
        "id": "ttft_p50",
        "title": "TTFT p50",
        "metric": "ttft",
        "kind": GateKind.RATIO,
        "margin": 1.25,
        "higher_is_better": False,
        "is_required": True,
        "outcome": Outcome.PASS,
        "reason": "",
        "effect": known(1.0),
        "reference": known(0.2),
        "candidate": known(0.2),
        "n_reference": 150,
        "n_candidate": 150,
        "noise": noise,
    }
    return Gate(**{**given, **changes})


RANGE = Interval(low=0.95, high=1.04, level=0.95, method="cluster bootstrap")


@pytest.mark.parametrize(
    ("noise", "text", "detail"),
    [
        (SelfNoise(source="split", effect=known(0.99), interval=RANGE, n=75), "0.99×", "0.95 to 1.04, split, n 75"),
        (
            SelfNoise(source="placebo", effect=known(1.9), interval=RANGE, outcome=Outcome.FAIL, n=150),
            "1.90×",
            "0.95 to 1.04, placebo, FAIL, n 150",
        ),
        (SelfNoise(source="split", effect=Value(value=None, reason="no"), n=3), "–", "not measurable"),
        (None, "–", ""),
    ],
)
def test_noise_stands_beside_its_gate(noise: SelfNoise | None, text: str, detail: str) -> None:
    found = gate_view(a_gate(noise), catalog()).noise
    assert (found.text, found.detail) == (text, detail)


def test_noise_reaches_page_comment_and_terminal() -> None:
    noise = SelfNoise(source="split", effect=known(0.97), interval=RANGE, n=75)
    analysis = sample()
    assert analysis.judgement is not None
    gates = tuple(replace(gate, noise=noise) for gate in analysis.judgement.gates if gate.id == "ttft_p50")
    found = told(gates=gates)
    assert "0.95 to 1.04, split, n 75" in render_html(found)
    assert "| 0.97× |" in render_markdown(found)
    row = next(line for line in end_block(found, "p") if "TTFT p50" in line)
    assert row.endswith("0.97×")


def test_the_level_of_the_look_heads_the_worst_case() -> None:
    gate = replace(a_gate(None), level=0.97)
    assert "worst case, 97\u00a0%" in render_html(told(gates=(gate,)))


def test_shares_and_disagreements_are_told_in_their_own_unit() -> None:
    share = gate_view(
        a_gate(None, kind=GateKind.SHARE, margin=0.01, effect=known(0.004), bound=0.02, metric="request_success"),
        catalog(),
    )
    assert (share.effect.text, share.worst_case.text, share.allowed) == (
        "0.4\u00a0%",
        "2.0\u00a0%",
        "≤\u00a01.0\u00a0%",
    )
    both = gate_view(a_gate(None, is_two_sided=True), catalog())
    assert both.allowed == "0.80× to 1.25×"
    other = gate_view(
        a_gate(None, kind=GateKind.DISAGREEMENT, margin=0.1, effect=known(0.02), bound=0.05, metric="same_canonical"),
        catalog(),
    )
    assert (other.effect.text, other.worst_case.text, other.allowed) == (
        "+2.0\u00a0points",
        "+5.0\u00a0points",
        "+10.0\u00a0points",
    )

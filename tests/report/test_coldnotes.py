"""What the page says of wakes: at its top how they ended, and why some were not confirmed."""

from dataclasses import replace

import pytest

from harness.model.record import Arm, FailureKind
from harness.report.markdown import render_markdown
from harness.report.view_cold import cold_view
from harness.report.view_headlines import headlines
from tests.analysis.test_coldpath import WARM, judged, refused, woken
from tests.report.cases import CASES
from tests.report.pages import squeezed, view_of
from tests.report.sample import catalog

ASKED = {"cold": {"is_declared_cold": True}}  # by bench cold


@pytest.mark.parametrize(
    ("records", "said", "unsaid"),
    [
        ([woken(0.03)], "no warm request succeeded", "Somebody else"),
        ([woken(0.03), WARM], "Somebody else may have kept", "no warm request succeeded"),
    ],
)
def test_a_wake_without_anything_to_compare_with_is_told_from_one_that_was_warm(
    records: list[object], said: str, unsaid: str
) -> None:
    view = cold_view([judged(*records)], {Arm.REFERENCE: "a"})  # type: ignore[arg-type]
    assert view is not None
    notes = " ".join(view.tables[0].notes)
    assert said in notes
    assert unsaid not in notes


@pytest.mark.parametrize(
    ("records", "word", "told"),
    [
        ([woken(481), WARM], "OVER BUDGET", "Wake 1: over budget, 481.0 s. Budget 480.0 s, cap 600.0 s."),
        ([woken(479), WARM], "WITHIN BUDGET", "Wake 1: within budget, 479.0 s."),
        ([refused(1, FailureKind.GATEWAY_TIMEOUT, 0, 600, status=504)], "CAPPED", "Wake 1: capped, 600.0 s."),
    ],
)
def test_how_the_wakes_ended_stands_at_the_top_of_page_and_markdown(
    records: list[object], word: str, told: str
) -> None:
    analysis = replace(CASES["single"](), cold=(judged(*records, facts=ASKED),))  # type: ignore[arg-type]
    view = view_of(analysis)
    assert view.verdict.word == word
    assert squeezed(view.verdict.sentence).startswith(told)
    assert [(head.label, head.word) for head in view.headlines] == [("Wake 1", word.lower())]
    assert squeezed(render_markdown(view)).index(told) < 600


def test_first_contacts_of_a_run_leave_its_figures_at_the_top() -> None:
    one = CASES["single"]()
    met = replace(one, cold=(judged(woken(481), WARM, facts={}),))
    assert view_of(met).verdict.word == "MEASURED"
    assert headlines(met, catalog()) == headlines(one, catalog())

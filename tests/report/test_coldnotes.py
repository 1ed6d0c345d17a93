"""What the page says of wakes that were not confirmed."""

import pytest

from harness.model.record import Arm
from harness.report.view_cold import cold_view
from tests.analysis.test_coldpath import WARM, judged, woken


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

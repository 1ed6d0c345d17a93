import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import ConfigError
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.write import encode_summary, file_stem, write_report, write_view
from tests.report.cases import hostile
from tests.report.pages import hostile_view, page, view
from tests.report.sample import RUN_ID, header, sample, single

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.analysis.results.analysis import Analysis


def test_three_files_lie_side_by_side(tmp_path: Path) -> None:
    written = write_view(view("single"), {"verdict": None}, tmp_path / "new" / "run.1")
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == [
        "run.1.html",
        "run.1.md",
        "run.1.summary.json",
    ]
    assert written.html.read_text() == page("single")
    assert written.markdown.read_text() == render_markdown(view("single"))
    assert json.loads(written.summary.read_text()) == {"verdict": None}
    assert written.view is view("single")


def test_a_report_is_replaced_in_place(tmp_path: Path) -> None:
    for case in ("sample", "single"):
        written = write_view(view(case), {}, tmp_path / "run")
    assert written.html.read_text() == page("single")
    assert len(list(tmp_path.iterdir())) == 3


def test_a_hostile_endpoint_can_be_written(tmp_path: Path) -> None:
    written = write_view(hostile_view(), {}, tmp_path / "run")
    assert written.html.read_text() == render_html(hostile_view())


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(ConfigError) as caught:
        write_view(view("single"), {}, tmp_path / "reports" / "run")
    assert caught.value.where == str(tmp_path / "reports")
    assert caught.value.remedy == "Choose another --reports"


def test_a_summary_holds_half_a_surrogate_pair_and_no_nan() -> None:
    assert json.loads(encode_summary({"sentence": "\ud800"})) == {"sentence": "\ud800"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_summary({"effect": math.nan})


def test_a_report_is_named_after_its_run() -> None:
    assert file_stem(sample().case) == RUN_ID
    assert file_stem(single().case) == RUN_ID


def test_a_report_on_two_runs_is_named_after_both() -> None:
    case = sample().case
    assert file_stem(replace(case, reference=replace(case.reference, run_id="old"))) == f"{RUN_ID}-against-old"


@pytest.mark.parametrize(("run_id", "stem"), [("../../etc/x", "__.._etc_x"), ("a b\0", "a_b_"), ("..", "_")])
def test_a_run_id_cannot_leave_the_folder(run_id: str, stem: str) -> None:
    case = single().case
    assert file_stem(replace(case, reference=replace(case.reference, run_id=run_id))) == stem


@pytest.mark.parametrize("case", [sample, single, hostile])
def test_a_report_has_the_analysis_summary(case: "Callable[[], Analysis]", tmp_path: Path) -> None:
    written = write_report(case(), header(), tmp_path)
    assert written.html.name == f"{RUN_ID}.html"
    assert json.loads(written.summary.read_text()) == json.loads(json.dumps(written.content, allow_nan=False))

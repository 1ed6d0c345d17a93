"""Certificates that nobody verified are said in every output, and only then."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.catalog import CATALOG
from harness.analysis.results.analysis import Analysis
from harness.analysis.summary import to_summary
from harness.model.probestorage import load_probing
from harness.report.html import render_html, render_memo, render_probes
from harness.report.markdown import render_markdown
from harness.report.memo import memo_view
from harness.report.memofiles import memo_markdown
from harness.report.probesmarkdown import probes_block, render_probes_markdown
from harness.report.terminal import end_block
from harness.report.view_probes import build_probes_view
from tests.model.probings import a_folder, a_report, a_result
from tests.report.pages import view_of
from tests.report.sample import header, sample

LOUD = "CERTIFICATES NOT VERIFIED"

OUTPUTS: dict[str, Callable[[Analysis], str]] = {
    "page": lambda found: render_html(view_of(found)),
    "markdown": lambda found: render_markdown(view_of(found)),
    "terminal": lambda found: "\n".join(end_block(view_of(found), "p.html")),
    "memo": lambda found: render_memo(memo_view(found, header(), CATALOG)),
    "memo as markdown": lambda found: memo_markdown(memo_view(found, header(), CATALOG)),
}


def _with_tls(analysis: Analysis, **tls: object) -> Analysis:
    candidate = analysis.case.candidate
    assert candidate is not None
    changed = replace(candidate, endpoint={**candidate.endpoint, "tls": tls})
    return replace(analysis, case=replace(analysis.case, candidate=changed))


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_of_a_run_says_so(output: str) -> None:
    name = "a100-serverless"
    said = OUTPUTS[output](_with_tls(sample(), verify=False)).replace("\n", " ").replace("\\", "")
    assert LOUD in said
    assert name in said[said.index(LOUD) :][: len(LOUD) + 60]
    assert LOUD not in OUTPUTS[output](_with_tls(sample(), ca_file="ca.pem"))
    assert LOUD not in OUTPUTS[output](sample())


def test_the_summary_says_it_of_each_side() -> None:
    found: dict[str, Any] = json.loads(json.dumps(to_summary(_with_tls(sample(), verify=False))))
    assert [side["tls_verified"] for side in found["sides"]] == [True, False]


def test_every_output_of_probes_says_so(tmp_path: Path) -> None:
    for is_verified in (True, False):
        folder = tmp_path / str(is_verified)
        folder.mkdir()
        tls = {} if is_verified else {"tls": {"verify": False}}
        report = a_report(a_result("chat"), name="a")
        report = replace_endpoint(report, base_url="https://a.example/v1", **tls)
        probing = load_probing(a_folder(folder, report, b"HTTP/1.1 200 OK\r\n\r\n{}"))
        view = build_probes_view([probing])
        outputs = (render_probes(view), render_probes_markdown(view), "\n".join(probes_block(view, [report], ["p"])))
        assert [LOUD in output for output in outputs] == [not is_verified] * 3


def replace_endpoint(report: Any, **more: object) -> Any:
    return replace(report, endpoint={**report.endpoint, **more})

"""The one-page memo: what it says, when it refuses, that nothing in it acts."""

import html
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from harness.analysis.catalog import CATALOG
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.judgement import Judgement, Verdict
from harness.errors import ConfigError
from harness.report.html import render_memo
from harness.report.memo import MemoView, memo_view
from harness.report.memofiles import memo_markdown, write_memo
from tests.report.cases import hostile, void
from tests.report.sample import header, sample, single


@cache
def _view(verdict: Verdict = Verdict.PASS) -> MemoView:
    return memo_view(_judged(verdict), header(), CATALOG)


def _judged(verdict: Verdict) -> Analysis:
    analysis = sample()
    judgement = analysis.judgement
    assert isinstance(judgement, Judgement)
    return replace(analysis, judgement=replace(judgement, verdict=verdict))


def test_a_run_of_one_endpoint_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match="no verdict") as caught:
        memo_view(single(), header(), CATALOG)
    assert "bench compare" in (caught.value.remedy or "")


def test_it_names_what_was_compared_and_how_to_get_it_again() -> None:
    page = render_memo(_view())
    for text in ("h100-gateway", "a100-serverless", "plan digest", "bench report results/", header().plan_sha256[:16]):
        assert text in page


def test_only_gates_that_decide_have_a_row() -> None:
    found = {gate.id for gate in _view().gates}
    assert "tool_success" in found
    assert "truncation" not in found  # informative


def test_a_pass_lists_counts_and_limits() -> None:
    texts = [trigger.text for trigger in _view().triggers]
    assert any("of the next" in text and text.endswith("requests fail") for text in texts)
    # 0.98 s times its margin, 1.5
    assert any(text.endswith("requests wait over 1.47\N{NO-BREAK SPACE}s for a token") for text in texts)


def test_a_void_run_has_no_trigger_and_no_figure_of_time() -> None:
    analysis = void()
    assert analysis.judgement is not None
    judged = replace(analysis, judgement=replace(analysis.judgement, verdict=Verdict.INCONCLUSIVE))
    view = memo_view(judged, header(), CATALOG)
    times = [gate for gate in view.gates if gate.id.startswith(("ttft", "decode", "e2e"))]
    assert {(gate.effect.text, gate.worst_case.text) for gate in times} == {("\N{EN DASH}", "\N{EN DASH}")}
    told = [trigger for trigger in view.triggers if trigger.text.endswith(": no trigger")]
    assert len(told) == len(times)
    assert {trigger.allowed for trigger in told} == {"the timings of this run do not count"}
    assert not any("wait over" in trigger.text or "decode below" in trigger.text for trigger in view.triggers)


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INVALID])
def test_without_a_way_to_cut_over_there_is_nothing_to_roll_back(verdict: Verdict) -> None:
    view = _view(verdict)
    assert not view.triggers
    assert view.triggers_lede.startswith("None:")
    assert not view.caveat


def test_three_prompts_at_most_are_to_be_read() -> None:
    judgement = sample().judgement
    assert judgement is not None
    assert _view().read_first == judgement.read_first[:3]


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = html.unescape(render_memo(_view()))
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "src=" not in page.replace("style-src", "").replace("img-src", "").replace("default-src", "")


def test_a_hostile_endpoint_is_read_and_not_run() -> None:
    view = memo_view(hostile(), header(), CATALOG)
    page, text = render_memo(view), memo_markdown(view)
    assert "<script" not in page
    assert "<img" not in page
    outside_code = re.sub(r"`+[^`]*`+", "", text)
    assert r"\<script" in outside_code
    assert "<script" not in outside_code.replace(r"\<", "")


def test_the_markdown_says_the_same_as_the_page() -> None:
    text = memo_markdown(_view())
    for trigger in _view().triggers:
        assert trigger.text.partition(" of the next")[0] in text
    assert "## Rollback triggers" in text
    assert text.count("\n| :-- |") == 2


def test_both_files_lie_beside_the_report(tmp_path: Path) -> None:
    written = write_memo(sample(), header(), tmp_path, suffix="-other-margins")
    assert written.html.name.endswith("-other-margins.memo.html")
    assert written.markdown.name.endswith("-other-margins.memo.md")
    assert written.html.read_text(encoding="utf-8").startswith("<!doctype html>")

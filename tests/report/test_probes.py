"""The page of a probing: what it says, in which order, and that nothing an endpoint sent acts."""

from pathlib import Path

import pytest

from harness.model.probe import ProbeClass, ProbeReport
from harness.model.probestorage import load_probing
from harness.report.html import render_probes
from harness.report.probepage import ProbesView
from harness.report.probesmarkdown import probes_block, render_probes_markdown
from harness.report.view_probes import build_probes_view, difference_of
from tests.model.probings import a_folder, a_report, a_result, an_error
from tests.report.pages import Parsed

ATTACK = b"HTTP/1.1 200 OK\r\n\r\n<script>alert(1)</script>\x1b[31m\xe2\x80\xaeabc\xff"


def view_of(folder: Path, *reports: ProbeReport, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n{}") -> ProbesView:
    return build_probes_view([load_probing(a_folder(folder, report, answer)) for report in reports])


def pair() -> tuple[ProbeReport, ProbeReport]:
    """Two endpoints: one probe of another class, one of another fact, one alike."""
    one = a_report(
        a_result("chat", facts={"model": "m1"}),
        a_result("stop", number=3, facts={"limit": 4}),
        a_result("seed", ProbeClass.SUPPORTED, number=4),
        a_result("error_bad_key", number=42, group="errors", errors=(an_error(), an_error("bad_json", 400))),
        name="a",
    )
    other = a_report(
        a_result("chat", facts={"model": "m2"}),
        a_result("stop", number=3, facts={"limit": 16}),
        a_result("seed", ProbeClass.IGNORED, number=4),
        a_result("error_bad_key", number=42, group="errors", errors=(an_error(status=403), an_error("bad_json", 400))),
        name="b",
    )
    return one, other


def test_the_differences_are_those_of_class_and_fact_another_class_first(tmp_path: Path) -> None:
    found = view_of(tmp_path, *pair())
    assert found.differences is not None
    assert [(row[0].text, row[0].detail) for row in found.differences.rows] == [
        ("seed", "another class"),
        ("stop", "limit"),
    ]
    assert difference_of("chat", pair()) == "", "each endpoint names its model as it likes"
    assert found.differences.rows[1][2].detail.endswith("limit 16")


def test_one_endpoint_has_no_differences(tmp_path: Path) -> None:
    found = view_of(tmp_path, pair()[0])
    assert found.differences is None
    assert "differences" not in {section.id for section in found.sections}


def test_a_probe_that_one_endpoint_lacks_is_not_run_there(tmp_path: Path) -> None:
    one, other = a_report(a_result(), name="a"), a_report(name="b", skipped={"chat": "no window"})
    found = view_of(tmp_path, one, other)
    assert found.differences is not None
    assert [cell.text for cell in found.differences.rows[0]] == ["chat", "supported", "not run"]
    assert found.differences.rows[0][2].detail == "no window"
    assert found.skipped == ("b: chat was not run: no window",)


def test_the_error_contract_marks_what_code_may_branch_on(tmp_path: Path) -> None:
    table = view_of(tmp_path, *pair()).errors
    assert table is not None
    assert [(row[0].text, row[0].detail, row[2].text) for row in table.rows] == [
        ("bad key", "differs", "403 openai"),
        ("bad json", "", "400 openai"),
    ]


@pytest.mark.parametrize(
    ("place", "status", "told"),
    [("none", 200, "the request was served"), ("transport", None, "no HTTP answer"), ("status", 401, "401 openai")],
)
def test_an_error_says_where_it_came(place: str, status: int | None, told: str, tmp_path: Path) -> None:
    table = view_of(tmp_path, a_report(a_result(errors=(an_error(status=status, place=place),)))).errors
    assert table is not None
    assert table.rows[0][1].text == told


def test_changes_that_only_the_later_endpoint_asks_for_come_first(tmp_path: Path) -> None:
    bad = ProbeClass.IGNORED
    one = a_report(a_result("n", bad, number=1), name="a")
    other = a_report(a_result("n", bad, number=1), a_result("seed", bad, number=2), name="b")
    found = view_of(tmp_path, one, other)
    assert [(change.text, change.side) for change in found.changes] == [
        ("Do without seed.", "b"),
        ("Do without n.", "a and b"),
    ]


def test_the_page_has_its_sections_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    found = view_of(tmp_path, *pair())
    page = Parsed(render_probes(found))
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {section.id for section in found.sections} <= set(ids)
    assert {href[1:] for href in page.attributes("href") if href.startswith("#")} <= set(ids)
    assert not any(href.startswith("http") for href in page.attributes("href"))


def test_raw_evidence_is_shown_and_does_not_act(tmp_path: Path) -> None:
    report = a_report(a_result("chat", ProbeClass.BROKEN, evidence="<img src=x> `x`", exchanges=(0,)), name="a")
    found = view_of(tmp_path, report, answer=ATTACK)
    source = render_probes(found)
    assert "<script" not in source
    assert "<img" not in source
    assert "\x1b" not in source
    assert "\u202e" not in source
    assert "alert(1)" in Parsed(source).text
    assert "\\<img src=x\\>" in render_probes_markdown(found), "escaped"


def test_evidence_is_cut_and_says_by_how_much(tmp_path: Path) -> None:
    found = view_of(tmp_path, a_report(a_result(exchanges=(0, 7))), answer=b"x" * 10_000)
    (exchange,) = found.evidence[0].exchanges
    assert len(exchange.answered.text) + exchange.answered.n_cut == 10_000
    assert exchange.answered.n_cut > 0


def test_the_terminal_has_the_differences_above_what_is_the_same(tmp_path: Path) -> None:
    reports = pair()
    lines = probes_block(view_of(tmp_path, *reports), reports, ["page.html"])
    words = [line.split()[0] for line in lines if line]
    assert words.index("stop") < words.index("chat")
    assert lines[lines.index("the same on all:") + 1].split()[:3] == ["chat", "supported", "supported"]
    assert max(map(len, lines)) <= 120

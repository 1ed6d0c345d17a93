import re
from dataclasses import replace

import pytest

from harness.report.markdown import MOST_BYTES, code, prose, render_markdown, text
from harness.report.page import Cell, Column, ReportView, Table, WorstOffView
from tests.report.cases import CASES
from tests.report.pages import hostile_view, view

CELL_BORDER = re.compile(r"(?<!\\)\|")
ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def tables(markdown: str) -> list[list[str]]:
    """Give each table as its lines."""
    found: list[list[str]] = []
    before = ""
    for line in markdown.splitlines():
        if line.startswith("|"):
            if not before.startswith("|"):
                found.append([])
            found[-1].append(line)
        before = line
    return found


@pytest.mark.parametrize("case", CASES)
def test_the_comment_begins_with_the_verdict_and_whether_its_timings_count(case: str) -> None:
    told = view(case)
    lines = render_markdown(told).splitlines()
    assert re.match(rf"## (\S+ )?{told.verdict.word}: ", lines[0])
    word, _, sentence = lines[2].removeprefix("**").partition(".** ")
    assert (word.casefold(), sentence) == (told.certificate.word.casefold(), prose(told.certificate.sentence))
    assert lines[4] == prose(told.verdict.sentence)


def test_the_comment_says_what_the_page_says() -> None:
    found = render_markdown(view("sample"))
    assert "## ❌ FAIL: h100-gateway → a100-serverless" in found
    assert "**Worst case still compatible with the data**\n\n- tool-call success −27.2 points (allowed −5)" in found
    assert (
        "| Tool-call success | ❌ FAIL | 100.0 % (60 of 60) | 81.7 % (49 of 60) | "
        "−18.3 points (−30.2 to −8.7) | −27.2 points | −5.0 points |"
    ) in found
    assert "**Not verified**\n\n- Behaviour under more load than 4 requests in flight" in found
    assert "- a100-serverless (candidate): 2 requests, Rate limited (`rate_limited`): `HTTP 429" in found
    assert "- a100-serverless (candidate): 2 responses, OpenAI SDK: crashes (`sdk_crash`): `tool-nested" in found
    assert "| h100-gateway (reference) | 431.6 | 386.2 | 3.750 |" in found
    assert "- measure again: `bench compare h100.yml a100.yml`" in found


def test_one_endpoint_has_no_gates() -> None:
    found = render_markdown(view("single"))
    assert "## MEASURED: h100-gateway" in found
    assert "Gates" not in found
    assert "### TTFT, ms" in found


@pytest.mark.parametrize("case", CASES)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(case: str) -> None:
    found = tables(render_markdown(view(case)))
    told = view(case)
    n_levels = len(told.levels.tables) if told.levels else 0
    n_worst = bool(told.worst_off and told.worst_off.prompts)
    parity = (*told.answers, *told.tools, *filter(None, (told.structured, told.economics, told.tokens)), *told.attempts)
    assert len(found) == bool(told.gates) + len(told.tails) + bool(told.throughput) + n_levels + n_worst + len(parity)
    for lines in found:
        assert {len(CELL_BORDER.findall(line)) for line in lines} == {len(CELL_BORDER.findall(lines[0]))}
        assert re.fullmatch(r"\| :-- (\| --: )+\|", lines[1])


def test_a_hostile_endpoint_cannot_break_tables_or_add_markup() -> None:
    found = render_markdown(hostile_view())
    assert not ACTIVE.search(found)
    for lines in tables(found):
        assert {len(CELL_BORDER.findall(line)) for line in lines} == {len(CELL_BORDER.findall(lines[0]))}
    outside_code = re.sub(r"(`+)(.+?)\1", "", found.replace("<details><summary>", "").replace("</details>", ""))
    assert not re.search(r"(?<!\\)<(script|img)", outside_code)
    assert "@everyone" not in outside_code
    found.encode()


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        ("a*b*_c_", r"a\*b\*\_c\_"),
        ("[x](y)", r"\[x\](y)"),
        ("<b>", r"\<b\>"),
        ("a|b", r"a\|b"),
        ("# no heading", r"\# no heading"),
        ("- no list", r"\- no list"),
        ("1. no list", r"1\. no list"),
        ("1.25 of 3", "1.25 of 3"),
        ("two\nlines", "two lines"),
        ("@team", "@\u200bteam"),
        ("https://x.example", "https:\u200b//x.example"),
        ("&lt;", r"\&lt;"),
    ],
)
def test_a_text_is_read_and_not_acted_on(raw: str, escaped: str) -> None:
    assert text(raw) == escaped


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`a`", "`` `a` ``"), ("a|b", r"`a\|b`"), ("a\nb", "`a b`"), ("", "")],
)
def test_code_has_a_fence_longer_than_any_within(raw: str, expected: str) -> None:
    assert code(raw) == expected


def test_what_stands_between_backticks_is_code() -> None:
    assert prose("run `bench *x*` now*") == r"run `bench *x*` now\*"
    assert prose("a stray ` tick") == r"a stray \` tick"


def with_worst_prompts(n: int) -> ReportView:
    table = Table(
        caption="Worse",
        columns=(Column(title="prompt"), Column(title="p")),
        rows=tuple((Cell(text=f"p{place}"), Cell(text="0.001")) for place in range(n)),
    )
    return replace(view("sample"), worst_off=WorstOffView(sentence="Some stand out.", note="", prompts=table))


def test_what_decides_is_open_and_what_explains_it_is_folded() -> None:
    found = render_markdown(with_worst_prompts(2))
    order = [found.index(part) for part in ("## ", "### Gates", "### Worst off", "**Not verified**", "<details>")]
    assert order == sorted(order)
    assert found.count("<details>") == found.count("</details>") > 3
    for title in ("Tails and throughput", "How to reproduce"):
        assert f"<details><summary>{title}</summary>\n\n" in found


@pytest.mark.parametrize("case", CASES)
def test_a_comment_is_shorter_than_a_host_allows(case: str) -> None:
    assert len(render_markdown(view(case)).encode()) < MOST_BYTES


def test_what_finds_no_room_is_named_and_the_verdict_stays() -> None:
    told = view("sample")
    rows = tuple(told.tails[0].rows[0] for _ in range(2_000))
    long = replace(told, tails=(replace(told.tails[0], rows=rows),))
    found = render_markdown(long)
    assert len(found.encode()) < MOST_BYTES
    assert found.rstrip().endswith("Left out, since a comment must be short: Tails and throughput. The page has it.")
    assert found.startswith("## ❌ FAIL: ")
    assert "How to reproduce" in found


@pytest.mark.parametrize(("n", "last", "is_cut"), [(8, "p7", False), (9, "p7", True), (20, "p7", True)])
def test_only_the_first_of_many_worse_prompts_are_listed(n: int, last: str, is_cut: bool) -> None:
    found = render_markdown(with_worst_prompts(n))
    assert re.findall(r"\| (p\d+) \| 0.001 \|", found)[-1] == last
    assert ("The page has more of them." in found) is is_cut

import base64
import hashlib
import re

import pytest

from harness.report.html import content_security_policy, render_html
from tests.report.cases import CASES, HOSTILE
from tests.report.pages import Parsed, figures_of, hostile_view, page, parsed, squeezed, view

NOT_A_NUMBER = re.compile(r"(?<![\w-])(nan|inf|infinity|∞|null|undefined)(?![\w-])", re.IGNORECASE)
ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def digest(source: str) -> str:
    return base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


@pytest.mark.parametrize("case", CASES)
def test_every_case_has_a_page_whose_sections_are_all_there(case: str) -> None:
    found = parsed(case)
    ids = set(found.attributes("id"))
    assert {section.id for section in view(case).sections} <= ids
    assert {href[1:] for href in found.attributes("href") if href.startswith("#")} <= ids


@pytest.mark.parametrize("case", CASES)
def test_ids_are_unique(case: str) -> None:
    ids = parsed(case).attributes("id")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("case", CASES)
def test_the_first_words_are_the_verdict(case: str) -> None:
    text = parsed(case).text
    assert text.index(view(case).verdict.word) < text.index(view(case).verdict.sentence)
    assert text.index(view(case).verdict.sentence) < text.index("Definitions", text.index("prompts"))


@pytest.mark.parametrize("case", CASES)
def test_whether_timings_count_is_said_before_any_figure(case: str) -> None:
    """Nothing but names and words stands before it: the title and the contents with its counts."""
    text = parsed(case).text
    told = view(case).certificate
    _, contents, after = text.partition("Skip to the verdict")
    assert contents
    assert after.index(told.sentence) < after.index(view(case).verdict.sentence)
    between = after[after.index("Definitions") + len("Definitions") : after.index(told.sentence)]
    assert between.split() == [told.icon, *told.word.split()]


def test_a_void_run_names_its_limits_and_marks_what_lies_beyond() -> None:
    text = parsed("void").text
    assert "VOID for timing The latencies and token rates of this run must not be used: candidate sent 12.30" in text
    assert "send lateness, p99 1.20 ms 12.3 ms ≤ 5 ms beyond" in text
    assert "uncertainty of an arrival's instant, p99 0.2 µs 0.2 µs ≤ 1 ms, or 2 % of the median gap within" in text
    assert "free slots filled 99.8 % 61.0 % ≥ 95 % beyond" in text


def test_the_first_screen_shows_ratios_with_intervals_and_margins() -> None:
    text = parsed("sample").text
    first = text[: text.index("Validity")]
    assert "TTFT p50 1.13× ✓ PASS 214 → 241 ms 95 %: 1.07 to 1.18 at worst 1.17× allowed ≤ 1.25×" in first
    assert "Worst case still compatible with the data tool-call success −27.2 points (allowed −5)" in first
    assert "What would settle it bench compare h100.yml a100.yml --resume --repeats 12" in first
    assert "Not verified Behaviour under more load than 4 requests in flight" in first


def test_the_page_of_one_endpoint_has_figures_and_no_verdict() -> None:
    text = parsed("single").text
    assert "MEASURED" in text
    assert "TTFT p50 219 ms n 140 95 %: 204 to 243" in text
    assert not {"PASS", "FAIL", "INCONCLUSIVE", "INVALID"} & set(text.split())
    assert "gates" not in parsed("single").attributes("id")
    assert "a100-serverless" not in text


def test_an_invalid_run_names_the_condition_that_is_broken() -> None:
    text = parsed("invalid").text
    assert "No verdict: the reference does not answer this set" in text
    assert "! not met The reference answers this set INVALID 3 of 35 checkable trials (floor 50 %)" in text


def test_failures_are_shown_with_their_advice() -> None:
    text = parsed("sample").text
    assert (
        "Rate limited 2 requests a100-serverless candidate rate_ limited Points at a quota or budget HTTP 429" in text
    )
    assert "Set limits.requests_per_minute in the candidate's file to its quota." in text


def test_a_finding_is_named_in_words_beside_its_kind() -> None:
    text = parsed("sample").text
    assert "OpenAI SDK: crashes 2 responses a100-serverless candidate sdk_ crash tool-nested: TypeError" in text
    assert "Usage in every chunk 140 responses a100-serverless candidate usage_ in_ every_ chunk" in text


def test_a_run_that_was_stopped_names_what_it_may_not_say() -> None:
    text = parsed("unfinished").text
    assert "! not met The run went to the end of its plan no PASS candidate: stopped by Ctrl-C" in text


def test_nothing_is_said_to_be_settled_where_nothing_would_settle_it() -> None:
    assert "What would settle it" in parsed("sample").text
    assert "What would settle it" not in parsed("unfinished").text


def test_the_name_of_a_setting_breaks_at_its_dots() -> None:
    assert "<dt>plan.<wbr>repeats</dt>" in page("sample")


def test_a_prompt_opens_to_answers_difference_checks_and_tool_calls() -> None:
    text = parsed("sample").text
    assert "2 distinct answers in" in text
    assert "First divergence after" in text
    assert "Checks that failed side count check expected came" in text
    assert "SchemaMismatch book_flight $.seats: 2 is expected to be an integer" in text


def test_the_manifest_says_how_to_reproduce() -> None:
    text = parsed("sample").text
    assert "Measure again bench compare h100.yml a100.yml plan 5b1f0c9d5b1f" in text
    assert "bench report results/20261124T0231-h100-vs-a100-7f3a" in text
    assert "5b1f0c9d" * 8 in text


@pytest.mark.parametrize("case", CASES)
def test_no_number_is_printed_that_is_none(case: str) -> None:
    figures = parsed(case).text.rpartition("Definitions")[0]
    assert not NOT_A_NUMBER.findall(figures)
    assert not re.search(r"[^\w-](NaN|Infinity|nan|inf)[^\w-]", page(case))


@pytest.mark.parametrize("case", CASES)
def test_the_policy_allows_exactly_the_inline_style_and_script(case: str) -> None:
    found = parsed(case)
    policies = [
        attributes["content"]
        for tag, attributes in found.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    (style,), (script,) = found.styles, found.scripts
    allowed = f"style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'; img-src data:"
    assert policies == [f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"]


def test_another_script_has_another_policy() -> None:
    assert content_security_policy("a{}", "1") != content_security_policy("a{}", "2")


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_loaded_and_nothing_is_inline_that_the_policy_forbids(case: str) -> None:
    found = parsed(case)
    assert not found.attributes("src")
    assert not found.attributes("style")
    assert not [key for _, attributes in found.elements for key in attributes if key.startswith("on")]
    links = found.attributes("href") + found.attributes("xlink:href")
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "url(" not in found.styles[0]
    assert "@import" not in found.styles[0]


@pytest.mark.parametrize("case", CASES)
def test_every_plot_has_a_text_alternative(case: str) -> None:
    found = [attributes for tag, attributes in parsed(case).elements if tag == "svg"]
    drawings = [attributes for attributes in found if attributes.get("class") != "line"]
    assert all(
        attributes["role"] == "img" and attributes["aria-label"] for attributes in found if attributes not in drawings
    )
    ids = set(parsed(case).attributes("id"))
    figures = figures_of(view(case))
    assert len(drawings) == len(figures)
    for attributes in drawings:
        assert attributes["role"] == "img"
        assert set((attributes["aria-labelledby"] or "").split()) <= ids
    assert all(squeezed(figure.description) in parsed(case).text for figure in figures)


def test_everything_an_endpoint_says_is_escaped() -> None:
    source = render_html(hostile_view())
    found = Parsed(source)
    assert len(found.scripts) == len(found.styles) == 1
    assert "img" not in {tag for tag, _ in found.elements}
    assert not ACTIVE.search(source)
    assert "⟨U+202E⟩gnp.exe" in found.text
    assert "␛[31mred␛[0m" in found.text
    assert "␀end ⟨U+D800⟩" in found.text
    assert "{{ 7 * 7 }}" in found.text
    assert HOSTILE not in source
    source.encode()


def test_the_same_view_gives_the_same_bytes() -> None:
    assert render_html(view("single")) == render_html(view("single"))


def test_a_command_keeps_its_options_whole() -> None:
    assert "<code>bench compare h100.yml a100.yml <span>--resume</span> <span>--repeats</span> 12</code>" in page(
        "sample"
    )

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.results.estimates import Interval
from harness.report import format as fmt
from harness.report.difference import Change, difference
from harness.report.untrusted import Excerpt, excerpt, one_line, visible

TEXTS = st.text(st.characters(codec=None), max_size=80)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\x00b", "a␀b"),
        ("\x1b[0m", "␛[0m"),
        ("\x7f", "␡"),
        ("\u202e", "⟨U+202E⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\x85", "⟨U+0085⟩"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("👩\u200d👧 مرحبا", "👩\u200d👧 مرحبا"),
    ],
)
def test_what_would_act_is_made_visible(raw: str, shown: str) -> None:
    assert visible(raw) == shown


@given(TEXTS)
def test_visible_text_can_be_written_and_stays_as_it_is(raw: str) -> None:
    shown = visible(raw)
    shown.encode()
    assert visible(shown) == shown


@given(TEXTS, st.integers(min_value=1, max_value=40))
def test_one_line_is_one_line_of_that_length(raw: str, limit: int) -> None:
    line = one_line(raw, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1


def test_an_excerpt_says_how_much_is_left_out() -> None:
    assert excerpt("abcdef", 4) == Excerpt(text="abcd", n_cut=2)
    assert excerpt("abc", 4) == Excerpt(text="abc", n_cut=0)


def test_a_difference_begins_where_the_answers_part() -> None:
    found = difference("the cat sat", "the dog sat")
    assert found is not None
    assert [(piece.change, piece.text) for piece in found.pieces] == [
        (Change.SAME, "the "),
        (Change.DELETED, "cat"),
        (Change.INSERTED, "dog"),
        (Change.SAME, " sat"),
    ]
    assert (found.diverges_at, found.n_same_before, found.n_cut) == (4, 0, 0)


def test_equal_answers_have_no_difference() -> None:
    assert difference("same", "same") is None


@given(st.text("ab \n<", max_size=60), st.text("ab \n<", max_size=60))
def test_a_difference_holds_both_answers(one: str, two: str) -> None:
    found = difference(one, two)
    if found is None:
        assert one == two
        return
    kept = {
        change: [piece.text for piece in found.pieces if piece.change in {Change.SAME, change}] for change in Change
    }
    assert one.endswith("".join(kept[Change.DELETED]))
    assert two.endswith("".join(kept[Change.INSERTED]))


def test_an_endless_word_is_cut() -> None:
    found = difference("x" * 100_000, "y" * 100_000)
    assert found is not None
    assert sum(len(piece.text) for piece in found.pieces) + found.n_cut == 200_000
    assert sum(len(piece.text) for piece in found.pieces) < 20_000


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.0"), (-0.04, "0.0"), (-1.25, "−1.2"), (1234.5, "1,234.5"), (math.inf, "unbounded"), (math.nan, "–")],
)
def test_a_number_is_written_for_people(value: float, shown: str) -> None:
    assert fmt.decimal(value, 1) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.05, "+5.0\u00a0points"), (-0.05, "−5.0\u00a0points"), (0.0001, "0.0\u00a0points")]
)
def test_a_difference_of_rates_is_in_signed_points(value: float, shown: str) -> None:
    assert fmt.points(value) == shown


@pytest.mark.parametrize(
    ("value_s", "shown"),
    [
        (0.000061, "0.061\u00a0ms"),
        (0.0213, "21.3\u00a0ms"),
        (0.999, "999\u00a0ms"),
        (2.0, "2.00\u00a0s"),
        (120.0, "120.0\u00a0s"),
    ],
)
def test_a_duration_chooses_its_unit(value_s: float, shown: str) -> None:
    assert fmt.duration(value_s) == shown


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(1.5, "USD", "$1.50"), (0.00123, "USD", "$0.00123"), (0.0, "EUR", "€0.00"), (2.0, "CZK", "2.00\u00a0CZK")],
)
def test_money_keeps_three_digits(amount: float, currency: str, shown: str) -> None:
    assert fmt.money(amount, currency) == shown


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (1.0, 2.0, "1.00 to 2.00"),
        (None, 2.0, "no bound to 2.00"),
        (1.0, math.inf, "1.00 to unbounded"),
        (math.inf, math.inf, "unbounded"),
    ],
)
def test_an_interval_says_when_an_end_is_open(low: float | None, high: float | None, shown: str) -> None:
    interval = Interval(low=low, high=high, level=0.95, method="cluster bootstrap")
    assert fmt.bounds(interval, fmt.Scale(symbol="", decimals=2)) == shown


def test_a_row_shares_the_unit_of_its_middle() -> None:
    scale = fmt.scale_for("s", [0.2, 0.3, 4.0])
    assert [scale.full(value) for value in (0.2, 4.0, math.inf)] == ["200\u00a0ms", "4,000\u00a0ms", "unattainable"]

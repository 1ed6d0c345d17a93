"""Dates as answers and arguments write them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.datetext import days_apart, iso_date, last_date, whole_date

PI_DAY = date(2026, 3, 14)
WRITTEN = (
    *("2026-03-14", "2026/3/14", "2026.03.14", "14 March 2026", "14. March 2026", "14th of March, 2026", "14-Mar-2026"),
    *("March 14, 2026", "march 14th 2026", "MAR. 14, 2026", "14.3.2026", "14. 3. 2026", "3/14/2026", "14/03/2026"),
    *("14-03-2026", "2026年3月14日", "2026年 3月 14日", "2026년 3월 14일", "14\u00a0March\u00a02026"),
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"),
    "December",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_date_is_read_alone_and_inside_a_text(text: str) -> None:
    assert whole_date(text).value == PI_DAY
    assert last_date(text).value == PI_DAY
    assert last_date(f"Not 2025-01-01 but {text}, as agreed.").value == PI_DAY
    assert last_date(f"It is due on {text}.").value == PI_DAY


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no date"),
        ("14 March", "no date"),
        ("March 2026", "no date"),
        ("Maybe 5, 2026", "no date"),
        ("2026-03-141", "no date"),
        ("12026-03-14", "no date"),
        ("version 1.14.3.2026", "no date"),
        ("03/04/2026", "03/04/2026, which is two dates"),
        ("13/14/2026", "13/14/2026, which is no date"),
        ("31 Feb 2026", "31 Feb 2026, which is no date"),
        ("2026-13-01", "2026-13-01, which is no date"),
        ("0000-01-01", "0000-01-01, which is no date"),
    ],
)
def test_what_is_no_date_says_why(text: str, problem: str) -> None:
    assert last_date(text).value is None
    assert str(last_date(text)) == problem


@pytest.mark.parametrize(
    ("text", "is_date"),
    [
        ("2026-03-14T09:30:00Z", True),
        ("2026-03-14T09:30:00.123456+01:00", True),
        ("2026-03-14 09:30", True),
        ("20260314", True),
        (" 2026-03-14\n", True),
        ("2026-03-14 or later", False),
        ("by 2026-03-14", False),
        ("2026-03-14, 2026-03-15", False),
        ("2026031", False),
        ("202603141", False),
    ],
)
def test_a_whole_date_stands_alone_but_for_a_time(text: str, *, is_date: bool) -> None:
    assert whole_date(text).value == (PI_DAY if is_date else None)


def test_the_golden_set_writes_dates_in_one_way() -> None:
    assert iso_date("2026-03-14") == PI_DAY
    assert [iso_date(text) for text in ("20260314", "2026-W11-6", "2026-3-14", "2026-02-30", "")] == [None] * 5


days = st.dates(min_value=date(1000, 1, 1))


@given(day=days)
def test_every_day_is_read_in_every_form_that_cannot_be_misread(day: date) -> None:
    year, month, name = f"{day.year:04}", day.month, MONTHS[day.month - 1]
    written = (
        day.isoformat(),
        f"{day.day} {name} {year}",
        f"{name[:3]} {day.day}, {year}",
        f"{day.day}.{month}.{year}",
    )
    assert {last_date(text).value for text in written} == {whole_date(text).value for text in written} == {day}
    slashed = last_date(f"{month}/{day.day}/{year}").value
    assert slashed == (None if day.day <= 12 and day.day != month else day)


@given(day=days, n=st.integers(0, 500))
def test_the_distance_is_the_number_of_days_either_way(day: date, n: int) -> None:
    later = date.fromordinal(min(day.toordinal() + n, date.max.toordinal()))
    assert days_apart(day, later) == days_apart(later, day) == (later - day) // timedelta(days=1)


@given(text=st.text(st.sampled_from("0123456789-/.年月日 marchTZ:,"), max_size=40))
def test_any_text_has_a_date_or_says_that_it_has_none(text: str) -> None:
    reading, whole = last_date(text), whole_date(text)
    assert (reading.value is None) == bool(reading.problem)
    assert whole.value is None or reading.value == whole.value or text.strip().isdigit()

"""A series holds runs that may be compared, and gaps where a run says nothing."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from harness.analysis.ledgernights import nights_of
from harness.analysis.nightmetrics import NIGHT_METRICS
from harness.analysis.series import Chosen, choose, read_since, series_of
from harness.analysis.steps import find_steps
from harness.errors import ConfigError
from harness.model.ledger import Ledger, LedgerEntry, Remark
from harness.model.record import Arm
from harness.report.sparkline import sparkline
from tests.model.ledgers import PARTS, a_figure, a_ledger_side, an_entry, decoding

FILE = Path("ledger.jsonl")


def ledger(*entries: LedgerEntry, remarks: tuple[Remark, ...] = ()) -> Ledger:
    return Ledger(file=FILE, entries=entries, remarks=remarks)


def test_gaps_say_why() -> None:
    found = ledger(
        decoding("a", 1, 100.0),
        decoding("void", 2, 50.0, timing="VOID", reasons=("lag",)),
        decoding("cut", 3, 50.0, is_valid=False, reasons=("reference: interrupted",)),
        decoding("none", 4, None),
        _mostly_unanswered(decoding("out", 5, 50.0)),
    )
    series = series_of(found, found.entries, "decode_p50", None)
    assert series.values == (100.0,)
    assert [point.gap for point in series.points] == [
        None,
        "timings are VOID: lag",
        "reference: interrupted",
        "not measured",
        "an outage: most requests got no answer",
    ]
    rates = series_of(found, found.entries, "request_success", None)
    assert [point.gap is None for point in rates.points] == [True, True, False, True, True]  # VOID is about timings


def _mostly_unanswered(entry: LedgerEntry) -> LedgerEntry:
    (side,) = entry.sides
    figures = {**side.figures, "request_success": a_figure(0.4)}
    return msgspec.structs.replace(entry, sides=(msgspec.structs.replace(side, figures=figures),))


def test_a_night_is_a_gap_where_the_history_has_one() -> None:
    entries = [_mostly_unanswered(decoding("out", 1, 50.0)), decoding("void", 2, 50.0, timing="VOID")]
    decode, answered = (NIGHT_METRICS[name] for name in ("decode_p50", "request_success"))
    found = ledger(*entries)
    for metric in (decode, answered):
        nights = nights_of(entries, Arm.REFERENCE, [metric])[metric.id]
        points = series_of(found, entries, metric.id, None).points
        assert [night.reason for night in nights] == [point.gap for point in points]


def test_runs_that_must_not_be_mixed_are_refused_and_the_field_is_named() -> None:
    other = {**PARTS, "reference.model": "n"}
    found = ledger(an_entry("a"), an_entry("b", 2, parts=other))
    with pytest.raises(ConfigError, match=r"reference.model: m \(1 run\), n \(1 run\)"):
        series_of(found, found.entries, "decode_p50", None)
    alike = choose(found, Chosen(like="b"))
    assert [entry.run_id for entry in alike] == ["b"]


def test_a_comparison_is_watched_on_its_candidate_unless_another_is_named() -> None:
    sides = (a_ledger_side(name="old"), a_ledger_side(Arm.CANDIDATE, name="new"))
    found = ledger(an_entry("a", kind="compare", sides=sides))
    assert series_of(found, found.entries, "decode_p50", None).endpoint == "new"
    assert series_of(found, found.entries, "decode_p50", "old").endpoint == "old"


def test_runs_are_chosen_by_what_they_are() -> None:
    labelled = a_ledger_side(name="b", model="n", labels={"tier": "h100"})
    found = ledger(
        an_entry("a", 1),
        an_entry("b", 10, sides=(labelled,), golden_name="big", golden_sha256="f" * 64),
        remarks=(Remark(at="2026-01-02", run_id="a", label="before"),),
    )

    def ids(**of: object) -> list[str]:
        return [entry.run_id for entry in choose(found, Chosen(**of))]  # type: ignore[arg-type]

    assert ids() == ["a", "b"]
    assert ids(endpoint="b") == ids(endpoint="n") == ids(golden="big") == ids(golden="ffff") == ["b"]
    assert ids(label="before") == ["a"]
    assert ids(label="h100") == ids(label="tier=h100") == ["b"]
    assert ids(since=datetime(2026, 1, 5, tzinfo=UTC)) == ["b"]


def test_since_is_a_date_an_instant_or_days() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert read_since("2026-02-01", now) == datetime(2026, 2, 1, tzinfo=UTC)
    assert read_since("10d", now) == datetime(2026, 2, 19, 12, tzinfo=UTC)
    with pytest.raises(ConfigError, match="is no date"):
        read_since("soon", now)


def test_a_step_names_its_first_run_though_there_are_gaps() -> None:
    wave = (0.4, -0.6, 0.1, -0.2, 0.5, -0.4)
    values = [None if day in {3, 14} else (120 if day < 12 else 100) + wave[day % 6] for day in range(24)]
    found = ledger(*(decoding(f"d{day:02d}", day + 1, value) for day, value in enumerate(values)))
    steps = find_steps(series_of(found, found.entries, "decode_p50", None))
    assert [step.run_id for step in steps] == ["d12"]
    assert steps[0].n_before + steps[0].n_after == 22
    assert "-16.7 %" in steps[0].words


def test_a_sparkline_has_a_bar_for_each_run_and_a_dot_for_each_gap() -> None:
    assert sparkline([1.0, None, 8.0, 4.5], 80) == "▁·█▅"
    assert sparkline([1.0, 2.0, 3.0], 2) == "▁█"
    assert sparkline([3.0, 3.0], 80) == "▅▅"
    assert sparkline([None], 80) == "·"
    assert sparkline([], 80) == ""

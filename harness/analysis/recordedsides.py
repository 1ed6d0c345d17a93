"""What lies between the sides of a comparison that joins two runs: time, place, and which gates that sets aside.

Sides of one run answer in the same window, over the same network, from the same machine. Where one was recorded before,
all of that counts as a difference of timings; a rate of right answers moves with none of it. So the gates on ratios of
timings are informative then, unless the user asks that they decide. A service level looks at the candidate alone and
stays.
"""

from collections.abc import Iterator
from datetime import datetime

from harness.analysis.gatetable import Form, GateRow
from harness.analysis.results.case import Case, Side
from harness.analysis.words import count_of, listed

OPTION = "--recorded-timings"
_PER_MINUTE_S, _PER_HOUR_S, _PER_DAY_S = 60, 3_600, 86_400
_VANTAGE = {"host": "machine", "vantage": "place", "system": "system", "cpu": "CPU", "time_zone": "time zone"}


def earlier_sides(case: Case) -> list[Side]:
    """Give the sides that were recorded in another run; empty where one run measured both."""
    sides = (case.reference, case.candidate)
    return [side for side in sides if side is not None and side.was_recorded_earlier]


def is_set_aside(case: Case, row: GateRow) -> bool:
    """Whether a gate compares timings of two runs, and nobody asked that it decides."""
    return row.form is Form.QUANTILES and not case.recorded_timings and bool(earlier_sides(case))


def recorded_warnings(case: Case) -> tuple[str, ...]:
    """Say what a reader must know first: time and places between the sides, and what became of their timings."""
    if not earlier_sides(case) or case.candidate is None:
        return ()
    return (_between(case), _timings(case), *_earlier_questions(case))


def recorded_words(case: Case) -> str:
    """Give what stands before the verdict's sentence, short enough for a terminal; empty where one run has both."""
    if not earlier_sides(case) or case.candidate is None:
        return ""
    one, two = case.reference, case.candidate
    is_dated = one.started_at is not None and two.started_at is not None
    apart = f"{_duration(_seconds_between(one, two))} apart" if is_dated else "at times that are not on record"
    hosts = one.vantage.get("host"), two.vantage.get("host")
    is_elsewhere = None not in hosts and len(set(hosts)) > 1
    place = ", from two machines" if is_elsewhere else ""
    return f"Sides measured {apart}{place}: timings {'decide as asked' if case.recorded_timings else 'do not decide'}. "


def _between(case: Case) -> str:
    """Say how far apart the sides were measured."""
    assert case.candidate is not None  # noqa: S101  # the caller has looked
    apart = _apart(case.reference, case.candidate)
    places = list(_place_words(case.reference, case.candidate))
    where = listed(places) if places else "from the same machine, as far as is on record"
    return f"The sides were not measured together: {apart}, {where}."


def _apart(reference: Side, candidate: Side) -> str:
    if reference.started_at is None or candidate.started_at is None:
        return "at times that are not on record"
    word = "before" if _instant(candidate) >= _instant(reference) else "after"
    dates = f"{reference.started_at[:10]} and {candidate.started_at[:10]}"
    return f"the reference {_duration(_seconds_between(reference, candidate))} {word} the candidate ({dates})"


def _seconds_between(reference: Side, candidate: Side) -> float:
    return abs((_instant(candidate) - _instant(reference)).total_seconds())


def _instant(side: Side) -> datetime:
    return datetime.fromisoformat(side.started_at or "")


def _duration(seconds: float) -> str:
    steps = ((_PER_DAY_S, "day"), (_PER_HOUR_S, "hour"), (_PER_MINUTE_S, "minute"))
    found = next((step for step in steps if seconds >= step[0]), None)
    return "less than a minute" if found is None else count_of(round(seconds / found[0]), found[1])


def _place_words(reference: Side, candidate: Side) -> Iterator[str]:
    for side in (reference, candidate):
        if not side.vantage.get("host"):
            yield f"the {side.arm}'s machine is not on record"
    for name, word in _VANTAGE.items():
        one, two = reference.vantage.get(name), candidate.vantage.get(name)
        if one and two and one != two:
            yield f"from another {word} ({one}, then {two})"


def _timings(case: Case) -> str:
    if case.recorded_timings:
        return (
            f"Their timings decide all the same, as {OPTION} asks: time of day, network and machine count as the "
            "candidate's doing."
        )
    return (
        "So the gates on timings are informative: time of day, network and machine would count as the candidate's "
        f"doing. {OPTION} lets them decide."
    )


def _earlier_questions(case: Case) -> Iterator[str]:
    if case.n_earlier_verdicts:
        yield (
            f"Before, {count_of(case.n_earlier_verdicts, 'verdict')} on these endpoints stood on the same recorded "
            "run: each new run is a question of its own, and among many some pass or fail by chance."
        )

"""How requests arrived and how much was asked of each side: in words."""

from collections.abc import Mapping, Sequence

from harness.analysis.load import Load, side_loads
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Case, Side
from harness.analysis.results.instrument import TimingVerdict
from harness.analysis.results.levels import LevelRow
from harness.analysis.words import listed
from harness.model.record import Arm, Arrival
from harness.report import format as fmt
from harness.report.page import Cell, Column, Fact
from harness.report.view_manifest import sides_of

_PROCESS = {
    Arrival.CLOSED: "closed loop",
    Arrival.CONSTANT: "open loop, constant",
    Arrival.POISSON: "open loop, Poisson",
}
_INSTANTS = {
    Arrival.CONSTANT: "at equal distances (",
    Arrival.POISSON: "at random, independently of each other (Poisson, ",
}


def load_fact(case: Case) -> Fact:
    """Say it in a line, for every page: an open loop and a closed one are not to be compared."""
    told = dict.fromkeys(_offered(side_loads(case, side)) for side in sides_of(case))
    details = dict.fromkeys(_detail(case, side) for side in sides_of(case))
    return Fact(label="load", value=" / ".join(told), detail=" / ".join(details))


def _offered(loads: Sequence[Load]) -> str:
    levels = ", ".join(f"{load.asked:,g}" for load in loads)
    return f"{_PROCESS[loads[0].arrival]}: {levels} {unit_words(loads[0].arrival)}"


def _detail(case: Case, side: Side) -> str:
    """Give what fixes the instants, and which level is judged."""
    loads, plan = side_loads(case, side), side.plan or case.plan
    parts = [
        "" if case.candidate is None else "on each side",
        "the first is judged" if len(loads) > 1 else "",
        f"seed {plan.seed}" if plan is not None and loads[0].is_open_loop else "",
        f"ramp {loads[0].ramp_s:g} s" if loads[0].ramp_s else "",
    ]
    return ", ".join(part for part in parts if part)


def arrival_words(case: Case) -> str:
    """Explain the loop, for a reader who compares levels."""
    side = case.candidate or case.reference
    loads = side_loads(case, side)
    return " ".join(
        part
        for part in (
            _open_loop(case, side, loads) if loads[0].is_open_loop else _CLOSED_LOOP[case.candidate is None],
            f"The load rises over the first {loads[0].ramp_s:g} s of a level." if loads[0].ramp_s else "",
            f"The whole set is replayed at each level; only the first, {level_words(loads[0])}, is judged."
            if len(loads) > 1
            else "",
        )
        if part
    )


_CLOSED_LOOP = {  # whether one endpoint is alone
    False: "Closed loop: each side keeps so many requests in flight, and the end of one starts the next.",
    True: "Closed loop: so many requests are kept in flight, and the end of one starts the next.",
}


def _open_loop(case: Case, side: Side, loads: Sequence[Load]) -> str:
    plan = side.plan or case.plan
    seed = "no plan" if plan is None else f"seed {plan.seed}"
    where = "" if case.candidate is None else "on each side "
    rates = listed([f"{load.asked:,g}" for load in loads])
    return (
        f"Open loop: {where}{rates} requests/s are due {_INSTANTS[loads[0].arrival]}{seed}), whatever has "
        "answered by then. What a user waits counts from when a request was due."
    )


def level_words(level: Load | LevelRow) -> str:
    """Name a level shortly, as `16 in flight` or `2.5 requests/s`."""
    return f"{level.asked:,g}{fmt.GAP}{unit_words(level.arrival)}"


LEVEL_HEADS = (Column(title="load", is_number=False), Column(title="side", is_number=False))


def level_head(row: LevelRow) -> Cell:
    """Begin a level's row: whether it is judged, whether its timings do not count."""
    void = TimingVerdict.VOID
    told = ("judged" if row.level == 0 else "", void.value if row.timing is void else "")
    return Cell(text=level_words(row), detail=", ".join(filter(None, told)))


def level_name(row: LevelRow, names: Mapping[Arm, str]) -> str:
    """Name a level's row in a note."""
    return f"{level_words(row)}, {names.get(row.arm, row.arm.value)}"


def unit_words(arrival: Arrival) -> str:
    """Say what a level counts."""
    return "in flight" if arrival is Arrival.CLOSED else "requests/s"


def is_leveled(analysis: Analysis) -> bool:
    """Whether there is more to say of load than one number: several levels, or an open loop."""
    return any(row.level or row.arrival is not Arrival.CLOSED for row in analysis.levels)


def counted_words(analysis: Analysis) -> str:
    """Say what counts of requests and money count, where that is more than the judged level."""
    n_levels = len({row.level for row in analysis.levels})
    return f"Of everything that was sent: all {n_levels} levels of load, and warm-ups." if n_levels > 1 else ""

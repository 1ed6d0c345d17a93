"""Where more load stops bringing more throughput: a reading of the levels, not a verdict."""

from collections.abc import Sequence

from harness.analysis.load import Load, load_words
from harness.analysis.results.estimates import Value
from harness.analysis.results.levels import Knee, LevelRow
from harness.analysis.values import known, missing
from harness.model.record import Arm

LEAST_GROWTH = 0.1  # of what the load grew by
ONE_LEVEL = "one level of load says nothing about growth"


def knees(rows: Sequence[LevelRow]) -> tuple[Knee, ...]:
    """Give one reading per side, all by the same figure of throughput."""
    is_steady = is_steady_everywhere(rows)
    arms = dict.fromkeys(row.arm for row in rows)
    return tuple(_knee(arm, [row for row in rows if row.arm is arm], is_steady=is_steady) for arm in arms)


def is_steady_everywhere(rows: Sequence[LevelRow]) -> bool:
    """Whether every level of every side has a figure at full load: only then are those figures comparable."""
    return all(row.throughput.steady_output_tokens_per_s.value is not None for row in rows)


def level_throughput(row: LevelRow, *, is_steady: bool) -> Value:
    """Give a level's output tokens per second, at its full load or over all of it."""
    return row.throughput.steady_output_tokens_per_s if is_steady else row.throughput.output_tokens_per_s


def words_of(row: LevelRow) -> str:
    """Name a row's level, as `4 requests in flight`."""
    return load_words(Load(level=row.level, asked=row.asked, arrival=row.arrival))


def _knee(arm: Arm, rows: Sequence[LevelRow], *, is_steady: bool) -> Knee:
    ascending = list({row.asked: row for row in sorted(rows, key=lambda row: (row.asked, -row.level))}.values())
    if len(ascending) == 1:
        return Knee(arm=arm, load=missing(ONE_LEVEL), words=f"No reading: {ONE_LEVEL}.")
    moved: list[float] = []
    for row in ascending:
        value = level_throughput(row, is_steady=is_steady)
        if value.value is None:
            reason = f"no throughput at {words_of(row)}: {value.reason}"
            return Knee(arm=arm, load=missing(reason), words=f"No reading: {reason}.")
        moved.append(value.value)
    for place, row in enumerate(ascending[:-1]):
        if moved[place] and _stops_growing([row.asked for row in ascending[place:]], moved[place:]):
            return Knee(arm=arm, load=known(row.asked), words=_found(row, ascending[-1], moved[place], moved[-1]))
    reason = f"up to {words_of(ascending[-1])} throughput still grew by a tenth of what the load did, or more"
    return Knee(arm=arm, load=missing(reason), words=f"{reason[0].upper()}{reason[1:]}.")


def _stops_growing(loads: Sequence[float], moved: Sequence[float]) -> bool:
    """Whether every later level moves less than a tenth more, of what is asked more: one slow level is no end."""
    return all(
        later / moved[0] - 1 < LEAST_GROWTH * (load / loads[0] - 1)
        for load, later in zip(loads[1:], moved[1:], strict=True)
    )


def _found(knee: LevelRow, last: LevelRow, moved: float, moved_last: float) -> str:
    growth, load = moved_last / moved - 1, last.asked / knee.asked - 1
    return (
        f"From {words_of(knee)} on throughput hardly grows: at {last.asked:,g} it is {growth * 100:+.0f} %, "
        f"for {load * 100:+.0f} % of load.".replace("-", "\N{MINUS SIGN}")
    )

"""Where a series of the ledger steps: change points by run."""

from dataclasses import dataclass

from harness.analysis.changepoints import find_change_points
from harness.analysis.series import RATES, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change point: the first run after it, and the means of the runs on either side."""

    index: int  # position in the series, gaps included
    run_id: str
    started_at: str
    before: float
    after: float
    n_before: int
    n_after: int

    @property
    def words(self) -> str:
        """Say it in a line."""
        change = f" ({100 * (self.after / self.before - 1):+.1f} %)" if self.before > 0 else ""
        return (
            f"from {self.before:.4g} to {self.after:.4g}{change} at {self.run_id}, {self.started_at[:10]}; means of "
            f"{self.n_before} and {self.n_after} runs"
        )


def find_steps(series: Series) -> tuple[Step, ...]:
    """Find the steps; none in fewer than ten runs with a value."""
    values = [point.figure.value if point.figure else None for point in series.points]
    requests = [point.figure.n if point.figure else 0 for point in series.points] if series.figure in RATES else None
    return tuple(
        Step(
            index=found.index,
            run_id=series.points[found.index].entry.run_id,
            started_at=series.points[found.index].entry.started_at,
            before=found.before,
            after=found.after,
            n_before=found.n_before,
            n_after=found.n_after,
        )
        for found in find_change_points(values, requests)
    )

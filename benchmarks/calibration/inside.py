"""Outcomes where a real loss lies inside its margin: it may FAIL, as nothing bounds that."""

from collections.abc import Iterator

from benchmarks.calibration.tables import head, percent, row
from benchmarks.calibration.verdicts import Scenario, count, judgements
from benchmarks.synthetic import Defect
from harness.analysis.results.gate import Outcome

INSIDE = tuple(
    Scenario(name=f"TTFT {factor:g} times", defect=Defect(ttft_factor=factor), failure=0.0, gate="ttft_p50")
    for factor in (1.05, 1.1, 1.15, 1.2)
)


def lines(sets: int, seed: int) -> Iterator[str]:
    """Give the table: the gate allows 1.25 times."""
    yield from head(["candidate", "gate", "sets", "PASS", "FAIL (upper bound)", "INCONCLUSIVE"])
    for scenario in INSIDE:
        gate = scenario.gate or ""
        found = count(judgements(scenario, sets, seed))
        passed, is_open = (found.gate(gate, outcome) for outcome in (Outcome.PASS, Outcome.INCONCLUSIVE))
        failed = found.gate(gate, Outcome.FAIL).bounded
        yield row([scenario.name, gate, sets, percent(passed.rate), failed, percent(is_open.rate)])

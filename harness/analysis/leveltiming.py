"""What the timings of a run are worth at one level of load, without the rest of an analysis."""

from harness.analysis.certificate import certify
from harness.analysis.instrument import side_instrument
from harness.analysis.load import side_loads
from harness.analysis.results.case import Case, Side
from harness.analysis.results.instrument import Certificate, Instrument
from harness.analysis.trials import judge_side


def certificate_at(case: Case, level: int) -> Certificate:
    """Judge the instrument over every side that was measured at a level."""
    sides = [side for side in (case.reference, case.candidate) if side is not None]
    return certify(tuple(_instrument(case, side, level) for side in sides if level < len(side_loads(case, side))))


def _instrument(case: Case, side: Side, level: int) -> Instrument:
    judged = judge_side(side, case.golden, is_open_loop=side_loads(case, side)[0].is_open_loop)
    return side_instrument(case, side, judged, level=level)

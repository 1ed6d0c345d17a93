"""The certificate of a case without the rest of its analysis."""

from harness.analysis.certificate import certify
from harness.analysis.instrument import side_instrument
from harness.analysis.load import side_loads
from harness.analysis.results.case import Case, Side
from harness.analysis.results.instrument import Certificate, Instrument
from harness.analysis.trials import judge_side


def case_certificate(case: Case) -> Certificate:
    """Certify the timings of both sides, or of the one that there is, as an analysis does."""
    sides = (case.reference, case.candidate)
    return certify(tuple(_instrument(case, side) for side in sides if side is not None))


def _instrument(case: Case, side: Side) -> Instrument:
    is_open_loop = side_loads(case, side)[0].is_open_loop
    return side_instrument(case, side, judge_side(side, case.golden, is_open_loop=is_open_loop))

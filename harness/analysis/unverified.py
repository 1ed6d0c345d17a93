"""Which sides were reached without a look at their certificates: whoever stood between could have answered."""

from collections.abc import Mapping

from harness.analysis.results.case import Case, Side


def is_unverified(endpoint: Mapping[str, object]) -> bool:
    """Whether an endpoint file, as recorded, switches verification off for a server that has a certificate."""
    tls = endpoint.get("tls")
    is_off = isinstance(tls, Mapping) and tls.get("verify") is False
    return is_off and str(endpoint.get("base_url", "")).startswith("https:")


def unverified_sides(case: Case) -> tuple[Side, ...]:
    """Give the sides of a case that were reached so."""
    sides = (case.reference, case.candidate, case.placebo)
    return tuple(side for side in sides if side is not None and is_unverified(side.endpoint))

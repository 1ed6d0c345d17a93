"""The loud line about certificates that nobody verified."""

from collections.abc import Mapping, Sequence

from harness.analysis.results.case import Case
from harness.analysis.unverified import is_unverified, unverified_sides
from harness.report.page import Fact
from harness.report.untrusted import visible

LABEL = "TLS"
NOT_VERIFIED = "CERTIFICATES NOT VERIFIED"
_WHY = "verify: false; whoever stood between could read the key and write the answers"


def tls_facts(case: Case) -> tuple[Fact, ...]:
    """Give the line, or nothing where all was verified."""
    return _facts([f"{side.arm} {side.name}" for side in unverified_sides(case)])


def tls_facts_of(endpoints: Sequence[Mapping[str, object]]) -> tuple[Fact, ...]:
    """Give the line for endpoints as recorded."""
    return _facts([str(endpoint.get("name", "")) for endpoint in endpoints if is_unverified(endpoint)])


def _facts(names: Sequence[str]) -> tuple[Fact, ...]:
    if not names:
        return ()
    return (Fact(label=LABEL, value=f"{NOT_VERIFIED}: {visible(', '.join(names))}", detail=_WHY),)

"""Every class that a probe can give is produced by the simulator's switch and recognised by the real runner."""

from pathlib import Path

import pytest

from harness.model.probe import ProbeClass
from harness.probes.catalogue import PROBES
from tests.probes.probed import probed

USUAL = "supported ignored rejected broken inconclusive"
CLASSES = {  # what else a probe can give, or cannot
    "chat": "supported rejected broken inconclusive",
    "compression": "supported accepted rejected broken inconclusive",
    "headers_cache_responses": "supported accepted rejected broken inconclusive",
    "budget_overflow": "supported ignored broken accepted inconclusive",
    "context_overflow": "supported ignored broken accepted inconclusive",
    "greedy_repeat": "supported accepted rejected broken inconclusive",
    "logit_bias": "accepted rejected broken inconclusive",
    "json_truncated": "supported rejected broken inconclusive",
    "tool_stream_parity": "supported rejected broken inconclusive",
    "reasoning": f"{USUAL} accepted",
    "unknown_field": "accepted rejected broken inconclusive",
    "error_unknown_model": "supported ignored broken",
    "error_bad_key": "supported ignored broken",
    "error_bad_json": "supported ignored broken",
    "error_wrong_type": "supported ignored broken",
    "error_in_stream": "supported ignored broken",
    "error_over_long": "supported ignored broken inconclusive",
    "error_rate_limit": "supported broken accepted inconclusive",
}
PAIRS = [(probe, kind) for probe in PROBES for kind in CLASSES.get(probe.id, USUAL).split()]


@pytest.mark.parametrize(("probe", "kind"), PAIRS, ids=lambda value: getattr(value, "id", value))
def test_a_switched_class_is_recognised(probe: object, kind: str, tmp_path: Path) -> None:
    name = probe.id  # type: ignore[attr-defined]
    burst = 30 if name == "error_rate_limit" and kind != "accepted" else None
    (result,) = probed({name: kind}, tmp_path / "p", name, burst=burst).results
    assert result.outcome == ProbeClass(kind), result.evidence
    assert result.evidence
    assert (result.change is not None) == (kind in {"ignored", "rejected", "broken"})


def test_the_catalogue_keeps_its_numbers_and_names() -> None:
    assert [probe.number for probe in PROBES] == list(range(1, 48))
    assert len({probe.id for probe in PROBES}) == len(PROBES)

"""An endpoint that refuses a usual field: its file says so, and no probe takes that for its own answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.model.endpoint import Params
from harness.model.probe import ProbeClass
from harness.probes.catalogue import PROBES
from harness.simulator.features import USES
from tests.probes.probed import probed

C = ProbeClass
IDS = tuple(probe.id for probe in PROBES)


def strict(
    field: str, refuses: Callable[[dict[str, Any]], bool], folder: Path, params: Params, *ids: str
) -> dict[str, ProbeClass]:
    """Probe a server that refuses a field, as what the switch of its name refuses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(USES, field, refuses)
        report = probed({field: "rejected"}, folder, *(ids or IDS), fields={"params": params})
    return {result.id: result.outcome for result in report.results}


@pytest.mark.parametrize(
    ("field", "params"),
    [
        ("max_tokens", Params(rename={"max_tokens": "max_completion_tokens"})),
        ("temperature", Params(drop=["temperature"])),
    ],
    ids=["max_tokens", "temperature"],
)
def test_what_the_file_renames_or_drops_is_refused_in_its_own_probe_alone(
    field: str, params: Params, tmp_path: Path
) -> None:
    found = strict(field, lambda body: field in body, tmp_path / "p", params)
    assert len(found) == len(IDS)
    assert {probe: kind for probe, kind in found.items() if kind is C.REJECTED} == {field: C.REJECTED}
    assert {kind for kind in found.values() if kind is C.BROKEN} == set()


def test_a_field_that_was_sent_for_anothers_sake_and_is_refused_shows_nothing(tmp_path: Path) -> None:
    ids = ("seed", "top_p", "n", "json_object", "temperature")
    found = strict("temperature", lambda body: (body.get("temperature") or 0) >= 1, tmp_path / "p", Params(), *ids)
    assert found == dict.fromkeys(ids, C.INCONCLUSIVE) | {"json_object": C.SUPPORTED, "temperature": C.REJECTED}


def test_a_budget_that_the_file_drops_is_no_overflow(tmp_path: Path) -> None:
    found = probed({}, tmp_path / "p", "budget_overflow", fields={"params": Params(drop=["max_tokens"])})
    assert [result.outcome for result in found.results] == [C.INCONCLUSIVE]

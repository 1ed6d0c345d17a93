"""docs/probes.md lists the catalogue as it is."""

import math
import re
from pathlib import Path

import pytest

from harness.probes.catalogue import PROBES
from harness.probes.probe import Probe

PAGE = Path(__file__).parents[2] / "docs" / "probes.md"


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.id)
def test_the_page_lists_every_probe(probe: Probe) -> None:
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if f"| `{probe.id}` |" in line]
    assert len(rows) == 1
    number, _, group, question, requests = rows[0]
    assert (number, group) == (f"| {probe.number}", probe.group)
    assert question.startswith(probe.question)
    assert ("needs the context window" in question) == probe.needs_window
    assert ("the model's choice" in question) == probe.needs_model
    n_sent = sum(probe.trials_of(ask) for ask in probe.asks)
    assert math.prod(map(int, re.findall(r"\d+", requests))) == n_sent
    assert not probe.needs_model or probe.trials > 1


def test_the_page_lists_no_other() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if " | `" in line]
    assert len(rows) == len(PROBES)

"""Gathers what the cut-over checklist needs beside a run: probe folders, and what its golden set asks for."""

import shlex
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.preflight import apart, knowledge_of, probes_known, refuse_others
from harness.cli.sides import RecordedSide
from harness.model.chatrequest import unpinned_sampling
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.probestorage import load_probe_report

if TYPE_CHECKING:
    from harness.analysis.checklist import Prior
    from harness.analysis.results.analysis import Analysis
    from harness.measure.preflight import Knowledge
    from harness.report.page import ChecklistView

_DAY = len("2026-01-01")  # of an ISO date


def checklist_of(
    analysis: "Analysis", reference: RecordedSide, candidate: RecordedSide | None, probes: Sequence[Path] = ()
) -> "ChecklistView":
    """Make the checklist about the endpoint to move to; without `probes`, from the newest beside the run."""
    from harness.analysis.checklist import cutover_checklist  # noqa: PLC0415
    from harness.report.view_checklist import checklist_view  # noqa: PLC0415

    prior = _prior(reference, candidate, probes)
    return checklist_view(cutover_checklist(analysis, prior), prior)


def _prior(reference: RecordedSide, candidate: RecordedSide | None, probes: Sequence[Path]) -> "Prior":
    from harness.analysis.checklist import Prior  # noqa: PLC0415
    from harness.measure.needs import needed_probes  # noqa: PLC0415

    main = candidate or reference
    known = _known(main, probes)
    before = _known(reference, probes) if candidate is not None else None
    refuse_others(probes, [reference.endpoint, main.endpoint])
    return Prior(
        file=file_of(main),
        reference_file=file_of(reference) if candidate is not None else "<reference>.yml",
        needed=needed_probes(main.golden, main.endpoint),
        unpinned=_unpinned(main.golden, main.endpoint),
        probes=known.report if known else None,
        reference_probes=before.report if before else None,
        probes_source=known.source if known else "",
        days=known.days if known else {},
        run_day=main.run.header.started_at[:_DAY],
    )


def file_of(side: RecordedSide) -> str:
    """Give the endpoint file as the user named it; a run that does not say it was of a file of the endpoint's name."""
    return shlex.quote(str(side.header.facts.get("file") or f"{side.endpoint.name}.yml"))


def _known(side: RecordedSide, given: Sequence[Path]) -> "Knowledge | None":
    """Take the folder given for this endpoint, else what the folders beside its run know."""
    for folder in given:
        report = load_probe_report(folder)
        if not apart(report, side.endpoint):
            return knowledge_of(folder, report)
    return probes_known(side.run.folder.parent, side.endpoint)


def _unpinned(golden: GoldenSet, endpoint: Endpoint) -> dict[str, tuple[str, ...]]:
    from harness.measure.preflight import as_pinned  # noqa: PLC0415

    found: dict[str, list[str]] = defaultdict(list)
    for prompt in golden.prompts:
        for name in unpinned_sampling(as_pinned(prompt, endpoint)):
            found[name].append(prompt.id)
    return {name: tuple(ids) for name, ids in found.items()}

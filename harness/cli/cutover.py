"""Gathers what the cut-over checklist needs beside a run: probe folders, and what its golden set asks for."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.preflight import probes_known
from harness.cli.sides import RecordedSide
from harness.errors import ConfigError
from harness.model.chatrequest import unpinned_sampling
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.probe import ProbeReport
from harness.model.probestorage import load_probe_report

if TYPE_CHECKING:
    from harness.analysis.checklist import Prior
    from harness.analysis.results.analysis import Analysis
    from harness.report.page import ChecklistView


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
    folder, found = _probed(main, probes)
    _, before = _probed(reference, probes) if candidate is not None else (None, None)
    _refuse_others(probes, reference, main)
    return Prior(
        file=f"{main.endpoint.name}.yml",
        reference_file=f"{reference.endpoint.name}.yml" if candidate is not None else "<reference>.yml",
        needed=needed_probes(main.golden, main.endpoint),
        unpinned=_unpinned(main.golden, main.endpoint),
        probes=found,
        reference_probes=before,
        probes_source=str(folder or ""),
    )


def _probed(side: RecordedSide, given: Sequence[Path]) -> tuple[str | None, ProbeReport | None]:
    """Take the folder given for this endpoint, else what the folders beside its run know."""
    for folder in given:
        report = load_probe_report(folder)
        if report.endpoint.get("name") == side.endpoint.name:
            return str(folder), report
    known = probes_known(side.run.folder.parent, side.endpoint)
    return (known.source, known.report) if known else (None, None)


def _refuse_others(given: Sequence[Path], *sides: RecordedSide) -> None:
    """A folder that is of neither side would have no effect, silently."""
    names = {side.endpoint.name for side in sides}
    for folder in given:
        name = load_probe_report(folder).endpoint.get("name")
        if name not in names:
            raise ConfigError(
                f"these probes are of {name!r}, and the run is of {', '.join(sorted(names))}",
                where=str(folder),
                remedy="Give the probe folder of an endpoint of the run",
            )


def _unpinned(golden: GoldenSet, endpoint: Endpoint) -> dict[str, tuple[str, ...]]:
    from harness.measure.preflight import as_pinned  # noqa: PLC0415

    found: dict[str, list[str]] = defaultdict(list)
    for prompt in golden.prompts:
        for name in unpinned_sampling(as_pinned(prompt, endpoint)):
            found[name].append(prompt.id)
    return {name: tuple(ids) for name, ids in found.items()}

"""Says before a run what is known about both sides, and refuses one that would fail for a known reason."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import ConfigError
from harness.model.endpoint import Endpoint
from harness.model.probe import ProbeReport, ProbeResult
from harness.model.probestorage import SUFFIX, load_probe_report
from harness.model.record import Arm

if TYPE_CHECKING:
    from harness.cli.measuring import Request
    from harness.measure.preflight import Knowledge, Line

_ANOTHER = ("base_url", "model")  # what makes it another endpoint, though it is called the same

_DAY = len("2026-01-01")  # of an ISO date


def check_before(request: "Request") -> None:
    """Print what is known; ConfigError for a feature that is needed and rejected, before anything is measured."""
    from harness.measure.preflight import Severity, preflight  # noqa: PLC0415

    known = _known(request)
    lines = preflight(request.golden, request.endpoints, known)
    if not request.quiet:
        for line in lines:
            click.echo(_told(line), err=True)
    refusals = [line for line in lines if line.severity is Severity.REFUSAL]
    if refusals and not request.skip_preflight:
        first, others = refusals[0], ", ".join(line.probe for line in refusals[1:])
        raise ConfigError(
            f"{first.text}. {first.remedy}" + (f". Rejected as well: {others}" if others else ""),
            where="preflight",
            remedy="Probe again if that has changed (--probe), or measure all the same: --skip-preflight",
        )


def _told(line: "Line") -> str:
    head = "preflight: " if line.severity == "info" else "WARNING: "
    return f"{head}{line.text}. {line.remedy}" if line.remedy else f"{head}{line.text}"


def _known(request: "Request") -> dict[Arm, "Knowledge"]:
    from harness.measure.preflight import Knowledge  # noqa: PLC0415

    known = {}
    for arm, endpoint in request.endpoints.items():
        if request.probe:
            folder = _probed_now(request, endpoint)
            known[arm] = Knowledge(source=str(folder), report=load_probe_report(folder))
        elif (found := probes_known(request.out, endpoint)) is not None:
            known[arm] = found
    return known


def _probed_now(request: "Request", endpoint: Endpoint) -> Path:
    """Probe what the golden set needs of this endpoint, and nothing else."""
    from harness.cli.probing import announce_probes, probe_endpoint, refuse_over_budget  # noqa: PLC0415
    from harness.measure.needs import needed_probes  # noqa: PLC0415
    from harness.probes.catalogue import PROBES  # noqa: PLC0415

    needed = needed_probes(request.golden, endpoint)
    chosen = [probe for probe in PROBES if probe.id in needed]
    cost = announce_probes(endpoint, chosen, None, quiet=request.quiet)
    refuse_over_budget([cost], request.settings.max_cost)
    return probe_endpoint(endpoint, chosen, request.out, quiet=request.quiet)


def probes_known(results: Path, endpoint: Endpoint | Mapping[str, object]) -> "Knowledge | None":
    """Take each probe's newest result over all folders of this very endpoint: its name, address and model."""
    from harness.measure.preflight import Knowledge  # noqa: PLC0415

    fields = {name: _field(endpoint, name) for name in ("name", *_ANOTHER)}
    of_it = [
        (report.started_at, folder, report)
        for folder, report in _probings(results)
        if all(report.endpoint.get(name) == value for name, value in fields.items())
    ]
    of_it.sort(key=lambda one: one[:2], reverse=True)
    if not of_it:
        return None
    taken: dict[str, tuple[ProbeResult, str, Path]] = {}
    for started_at, folder, report in of_it:
        for result in report.results:
            taken.setdefault(result.id, (result, started_at, folder))
    folders = [folder for _, folder, _ in of_it if any(one[2] == folder for one in taken.values())]
    windows = (report.context_window for _, _, report in of_it if report.context_window is not None)
    merged = replace(
        of_it[0][2],
        results=tuple(sorted((one[0] for one in taken.values()), key=lambda result: result.number)),
        skipped={probe: why for probe, why in of_it[0][2].skipped.items() if probe not in taken},
        context_window=next(windows, None),
    )
    days = {probe: started_at[:_DAY] for probe, (_, started_at, _) in taken.items()}
    return Knowledge(source=", ".join(map(str, folders or [of_it[0][1]])), report=merged, days=days)


def _field(endpoint: Endpoint | Mapping[str, object], name: str) -> object:
    return endpoint.get(name) if isinstance(endpoint, Mapping) else getattr(endpoint, name)


def _probings(results: Path) -> Iterator[tuple[Path, ProbeReport]]:
    for folder in sorted(results.glob(f"*{SUFFIX}")):
        try:
            yield folder, load_probe_report(folder)
        except ConfigError:
            continue  # half-written or of a newer version: as if it were not there

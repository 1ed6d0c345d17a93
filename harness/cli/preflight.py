"""Says before a run what is known about both sides, and refuses one that would fail for a known reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.screen import is_verbose, say
from harness.errors import ConfigError
from harness.model.endpoint import Endpoint
from harness.model.probe import ProbeReport, ProbeResult
from harness.model.probestorage import SUFFIX, load_probe_report
from harness.model.record import Arm

if TYPE_CHECKING:
    from harness.cli.measuring import Request
    from harness.measure.preflight import Knowledge, Line
    from harness.probes.probe import Probe

_ANOTHER = ("base_url", "model")  # what makes it another endpoint, though it is called the same

_DAY = len("2026-01-01")  # of an ISO date


def check_before(request: "Request") -> None:
    """Print what is known; ConfigError for a feature that is needed and rejected, before anything is measured."""
    from harness.measure.preflight import Severity, preflight  # noqa: PLC0415

    known = _known(request)
    lines = preflight(request.golden, request.endpoints, known)
    if not request.quiet:
        for line in lines:
            say(_told(line), indent="  ")
    refusals = [line for line in lines if line.severity is Severity.REFUSAL]
    if refusals and not request.skip_preflight:
        first, others = refusals[0], ", ".join(line.probe for line in refusals[1:])
        raise ConfigError(
            f"{first.text}. {first.remedy}" + (f". Rejected as well: {others}" if others else ""),
            where="preflight",
            remedy="Probe again if that has changed (--probe), or measure all the same: --skip-preflight",
        )


def _told(line: "Line") -> str:
    """Give a line; what is only for information is said without its remedy, unless -v asks for more."""
    if line.severity == "info":
        return f"preflight: {line.text}. {line.remedy}" if line.remedy and is_verbose() else f"preflight: {line.text}"
    return f"WARNING: {line.text}. {line.remedy}" if line.remedy else f"WARNING: {line.text}"


def _known(request: "Request") -> dict[Arm, "Knowledge"]:
    from harness.cli.probing import probe_endpoint  # noqa: PLC0415

    refuse_others(request.probes, list(request.endpoints.values()))
    fresh = {
        endpoint.name: probe_endpoint(endpoint, probes, request.out, quiet=request.quiet)
        for endpoint, probes in probes_before(request)
    }
    known = {}
    for arm, endpoint in request.endpoints.items():
        if (folder := fresh.get(endpoint.name)) is not None:
            known[arm] = knowledge_of(folder, load_probe_report(folder))
        elif (given := _given(request, endpoint)) is not None:
            known[arm] = given
        elif (found := probes_known(request.out, endpoint)) is not None:
            known[arm] = found
    return known


def _given(request: "Request", endpoint: Endpoint) -> "Knowledge | None":
    reports = ((folder, load_probe_report(folder)) for folder in request.probes)
    return next((knowledge_of(folder, report) for folder, report in reports if not apart(report, endpoint)), None)


def refuse_others(given: Sequence[Path], endpoints: Sequence[Endpoint]) -> None:
    """A probe folder that is of none of these endpoints would have no effect, silently."""
    for folder in given:
        report = load_probe_report(folder)
        found = {endpoint.name: apart(report, endpoint) for endpoint in endpoints}
        if all(found.values()):
            told = "; ".join(f"not of {name}: {difference}" for name, difference in found.items())
            raise ConfigError(
                f"these probes are of another endpoint ({told})",
                where=str(folder),
                remedy="Give the probe folder of an endpoint that is measured, or probe it again",
            )


def probes_before(request: "Request") -> list[tuple[Endpoint, list["Probe"]]]:
    """Give what of each endpoint is probed: what the golden set needs, or all there is; a placebo's endpoint once."""
    from harness.measure.needs import needed_probes  # noqa: PLC0415
    from harness.probes.catalogue import PROBES  # noqa: PLC0415

    if not request.probe and not request.all_probes:
        return []
    endpoints = {endpoint.name: endpoint for endpoint in request.endpoints.values()}
    if request.all_probes:
        return [(endpoint, list(PROBES)) for endpoint in endpoints.values()]
    needed = {name: needed_probes(request.golden, endpoint) for name, endpoint in endpoints.items()}
    return [(endpoint, [probe for probe in PROBES if probe.id in needed[name]]) for name, endpoint in endpoints.items()]


def probes_known(results: Path, endpoint: Endpoint | Mapping[str, object]) -> "Knowledge | None":
    """Take each probe's newest result over all folders of this very endpoint: its name, address and model."""
    from harness.measure.preflight import Knowledge  # noqa: PLC0415

    of_it = [(report.started_at, folder, report) for folder, report in _probings_of(results, endpoint)]
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


def apart(report: ProbeReport, endpoint: Endpoint) -> str:
    """Say in what these probes are of another endpoint: name, address or model; empty where they are of this one."""
    pairs = [(name, report.endpoint.get(name), _field(endpoint, name)) for name in ("name", *_ANOTHER)]
    return ", ".join(f"{name} {was!r} instead of {now!r}" for name, was, now in pairs if was != now)


def knowledge_of(folder: Path, report: ProbeReport) -> "Knowledge":
    """Give what one folder knows, each result with its day."""
    from harness.measure.preflight import Knowledge  # noqa: PLC0415

    days = {result.id: report.started_at[:_DAY] for result in report.results}
    return Knowledge(source=str(folder), report=report, days=days)


def _field(endpoint: Endpoint | Mapping[str, object], name: str) -> object:
    return endpoint.get(name) if isinstance(endpoint, Mapping) else getattr(endpoint, name)


def probe_folders(results: Path, endpoint: Endpoint) -> list[Path]:
    """Give the probe folders of this very endpoint, the oldest first."""
    return [folder for folder, _ in _probings_of(results, endpoint)]


def _probings_of(results: Path, endpoint: Endpoint | Mapping[str, object]) -> Iterator[tuple[Path, ProbeReport]]:
    fields = {name: _field(endpoint, name) for name in ("name", *_ANOTHER)}
    for folder, report in _probings(results):
        if all(report.endpoint.get(name) == value for name, value in fields.items()):
            yield folder, report


def _probings(results: Path) -> Iterator[tuple[Path, ProbeReport]]:
    for folder in sorted(results.glob(f"*{SUFFIX}")):
        try:
            yield folder, load_probe_report(folder)
        except ConfigError:
            continue  # half-written or of a newer version: as if it were not there

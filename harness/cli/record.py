"""`bench record`: a run that stands alone, made before its endpoint is gone."""

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.exporting import exporting_options
from harness.cli.helppage import SectionedCommand
from harness.cli.ledgering import ledger_option
from harness.cli.options import measuring_options, reporting_options
from harness.cli.screen import say
from harness.cli.unattended import unattended_options
from harness.clock import SystemClock
from harness.errors import ConfigError
from harness.model.keptrun import GOLDEN, PROBES, README, KeptRun, digests, read_kept, write_kept
from harness.model.ledger import Remark, append_line
from harness.model.record import Arm, RunStatus

if TYPE_CHECKING:
    from harness.analysis.results.analysis import Analysis
    from harness.cli.judging import Judged
    from harness.cli.sides import RecordedSide

REPEATS = 10
_UNUSABLE = 4  # as INVALID: what is compared with it says nothing


@click.command(cls=SectionedCommand)
@click.argument("endpoint", type=click.Path(path_type=Path))
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="Label of the run (may be repeated).")
@click.option("--note", help="Why it is recorded: kept in the folder and in the ledger.")
@click.option("--all-probes", is_flag=True, help="Probe every feature first, and keep the answers with the run.")
@measuring_options
@ledger_option
@exporting_options
@unattended_options
@reporting_options
def record(endpoint: Path, **given: Any) -> int:
    """Measure ENDPOINT (a.yml) so that it can be compared with when it is gone.

    It is a run with 10 repeats where nothing else is said, and its folder holds all that a comparison needs, on any
    machine: answers and timings as they came, golden set, probes if asked, digests, and a README. Given a run folder
    instead, it makes that one stand alone. Exit code 4: the run is no use as a reference, and why is said.

    \b
    Example:
        bench record a.yml --label before-shutdown --note "gpt-x is shut down on 1 June"
        bench compare results/<run> b.yml
    """
    from harness.analysis.asreference import reference_problems  # noqa: PLC0415  # keeps --help light

    analysis = _recorded(endpoint) if endpoint.is_dir() else None
    folder = endpoint
    if analysis is None:
        judged = _measured(endpoint, given)
        folder, analysis = judged.run.folder, judged.analysis
    _keep(folder, given)
    problems = list(reference_problems(analysis))
    for problem in problems:
        say(f"NOT A REFERENCE: {problem}")
    if not given["quiet"] and not given["as_json"]:
        click.echo(f"kept in {folder}; copy the whole folder. Later: bench compare {folder} b.yml", err=True)
    return _UNUSABLE if problems else 0


def _recorded(folder: Path) -> "Analysis":
    """Analyse a run that is there; no verdict on it is shown, so this is no look."""
    from harness.analysis.analyse import analyse  # noqa: PLC0415  # pandas and scipy load here
    from harness.cli.judging import recorded_case  # noqa: PLC0415

    return analyse(recorded_case(folder))


def _measured(file: Path, given: dict[str, Any]) -> "Judged":
    """Measure as `bench run` does, which can go on with it after an interruption."""
    from harness.cli.compare import measure_request, request_for  # noqa: PLC0415  # keeps --help light
    from harness.cli.judging import judged_run, output_of  # noqa: PLC0415
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    loaded = load_endpoint(file)
    if given["repeats"] is None and given["settings"] is None:
        given["repeats"] = REPEATS
    given["files"] = {Arm.REFERENCE: str(file)}
    output = output_of(given)
    request = request_for({Arm.REFERENCE: loaded}, given, shlex.join(["bench", "run", str(file)]))
    folder = measure_request(request)
    with output.judging():
        judged = judged_run(folder, None)
    judged.report(output)
    return judged


def _keep(folder: Path, given: dict[str, Any]) -> None:
    """Write what the folder lacks to stand alone; what an earlier call said of it stays."""
    from harness.cli.goldenwriting import write_golden_set  # noqa: PLC0415
    from harness.cli.judging import sides_of  # noqa: PLC0415
    from harness.model.storage import load_run  # noqa: PLC0415

    run = load_run(folder)
    if run.header.status is not RunStatus.FINISHED:
        raise ConfigError(
            f"the run is {run.header.status}", where=str(folder), remedy="Go on with it first: bench run --resume"
        )
    side, _ = sides_of(run)
    write_golden_set(side.golden, folder / GOLDEN, ["The set that this run replayed."], may_replace=True)
    earlier = read_kept(folder)
    kept = KeptRun(
        run_id=run.header.run_id,
        kept_at=SystemClock().now().isoformat(timespec="seconds"),
        golden_sha256=side.golden.sha256,
        labels=tuple(dict.fromkeys([*(earlier.labels if earlier else ()), *given["labels"]])),
        note=given["note"] or (earlier.note if earlier else None),
        probes=_with_probes(folder, side, given["out"]),
        files=digests(folder),
    )
    write_kept(folder, kept)
    _write_readme(folder, side, kept)
    _remark(kept, given)


def _with_probes(folder: Path, side: "RecordedSide", out: Path) -> tuple[str, ...]:
    """Copy the probe folders of this very endpoint, those beside the run and those that it holds already."""
    from harness.cli.preflight import probe_folders  # noqa: PLC0415

    for found in probe_folders(out, side.endpoint):
        target = folder / PROBES / found.name
        if not target.exists():
            shutil.copytree(found, target)
    held = folder / PROBES
    return tuple(sorted(path.name for path in held.iterdir())) if held.is_dir() else ()


def _write_readme(folder: Path, side: "RecordedSide", kept: KeptRun) -> None:
    from harness.model.storage import write_atomically  # noqa: PLC0415
    from harness.report.keptreadme import kept_readme  # noqa: PLC0415

    write_atomically(folder / README, kept_readme(side.run.header, side.endpoint, side.golden, kept).encode())


def _remark(kept: KeptRun, given: dict[str, Any]) -> None:
    from harness.cli.ledgering import ledger_of  # noqa: PLC0415

    ledger = ledger_of(given)
    if ledger is None or not ledger.exists():
        return
    if given["note"]:
        append_line(ledger, Remark(at=kept.kept_at, run_id=kept.run_id, note=given["note"]))
    for label in given["labels"]:
        append_line(ledger, Remark(at=kept.kept_at, run_id=kept.run_id, label=label))

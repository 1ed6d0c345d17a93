"""`bench run`: measure one endpoint."""

import shlex
from typing import Any

import click

from harness.cli.exporting import exporting_options
from harness.cli.ledgering import ledger_option
from harness.cli.options import measuring_options, reporting_options, resuming_option
from harness.cli.resumable import ResumableCommand
from harness.cli.unattended import unattended_options
from harness.errors import InterruptedRunError, StoppedRunError
from harness.model.record import Arm


@click.command(cls=ResumableCommand)
@click.argument("endpoint", type=click.Path(dir_okay=False))
@resuming_option
@measuring_options
@ledger_option
@exporting_options
@unattended_options
@reporting_options
def run(endpoint: str, **given: Any) -> int:
    """Measure one ENDPOINT (a.yml): its answers, tool calls and tails, without a verdict.

    The run can be a side of a later comparison, when the endpoint is gone.

    \b
    Example:
        bench run a.yml && bench compare results/<run> b.yml
    """
    from pathlib import Path  # noqa: PLC0415

    from harness.cli.compare import measure_request, request_for  # noqa: PLC0415
    from harness.cli.judging import judge_run, output_of  # noqa: PLC0415
    from harness.cli.sofar import has_measured  # noqa: PLC0415
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    given["files"] = {Arm.REFERENCE: endpoint}
    endpoints = {Arm.REFERENCE: load_endpoint(Path(endpoint))}
    output = output_of(given)
    try:
        folder = measure_request(request_for(endpoints, given, shlex.join(["bench", "run", endpoint])))
    except (InterruptedRunError, StoppedRunError) as stop:
        if stop.folder is not None and not given["quiet"] and has_measured(stop.folder):
            judge_run(stop.folder, None, output)  # one endpoint's own figures are no look at a comparison
        raise
    return judge_run(folder, None, output)

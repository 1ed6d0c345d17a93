"""`bench run`: measure one endpoint."""

import shlex
from typing import Any

import click

from harness.cli.options import measuring_options, reporting_options, resuming_option
from harness.model.record import Arm


@click.command()
@click.argument("endpoint", type=click.Path(dir_okay=False))
@resuming_option
@measuring_options
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
    from harness.cli.judging import Output, judge_run  # noqa: PLC0415
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    given["files"] = {Arm.REFERENCE: endpoint}
    endpoints = {Arm.REFERENCE: load_endpoint(Path(endpoint))}
    folder = measure_request(request_for(endpoints, given, shlex.join(["bench", "run", endpoint])))
    return judge_run(folder, None, Output(reports=given["reports"], quiet=given["quiet"], as_json=given["as_json"]))

"""`bench run`: measure one endpoint."""

from typing import Any

import click

from harness.cli.compare import with_concurrency
from harness.cli.options import (
    has_twin,
    measuring_options,
    reporting_options,
    resolve_golden,
    resolve_settings,
    workers_per_endpoint,
)
from harness.model.record import Arm


@click.command()
@click.argument("endpoint", type=click.Path(dir_okay=False))
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

    from harness.cli.judging import Output, judge_run, keep_records, make_reports_folder  # noqa: PLC0415
    from harness.cli.measuring import Request, measure  # noqa: PLC0415
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    loaded = with_concurrency(load_endpoint(Path(endpoint)), given["concurrency"])
    settings = resolve_settings(given)
    make_reports_folder(given["reports"])
    folder = measure(
        Request(
            endpoints={Arm.REFERENCE: loaded},
            golden=resolve_golden(given["golden"]),
            settings=settings,
            out=given["out"],
            quiet=given["quiet"] or given["as_json"],
            workers=workers_per_endpoint(given),
            has_twin=has_twin(given),
        )
    )
    keep_records(folder)
    return judge_run(folder, None, Output(reports=given["reports"], quiet=given["quiet"], as_json=given["as_json"]))

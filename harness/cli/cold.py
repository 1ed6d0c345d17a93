"""`bench cold`: how long an endpoint that scales to zero takes to wake."""

from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("endpoint", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--idle",
    type=click.FloatRange(0, min_open=True),
    help="Seconds to leave it alone before each wake; cold.idle_after_s of the endpoint file and 5 % where absent.",
)
@click.option("--is-cold", is_flag=True, help="It is asleep already: send the first request at once.")
@click.option("--repeats", type=click.IntRange(1, 100), default=1, show_default=True, help="How many wakes.")
@click.option(
    "--budget", type=click.FloatRange(0, min_open=True), help="Seconds that a wake may take; the file's cold.budget_s."
)
@click.option(
    "--cap",
    type=click.FloatRange(0, min_open=True),
    help="Seconds after which the provider gives up; the file's cold.cap_s, or 600.",
)
@click.option("--yes", is_flag=True, help="Do not ask: the billed minutes are agreed to.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), help="Folder of run folders.")
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), help="Folder of reports.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the wakes as one line of JSON.")
def cold(endpoint: Path, **given: Any) -> int:
    """Measure how long ENDPOINT (x.yml) takes to wake, and where the wait goes.

    Leaves it idle, or is told that it is asleep, then sends exactly one request, and one more for comparison once it is
    awake. A wake is billed by the minute: the cost is said first, and asked about.

    \b
    Exit codes: 0 every wake was answered, within its budget where one is stated; 1 one took longer, was
    given up by the provider (504), or brought no answer; 3 one was no wake: the endpoint was warm;
    75 a request failed for another reason; 2 and 130 as everywhere.

    \b
    Example:
        bench cold x.yml --idle 900 --repeats 3 --budget 480 --cap 600
    """
    from harness.cli.coldrunning import ColdRequest, measure_cold, report_cold  # noqa: PLC0415  # keeps --help light

    request = ColdRequest(endpoint=endpoint, **given)
    return report_cold(measure_cold(request), request)
